package dev.crowdlab.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.oracle.Breach.Kind;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Good histories pass, and each kind of bad one is told for what it is. */
class WriterJudgeTest {

  private static final String GOOD =
      """
      1 a 1.
      1 a 2.
      1 a 3.
      2 b 1.
      2 b 2.
      """;

  // ---- in order

  @Test
  void epochsOneAfterTheOtherWithAllThatWasAcknowledgedAreInOrder() {
    assertThat(judge(GOOD, "1 a 1.", "1 a 3.", "2 b 2.")).isEmpty();
  }

  @Test
  void anEmptyFileIsInOrderWhenNothingWasAcknowledged() {
    assertThat(judge("")).isEmpty();
  }

  @Test
  void aWriterThatStartsAnewUnderTheSameEpochIsInOrder() {
    assertThat(judge("1 a 1.\n1 b 1.\n1 b 2.\n", "1 a 1.", "1 b 2.")).isEmpty();
  }

  @Test
  void linesThatNobodyHeardOfMayBeThere() {
    assertThat(judge(GOOD)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1 a 1.\n1 a 2",
        "1 a 1.\n1 a 2\n2 b 1.\n",
        "1 a 1.\n1 \n2 b 1.\n",
        "1 a 1.\n1 a 2\n1 c\n2 b 1.\n",
        "1 a 1.\n2 b 1\n3 c 1.\n",
        "1 a\n1 b 1.\n",
        "1 a 1.\n\n2 b 1.\n"
      })
  void theLastLineOfAWriterMayBeCutOff(String text) {
    assertThat(judge(text)).isEmpty();
  }

  // ---- broken

  @Test
  void anAcknowledgedLineThatIsNotThereIsLost() {
    assertThat(judge("1 a 1.\n2 b 1.\n", "1 a 1.", "1 a 2.")).containsExactly(Kind.LOST_LINE);
  }

  @Test
  void anAcknowledgedLineThatIsThereInPartIsLost() {
    assertThat(judge("1 a 1.\n1 a 2\n2 b 1.\n", "1 a 2.")).containsExactly(Kind.LOST_LINE);
  }

  @Test
  void anEmptyFileHasLostAllThatWasAcknowledged() {
    assertThat(judge("", "1 a 1.", "1 a 2.")).containsExactly(Kind.LOST_LINE, Kind.LOST_LINE);
  }

  @Test
  void aLineThatIsMissingBeforeLaterOnesIsAHoleWhoeverHeardOfIt() {
    assertThat(judge("1 a 1.\n1 a 3.\n")).containsExactly(Kind.HOLE);
  }

  @Test
  void aWriterWhoseFirstLinesAreMissingIsAHole() {
    assertThat(judge("1 a 1.\n2 b 4.\n")).containsExactly(Kind.HOLE);
  }

  @Test
  void aLineThatFollowsALaterOneIsOutOfOrder() {
    assertThat(judge("1 a 1.\n1 a 2.\n1 a 3.\n1 a 2.\n")).containsExactly(Kind.OUT_OF_ORDER);
  }

  @Test
  void aLineThatStandsThereTwiceIsOutOfOrder() {
    assertThat(judge("1 a 1.\n1 a 1.\n")).containsExactly(Kind.OUT_OF_ORDER);
  }

  @Test
  void aLineOfAnOlderEpochAfterOneOfANewerIsASecondWriter() {
    assertThat(judge("1 a 1.\n2 b 1.\n1 a 2.\n"))
        .containsExactly(Kind.TWO_WRITERS, Kind.OLDER_EPOCH_WROTE);
  }

  @Test
  void anOlderEpochThatStartsAnewAfterANewerOneIsToldToo() {
    assertThat(judge("2 b 1.\n1 a 1.\n")).containsExactly(Kind.OLDER_EPOCH_WROTE);
  }

  @Test
  void twoWritersOfOneEpochThatMixAreTold() {
    assertThat(judge("1 a 1.\n1 b 1.\n1 a 2.\n1 b 2.\n"))
        .containsExactly(Kind.TWO_WRITERS, Kind.TWO_WRITERS);
  }

  @Test
  void aLineThatOverwroteAnotherIsTold() {
    // Two machines that append by themselves write at the same place.
    assertThat(judge("1 a 1.\n2 b 1.\n1 a 3.\n", "1 a 2."))
        .contains(Kind.OLDER_EPOCH_WROTE, Kind.LOST_LINE);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1 a 1.\n\0\0\0\0\n1 a 2.\n", "1 a 1.\nhello\n2 b 1.\n", "x"})
  void bytesThatNobodyWroteAreForeign(String text) {
    assertThat(judge(text)).contains(Kind.FOREIGN_BYTES);
  }

  @Test
  void aWriterThatGoesOnAfterALineThatCameToNothingIsTold() {
    assertThat(judge("1 a 1.\n1 a 2\n1 a 2.\n")).containsExactly(Kind.FOREIGN_BYTES);
  }

  @Test
  void aThousandLostLinesAreToldByTheFirstFew() {
    Mark[] marks = Stream.iterate(new Mark(1, "a", 1), Mark::next).limit(1000).toArray(Mark[]::new);

    assertThat(WriterJudge.judge("", List.of(marks))).hasSize(20);
  }

  // ---- looking

  @Test
  void writersAreCountedByTheirStarts() {
    assertThat(WriterJudge.writers(GOOD)).containsExactly("a", "b");
  }

  private static List<Kind> judge(String text, String... acknowledged) {
    List<Mark> marks = Stream.of(acknowledged).map(Mark::parse).map(m -> m.orElseThrow()).toList();
    return WriterJudge.judge(text, marks).stream().map(Breach::kind).toList();
  }
}
