package dev.crowdlab.testbed;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.e2e.Lab;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What only a machine with a kernel of its own can show. */
@Order(2)
@RequiresTestBed(ownCluster = true)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EmulatedHostE2E {
  private static final Duration SLOW = Duration.ofMinutes(4);

  private LabHost host;

  @BeforeAll
  void boot(LabNetwork network) {
    host = network.start("emulated", HostOptions.fileServer("64M").emulated().image());
  }

  @Test
  void theFileServerEnforcesAUsersQuota() {
    host.shell(
        "useradd -u 5000 w; install -d -o w /srv/data/w; setquota -u w 1000 1000 0 0 /srv/data");

    assertThat(host.shell("su w -c 'dd if=/dev/zero of=/srv/data/w/x bs=1M count=5 2>&1' || true"))
        .contains("Disk quota exceeded");
  }

  @Test
  void podmanAppliesLimits() {
    host.shell(
        "podman run -d --name limited --memory 64m --cpus 0.5 --pids-limit 100"
            + " localhost/exercise:1");

    assertThat(
            host.shell(
                "cd /sys/fs/cgroup/machine.slice/libpod-*.scope; cat memory.max cpu.max pids.max"))
        .isEqualTo("67108864\n50000 100000\n100\n");
  }

  @Test
  void aTeamsContainersHaveTheLimitsOfItsSpec(ControlPlane controlPlane, LabNetwork network) {
    try (Lab lab = Lab.start(controlPlane, network, "emulated-e2e")) {
      // given
      lab.contribute(host, "alice", 1);
      lab.awaitVmReady(host.name(), SLOW);

      // when
      lab.apply(
          LabTeam.class,
          lab.teamYaml("limited")
              .replace(
                  "workspaceMountPath: /work}",
                  "workspaceMountPath: /work, resources: {limits: {cpu: 500m, memory: 64Mi}}}"));
      LabTeam team = lab.awaitTeamReady("limited", SLOW);

      // then
      String web =
          "crowdlab-%s-%d-web"
              .formatted(team.getMetadata().getUid(), team.getStatus().binding().epoch());
      assertThat(
              host.shell(
                  """
                  id=$(podman inspect --format '{{.Id}}' %s)
                  cd "$(find /sys/fs/cgroup -type d -name "libpod-$id.scope")"
                  cat memory.max cpu.max pids.max
                  """
                      .formatted(web)))
          .isEqualTo("67108864\n50000 100000\n2048\n");

      lab.delete(LabTeam.class, "limited", SLOW);
    }
  }

  @Test
  void aPowerCutLosesWhatWasNotSyncedAndNothingElse() {
    host.shell("echo synced >/srv/data/synced; sync; echo lost >/srv/data/lost");

    host.powerCut();
    host.start();

    assertThat(host.exec("cat", "/srv/data/synced")).isEqualTo("synced\n");
    assertThat(host.shell("cat /srv/data/lost 2>/dev/null || true")).isEmpty();
  }
}
