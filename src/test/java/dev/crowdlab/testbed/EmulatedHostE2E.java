package dev.crowdlab.testbed;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What only a machine with a kernel of its own can show. */
@RequiresTestBed
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EmulatedHostE2E {
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
  void aPowerCutLosesWhatWasNotSyncedAndNothingElse() {
    host.shell("echo synced >/srv/data/synced; sync; echo lost >/srv/data/lost");

    host.powerCut();
    host.start();

    assertThat(host.exec("cat", "/srv/data/synced")).isEqualTo("synced\n");
    assertThat(host.shell("cat /srv/data/lost 2>/dev/null || true")).isEmpty();
  }
}
