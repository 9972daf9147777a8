package dev.crowdlab.storage;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.protocol.ToAgent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A file server in memory with the fence's rules ({@link WorkspacesContract} holds it to them). It
 * remembers which login may write, counts what changed, and fails as it is told to.
 */
public final class FakeWorkspaces implements Workspaces {

  /** What {@link #prepare} finds and every mount leads to. */
  public static final FileServer FILE_SERVER =
      new FileServer(
          "files",
          "10.77.0.2",
          2222,
          "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN/nC5FCbwFj7MRSXvWLjUkDTgd6HOJI6Xv5bBbPQM4n",
          true);

  private final Map<WorkspaceId, Workspace> workspaces = new HashMap<>();
  private final Map<WorkspaceId, Long> used = new HashMap<>();
  private final Map<WorkspaceId, Duration> neverToBe = new HashMap<>();
  private final Set<WorkspaceId> held = new HashSet<>();
  private final List<String> changes = new ArrayList<>();
  private Outcome.@Nullable Failure failure;
  private boolean quota = true;
  private int preparations;
  private Runnable afterList = () -> {};

  private static final class Workspace {
    private AdvanceRequest request;
    private boolean made;
    private @Nullable String login;
    private @Nullable Duration retention;

    private Workspace(AdvanceRequest request) {
      this.request = request;
    }
  }

  @Override
  public synchronized Outcome<FileServer> prepare(Deadline deadline) {
    preparations++;
    return failure != null
        ? new Outcome.Failed<>(failure)
        : Outcome.done(
            new FileServer(
                FILE_SERVER.name(),
                FILE_SERVER.address(),
                FILE_SERVER.sftpPort(),
                FILE_SERVER.sftpHostKey(),
                quota));
  }

  @Override
  public synchronized Outcome<Advanced> advance(AdvanceRequest request, Deadline deadline) {
    if (request.epoch() < 1 || request.epoch() > MAX_EPOCH) {
      throw new IllegalArgumentException("an epoch is between 1 and " + MAX_EPOCH);
    }
    if (failure != null) {
      return new Outcome.Failed<>(failure);
    }
    if (neverToBe.containsKey(request.id())) {
      return Outcome.refused(Reason.EPOCH_REFUSED, "the workspace was retired");
    }
    Workspace workspace = workspaces.computeIfAbsent(request.id(), _ -> new Workspace(request));
    if (workspace.retention != null) {
      return Outcome.refused(Reason.EPOCH_REFUSED, "the workspace was retired");
    }
    AdvanceRequest last = workspace.request;
    boolean repeat =
        request.epoch() == last.epoch()
            && request.vm().equals(last.vm())
            && Objects.equals(request.key(), last.key());
    if (request.epoch() <= last.epoch() && !repeat) {
      return Outcome.refused(Reason.EPOCH_REFUSED, "the epoch is not above the highest");
    }
    workspace.made &= repeat;
    workspace.request = request;
    if (workspace.made) {
      return Outcome.done(advanced(workspace));
    }
    workspace.login = null;
    if (held.contains(request.id())) {
      return unproven();
    }
    workspace.login = request.key() == null ? null : "e" + request.epoch() + "-" + request.id();
    workspace.made = true;
    changes.add("%s: epoch %d for %s".formatted(request.id(), request.epoch(), request.vm()));
    return Outcome.done(advanced(workspace));
  }

  private Advanced advanced(Workspace workspace) {
    ToAgent.Mount mount =
        workspace.login == null
            ? null
            : new ToAgent.Mount(
                FILE_SERVER.address(),
                FILE_SERVER.sftpPort(),
                workspace.login,
                "/data",
                FILE_SERVER.sftpHostKey(),
                false);
    return new Advanced(workspace.request.epoch(), mount, quota);
  }

  private static <T> Outcome<T> unproven() {
    return Outcome.later(Reason.FENCE_UNPROVEN, "a process holds files of an older epoch open");
  }

  @Override
  public synchronized Outcome<Long> highestEpoch(WorkspaceId id, Deadline deadline) {
    if (failure != null) {
      return new Outcome.Failed<>(failure);
    }
    Workspace workspace = workspaces.get(id);
    return Outcome.done(workspace == null ? 0 : workspace.request.epoch());
  }

  @Override
  public synchronized Outcome<Void> retire(WorkspaceId id, Duration retention, Deadline deadline) {
    if (failure != null) {
      return new Outcome.Failed<>(failure);
    }
    Workspace workspace = workspaces.get(id);
    if (workspace == null) {
      neverToBe.putIfAbsent(id, retention);
      return Outcome.done();
    }
    workspace.login = null;
    if (workspace.retention == null) {
      workspace.retention = retention;
      changes.add(id + ": retired");
    }
    return held.contains(id) ? unproven() : Outcome.done();
  }

  @Override
  public synchronized Outcome<Set<WorkspaceId>> standing(String installation, Deadline deadline) {
    if (failure != null) {
      return new Outcome.Failed<>(failure);
    }
    Set<WorkspaceId> standing =
        workspaces.entrySet().stream()
            .filter(entry -> entry.getKey().value().startsWith(installation + "-"))
            .filter(entry -> entry.getValue().retention == null)
            .map(Map.Entry::getKey)
            .collect(Collectors.toUnmodifiableSet());
    afterList.run();
    return Outcome.done(standing);
  }

  @Override
  public synchronized Outcome<Usage> usage(WorkspaceId id, Deadline deadline) {
    if (failure != null) {
      return new Outcome.Failed<>(failure);
    }
    Workspace workspace = workspaces.get(id);
    return workspace == null
        ? Outcome.refused(Reason.FILE_SERVER_UNAVAILABLE, "there is no such workspace")
        : Outcome.done(
            quota
                ? new Usage(used.getOrDefault(id, 0L), workspace.request.sizeBytes())
                : new Usage(0, 0));
  }

  /** Somebody wrote so many bytes in all. */
  public synchronized void use(WorkspaceId id, long bytes) {
    used.put(id, bytes);
  }

  /** From now on called when {@link #standing} has made its list. */
  public synchronized void afterList(Runnable hook) {
    afterList = hook;
  }

  /** How often {@link #prepare} was called. */
  public synchronized int preparations() {
    return preparations;
  }

  /** Whether this login may write now: it is its workspace's one. */
  public synchronized boolean mayWrite(String login) {
    return workspaces.values().stream().anyMatch(workspace -> login.equals(workspace.login));
  }

  /** The request that holds for a workspace; empty when there is none or it was retired. */
  public synchronized Optional<AdvanceRequest> standing(WorkspaceId id) {
    return Optional.ofNullable(workspaces.get(id))
        .filter(workspace -> workspace.retention == null)
        .map(workspace -> workspace.request);
  }

  /** How long the retired workspace's data is kept; empty when it is not retired. */
  public synchronized Optional<Duration> retention(WorkspaceId id) {
    return Optional.ofNullable(workspaces.get(id)).map(workspace -> workspace.retention);
  }

  /** Every change so far, in order; a call that changed nothing is not among them. */
  public synchronized List<String> changes() {
    return List.copyOf(changes);
  }

  /** From now on every call fails so. */
  public synchronized void failWith(Outcome.Failure why) {
    failure = why;
  }

  /** From now on calls succeed again. */
  public synchronized void heal() {
    failure = null;
    held.clear();
  }

  /** From now on the workspace's older epochs cannot be proven gone, as with a busy mount. */
  public synchronized void holdOldEpochs(WorkspaceId id) {
    held.add(id);
  }

  /** Whether the file system has quota; it has by default. */
  public synchronized void quota(boolean there) {
    quota = there;
  }
}
