package dev.crowdlab.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.crowdlab.route.PageFacts.Text;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class PageFactsTest {

  private static final Text GOOD = text("rgb(28, 36, 48)", "rgb(246, 247, 249)");
  private static final PageFacts PAGE = page("en", "Moving", 1, List.of("Moving"), GOOD);

  @Test
  void aGoodPageHasNoProblems() {
    assertThat(PAGE.problems()).isEmpty();
  }

  static Stream<Arguments> flaws() {
    return Stream.of(
        arguments(page("", "Moving", 1, List.of("Moving"), GOOD), "names no language"),
        arguments(page("en", " ", 1, List.of("Moving"), GOOD), "no title"),
        arguments(page("en", "Moving", 0, List.of("Moving"), GOOD), "0 main landmarks"),
        arguments(page("en", "Moving", 2, List.of("Moving"), GOOD), "2 main landmarks"),
        arguments(page("en", "Moving", 1, List.of(), GOOD), "headings of the first level"),
        arguments(page("en", "Moving", 1, List.of("a", "b"), GOOD), "headings of the first level"),
        arguments(page("en", "Moving", 1, List.of("Moving")), "no text"),
        arguments(
            page(
                "en",
                "Moving",
                1,
                List.of("Moving"),
                text("rgb(119, 119, 119)", "rgb(255, 255, 255)")),
            "contrast of 4.48"),
        arguments(
            page("en", "Moving", 1, List.of("Moving"), text("rgb(0, 0, 0)", "")),
            "contrast of 0.00"),
        arguments(
            page(
                "en",
                "Moving",
                1,
                List.of("Moving"),
                new Text("x", GOOD.colour(), GOOD.background(), 15, false)),
            "15.0 px high"),
        arguments(
            page(
                "en",
                "Moving",
                1,
                List.of("Moving"),
                new Text("x", GOOD.colour(), GOOD.background(), 16, true)),
            "in no main landmark"),
        arguments(laidOut(false, List.of(), 0, 320), "style sheet"),
        arguments(laidOut(true, List.of("https://cdn.example.org/a.css"), 0, 320), "it needs"),
        arguments(laidOut(true, List.of(), 1, 320), "1 elements move"),
        arguments(laidOut(true, List.of(), 0, 321), "321 px wide"));
  }

  @ParameterizedTest
  @MethodSource("flaws")
  void eachFlawIsSaid(PageFacts page, String words) {
    assertThat(page.problems()).singleElement().asString().contains(words);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "rgb(0, 0, 0)       | rgb(255, 255, 255) | 21",
        "rgb(255, 255, 255) | rgb(0, 0, 0)       | 21",
        "rgb(9, 9, 9)       | rgb(9, 9, 9)       | 1",
        "rgb(118, 118, 118) | rgb(255, 255, 255) | 4.54",
        "rgba(0, 0, 0, 0.9) | rgb(255, 255, 255) | 0",
      })
  void contrastIsThatOfTheGuidelines(String colour, String background, double ratio) {
    assertThat(text(colour, background).contrast()).isCloseTo(ratio, within(0.005));
  }

  private static Text text(String colour, String background) {
    return new Text("x", colour, background, 18, false);
  }

  private static PageFacts page(
      String lang, String title, int mains, List<String> headings, Text... texts) {
    return new PageFacts(
        lang, title, mains, headings, true, List.of(texts), List.of(), 0, 320, 320);
  }

  private static PageFacts laidOut(boolean styled, List<String> foreign, int moving, int width) {
    return new PageFacts(
        "en", "Moving", 1, List.of("Moving"), styled, List.of(GOOD), foreign, moving, width, 320);
  }
}
