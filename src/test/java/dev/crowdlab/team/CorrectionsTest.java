package dev.crowdlab.team;

import static dev.crowdlab.api.ConditionType.EXERCISE_RUNNING;
import static dev.crowdlab.api.ConditionType.READY;
import static dev.crowdlab.api.ConditionType.WORKSPACE_ATTACHED;
import static dev.crowdlab.team.TeamBed.ref;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crowdlab.api.Exercise;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.SecretRef;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.protocol.ToAgent.RegistryAuth;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is corrected beside the spec is tried at once; time stands still here unless it is said. */
class CorrectionsTest {

  private final TeamBed bed = new TeamBed();
  private VmRef alice = new VmRef("lab", "alice-1", "uid-alice-1");

  @BeforeEach
  void aMachine() {
    alice = bed.machine("alice-1", "Alice", 4);
  }

  @Test
  void aPullSecretThatAppearsIsTriedAtOnce() {
    bed.pullSecret = Outcome.later(Reason.SECRET_NOT_FOUND, "there is no Secret pull");
    create();
    assertThat(bed.condition("t1", EXERCISE_RUNNING)).isEqualTo("False:SecretNotFound");

    corrected("right");

    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
    assertThat(password()).isEqualTo("right");
  }

  @Test
  void aMissingSecretThatBecomesAnInvalidOneIsSaidAtOnce() {
    bed.pullSecret = Outcome.later(Reason.SECRET_NOT_FOUND, "there is no Secret pull");
    create();

    bed.pullSecret = Outcome.refused(Reason.SECRET_INVALID, "it is of the wrong type");
    tell();

    assertThat(bed.condition("t1", EXERCISE_RUNNING)).isEqualTo("False:SecretInvalid");
    assertThat(bed.condition("t1", "Stalled")).isEqualTo("True:SecretInvalid");
  }

  @Test
  void anotherPasswordIsTriedAtOnceHoweverOftenTheLastOneWasRefused() {
    wrongPassword(4);
    assertThat(bed.status("t1").backoff().attempts()).isEqualTo(4);

    bed.agents.obedient(true);
    corrected("right");

    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
    assertThat(password()).isEqualTo("right");
  }

  @Test
  void anotherPasswordThatIsRefusedTooBeginsWithTheShortestBackoff() {
    wrongPassword(4);

    corrected("wrong-again");
    bed.agents.fail(alice, ref("t1"), RunFailure.IMAGE_MISSING, "unauthorized");
    TeamLoop.Turn turn = bed.settle("t1");

    assertThat(bed.status("t1").backoff().attempts()).isEqualTo(1);
    assertThat(turn)
        .isInstanceOfSatisfying(
            TeamLoop.Turn.After.class,
            after ->
                assertThat(after.delay()).isBetween(Duration.ofSeconds(5), Duration.ofSeconds(7)));
  }

  @Test
  void newsOfASecretThatSaysTheSameAsBeforeChangesNothing() {
    wrongPassword(4);
    int writes = bed.teams.writes().size();

    tell();

    assertThat(bed.status("t1").backoff().attempts()).isEqualTo(4);
    assertThat(bed.teams.writes()).hasSize(writes);
  }

  @Test
  void aPullThatFailsAfterItsSecretWasCorrectedIsTriedAgainAtOnce() {
    wrongPassword(3);
    bed.clock.advance(Duration.ofMinutes(5));
    bed.settle("t1");
    assertThat(bed.condition("t1", EXERCISE_RUNNING)).isNotEqualTo("False:ImagePullFailed");

    bed.pullSecret = Outcome.done(Optional.of(new RegistryAuth("right")));
    bed.agents.obedient(true);
    bed.agents.fail(alice, ref("t1"), RunFailure.IMAGE_MISSING, "unauthorized");
    bed.settle("t1");

    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
    assertThat(password()).isEqualTo("right");
  }

  @Test
  void newsThatMeetsAnApiServerThatIsAwayIsKept() {
    wrongPassword(4);
    bed.agents.obedient(true);
    bed.pullSecret = Outcome.done(Optional.of(new RegistryAuth("right")));
    bed.loop.corrected(ref("t1"));
    bed.teams.down(true);
    assertThatThrownBy(() -> bed.reconcile("t1")).isInstanceOf(KubernetesClientException.class);

    bed.teams.down(false);
    bed.settle("t1");

    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
  }

  @Test
  void newsIsJudgedByWhatStandsThereAndNotByACacheThatLags() {
    bed.teams.create(team());
    bed.teams.holdCache(true);
    bed.pullSecret = Outcome.later(Reason.SECRET_NOT_FOUND, "there is no Secret pull");
    bed.settle("t1");

    corrected("right");

    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
  }

  /** Its watch begins with news of each Secret: it cannot know what the last one had tried. */
  @Test
  void anOperatorThatWasRestartedTriesOnceMoreWhenItHearsOfTheSecret() {
    wrongPassword(4);
    long epoch = bed.status("t1").binding().epoch();
    bed.restartOperator();

    tell();
    bed.agents.fail(alice, ref("t1"), RunFailure.IMAGE_MISSING, "unauthorized");
    bed.settle("t1");
    tell();

    assertThat(bed.status("t1").binding().epoch()).isEqualTo(epoch + 1);
  }

  @Test
  void aFileServerThatIsReachedAgainIsTriedAtOnce() {
    bed.workspaces.failWith(
        new Failure(Failure.Kind.TRANSIENT, Reason.FILE_SERVER_UNAVAILABLE, "it does not answer"));
    create();
    for (int i = 0; i < 8; i++) {
      bed.clock.advance(Duration.ofMinutes(1));
      bed.settle("t1");
    }
    assertThat(bed.condition("t1", WORKSPACE_ATTACHED)).isEqualTo("False:FileServerUnavailable");
    bed.workspaces.heal();
    bed.settle("t1");
    assertThat(bed.condition("t1", READY))
        .as("without news")
        .isEqualTo("False:FileServerUnavailable");

    tell();

    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
  }

  private void create() {
    bed.teams.create(team());
    bed.settle("t1");
  }

  private static LabTeam team() {
    LabTeam team = Samples.team("t1");
    Exercise exercise = team.getSpec().exercise();
    team.setSpec(
        Samples.with(
            team.getSpec(),
            new Exercise(exercise.containers(), exercise.egress(), new SecretRef("pull"))));
    return team;
  }

  /** A team whose image could not be pulled so many times in a row. */
  private void wrongPassword(int attempts) {
    bed.pullSecret = Outcome.done(Optional.of(new RegistryAuth("wrong")));
    bed.agents.obedient(false);
    create();
    for (int i = 1; i <= attempts; i++) {
      bed.agents.fail(alice, ref("t1"), RunFailure.IMAGE_MISSING, "unauthorized");
      bed.settle("t1");
      assertThat(bed.condition("t1", EXERCISE_RUNNING)).isEqualTo("False:ImagePullFailed");
      if (i < attempts) {
        bed.clock.advance(Duration.ofMinutes(5));
        bed.settle("t1");
      }
    }
  }

  private void corrected(String password) {
    bed.pullSecret = Outcome.done(Optional.of(new RegistryAuth(password)));
    tell();
  }

  private void tell() {
    bed.loop.corrected(ref("t1"));
    bed.settle("t1");
  }

  /** What the machine was last told to pull with. */
  private String password() {
    return bed.agents.wanted(alice).stream()
        .map(ToAgent.Run::registryAuth)
        .map(auth -> auth == null ? "none" : auth.authFile())
        .reduce((before, last) -> last)
        .orElse("nothing");
  }
}
