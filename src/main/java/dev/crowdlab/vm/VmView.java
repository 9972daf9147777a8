package dev.crowdlab.vm;

import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.ContributedVMStatus;
import dev.crowdlab.api.Names;
import dev.crowdlab.api.Voice;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.Agents.Session;
import dev.crowdlab.hub.VmHealth;
import dev.crowdlab.protocol.FromAgent.DiskState;
import dev.crowdlab.ssh.SshTarget;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Everything a decision about a machine needs, observed at one moment.
 *
 * @param target how to reach it; failed when its Secret is of no use
 * @param inputs digest of all that an attempt to integrate it depends on
 * @param olderTwin name of an older object for the same machine
 * @param disk what its agent says of its disk; empty while it says nothing
 * @param agentVersion the version of the agent that this operator brings
 * @param teams names of the teams that are bound to it
 * @param remaining of these, those that are not being deleted: who leaves it waits for them
 * @param stale whether it still runs what it is not entitled to
 */
record VmView(
    ContributedVM vm,
    Instant now,
    Outcome<SshTarget> target,
    String inputs,
    Optional<String> olderTwin,
    VmHealth health,
    Optional<Session> session,
    Optional<DiskState> disk,
    String agentVersion,
    List<String> teams,
    List<String> remaining,
    boolean stale,
    Availability availability) {

  VmView {
    teams = List.copyOf(teams);
    remaining = List.copyOf(remaining);
  }

  VmRef ref() {
    return ref(vm);
  }

  static VmRef ref(ContributedVM vm) {
    return new VmRef(
        vm.getMetadata().getNamespace(), vm.getMetadata().getName(), vm.getMetadata().getUid());
  }

  ContributedVMStatus status() {
    return vm.getStatus();
  }

  /** What its contributor asked for on the machine. */
  @Nullable Voice voice() {
    return vm.getStatus().voice();
  }

  /** Whether its owner stopped the agent, or the machine, in order, and it is not back. */
  boolean stopped() {
    return Voices.isStopped(voice()) && session.isEmpty();
  }

  /** Whether it is no fault when it falls silent: its owner stopped it, or has it back. */
  boolean awayByWish() {
    return stopped() || Voices.isLeaving(voice()) || Voices.hasLeft(voice());
  }

  boolean paused() {
    return isPaused(vm);
  }

  static boolean isPaused(ContributedVM vm) {
    return Names.TRUE.equals(annotations(vm).get(Names.PAUSED));
  }

  boolean deleting() {
    return vm.getMetadata().getDeletionTimestamp() != null;
  }

  static Map<String, String> annotations(ContributedVM vm) {
    Map<String, String> annotations = vm.getMetadata().getAnnotations();
    return annotations == null ? Map.of() : annotations;
  }
}
