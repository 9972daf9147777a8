package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.agent.Commands.Result;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class EndingTest {

  /** Of the unit's TimeoutStopSec of 45 s, the wait for the teams has 30 s, the farewell 1 s. */
  private static final Duration LEFT_BY_THE_UNIT = Duration.ofSeconds(14);

  private final FakeCommands commands = new FakeCommands();

  @Test
  void aJobThatRestartsTheUnitIsNoStop() {
    jobs(0, " 812 crowdlab-agent.service restart running\n 813 other.service stop waiting\n");

    assertThat(Ending.now(commands)).isEqualTo(Ending.RESTART);
  }

  @Test
  void aJobThatStopsTheUnitIsAStopWhateverElseIsRestarted() {
    jobs(0, " 812 crowdlab-agent.service stop running\n 813 ssh.service restart waiting\n");

    assertThat(Ending.now(commands)).isEqualTo(Ending.STOP);
  }

  @Test
  void anAnswerThatDoesNotComeInTimeTellsNothing() {
    jobs(Result.TIMED_OUT, "");

    assertThat(Ending.now(commands)).isEqualTo(Ending.UNKNOWN);
  }

  @Test
  void anAnswerThatFailsTellsNothing() {
    jobs(1, "");

    assertThat(Ending.now(commands)).isEqualTo(Ending.UNKNOWN);
  }

  @Test
  void aSlowMachineHasSecondsToAnswerAndTheStopStaysWithinTheUnitsBound() {
    jobs(0, "");

    Ending.now(commands);

    assertThat(commands.asked().getFirst().deadline())
        .isBetween(Duration.ofSeconds(5), LEFT_BY_THE_UNIT);
  }

  private void jobs(int exit, String out) {
    commands.answer("systemctl list-jobs", exit, out, "");
  }
}
