package dev.crowdlab.storage;

import static dev.crowdlab.storage.WorkspacesContract.assertRefused;
import static dev.crowdlab.storage.WorkspacesContract.done;
import static dev.crowdlab.storage.WorkspacesContract.mount;
import static dev.crowdlab.storage.WorkspacesContract.someId;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.agent.RemotePod;
import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.DocumentedStates;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.Outcome.Done;
import dev.crowdlab.core.Outcome.Failed;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.e2e.Lab;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.storage.Workspaces.AdvanceRequest;
import dev.crowdlab.storage.Workspaces.Advanced;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.HostOptions;
import dev.crowdlab.testbed.LabHost;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.RequiresTestBed;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * What needs a kernel of its own: quotas, limits of containers, a clock, and a power cut that loses
 * what was not fsynced. The one emulated machine is slow; it is an operator's file server. The
 * teams are on a lab host.
 */
@Order(1)
@RequiresTestBed(handsClusterOn = true)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class EmulatedMachineE2E {

  private static final Duration SLOW = Duration.ofSeconds(90);
  private static final long SIZE = 1 << 20;
  private static final String EXPIRY = "crowdlab-workspaces-expire";

  /** Says which run ended last. */
  private static final String LAST_RUN =
      "systemctl show -p ExecMainExitTimestampMonotonic %s.service".formatted(EXPIRY);

  private static RealFileServer server;
  private static Lab lab;
  private static LabHost machine;

  private final WorkspaceId id = someId();

  @BeforeAll
  static void start(ControlPlane controlPlane, LabNetwork network) {
    server =
        new RealFileServer(
            network.start("files", HostOptions.fileServer("128M").emulated().image()));
    lab =
        Lab.start(
            controlPlane, network, "emulated-files-e2e", server.host(), RealFileServer.DATA, "");
    machine = Lab.machine(network, "f-one", HostOptions.full().image());
    lab.contribute(machine, "alice", 4);
    lab.awaitVmReady(machine.name(), SLOW);
  }

  @AfterAll
  static void stop() {
    // What the start did not get to would hide why.
    if (lab != null) {
      lab.close();
    }
    if (server != null) {
      server.close();
    }
  }

  @Test
  void a_full_workspace_refuses_writes_and_others_do_not_notice() {
    assertThat(done(server.workspaces().prepare(Deadline.in(SLOW))).quota()).isTrue();
    Advanced advanced = advance(id, 1, SIZE);
    ToAgent.Mount other = advance(someId(), 1, SIZE).mount();

    assertThat(advanced.quotaEnforced()).isTrue();
    assertThat(put(advanced.mount(), 512 << 10)).isTrue();
    assertThat(put(advanced.mount(), 3 << 20)).isFalse();

    Workspaces.Usage usage = done(server.workspaces().usage(id, Deadline.in(SLOW)));
    assertThat(usage.limitBytes()).isEqualTo(SIZE);
    assertThat(usage.usedBytes()).isBetween(512L << 10, SIZE);
    assertThat(put(other, 512 << 10)).isTrue();
  }

  @Test
  void a_size_that_grows_within_the_epoch_lets_the_writer_go_on() {
    ToAgent.Mount mount = advance(id, 1, SIZE).mount();
    assertThat(put(mount, 3 << 20)).isFalse();

    assertThat(advance(id, 1, 8 * SIZE).mount()).isEqualTo(mount);

    assertThat(put(mount, 3 << 20)).isTrue();
  }

  @Test
  void a_power_cut_forgets_no_epoch_that_was_answered() {
    ToAgent.Mount old = advance(id, 1, SIZE).mount();
    ToAgent.Mount present = advance(id, 2, SIZE).mount();

    server.host().shell("echo synced >/srv/data/synced; sync; echo lost >/srv/data/lost");

    server.host().powerCut();
    server.host().start();

    assertThat(server.host().exec("cat", "/srv/data/synced")).isEqualTo("synced\n");
    assertThat(server.host().shell("cat /srv/data/lost 2>/dev/null || true"))
        .as("what was not synced: otherwise this was no power cut")
        .isEmpty();
    await().atMost(SLOW).until(() -> server.canWrite(present));
    assertThat(server.canWrite(old)).isFalse();
    assertRefused(server.workspaces().advance(request(id, 1, SIZE), Deadline.in(SLOW)));
    Advanced again = advance(id, 2, SIZE);
    assertThat(again.mount()).isEqualTo(present);
    assertThat(again.quotaEnforced()).isTrue();
    assertThat(put(present, 3 << 20)).isFalse();
  }

  @Test
  void a_team_that_fills_its_workspace_is_told_so_until_its_size_is_enlarged() {
    LabTeam team = ready(lab.teamYaml("hoarder").replace("size: 64Mi", "size: 8Mi"));
    assertThat(fill(team, "first", 4)).isTrue();

    assertThat(fill(team, "second", 8)).as("more than there is room for").isFalse();

    LabTeam full = awaitReady("hoarder", Reason.WORKSPACE_FULL, SLOW);
    DocumentedStates.team("workspace-full")
        .check(full.getStatus().phase(), full.getStatus().conditions());
    assertThat(
            Conditions.find(full.getStatus().conditions(), ConditionType.WORKSPACE_ATTACHED)
                .map(Condition::getMessage))
        .contains("the workspace is full; writes fail");
    assertThat(inContainer(team, "wc -c </work/first").strip()).isEqualTo("4194304");

    lab.apply(LabTeam.class, lab.teamYaml("hoarder").replace("size: 64Mi", "size: 16Mi"));

    LabTeam enlarged = awaitReady("hoarder", Reason.READY, Duration.ofSeconds(10));
    DocumentedStates.team("ready")
        .check(enlarged.getStatus().phase(), enlarged.getStatus().conditions());
    assertThat(enlarged.getStatus().binding()).isEqualTo(full.getStatus().binding());
    assertThat(fill(team, "third", 4)).isTrue();
    lab.delete(LabTeam.class, "hoarder", SLOW);
  }

  @Test
  void containers_have_the_limits_that_the_agent_sets() throws Exception {
    try (RemotePod pod = RemotePod.start(server.host(), 500, 64 << 20)) {
      assertThat(
              server
                  .host()
                  .shell(
                      """
                      id=$(podman inspect --format '{{.Id}}' %s)
                      cd "$(find /sys/fs/cgroup -type d -name "libpod-$id.scope")"
                      cat memory.max memory.swap.max cpu.max pids.max
                      """
                          .formatted(pod.container())))
          .isEqualTo("67108864\n0\n50000 100000\n2048\n");
    }
  }

  /** By the default of the configuration, and in the end without an operator. */
  @Test
  @Order(Integer.MAX_VALUE)
  void the_data_of_a_deleted_team_is_out_of_reach_and_removed_after_seven_days() {
    LabTeam team = ready(lab.teamYaml("leaver"));
    inContainer(team, "echo mine >/work/private.txt; sync /work/private.txt");
    String workspace = team.getStatus().workspace().id();
    String login = "e%d-%s".formatted(team.getStatus().binding().epoch(), workspace);
    assertThat(logsIn(login)).as("the machine, while the team is there").isTrue();

    lab.delete(LabTeam.class, "leaver", SLOW);

    String retained = RealFileServer.DATA + "/retained/" + workspace;
    assertThat(server.host().exec("cat", retained + "/private.txt")).isEqualTo("mine\n");
    assertThat(server.host().exec("stat", "-c", "%U %a", retained)).isEqualTo("root 700\n");
    assertThat(logsIn(login)).isFalse();
    assertThat(accountsThatReach(retained + "/private.txt")).isEqualTo("root\n");
    LabTeam again = ready(lab.teamYaml("leaver"));
    assertThat(again.getStatus().workspace().id()).isNotEqualTo(workspace);
    assertThat(inContainer(again, "ls -A /work")).isEmpty();
    inContainer(again, "echo new >/work/private.txt; sync /work/private.txt");

    lab.killOperator();
    letTheTimerBeginSoon();
    timerFires(Duration.ofDays(7).minusHours(1));
    assertThat(server.host().exec("cat", retained + "/private.txt")).isEqualTo("mine\n");

    timerFires(Duration.ofDays(7).plusHours(1));
    assertThat(
            server.host().shell("find /srv/data /var/lib/crowdlab /run/crowdlab; cat /etc/passwd"))
        .as("what the file server has of it")
        .contains(again.getStatus().workspace().id())
        .doesNotContain(workspace);
    assertThat(inContainer(again, "cat /work/private.txt")).isEqualTo("new\n");
  }

  /** A second after it was started, rather than minutes. */
  private static void letTheTimerBeginSoon() {
    server
        .host()
        .shell(
            """
            folder=/run/systemd/system/%s.timer.d
            mkdir -p $folder
            printf '%%s\\n' '[Timer]' OnActiveSec=1s AccuracySec=100ms >$folder/soon.conf
            systemctl daemon-reload
            """
                .formatted(EXPIRY));
  }

  /** Sets the file server's clock ahead, and waits until its own timer has been at work since. */
  private static void timerFires(Duration ahead) {
    String before =
        server
            .host()
            .shell(
                """
                systemctl stop %1$s.timer %1$s.service
                date -s @%2$d >/dev/null
                %3$s
                systemctl start %1$s.timer
                """
                    .formatted(EXPIRY, Instant.now().plus(ahead).getEpochSecond(), LAST_RUN));
    await()
        .atMost(SLOW)
        .pollInterval(Duration.ofSeconds(1))
        .until(() -> !server.host().shell(LAST_RUN).equals(before));
  }

  private static LabTeam ready(String yaml) {
    return lab.awaitTeamReady(lab.apply(LabTeam.class, yaml).getMetadata().getName(), SLOW);
  }

  private static LabTeam awaitReady(String team, Reason reason, Duration bound) {
    return lab.awaitTeam(
        team,
        "Ready=True:" + reason,
        now -> Conditions.hasReason(now.getStatus().conditions(), ConditionType.READY, reason),
        bound);
  }

  /** Whether the team can store a file of so many megabytes. */
  private static boolean fill(LabTeam team, String file, int megabytes) {
    return inContainer(
            team,
            "dd if=/dev/zero of=/work/%s bs=1M count=%d conv=fsync >/dev/null 2>&1; echo $?"
                .formatted(file, megabytes))
        .equals("0\n");
  }

  private static String inContainer(LabTeam team, String script) {
    return machine.exec("podman", "exec", web(team), "sh", "-c", script);
  }

  private static String web(LabTeam team) {
    return "crowdlab-%s-%d-web"
        .formatted(team.getMetadata().getUid(), team.getStatus().binding().epoch());
  }

  /** Whether the machine's own key still lets it in. */
  private static boolean logsIn(String login) {
    return machine
        .shell(
            """
            key=$(grep -rl 'BEGIN OPENSSH PRIVATE KEY' /var/lib/crowdlab | head -n 1)
            echo ls | timeout 20 sftp -q -b - -P %d -i "$key" -o StrictHostKeyChecking=no \
              -o UserKnownHostsFile=/dev/null %s@%s >/dev/null 2>&1 && echo yes || echo no
            """
                .formatted(RealFileServer.SFTP_PORT, login, server.host().address()))
        .equals("yes\n");
  }

  /** Which of the file server's accounts can read the file. */
  private static String accountsThatReach(String file) {
    return server
        .host()
        .shell(
            """
            while IFS=: read -r name _ uid gid _; do
              setpriv --reuid "$uid" --regid "$gid" --clear-groups cat '%s' >/dev/null 2>&1 &&
                echo "$name"
            done </etc/passwd || true
            """
                .formatted(file));
  }

  /** As the operator does, again after a failure that passes: emulated, a login can be too slow. */
  private static Advanced advance(WorkspaceId id, long epoch, long size) {
    Advanced advanced =
        done(
            await()
                .atMost(SLOW)
                .until(
                    () -> server.workspaces().advance(request(id, epoch, size), Deadline.in(SLOW)),
                    outcome ->
                        !(outcome instanceof Failed<Advanced> failed)
                            || failed.failure().kind() != Failure.Kind.TRANSIENT));
    assertThat(mount(new Done<>(advanced)).port()).isEqualTo(RealFileServer.SFTP_PORT);
    return advanced;
  }

  private static AdvanceRequest request(WorkspaceId id, long epoch, long size) {
    return new AdvanceRequest(id, epoch, "vm", server.key(), size);
  }

  /** Whether a file of so many bytes can be stored. */
  private static boolean put(ToAgent.Mount mount, int bytes) {
    return server.sftp(mount, "put " + server.file(bytes) + " /data/file" + bytes).exit() == 0;
  }
}
