package dev.crowdlab.e2e;

import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.FaultCause;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.RecoveryCause;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.experiment.Expectation;
import dev.crowdlab.oracle.Mark;
import dev.crowdlab.testbed.LabHost;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.awaitility.Awaitility;

/** Faults of a whole machine, and of its network. */
enum MachineFault implements LabFault {

  /** Silence, then every process is gone. */
  POWER_CUT(MOVES_AS_LOST, FaultCause.POWER_CUT) {
    @Override
    public void inject(Scene scene) {
      scene.machine().powerCut();
    }

    @Override
    public void meanwhile(Scene scene) {
      awaitSaidToBeLost(scene);
    }

    @Override
    public void undo(Scene scene) {
      scene.machine().start();
    }
  },

  /** Nothing gets to it or from it; what runs there goes on. */
  PARTITION(MOVES_AS_LOST, FaultCause.PARTITION) {
    @Override
    public void inject(Scene scene) {
      scene.machine().partition();
    }

    @Override
    public void meanwhile(Scene scene) {
      awaitSaidToBeLost(scene);
    }
  },

  /** The operator and the ingress do not reach it; it reaches the file server. */
  PARTITION_OPERATOR(MOVES_AS_LOST, FaultCause.PARTITION) {
    @Override
    public void inject(Scene scene) {
      scene.machine().cutFrom(scene.bed().lab().gateway());
    }

    /** Until it is fenced the team's old run goes on saving, as the collector hears. */
    @Override
    public void meanwhile(Scene scene) {
      Supplier<List<Mark>> heard = () -> scene.bed().collector().of(scene.target().team());
      Mark last = heard.get().getLast();
      Awaitility.await("more lines of the machine that was cut off")
          .atMost(Bed.BOUND)
          .until(
              () ->
                  heard.get().stream()
                      .anyMatch(
                          mark ->
                              mark.epoch() == last.epoch()
                                  && mark.number() > last.number()
                                  && mark.writer().equals(last.writer())));
    }
  },

  /** It does not reach the file server for a while; everybody reaches it. */
  PARTITION_FILES(STAYS) {
    @Override
    public void inject(Scene scene) {
      scene.machine().cutFrom(scene.bed().lab().fileServer());
    }

    @Override
    public void meanwhile(Scene scene) throws InterruptedException {
      Bed.pass(scene.lengths().cut);
      scene.machine().heal();
    }
  },

  /** It does not reach the file server any more. */
  PARTITION_FILES_FOR_LONG(new Expectation.Moves(Set.of(RecoveryCause.EXERCISE_FAILED))) {
    @Override
    public Optional<String> onlyLong() {
      return Optional.of("the agent gives a dead mount a minute");
    }

    @Override
    public void inject(Scene scene) {
      scene.machine().cutFrom(scene.bed().lab().fileServer());
    }
  },

  /** SIGSTOP of everything: its kernel still answers. */
  FREEZE(new Expectation.Moves(Set.of(RecoveryCause.VM_HUNG)), FaultCause.VM_HUNG) {
    @Override
    public void inject(Scene scene) {
      scene.machine().freeze();
    }

    @Override
    public void undo(Scene scene) {
      scene.machine().thaw();
    }
  },

  /** Each way loses a fifth of its packets. */
  LOSS(NO_FAULT) {
    @Override
    public void inject(Scene scene) {
      scene.machine().lossy(20);
    }

    @Override
    public void meanwhile(Scene scene) throws InterruptedException {
      scene.hold();
      scene.machine().heal();
    }
  },

  /** Nothing can be written on its disk. */
  DISK_FULL(NO_FAULT, FaultCause.DISK_FULL) {
    @Override
    public void inject(Scene scene) {
      // The rest is what the file system keeps for root.
      scene
          .machine()
          .shell(
              """
              fallocate -l $(df --output=avail -B1 / | tail -n 1) /filled || true
              dd if=/dev/zero of=/filled-rest bs=4k 2>/dev/null || true
              ! echo x 2>/dev/null >/more
              """);
    }

    @Override
    public void meanwhile(Scene scene) throws InterruptedException {
      awaitSaidOfDisk(scene, Reason.DISK_FULL, FaultCause.DISK_FULL);
      scene.hold();
      undo(scene);
    }

    @Override
    public void undo(Scene scene) {
      scene.machine().exec("rm", "-f", "/filled", "/filled-rest", "/more");
    }
  },

  /** Where the agent keeps what must last nothing can be written, as after an error of the disk. */
  DISK_READ_ONLY(UNNOTICED, FaultCause.DISK_READ_ONLY) {
    @Override
    public void inject(Scene scene) {
      // A file system that is in use cannot be made so whole.
      scene
          .machine()
          .shell(
              """
              mount --bind /var/lib/crowdlab /var/lib/crowdlab
              mount -o remount,bind,ro /var/lib/crowdlab
              ! touch /var/lib/crowdlab/more 2>/dev/null
              """);
    }

    @Override
    public void meanwhile(Scene scene) throws InterruptedException {
      awaitSaidOfDisk(scene, Reason.DISK_READ_ONLY, FaultCause.DISK_READ_ONLY);
      scene.hold();
      undo(scene);
    }

    @Override
    public void undo(Scene scene) {
      scene.machine().shell("! mountpoint -q /var/lib/crowdlab || umount /var/lib/crowdlab");
    }
  },

  /** The second machine fails when the team may be on its way there. */
  TWO_HOSTS(MOVES_AS_LOST, FaultCause.POWER_CUT) {
    @Override
    public int others() {
      return 2;
    }

    @Override
    public void prepare(Scene scene) {
      // Only one is left to be chosen.
      List<LabHost> others = scene.bed().machinesBut(scene.machine());
      scene.bed().cordon(others.subList(1, others.size()), true);
    }

    @Override
    public void inject(Scene scene) {
      scene.machine().powerCut();
    }

    @Override
    public void meanwhile(Scene scene) throws InterruptedException {
      List<LabHost> others = scene.bed().machinesBut(scene.machine());
      Bed.pass(Duration.ofMillis(500));
      others.getFirst().powerCut();
      scene.bed().cordon(others.subList(1, others.size()), false);
    }

    @Override
    public void undo(Scene scene) {
      List<LabHost> others = scene.bed().machinesBut(scene.machine());
      scene.bed().cordon(others.subList(1, others.size()), false);
      scene.bed().atOnce(List.of(scene.machine(), others.getFirst()), MachineFault::restart);
    }
  },

  /** The team's machine is heard of again when its successor is chosen and not yet at work. */
  OLD_HOST_BACK(MOVES_AS_LOST, FaultCause.PARTITION) {
    @Override
    public void inject(Scene scene) {
      scene.machine().partition();
    }

    @Override
    public void meanwhile(Scene scene) {
      String team = scene.target().team();
      long epoch = scene.bed().lab().teamNow(team).getStatus().binding().epoch();
      scene
          .bed()
          .lab()
          .awaitTeam(
              team,
              "on its way",
              now -> now.getStatus().binding() != null && now.getStatus().binding().epoch() > epoch,
              Bed.BOUND);
      scene.machine().heal();
    }
  },

  /** No machine is left; all come back. */
  ALL_HOSTS(RETURNS, FaultCause.POWER_CUT) {
    @Override
    public int others() {
      return Integer.MAX_VALUE;
    }

    @Override
    public void inject(Scene scene) {
      scene.bed().atOnce(scene.bed().machines(), LabHost::powerCut);
    }

    @Override
    public void meanwhile(Scene scene) throws InterruptedException {
      Bed.pass(scene.lengths().absence);
      scene.bed().atOnce(scene.bed().machines(), LabHost::start);
    }
  };

  private final Expectation expectation;
  private final List<FaultCause> blamed;

  MachineFault(Expectation expectation, FaultCause... blamed) {
    this.expectation = expectation;
    this.blamed = List.of(blamed);
  }

  @Override
  public Optional<List<FaultCause>> blamed() {
    return Optional.of(blamed);
  }

  @Override
  public Expectation expectation() {
    return expectation;
  }

  /** Ends whatever cuts the machine off. */
  @Override
  public void undo(Scene scene) throws InterruptedException {
    scene.machine().heal();
  }

  /** Whether it was the power or the network nobody can tell while it lasts. */
  private static void awaitSaidToBeLost(Scene scene) {
    scene
        .bed()
        .lab()
        .awaitVm(
            scene.machine().name(),
            "lost, and blamed for no more than that",
            vm ->
                Conditions.hasReason(
                        vm.getStatus().conditions(), ConditionType.REACHABLE, Reason.VM_LOST)
                    && vm.getStatus().reputation().faults().stream()
                        .limit(1)
                        .anyMatch(fault -> fault.cause() == FaultCause.VM_LOST),
            Bed.BOUND);
  }

  private static void awaitSaidOfDisk(Scene scene, Reason reason, FaultCause cause) {
    scene
        .bed()
        .lab()
        .awaitVm(
            scene.machine().name(),
            "not Ready for its disk, and blamed for that",
            vm ->
                Conditions.hasReason(vm.getStatus().conditions(), ConditionType.READY, reason)
                    && vm.getStatus().reputation().faults().stream()
                        .limit(1)
                        .anyMatch(fault -> fault.cause() == cause && fault.over() == null),
            Bed.BOUND);
  }

  private static void restart(LabHost machine) {
    machine.powerCut();
    machine.start();
  }
}
