package dev.crowdlab.hub;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.Documents;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EntitlementTest {

  private static final VmRef ALICE = new VmRef("lab", "alice-1", "uid-alice-1");

  @ParameterizedTest
  @CsvSource({
    // reported, bound to, under, highest, suspended
    "3, alice-1, 3, 3, false, BOUND",
    "3, bob-1,   3, 3, false, OVER",
    "2, alice-1, 3, 3, false, OVER",
    "4, alice-1, 3, 3, false, UNKNOWN",
    "4, bob-1,   3, 3, false, UNKNOWN",
    "3, ,        0, 3, false, OVER",
    "3, ,        0, 0, false, UNKNOWN",
    // Nobody is to run it, whatever status has forgotten.
    "3, ,        0, 0, true,  OVER",
    // It is still bound: its own reconciler stops it in order.
    "3, alice-1, 3, 3, true,  BOUND",
  })
  void whatARunHasToDoWithTheTeamsStatus(
      long reported,
      @Nullable String vm,
      long bound,
      long highest,
      boolean suspended,
      Entitlement expected) {
    LabTeam team = team("uid-t", vm, bound, highest, suspended);

    assertThat(Entitlement.of(ALICE, report(reported), Stream.of(team))).isEqualTo(expected);
  }

  @Test
  void aTeamIsKnownByItsUidAndNotByItsName() {
    LabTeam successor = team("uid-successor", "alice-1", 3, 3, false);

    assertThat(Entitlement.of(ALICE, report(3), Stream.of(successor))).isEqualTo(Entitlement.OVER);
    assertThat(
            Entitlement.of(
                ALICE, report(3), Stream.of(successor, team("uid-t", "alice-1", 3, 3, false))))
        .isEqualTo(Entitlement.BOUND);
  }

  @Test
  void aRunOfATeamThatIsNoMoreIsOver() {
    assertThat(Entitlement.of(ALICE, report(3), Stream.empty())).isEqualTo(Entitlement.OVER);
  }

  private static LabTeam team(
      String uid, @Nullable String vm, long bound, long highest, boolean suspended) {
    LabTeam team =
        Serialization.unmarshal(
            Documents.TEAM.replace("spec:\n", "spec:\n  suspended: %b\n".formatted(suspended)),
            LabTeam.class);
    team.getMetadata().setUid(uid);
    LabTeamStatus.Builder status = LabTeamStatus.EMPTY.toBuilder().highestEpoch(highest);
    if (vm != null) {
      status.binding(new Binding(vm, "uid-" + vm, bound, null, null, null, 1, null));
    }
    team.setStatus(status.build());
    return team;
  }

  private static TeamReport report(long epoch) {
    return new TeamReport(
        "uid-t", "lab", "t", epoch, TeamReport.State.HEALTHY, null, null, List.of());
  }
}
