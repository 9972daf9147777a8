// What a browser made of the page, for PageFacts.
(() => {
  const all = [...document.querySelectorAll('*')];
  const elements = all.filter(e => document.body.contains(e) && e.tagName !== 'SCRIPT' && e.tagName !== 'NOSCRIPT');
  const words = e => [...e.childNodes].filter(n => n.nodeType === Node.TEXT_NODE).map(n => n.data.trim()).join(' ').trim();
  const transparent = colour => /^(transparent|rgba\(.*, 0\))$/.test(colour);
  const behind = e => {
    for (let at = e; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!transparent(colour)) {
        return colour;
      }
    }
    return '';
  };
  const references = all.flatMap(e => ['src', 'srcset', 'href', 'data', 'poster', 'action', 'background']
    .filter(name => e.hasAttribute(name))
    .map(name => e.getAttribute(name)));
  const styles = [...document.querySelectorAll('style')].map(e => e.textContent)
    .concat(all.map(e => e.getAttribute('style') ?? ''));
  const imports = styles.flatMap(text => text.match(/@import[^;]*|url\([^)]*\)/g) ?? []);
  const foreign = reference => {
    const url = new URL(reference, location.href);
    return url.protocol !== 'data:' && url.origin !== location.origin;
  };
  return {
    lang: document.documentElement.lang,
    title: document.title,
    mains: document.querySelectorAll('main, [role=main]').length,
    headings: [...document.querySelectorAll('h1')].map(e => e.textContent.trim()),
    styled: [...document.querySelectorAll('style')].every(e => e.sheet && e.sheet.cssRules.length > 0),
    texts: elements.filter(e => words(e) !== '').map(e => ({
      words: words(e),
      colour: getComputedStyle(e).color,
      background: behind(e),
      pixels: parseFloat(getComputedStyle(e).fontSize),
      outside: e.closest('main, [role=main]') === null
    })),
    foreign: references.filter(foreign).concat(imports.filter(text => !/^url\(["']?data:/.test(text))),
    moving: document.getAnimations().length
      + all.filter(e => getComputedStyle(e).transitionDuration.split(', ').some(time => time !== '0s')).length,
    width: document.documentElement.scrollWidth,
    window: innerWidth
  };
})()
