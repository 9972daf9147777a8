package dev.crowdlab.route;

import static dev.crowdlab.route.Teams.access;
import static dev.crowdlab.route.Teams.created;
import static dev.crowdlab.route.Teams.routed;
import static dev.crowdlab.route.Teams.team;
import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Outcome.Failure;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class HostClaimsTest {

  private final LabTeam old = created(team("a", "old", access("h", "/")), "2026-01-01T00:00:00Z");
  private final LabTeam young =
      created(team("b", "young", access("h", "/x")), "2026-01-02T00:00:00Z");

  @Test
  void theOnlyUserMayUseItsHost() {
    assertThat(HostClaims.refusal(old, List.of(old))).isEmpty();
    assertThat(HostClaims.refusal(old, List.of())).isEmpty();
  }

  @Test
  void theYoungerOfTwoNamespacesIsRefusedAndNotToldWhoHasTheHost() {
    List<LabTeam> both = List.of(young, old);

    assertThat(HostClaims.refusal(old, both)).isEmpty();
    Optional<Failure> refusal = HostClaims.refusal(young, both);

    assertThat(refusal).get().extracting(Failure::reason).isEqualTo(Reason.HOST_TAKEN);
    assertThat(refusal).get().extracting(Failure::kind).isEqualTo(Failure.Kind.TERMINAL);
    assertThat(refusal.orElseThrow().message()).contains("host h").doesNotContain("old");
  }

  @Test
  void theUidDecidesBetweenTwoOfOneSecond() {
    created(young, "2026-01-01T00:00:00Z");

    assertThat(HostClaims.refusal(old, List.of(young))).isEmpty();
    assertThat(HostClaims.refusal(young, List.of(old))).isPresent();
  }

  @Test
  void anOldTeamThatIsEditedTakesNoHostFromTheOneThatHasIt() {
    routed(young);

    assertThat(HostClaims.refusal(young, List.of(old))).isEmpty();
    assertThat(HostClaims.refusal(old, List.of(young))).isPresent();
  }

  @Test
  void aTeamThatLeftTheHostHasNoClaimAnyMore() {
    routed(old);
    old.setSpec(Teams.spec(access("elsewhere", "/")));

    assertThat(HostClaims.refusal(young, List.of(old))).isEmpty();
  }

  @Test
  void theUrlOfAnotherHostIsNoClaim() {
    routed(old);
    old.setSpec(Teams.spec(access("h2", "/")));
    created(young, "2026-01-02T00:00:00Z").setSpec(Teams.spec(access("h2", "/")));

    assertThat(HostClaims.refusal(old, List.of(young))).isEmpty();
    routed(young);
    assertThat(HostClaims.refusal(old, List.of(young))).isPresent();
  }

  @Test
  void hostsAreOneWhateverTheirCase() {
    young.setSpec(Teams.spec(access("H", "/")));

    assertThat(HostClaims.refusal(young, List.of(old))).isPresent();
  }

  @Test
  void teamsOfOneNamespaceShareAHostByPath() {
    LabTeam sibling = created(team("a", "sibling", access("h", "/x")), "2026-01-03T00:00:00Z");

    assertThat(HostClaims.refusal(sibling, List.of(old, sibling))).isEmpty();
    assertThat(HostClaims.refusal(old, List.of(old, sibling))).isEmpty();
  }

  @Test
  void theYoungerOfOneNamespaceAndPathIsRefusedAndToldWhoHasIt() {
    old.setSpec(Teams.spec(access("h", "/x/")));
    LabTeam sibling = created(team("a", "sibling", access("h", "/x")), "2026-01-03T00:00:00Z");

    assertThat(HostClaims.refusal(old, List.of(old, sibling))).isEmpty();
    assertThat(HostClaims.refusal(sibling, List.of(old, sibling)))
        .get()
        .extracting(Failure::message)
        .asString()
        .contains("team old", "/x");
  }

  @Test
  void theTeamItselfCountsAsItIsNowWhenTheCacheLags() {
    LabTeam before = team("a", "old", access("before", "/"));

    assertThat(HostClaims.refusal(old, List.of(before, young))).isEmpty();
  }
}
