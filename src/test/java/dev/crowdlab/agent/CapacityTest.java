package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crowdlab.protocol.ToAgent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CapacityTest {

  /** One team of 500 thousandths and 64 MiB is there. */
  @ParameterizedTest
  @CsvSource({
    "0, 0, 0, true",
    "2, 1000, 134217728, true",
    "1, 0, 0, false",
    "0, 999, 0, false",
    "0, 0, 134217727, false",
  })
  void aSecondTeamMustFit(int teams, long cpu, long memory, boolean fits) throws Exception {
    // given
    Capacity capacity = new Capacity();
    ToAgent.VmLimits limits = new ToAgent.VmLimits(teams, cpu, memory);
    capacity.reserve(Runs.ofTeam("first", new ToAgent.VmLimits(0, 0, 0)));

    // then
    if (fits) {
      assertThatCode(() -> capacity.reserve(Runs.ofTeam("second", limits)))
          .doesNotThrowAnyException();
    } else {
      assertThatThrownBy(() -> capacity.reserve(Runs.ofTeam("second", limits)))
          .hasMessageContaining("the VM lends");
    }
  }

  @Test
  void aTeamThatIsReplacedCountsOnce() throws Exception {
    // given
    Capacity capacity = new Capacity();
    ToAgent.VmLimits one = new ToAgent.VmLimits(1, 500, 64L << 20);
    capacity.reserve(Runs.ofTeam("first", one));

    // then
    assertThatCode(() -> capacity.reserve(Runs.ofTeam("first", one))).doesNotThrowAnyException();
  }

  @Test
  void whatIsReleasedIsFree() throws Exception {
    // given
    Capacity capacity = new Capacity();
    ToAgent.VmLimits one = new ToAgent.VmLimits(1, 0, 0);
    capacity.reserve(Runs.ofTeam("first", one));

    // when
    capacity.release("first");

    // then
    assertThatCode(() -> capacity.reserve(Runs.ofTeam("second", one))).doesNotThrowAnyException();
  }
}
