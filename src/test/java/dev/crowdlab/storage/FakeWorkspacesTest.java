package dev.crowdlab.storage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.storage.Workspaces.AdvanceRequest;
import org.junit.jupiter.api.Test;

final class FakeWorkspacesTest extends WorkspacesContract {

  private final FakeWorkspaces workspaces = new FakeWorkspaces();

  @Override
  Workspaces workspaces() {
    return workspaces;
  }

  @Override
  String key() {
    return FakeWorkspaces.FILE_SERVER.sftpHostKey();
  }

  @Override
  boolean canWrite(ToAgent.Mount mount) {
    return workspaces.mayWrite(mount.login());
  }

  @Test
  void an_advance_that_could_not_be_proven_is_completed_by_its_repeat() {
    WorkspaceId id = someId();
    ToAgent.Mount first = mount(workspaces.advance(request(id, 1), soon()));
    workspaces.holdOldEpochs(id);

    assertFailed(
        workspaces.advance(request(id, 2), soon()), Failure.Kind.TRANSIENT, Reason.FENCE_UNPROVEN);
    assertThat(canWrite(first)).isFalse();

    workspaces.heal();
    assertThat(canWrite(mount(workspaces.advance(request(id, 2), soon())))).isTrue();
  }

  private AdvanceRequest request(WorkspaceId id, long epoch) {
    return new AdvanceRequest(id, epoch, "vm", key(), 0);
  }
}
