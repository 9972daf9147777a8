package dev.crowdlab.operator;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.storage.WorkspaceId;
import dev.crowdlab.storage.Workspaces;
import java.time.Duration;
import java.util.Set;

/** Stands for the file server that the configuration does not name: every verb says so. */
final class NoFileServer implements Workspaces {

  @Override
  public Outcome<FileServer> prepare(Deadline deadline) {
    return refused();
  }

  @Override
  public Outcome<Advanced> advance(AdvanceRequest request, Deadline deadline) {
    return refused();
  }

  @Override
  public Outcome<Long> highestEpoch(WorkspaceId id, Deadline deadline) {
    return refused();
  }

  @Override
  public Outcome<Void> retire(WorkspaceId id, Duration retention, Deadline deadline) {
    return refused();
  }

  @Override
  public Outcome<Set<WorkspaceId>> standing(String installation, Deadline deadline) {
    return refused();
  }

  @Override
  public Outcome<Usage> usage(WorkspaceId id, Deadline deadline) {
    return refused();
  }

  private static <T> Outcome<T> refused() {
    return Outcome.refused(
        Reason.FILE_SERVER_NOT_CONFIGURED,
        "The operator's configuration has no fileServer section; add one and restart it");
  }
}
