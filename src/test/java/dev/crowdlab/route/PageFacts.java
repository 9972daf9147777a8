package dev.crowdlab.route;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * What a browser made of a page: {@code page-facts.js} tells it.
 *
 * @param lang the document's language
 * @param mains how many main landmarks there are
 * @param headings the texts of the headings of the first level
 * @param styled whether every style sheet is applied
 * @param foreign what leads to another origin, or is loaded by a style sheet
 * @param moving how many elements move or would move
 * @param width how wide the content is, in CSS pixels
 * @param window how wide the window is
 */
record PageFacts(
    String lang,
    String title,
    int mains,
    List<String> headings,
    boolean styled,
    List<Text> texts,
    List<String> foreign,
    int moving,
    int width,
    int window) {

  /** WCAG 2.2, success criterion 1.4.3, for text of ordinary size. */
  private static final double LEAST_CONTRAST = 4.5;

  private static final double LEAST_PIXELS = 16;

  private static final Pattern OPAQUE = Pattern.compile("rgb\\((\\d+), (\\d+), (\\d+)\\)");

  /**
   * A text as it is shown.
   *
   * @param colour as CSS's computed value, {@code rgb(1, 2, 3)}
   * @param background likewise, empty when nothing is behind it
   * @param pixels the font's size
   * @param outside whether it is in no main landmark
   */
  record Text(String words, String colour, String background, double pixels, boolean outside) {

    /** The contrast ratio of WCAG 2.2, from 1 to 21; 0 when a colour is not an opaque one. */
    double contrast() {
      double text = luminance(colour);
      double behind = luminance(background);
      return text < 0 || behind < 0
          ? 0
          : (Math.max(text, behind) + 0.05) / (Math.min(text, behind) + 0.05);
    }

    /** Relative luminance as WCAG 2.2 defines it, below 0 when the colour is not an opaque one. */
    private static double luminance(String colour) {
      return OPAQUE
          .matcher(colour)
          .results()
          .findFirst()
          .map(rgb -> 0.2126 * linear(rgb, 1) + 0.7152 * linear(rgb, 2) + 0.0722 * linear(rgb, 3))
          .orElse(-1.0);
    }

    private static double linear(MatchResult rgb, int channel) {
      double value = Integer.parseInt(rgb.group(channel)) / 255.0;
      return value <= 0.04045 ? value / 12.92 : Math.pow((value + 0.055) / 1.055, 2.4);
    }
  }

  /** What keeps somebody from reading it, a line each; empty for a good page. */
  List<String> problems() {
    List<String> problems = new ArrayList<>();
    if (lang.isBlank()) {
      problems.add("the document names no language");
    }
    if (title.isBlank()) {
      problems.add("the document has no title");
    }
    if (mains != 1) {
      problems.add("there are " + mains + " main landmarks, not one");
    }
    if (headings.size() != 1 || headings.getFirst().isBlank()) {
      problems.add("the headings of the first level are " + headings + ", not one");
    }
    if (!styled) {
      problems.add("a style sheet is not applied");
    }
    if (texts.isEmpty()) {
      problems.add("no text is shown");
    }
    texts.forEach(text -> problems.addAll(problems(text)));
    foreign.forEach(reference -> problems.add("it needs " + reference));
    if (moving > 0) {
      problems.add(moving + " elements move although the reader prefers reduced motion");
    }
    if (width > window) {
      problems.add("it is " + width + " px wide in a window of " + window + " px");
    }
    return problems;
  }

  private static List<String> problems(Text text) {
    List<String> problems = new ArrayList<>();
    String quoted = "\"" + text.words() + "\"";
    if (text.contrast() < LEAST_CONTRAST) {
      problems.add(
          String.format(
              Locale.ROOT,
              "%s has a contrast of %.2f, %s on %s",
              quoted,
              text.contrast(),
              text.colour(),
              text.background()));
    }
    if (text.pixels() < LEAST_PIXELS) {
      problems.add(quoted + " is " + text.pixels() + " px high");
    }
    if (text.outside()) {
      problems.add(quoted + " is in no main landmark");
    }
    return problems;
  }

  /** The least contrast of its texts. */
  double contrast() {
    return texts.stream().mapToDouble(Text::contrast).min().orElse(0);
  }
}
