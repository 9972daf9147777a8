package dev.crowdlab.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.Fault;
import dev.crowdlab.api.FaultCause;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Recovery;
import dev.crowdlab.api.RecoveryCause;
import dev.crowdlab.experiment.Expectation;
import dev.crowdlab.testbed.LabHost;
import java.util.List;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/**
 * What must hold of a machine when a fault of it is over: its status keeps the right cause, or none
 * where nobody was at fault; and it runs nothing of an epoch that has ended, nor anything anew that
 * was to stay.
 *
 * @param faults that its status kept before
 * @param containers of the team that must still be the same afterwards; null where they need not be
 */
record Aftermath(
    LabFault fault,
    Bed bed,
    LabHost machine,
    LabTeam before,
    List<Fault> faults,
    @Nullable String containers) {

  /** Called before the fault, when the team is Ready. */
  static Aftermath of(LabFault fault, Bed bed, LabTeam before) {
    LabHost machine = bed.machine(before.getStatus().binding().vm());
    return new Aftermath(
        fault,
        bed,
        machine,
        before,
        faults(bed.lab().vm(machine.name())),
        fault.expectation() instanceof Expectation.Unbroken(boolean unnoticed) && unnoticed
            ? Lab.containers(machine, before)
            : null);
  }

  /**
   * Waits until the machine is back.
   *
   * @param after the team when it had settled after the fault
   * @throws AssertionError when it is not as it must be
   */
  void await(LabTeam after) {
    bed.lab()
        .awaitVm(
            machine.name(),
            "back after " + fault.word() + ", which is to be kept as " + fault.blamed(),
            vm ->
                Lab.isReady(vm.getStatus().conditions())
                    && fault.blamed().map(causes -> isBlamed(vm, causes)).orElse(true),
            Bed.BOUND);
    if (containers != null) {
      assertThat(Lab.containers(machine, before)).isEqualTo(containers);
    }
    long epoch = before.getStatus().binding().epoch();
    assertRecoveriesLead(after, epoch);
    if (fault.expectation() instanceof Expectation.Stays) {
      assertThat(causesSince(after)).isNotEmpty().containsOnly(RecoveryCause.MOUNT_LOST);
    }
    if (fault.expectation() instanceof Expectation.Moves) {
      awaitEvent("leaving " + machine.name() + ": ");
      Binding binding = after.getStatus().binding();
      awaitEvent("bound to %s, epoch %d".formatted(binding.vm(), binding.epoch()));
    }
    if (after.getStatus().binding().epoch() > epoch) {
      Awaitility.await("%s has stopped epoch %d".formatted(machine.name(), epoch))
          .atMost(Bed.BOUND)
          .until(() -> nothingIsLeftOf(epoch));
    }
  }

  /**
   * The recoveries since lead from machine to machine and from epoch to a higher one. A fault in
   * the midst of a recovery belongs to it, so one may lead on by more than one epoch.
   */
  private void assertRecoveriesLead(LabTeam after, long epoch) {
    String vm = machine.name();
    long last = epoch;
    for (Recovery recovery : since(after).reversed()) {
      assertThat(recovery.epoch()).as("%s", recovery).isGreaterThan(last);
      assertThat(recovery.from()).as("%s", recovery).isEqualTo(vm);
      assertThat(recovery.duration()).as("%s", recovery).isNotNull();
      last = recovery.epoch();
      vm = recovery.to();
    }
    Binding binding = after.getStatus().binding();
    assertThat(last).as("the last epoch that a recovery names").isEqualTo(binding.epoch());
    assertThat(vm).as("where the last recovery led").isEqualTo(binding.vm());
  }

  private void awaitEvent(String beginning) {
    String team = before.getMetadata().getName();
    Awaitility.await("of %s it is said: %s".formatted(team, beginning))
        .atMost(Bed.BOUND)
        .until(
            () ->
                bed.lab().events().stream()
                    .filter(event -> event.getRegarding().getName().equals(team))
                    .anyMatch(event -> event.getNote().startsWith(beginning)));
  }

  private List<RecoveryCause> causesSince(LabTeam after) {
    return since(after).stream().map(Recovery::cause).toList();
  }

  /** The team's recoveries since the fault, the newest first; status keeps ten. */
  private List<Recovery> since(LabTeam after) {
    return after.getStatus().recoveries().stream()
        .filter(it -> it.epoch() > before.getStatus().binding().epoch())
        .toList();
  }

  private boolean nothingIsLeftOf(long epoch) {
    String uid = before.getMetadata().getUid();
    return machine
        .shell(
            """
            podman ps -aq --filter label=crowdlab.team=%1$s --filter label=crowdlab.epoch=%2$d
            grep /%1$s/%2$d/ /proc/mounts || true
            """
                .formatted(uid, epoch))
        .isBlank();
  }

  /** The oldest first, and each over. */
  private boolean isBlamed(ContributedVM vm, List<FaultCause> causes) {
    List<Fault> since =
        faults(vm).reversed().stream()
            .filter(it -> faults.stream().noneMatch(old -> old.at().equals(it.at())))
            .toList();
    return since.stream().map(Fault::cause).toList().equals(causes)
        && since.stream().allMatch(it -> it.over() != null);
  }

  private static List<Fault> faults(ContributedVM vm) {
    return vm.getStatus().reputation() == null ? List.of() : vm.getStatus().reputation().faults();
  }
}
