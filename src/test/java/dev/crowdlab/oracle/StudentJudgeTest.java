package dev.crowdlab.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.oracle.Exchange.Answer;
import dev.crowdlab.oracle.Exchange.Way;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StudentJudgeTest {

  private static final Instant START = Instant.parse("2026-11-28T12:00:00Z");

  // ---- what is shown

  @ParameterizedTest
  @ValueSource(
      strings = {"1.\n2.\n3.\n", "1.\n2.\n3.\n4.\n", "1.\n2.\n3.\n4", "1.\n2.\n3.\n4\n5.\n"})
  void allThatWasAcknowledgedAndPerhapsMoreIsRight(String shown) {
    assertThat(StudentJudge.wrong(shown, List.of(1L, 2L, 3L), 5)).isEmpty();
  }

  @Test
  void anUnacknowledgedNumberMayComeLate() {
    assertThat(StudentJudge.wrong("1.\n3.\n2.\n", List.of(1L, 3L), 3)).isEmpty();
  }

  @Test
  void anAcknowledgedNumberThatIsNotShownIsWrong() {
    assertThat(StudentJudge.wrong("1.\n3.\n", List.of(1L, 2L, 3L), 3))
        .contains("2 was acknowledged and is not shown");
  }

  @Test
  void anOldStateIsWrong() {
    assertThat(StudentJudge.wrong("1.\n", List.of(1L, 2L), 2))
        .contains("2 was acknowledged and is not shown");
  }

  @Test
  void aNumberThatIsShownTwiceIsWrong() {
    assertThat(StudentJudge.wrong("1.\n2.\n2.\n", List.of(1L, 2L), 2))
        .contains("2 stands there twice");
  }

  @Test
  void acknowledgedNumbersInAnotherOrderAreWrong() {
    assertThat(StudentJudge.wrong("2.\n1.\n", List.of(1L, 2L), 2)).contains("1 follows 2");
  }

  @Test
  void anotherTeamsFileIsWrong() {
    assertThat(StudentJudge.wrong("1.\n9.\n", List.of(1L), 2)).contains("9 was not sent yet");
    assertThat(StudentJudge.wrong("1.\nhello\n", List.of(1L), 2))
        .contains("a line that nobody sent, at 3 of 9: 'hello'");
  }

  @Test
  void whatNoTerminalShowsIsSpeltOut() {
    assertThat(StudentJudge.wrong("1.\n\0\0\0\t2.\n", List.of(1L), 2))
        .contains("a line that nobody sent, at 3 of 10: '<3 x 00><1 x 09>2.'");
  }

  @Test
  void aWrongAnswerIsABreachWhateverElseWentRight() {
    List<Exchange> exchanges =
        List.of(at(0, 10, Answer.RIGHT), at(20, 30, Answer.WRONG), at(40, 50, Answer.NONE));

    assertThat(StudentJudge.judge(exchanges))
        .extracting(Breach::kind)
        .containsExactly(Breach.Kind.WRONG_ANSWER);
  }

  // ---- how requests fared

  @Test
  void figuresCountEachAnswerOfEachWay() {
    List<Exchange> exchanges =
        List.of(
            at(0, 10, Answer.RIGHT),
            at(20, 900, Answer.SERVER_ERROR),
            at(910, 920, Answer.REFUSED),
            at(930, 940, Answer.NONE),
            at(950, 960, Answer.OTHER_STATUS),
            at(970, 1_070, Answer.RIGHT),
            at(1_080, 1_090, Answer.WRONG));

    Map<Way, Figures> figures = Figures.byWay(exchanges);

    assertThat(figures)
        .containsExactly(
            Map.entry(
                Way.GET,
                new Figures(
                    7, 2, 1, 1, 1, 1, 1, Duration.ofMillis(100), Duration.ofMillis(1_060))));
    assertThat(figures.get(Way.GET).errors()).isEqualTo(4);
  }

  @Test
  void theTimeWithoutAnAnswerCountsFromTheBeginningAndToTheEnd() {
    assertThat(Figures.of(List.of(at(0, 700, Answer.NONE), at(710, 800, Answer.RIGHT))))
        .extracting(Figures::longestSilence)
        .isEqualTo(Duration.ofMillis(800));
    assertThat(
            Figures.of(
                List.of(
                    at(0, 700, Answer.NONE), at(10, 20, Answer.RIGHT), at(500, 510, Answer.RIGHT))))
        .extracting(Figures::longestSilence)
        .isEqualTo(Duration.ofMillis(490));
    assertThat(Figures.of(List.of(at(0, 100, Answer.RIGHT), at(110, 700, Answer.NONE))))
        .extracting(Figures::longestSilence)
        .isEqualTo(Duration.ofMillis(600));
  }

  @Test
  void failuresCountFromAMomentOnAndNotThoseOfWebSockets() {
    List<Exchange> exchanges =
        List.of(
            at(0, 300, Answer.SERVER_ERROR),
            at(250, 300, Answer.SERVER_ERROR),
            at(260, 2_000, Answer.RIGHT),
            at(270, 280, Answer.WRONG),
            new Exchange(Way.WEBSOCKET, millis(300), millis(310), Answer.SERVER_ERROR, "503"));

    assertThat(StudentJudge.failuresFrom(exchanges, millis(250))).isEqualTo(2);
  }

  @Test
  void theFirstRightAnswerIsTheOneThatWasCompleteFirst() {
    List<Exchange> exchanges =
        List.of(
            at(0, 50, Answer.RIGHT),
            at(10, 900, Answer.RIGHT),
            at(60, 400, Answer.SERVER_ERROR),
            at(400, 700, Answer.RIGHT));

    assertThat(StudentJudge.firstRightFrom(exchanges, millis(100))).contains(millis(700));
    assertThat(StudentJudge.firstRightFrom(exchanges, millis(1_000))).isEmpty();
  }

  private static Exchange at(long sent, long ended, Answer answer) {
    return new Exchange(Way.GET, millis(sent), millis(ended), answer, "");
  }

  private static Instant millis(long millis) {
    return START.plusMillis(millis);
  }
}
