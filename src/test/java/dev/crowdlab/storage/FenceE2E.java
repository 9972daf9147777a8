package dev.crowdlab.storage;

import static dev.crowdlab.storage.WorkspacesContract.assertFailed;
import static dev.crowdlab.storage.WorkspacesContract.assertRefused;
import static dev.crowdlab.storage.WorkspacesContract.done;
import static dev.crowdlab.storage.WorkspacesContract.mount;
import static dev.crowdlab.storage.WorkspacesContract.someId;
import static dev.crowdlab.storage.WorkspacesContract.soon;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.storage.Workspaces.AdvanceRequest;
import dev.crowdlab.storage.Workspaces.Advanced;
import dev.crowdlab.testbed.HostOptions;
import dev.crowdlab.testbed.LabHost;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.RequiresTestBed;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** That at most one epoch of a workspace writes, always, with real sshd, sshfs and mounts. */
@RequiresTestBed
final class FenceE2E {

  private static final String VM = "5b0fd2b6-9b1d-4c57-9d7a-0c6a2a4f1a01";

  private static RealFileServer server;
  private static LabHost alice;
  private static LabHost bob;

  private final WorkspaceId id = someId();

  @BeforeAll
  static void start(LabNetwork network) {
    server = new RealFileServer(network.start("files", HostOptions.fileServer("64M")));
    alice = network.start("alice", HostOptions.full());
    bob = network.start("bob", HostOptions.full());
    done(server.workspaces().prepare(soon()));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Test
  void no_acknowledged_line_is_lost_and_none_of_an_old_epoch_follows_one_of_a_newer() {
    // given writers that nobody tells that their epoch is over
    List<Writer> writers = new ArrayList<>();
    for (int epoch = 1; epoch <= 6; epoch++) {
      ToAgent.Mount mount = mount(advance(epoch));
      writers.add(Writer.start(epoch % 2 == 0 ? bob : alice, server, mount, tag("lines", epoch)));
    }

    // when
    done(server.workspaces().advance(new AdvanceRequest(id, 7, VM, null, 0), soon()));

    // then
    List<String> lines = data("cat", "lines").lines().toList();
    List<String> expected = new ArrayList<>();
    for (Writer writer : writers) {
      await().atMost(Duration.ofSeconds(20)).until(() -> !writer.writes());
      List<String> acknowledged =
          writer.acknowledged().stream().map(n -> writer.name() + " " + n).toList();
      List<String> written =
          lines.stream().filter(line -> line.startsWith(writer.name() + " ")).toList();
      assertThat(acknowledged).isNotEmpty();
      assertThat(written).startsWith(acknowledged.toArray(String[]::new));
      assertThat(written)
          .as("at most the one line that was on its way when the fence came")
          .hasSizeLessThanOrEqualTo(acknowledged.size() + 1);
      expected.addAll(written);
    }
    assertThat(lines).isEqualTo(expected);
  }

  @Test
  void refused_and_repeated_advances_leave_the_writer_alone() {
    ToAgent.Mount mount = mount(advance(3));
    Writer writer = Writer.start(alice, server, mount, tag("alone", 3));

    assertRefused(advance(2));
    assertRefused(advance(1));
    assertThat(mount(advance(3))).isEqualTo(mount);

    int before = writer.acknowledged().size();
    await().atMost(Duration.ofSeconds(10)).until(() -> writer.acknowledged().size() > before + 10);
    assertThat(writer.writes()).isTrue();
    advance(4);
  }

  @ParameterizedTest
  @ValueSource(strings = {"delay_enter", "delay_exit"})
  void a_session_that_is_delayed_before_or_after_its_chroot_finds_nothing(String delay) {
    // given a login that was accepted and hangs in chroot(2)
    ToAgent.Mount old = mount(advance(1));
    ServerProbe probe = new ServerProbe(server.host());
    try (var _ = probe.delayChroot(delay, Duration.ofSeconds(3));
        var executor = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<RealFileServer.Ran> session =
          executor.submit(
              () ->
                  server.sftp(
                      old, "ls -la /", "put " + server.keyFile() + ".pub /data/late", "ls /data"));
      await().atMost(Duration.ofSeconds(20)).until(() -> probe.accepted(old.login()));

      // when
      ToAgent.Mount next = mount(advance(2));

      // then
      assertThat(session.isDone()).isFalse();
      await().atMost(Duration.ofSeconds(30)).until(session::isDone);
      assertThat(session.resultNow().exit()).isNotZero();
      assertThat(data("ls", "-A", ".")).isBlank();
      probe.release();
      assertThat(server.canWrite(next)).isTrue();
    }
  }

  @Test
  void a_process_that_holds_a_file_open_keeps_the_team_unbound_until_it_ends() {
    ToAgent.Mount old = mount(advance(1));
    assertThat(server.canWrite(old)).isTrue();
    onServer(
        "systemd-run -q --unit=holder sh -c 'exec sleep 600 <%s/written'".formatted(place(old)));
    await()
        .atMost(Duration.ofSeconds(10))
        .until(() -> server.host().succeeds("pgrep", "-f", "^sleep 600"));

    assertUnproven(advance(2));

    ToAgent.Mount never =
        new ToAgent.Mount(old.address(), old.port(), "e2-" + id, old.path(), old.hostKey(), false);
    assertThat(server.canWrite(old)).isFalse();
    assertThat(server.canWrite(never)).isFalse();
    assertUnproven(advance(2));

    onServer("systemctl stop holder");
    ToAgent.Mount next = mount(advance(2));
    assertThat(next).isEqualTo(never);
    assertThat(server.canWrite(next)).isTrue();
  }

  @Test
  void a_mount_that_leaked_into_another_namespace_keeps_the_team_unbound_until_that_ends() {
    ToAgent.Mount old = mount(advance(1));
    onServer("systemd-run -q --unit=leak unshare -m --propagation private sleep 601");
    await()
        .atMost(Duration.ofSeconds(10))
        .until(() -> server.host().succeeds("pgrep", "-f", "^sleep 601"));

    assertUnproven(advance(2));
    assertThat(server.canWrite(old)).isFalse();

    onServer("systemctl stop leak");
    assertThat(server.canWrite(mount(advance(2)))).isTrue();
  }

  @Test
  void a_service_with_a_mount_namespace_of_its_own_is_no_leak() {
    advance(1);
    onServer("systemd-run -q --unit=private -p PrivateTmp=yes -p ProtectHome=yes sleep 602");

    done(advance(2));

    assertThat(
            server
                .host()
                .shell(
                    "cat /proc/$(systemctl show -p MainPID --value private)/mountinfo;"
                        + " systemctl stop private"))
        .contains("/e2-" + id + "/")
        .doesNotContain("/e1-" + id + "/");
  }

  @Test
  void a_session_that_is_stopped_or_floods_is_ended_too() {
    ToAgent.Mount old = mount(advance(1));
    Writer writer = Writer.start(alice, server, old, tag("stopped", 1));
    String uid = onServer("id -u " + old.login()).strip();
    onServer("pkill -STOP -u " + uid);

    ToAgent.Mount next = mount(advance(2));

    // What is dead and only not reaped yet holds no file.
    assertThat(onServer("ps -o stat=,args= -u %s | grep -v '^[ZX]' || :".formatted(uid)).strip())
        .isEmpty();
    assertThat(server.canWrite(next)).isTrue();
    await().atMost(Duration.ofSeconds(20)).until(() -> !writer.writes());
  }

  @Test
  void of_racing_advances_the_highest_remains() throws Exception {
    try (SshWorkspaces other = RealFileServer.connect(server.host());
        var executor = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Callable<Outcome<Advanced>>> calls = new ArrayList<>();
      for (long epoch = 1; epoch <= 8; epoch++) {
        AdvanceRequest request = new AdvanceRequest(id, epoch, VM, server.key(), 0);
        SshWorkspaces way = epoch % 2 == 0 ? other : server.workspaces();
        calls.add(() -> way.advance(request, soon()));
      }

      List<Future<Outcome<Advanced>>> outcomes = executor.invokeAll(calls);

      ToAgent.Mount highest = mount(outcomes.getLast().get());
      assertThat(server.canWrite(highest)).isTrue();
      assertThat(LongStream.range(1, 8).mapToObj(n -> login(highest, n)))
          .noneMatch(server::canWrite);
      assertThat(onServer("grep -c -- '-%s/data' /proc/self/mountinfo".formatted(id)).strip())
          .isEqualTo("1");
      assertThat(onServer("grep -c -- '-%s:' /etc/passwd".formatted(id)).strip()).isEqualTo("1");
    }
  }

  @Test
  void a_call_that_is_killed_between_any_two_steps_is_completed_by_its_repeat() {
    ServerProbe probe = new ServerProbe(server.host());
    long epoch = 1;
    ToAgent.Mount present = mount(advance(epoch));
    int kills = 0;
    for (String step : ServerProbe.STEPS) {
      boolean killed = true;
      for (int nth = 1; killed; nth++) {
        epoch++;
        killed = probe.advanceKilledAt(step, nth, request(epoch));
        kills += killed ? 1 : 0;

        ToAgent.Mount next = mount(advance(epoch));

        assertThat(server.canWrite(next)).as("after a kill at %s %d", step, nth).isTrue();
        assertThat(server.canWrite(present)).as("after a kill at %s %d", step, nth).isFalse();
        present = next;
      }
    }
    assertThat(kills).as("steps that were cut").isGreaterThan(20);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void a_restarted_file_server_brings_every_current_epoch_back_by_itself(boolean powerCut) {
    ToAgent.Mount old = mount(advance(1));
    ToAgent.Mount present = mount(advance(2));
    WorkspaceId resting = someId();
    ToAgent.Mount rested = mount(server.workspaces().advance(request(resting, 1), soon()));
    done(server.workspaces().advance(new AdvanceRequest(resting, 2, VM, null, 0), soon()));

    if (powerCut) {
      server.host().powerCut();
      server.host().start();
    } else {
      server.host().reboot();
    }

    await().atMost(Duration.ofSeconds(20)).until(() -> server.canWrite(present));
    assertThat(server.canWrite(old)).isFalse();
    assertThat(server.canWrite(rested)).isFalse();
    assertThat(mount(advance(2))).isEqualTo(present);
    assertRefused(advance(1));
  }

  @Test
  void the_data_of_a_retired_workspace_is_kept_from_everybody_and_removed_when_its_time_is_over() {
    ToAgent.Mount old = mount(advance(1));
    server.sftp(
        old,
        "put %s.pub \"/data/-rf *\"".formatted(server.keyFile()),
        "mkdir /data/tree",
        "symlink /etc /data/etc",
        "symlink ../../../../../../etc /data/tree/up",
        "symlink /srv/data/crowdlab/live /data/tree/others");
    WorkspaceId other = someId();
    ToAgent.Mount others = mount(server.workspaces().advance(request(other, 1), soon()));
    server.canWrite(others);
    WorkspaceId kept = someId();
    server.workspaces().advance(request(kept, 1), soon());

    done(server.workspaces().retire(id, Duration.ofSeconds(1), soon()));
    done(server.workspaces().retire(kept, Duration.ofDays(7), soon()));

    String retained = RealFileServer.DATA + "/retained/";
    assertThat(onServer("stat -c '%U %a' " + retained + kept))
        .isEqualToIgnoringNewLines("root 700");
    await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () -> {
              onServer("systemctl start crowdlab-workspaces-expire");
              return !server.host().succeeds("test", "-e", retained + id);
            });
    assertThat(server.host().succeeds("test", "-s", "/etc/passwd")).isTrue();
    assertThat(server.host().succeeds("test", "-d", retained + kept)).isTrue();
    assertThat(server.canWrite(others)).isTrue();
    assertThat(onServer("ls -d %s/live/%s/written".formatted(RealFileServer.DATA, other)))
        .isNotBlank();
    assertThat(onServer("systemctl is-enabled crowdlab-workspaces-expire.timer"))
        .contains("enabled");
    assertThat(onServer("ls /var/lib/crowdlab/uids /var/lib/crowdlab/workspaces"))
        .doesNotContain(id.value())
        .contains(kept.value());
  }

  @Test
  void a_uid_is_not_given_again_while_data_of_it_is_kept() {
    String first = onServer("id -u " + mount(advance(1)).login()).strip();
    done(server.workspaces().retire(id, Duration.ofDays(7), soon()));

    ToAgent.Mount next = mount(server.workspaces().advance(request(someId(), 1), soon()));

    assertThat(onServer("id -u " + next.login()).strip()).isNotEqualTo(first);
  }

  @Test
  void data_on_a_disk_that_is_not_mounted_is_missed_and_not_made_anew() {
    mount(advance(1));
    String marker = RealFileServer.DATA + "/.crowdlab";
    onServer("mv %1$s %1$s.away".formatted(marker));
    try {
      assertFailed(advance(2), Failure.Kind.TRANSIENT, Reason.FILE_SERVER_UNAVAILABLE);
      assertFailed(
          server.workspaces().prepare(soon()),
          Failure.Kind.TRANSIENT,
          Reason.FILE_SERVER_UNAVAILABLE);
    } finally {
      onServer("mv %1$s.away %1$s".formatted(marker));
    }
    assertThat(server.canWrite(mount(advance(2)))).isTrue();
  }

  @Test
  void a_size_is_enforced_where_the_file_system_has_quota_and_said_not_to_be_where_it_has_not() {
    long size = 1 << 20;
    Advanced advanced =
        done(
            server.workspaces().advance(new AdvanceRequest(id, 1, VM, server.key(), size), soon()));
    RealFileServer.Ran put =
        server.sftp(
            mount(Outcome.done(advanced)), "put " + server.file(3 * (int) size) + " /data/big");

    if (advanced.quotaEnforced()) {
      assertThat(put.exit()).isNotZero();
      Workspaces.Usage usage = done(server.workspaces().usage(id, soon()));
      assertThat(usage.limitBytes()).isEqualTo(size);
      assertThat(usage.usedBytes()).isPositive().isLessThanOrEqualTo(size);
    } else {
      assertThat(put.exit()).isZero();
      assertThat(done(server.workspaces().prepare(soon())).quota()).isFalse();
      assertThat(done(server.workspaces().usage(id, soon()))).isEqualTo(new Workspaces.Usage(0, 0));
    }
  }

  private Outcome<Advanced> advance(long epoch) {
    return server.workspaces().advance(request(epoch), soon());
  }

  private AdvanceRequest request(long epoch) {
    return request(id, epoch);
  }

  private static AdvanceRequest request(WorkspaceId id, long epoch) {
    return new AdvanceRequest(id, epoch, VM, server.key(), 0);
  }

  private ToAgent.Mount login(ToAgent.Mount like, long epoch) {
    return new ToAgent.Mount(
        like.address(), like.port(), "e" + epoch + "-" + id, like.path(), like.hostKey(), false);
  }

  private static void assertUnproven(Outcome<Advanced> outcome) {
    assertFailed(outcome, Failure.Kind.TRANSIENT, Reason.FENCE_UNPROVEN);
  }

  private static String place(ToAgent.Mount mount) {
    return "/run/crowdlab/e/" + mount.login() + mount.path();
  }

  /** A name that is unique on the hosts, which all tests share. */
  private String tag(String test, long epoch) {
    return test + epoch;
  }

  /** Runs a script on the file server, to set a scene or to look. */
  private static String onServer(String script) {
    return server.host().shell(script);
  }

  /** Runs a command where the workspace's data lies. */
  private String data(String... words) {
    return server
        .host()
        .shell("cd %s/live/%s && %s".formatted(RealFileServer.DATA, id, String.join(" ", words)));
  }
}
