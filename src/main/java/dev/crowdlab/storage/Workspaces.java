package dev.crowdlab.storage;

import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.protocol.ToAgent;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The file server as the operator sees it: the one place that decides which epoch of a workspace
 * may write.
 */
public interface Workspaces {

  /** The highest epoch: a login name, which carries it, has at most 32 characters. */
  long MAX_EPOCH = 9_999_999;

  /**
   * Brings the file server to where it can serve workspaces (packages, script, sshd of their own,
   * boot unit) and learns what it is. Called at the operator's start and again after the connection
   * was lost; changes nothing on a server that is up to date.
   */
  Outcome<FileServer> prepare(Deadline deadline);

  /**
   * The fence: after {@code Done}, no session of an epoch below {@code request.epoch()} can write,
   * and one of this epoch can log in with {@code request.key()} (none can when the key is null: a
   * workspace at rest). A repeat with the same epoch, VM and key is done again at once when it was
   * completed, and completed when it was not; only its size may be another one, which then holds.
   *
   * <p>Any other epoch not above the workspace's highest is refused with {@code
   * Reason.EPOCH_REFUSED}, and so is one of a retired workspace; nothing changes, and {@link
   * #highestEpoch} tells from where to go on. {@code Reason.FENCE_UNPROVEN} says that an older
   * epoch may still write: nobody can log in, and the same call goes on from there.
   *
   * @throws IllegalArgumentException when the epoch is outside 1 to {@link #MAX_EPOCH}, or the key
   *     is none
   */
  Outcome<Advanced> advance(AdvanceRequest request, Deadline deadline);

  /**
   * The highest epoch that the workspace has seen, 0 when it is unknown: after a status was rolled
   * back the operator goes on from there.
   */
  Outcome<Long> highestEpoch(WorkspaceId id, Deadline deadline);

  /**
   * Ends a workspace: fences every epoch, keeps its data root-owned for {@code retention}, after
   * which the file server's own timer removes it. Done for a workspace that was never there, of
   * which a record stays for as long, and an hour at least: an advance that comes late is refused.
   */
  Outcome<Void> retire(WorkspaceId id, Duration retention, Deadline deadline);

  /**
   * The installation's workspaces that were not retired, those included whose fence is not proven.
   *
   * @param installation six characters of {@code a-z2-7}
   */
  Outcome<Set<WorkspaceId>> standing(String installation, Deadline deadline);

  /**
   * How full the workspace is, for a condition; cheap. Zeros where the file system has no quota.
   */
  Outcome<Usage> usage(WorkspaceId id, Deadline deadline);

  /**
   * What {@link #prepare} found.
   *
   * @param name the configured name, for status
   * @param quota whether the data's file system enforces a size
   */
  record FileServer(String name, String address, int sftpPort, String sftpHostKey, boolean quota) {}

  /**
   * Asks for an epoch.
   *
   * @param vm the VM's UID, recorded beside the epoch
   * @param key the VM's public key (type and base64, no options, no comment), null to leave the
   *     workspace at rest
   * @param sizeBytes the quota, 0 for none
   */
  record AdvanceRequest(
      WorkspaceId id, long epoch, String vm, @Nullable String key, long sizeBytes) {}

  /**
   * A proven fence.
   *
   * @param mount what the agent needs to mount this epoch; null when no key was given
   * @param quotaEnforced false when the file system has no quota
   */
  record Advanced(long epoch, ToAgent.@Nullable Mount mount, boolean quotaEnforced) {}

  /** Bytes used and the limit (0: none). */
  record Usage(long usedBytes, long limitBytes) {}
}
