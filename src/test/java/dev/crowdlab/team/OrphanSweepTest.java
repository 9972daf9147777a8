package dev.crowdlab.team;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.api.Names;
import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.storage.WorkspaceId;
import dev.crowdlab.storage.WorkspaceIds;
import dev.crowdlab.storage.Workspaces.AdvanceRequest;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OrphanSweepTest {

  private final TeamBed bed = new TeamBed();
  private final OrphanSweep sweep =
      new OrphanSweep(bed.workspaces, bed.teams, bed.loop, bed.agents, TeamBed.SETTINGS);

  @BeforeEach
  void aTeamThatIsWell() {
    bed.machine("alice-1", "alice", 4);
    bed.create("kept");
    bed.settle("kept");
  }

  @AfterEach
  void close() {
    sweep.close();
  }

  @Test
  void aWorkspaceThatWasGivenUpIsRetiredWhenTheFileServerIsBack() {
    WorkspaceId left = giveUpATeam();
    WorkspaceId kept = bed.workspace("kept");
    bed.workspaces.heal();

    sweep.sweep();

    assertThat(bed.workspaces.standing(left)).isEmpty();
    assertThat(bed.workspaces.retention(left)).contains(TeamBed.SETTINGS.retention());
    assertThat(bed.workspaces.standing(kept)).isPresent();
  }

  @Test
  void itIsLookedForWhenLeadershipIsWon() {
    WorkspaceId left = giveUpATeam();
    bed.workspaces.heal();

    sweep.start();

    await().atMost(Duration.ofSeconds(5)).until(() -> bed.workspaces.retention(left).isPresent());
  }

  @Test
  void aTeamThatComesToBeBetweenTheTwoListsKeepsItsWorkspace() {
    List<String> lists = new ArrayList<>();
    bed.workspaces.afterList(() -> listed(lists, "workspaces"));
    bed.teams.afterList(() -> listed(lists, "teams"));

    sweep.sweep();

    assertThat(lists).containsExactly("workspaces", "teams");
    assertThat(bed.workspaces.standing(bed.workspace("new"))).isPresent();
  }

  private void listed(List<String> lists, String what) {
    if (lists.isEmpty()) {
      bed.create("new");
      advance(bed.workspace("new"));
    }
    lists.add(what);
  }

  @Test
  void anotherInstallationsWorkspacesAreNotOurs() {
    WorkspaceId others = WorkspaceIds.of("others", "uid-kept");
    advance(others);

    sweep.sweep();

    assertThat(bed.workspaces.standing(others)).isPresent();
  }

  @Test
  void nothingChangesWhileTheTeamsCannotBeListed() {
    WorkspaceId left = giveUpATeam();
    bed.workspaces.heal();
    bed.teams.down(true);

    assertThatThrownBy(sweep::sweep).isInstanceOf(KubernetesClientException.class);

    assertThat(bed.workspaces.standing(left)).isPresent();
    assertThat(bed.loop.remembered()).contains("uid-kept");
    assertThat(bed.agents.orderedTeams()).contains("uid-kept");
  }

  @Test
  void nothingIsRetiredWhileTheWorkspacesCannotBeListed() {
    WorkspaceId left = giveUpATeam();

    sweep.sweep();

    bed.workspaces.heal();
    assertThat(bed.workspaces.standing(left)).isPresent();
  }

  @Test
  void aTeamThatIsStillBeingRemovedIsLeftToItsRemoval() {
    bed.teams.edit(
        "kept", team -> team.getMetadata().setDeletionTimestamp(bed.clock.instant().toString()));

    sweep.sweep();

    assertThat(bed.workspaces.standing(bed.workspace("kept"))).isPresent();
  }

  @Test
  void oneThatCannotBeFencedDoesNotHoldUpTheOthers() {
    List<WorkspaceId> orphans = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      WorkspaceId orphan = WorkspaceIds.of("testab", "uid-gone-" + i);
      advance(orphan);
      orphans.add(orphan);
    }
    orphans.forEach(bed.workspaces::holdOldEpochs);

    sweep.sweep();

    assertThat(orphans).allMatch(orphan -> bed.workspaces.retention(orphan).isPresent());
  }

  @Test
  void whatIsRememberedOfTeamsThatVanishedIsForgotten() {
    bed.create("vanished");
    bed.settle("vanished");
    bed.loop.routeDrifted(TeamBed.ref("vanished"));
    bed.loop.routeDrifted(TeamBed.ref("unheard-of"));
    bed.loop.routeDrifted(TeamBed.ref("kept"));
    assertThat(bed.loop.remembered()).contains("uid-vanished", "uid-unheard-of", "uid-kept");
    assertThat(bed.agents.orderedTeams()).contains("uid-vanished");
    bed.teams.vanish("vanished");

    sweep.sweep();

    assertThat(bed.loop.remembered()).containsExactly("uid-kept");
    assertThat(bed.agents.orderedTeams()).containsExactly("uid-kept");
  }

  /** A team whose deletion skipped what the file server would have had to do. */
  private WorkspaceId giveUpATeam() {
    bed.create("gone");
    bed.settle("gone");
    WorkspaceId workspace = bed.workspace("gone");
    bed.workspaces.failWith(
        new Failure(Failure.Kind.TRANSIENT, Reason.FILE_SERVER_UNAVAILABLE, "away"));
    bed.teams.edit(
        "gone",
        team -> {
          team.getMetadata().setAnnotations(Map.of(Names.FORCE_DELETE, Names.TRUE));
          team.getMetadata().setDeletionTimestamp(bed.clock.instant().toString());
        });
    bed.reconcile("gone");
    assertThat(bed.teams.exists("gone")).isFalse();
    assertThat(bed.workspaces.standing(workspace)).isPresent();
    return workspace;
  }

  private void advance(WorkspaceId id) {
    bed.workspaces.advance(
        new AdvanceRequest(id, 1, "vm", null, 0), Deadline.in(Duration.ofSeconds(1)));
  }
}
