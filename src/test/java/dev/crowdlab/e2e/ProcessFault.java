package dev.crowdlab.e2e;

import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.FaultCause;
import dev.crowdlab.experiment.Expectation;
import dev.crowdlab.testbed.LabHost;
import java.util.List;
import java.util.Optional;

/** Faults of single processes on a machine that goes on. */
enum ProcessFault implements LabFault {

  /** kill -9 of the agent. */
  AGENT_KILL(UNNOTICED) {
    @Override
    public Optional<List<FaultCause>> blamed() {
      return Optional.empty();
    }

    @Override
    public void inject(Scene scene) {
      signalAgent(scene.machine(), "KILL");
    }

    @Override
    public void meanwhile(Scene scene) {
      awaitNewSession(scene);
    }
  },

  /** The agent hangs; nothing else does. */
  AGENT_STOP(UNNOTICED) {
    @Override
    public Optional<List<FaultCause>> blamed() {
      return Optional.of(List.of(FaultCause.AGENT_HUNG));
    }

    @Override
    public void inject(Scene scene) {
      signalAgent(scene.machine(), "STOP");
    }

    @Override
    public void meanwhile(Scene scene) {
      awaitNewSession(scene);
    }

    @Override
    public void undo(Scene scene) {
      signalAgent(scene.machine(), "CONT");
    }
  },

  /** sshd is gone, all of it; the agent is not. */
  SSHD_KILL(UNNOTICED) {
    @Override
    public void inject(Scene scene) {
      // systemd would start it again.
      dropIn(scene.machine(), "ssh", "[Service]\nRestart=no\n");
      scene.machine().exec("systemctl", "kill", "--signal=KILL", "ssh");
    }

    @Override
    public void meanwhile(Scene scene) throws InterruptedException {
      scene.hold();
    }

    @Override
    public void undo(Scene scene) {
      noDropIn(scene.machine(), "ssh");
      scene.machine().exec("systemctl", "restart", "ssh");
    }
  },

  /** The container that students reach is killed. */
  CONTAINER_KILL(NO_FAULT) {
    @Override
    public void inject(Scene scene) {
      String team = scene.bed().lab().teamNow(scene.target().team()).getMetadata().getUid();
      scene
          .machine()
          .shell(
              "podman kill $(podman ps -q --filter label=crowdlab.team="
                  + team
                  + " --filter name=-web$)");
    }
  },

  /** The workspace's sshfs is killed, and its ssh. */
  SSHFS_KILL(STAYS) {
    @Override
    public void inject(Scene scene) {
      scene.machine().exec("systemctl", "kill", "--signal=KILL", "crowdlab-workspace-*.scope");
    }
  },

  /** The agent's clock jumps two hours ahead, and back. */
  AGENT_CLOCK(UNNOTICED) {
    @Override
    public Optional<List<FaultCause>> blamed() {
      return Optional.empty();
    }

    @Override
    public void prepare(Scene scene) {
      LabHost machine = scene.machine();
      String since = session(scene);
      machine.shell("dpkg -i /srv/apt/libfaketime_*.deb >/dev/null");
      setClock(machine, "+0");
      dropIn(
          machine,
          "crowdlab-agent",
          """
          [Service]
          Environment=LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1
          Environment=FAKETIME_TIMESTAMP_FILE=/run/clock
          Environment=FAKETIME_CACHE_DURATION=1
          Environment=FAKETIME_DONT_FAKE_MONOTONIC=1
          Environment=FAKETIME_FORCE_MONOTONIC_FIX=0
          """);
      // An orderly stop would ask for a drain.
      signalAgent(machine, "KILL");
      awaitOtherSession(scene, since);
      machine.shell(
          "grep -q libfaketime /proc/$(systemctl show -p MainPID --value crowdlab-agent)/maps");
    }

    @Override
    public void inject(Scene scene) {
      setClock(scene.machine(), "+2h");
    }

    @Override
    public void meanwhile(Scene scene) throws InterruptedException {
      scene.hold();
      setClock(scene.machine(), "+0");
      scene.hold();
    }

    @Override
    public void undo(Scene scene) {
      setClock(scene.machine(), "+0");
      noDropIn(scene.machine(), "crowdlab-agent");
      String since = session(scene);
      signalAgent(scene.machine(), "KILL");
      awaitOtherSession(scene, since);
    }
  };

  private final Expectation expectation;

  ProcessFault(Expectation expectation) {
    this.expectation = expectation;
  }

  @Override
  public Expectation expectation() {
    return expectation;
  }

  private static void signalAgent(LabHost machine, String signal) {
    machine.exec("systemctl", "kill", "--signal=" + signal, "--kill-whom=main", "crowdlab-agent");
  }

  private static void setClock(LabHost machine, String offset) {
    machine.write("/run/clock", offset + "\n");
  }

  private static void dropIn(LabHost machine, String unit, String text) {
    machine.exec("mkdir", "-p", "/run/systemd/system/" + unit + ".service.d");
    machine.write("/run/systemd/system/" + unit + ".service.d/fault.conf", text);
    machine.exec("systemctl", "daemon-reload");
  }

  private static void noDropIn(LabHost machine, String unit) {
    machine.exec("rm", "-rf", "/run/systemd/system/" + unit + ".service.d");
    machine.exec("systemctl", "daemon-reload");
  }

  /** When the agent's session began, as the operator sees it. */
  private static String session(Scene scene) {
    return since(scene.bed().lab().vm(scene.machine().name()));
  }

  private static String since(ContributedVM vm) {
    return vm.getStatus().agent() == null
        ? ""
        : String.valueOf(vm.getStatus().agent().connectedSince());
  }

  /** Called right after the fault: the operator may not even know of it. */
  private static void awaitNewSession(Scene scene) {
    awaitOtherSession(scene, session(scene));
  }

  private static void awaitOtherSession(Scene scene, String since) {
    scene
        .bed()
        .lab()
        .awaitVm(
            scene.machine().name(),
            "connected anew",
            vm ->
                vm.getStatus().agent() != null
                    && vm.getStatus().agent().connectedSince() != null
                    && !since(vm).equals(since),
            Bed.BOUND);
  }
}
