package dev.crowdlab.team;

import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.ContributedVMStatus;
import dev.crowdlab.api.Names;
import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.core.VmRef;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What placing and keeping a team needs to know of a ContributedVM; without anything that changes
 * by itself, so that two equal views mean that nothing is to be done.
 *
 * @param ready whether its condition Ready holds
 * @param schedulable false keeps new teams away: it is cordoned, or our hands are stopped
 * @param leaving teams shall move away, in order: it is drained, being deleted, or not lent now;
 *     while our hands are stopped only deletion counts
 * @param quarantined teams leave at once
 * @param deleting whether {@code leaving} is because the object is being deleted
 * @param paused whether our hands are stopped on it
 * @param left whether its contributor has it back, or all of ours is being removed from it
 * @param capacity what it lends
 * @param address the checked address that students' connections go to; null until it is known
 */
public record VmView(
    VmRef ref,
    String contributor,
    Map<String, String> labels,
    boolean ready,
    boolean schedulable,
    boolean leaving,
    boolean quarantined,
    boolean deleting,
    boolean paused,
    boolean left,
    Lent capacity,
    @Nullable String address) {

  public VmView {
    labels = Map.copyOf(labels);
  }

  /** What a machine lends: places for teams, cpu and memory; 0 of those two means no limit. */
  public record Lent(int teams, long cpuMillis, long memoryBytes) {}

  public static VmView of(ContributedVM vm) {
    ContributedVMStatus status = vm.getStatus();
    List<Condition> conditions = status.conditions();
    boolean deleting = vm.getMetadata().getDeletionTimestamp() != null;
    boolean paused = isPaused(vm);
    boolean notLent =
        Conditions.hasReason(conditions, ConditionType.READY, Reason.OUTSIDE_WINDOW)
            || Conditions.hasReason(conditions, ConditionType.READY, Reason.CONTRIBUTOR_PAUSED);
    Quantity cpu = vm.getSpec().capacity().cpu();
    Quantity memory = vm.getSpec().capacity().memory();
    return new VmView(
        ref(vm),
        vm.getSpec().contributor().name(),
        Optional.ofNullable(vm.getMetadata().getLabels()).orElse(Map.of()),
        Conditions.holds(conditions, ConditionType.READY),
        vm.getSpec().schedulable() && !paused,
        deleting
            || (!paused
                && (notLent
                    || vm.getSpec().drain()
                    || Conditions.find(conditions, ConditionType.DRAINED).isPresent())),
        status.quarantine() != null || Conditions.holds(conditions, ConditionType.QUARANTINED),
        deleting,
        paused,
        (status.voice() != null && status.voice().hasLeft())
            || Conditions.hasReason(conditions, ConditionType.CONFIGURED, Reason.LEAVING),
        new Lent(vm.getSpec().capacity().teams(), Demand.cpu(cpu), Demand.bytes(memory)),
        status.address());
  }

  private static boolean isPaused(ContributedVM vm) {
    Map<String, String> annotations = vm.getMetadata().getAnnotations();
    return annotations != null && Names.TRUE.equals(annotations.get(Names.PAUSED));
  }

  static VmRef ref(ContributedVM vm) {
    return new VmRef(
        vm.getMetadata().getNamespace(), vm.getMetadata().getName(), vm.getMetadata().getUid());
  }

  /** Whether its own state lets new teams come, apart from room. */
  boolean welcoming() {
    return schedulable && mayKeep();
  }

  /** Whether a team that is there may start anew there. */
  boolean mayKeep() {
    return ready && !leaving && !quarantined && address != null;
  }
}
