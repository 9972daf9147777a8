package dev.crowdlab.storage;

import static dev.crowdlab.storage.WorkspacesContract.assertRefused;
import static dev.crowdlab.storage.WorkspacesContract.done;
import static dev.crowdlab.storage.WorkspacesContract.mount;
import static dev.crowdlab.storage.WorkspacesContract.someId;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.core.Deadline;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.storage.Workspaces.AdvanceRequest;
import dev.crowdlab.storage.Workspaces.Advanced;
import dev.crowdlab.testbed.HostOptions;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.RequiresTestBed;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What needs a kernel of its own: quotas, and a power cut that loses what was not fsynced. The
 * machine is emulated and slow.
 */
@RequiresTestBed
final class EmulatedFileServerE2E {

  private static final Duration SLOW = Duration.ofSeconds(90);
  private static final long SIZE = 1 << 20;

  private static RealFileServer server;

  private final WorkspaceId id = someId();

  @BeforeAll
  static void start(LabNetwork network) {
    server = new RealFileServer(network.start("files", HostOptions.fileServer("128M").emulated()));
  }

  @AfterAll
  static void stop() {
    server.close();
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

    server.host().powerCut();
    server.host().start();

    await().atMost(SLOW).until(() -> server.canWrite(present));
    assertThat(server.canWrite(old)).isFalse();
    assertRefused(server.workspaces().advance(request(id, 1, SIZE), Deadline.in(SLOW)));
    Advanced again = advance(id, 2, SIZE);
    assertThat(again.mount()).isEqualTo(present);
    assertThat(again.quotaEnforced()).isTrue();
    assertThat(put(present, 3 << 20)).isFalse();
  }

  private static Advanced advance(WorkspaceId id, long epoch, long size) {
    Advanced advanced =
        done(server.workspaces().advance(request(id, epoch, size), Deadline.in(SLOW)));
    assertThat(mount(new dev.crowdlab.core.Outcome.Done<>(advanced)).port())
        .isEqualTo(RealFileServer.SFTP_PORT);
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
