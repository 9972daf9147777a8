package dev.crowdlab.storage;

import static dev.crowdlab.storage.WorkspacesContract.done;
import static dev.crowdlab.storage.WorkspacesContract.mount;
import static dev.crowdlab.storage.WorkspacesContract.someId;
import static dev.crowdlab.storage.WorkspacesContract.soon;
import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.storage.Workspaces.AdvanceRequest;
import dev.crowdlab.testbed.HostOptions;
import dev.crowdlab.testbed.LabHost;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.RequiresTestBed;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Measures what an advance takes, as the operator sees it: over the kept connection, fsyncs and
 * proof included. {@code -Dcrowdlab.advances=N} sets how many are made of each kind.
 */
@RequiresTestBed
final class AdvanceTimesE2E {

  private static final int ADVANCES = Integer.getInteger("crowdlab.advances", 20);

  /**
   * Far above what docs/fencing.md claims: this is about a change for the worse, not about load.
   */
  private static final Duration BOUND = Duration.ofMillis(500);

  private static final Logger log = LoggerFactory.getLogger(AdvanceTimesE2E.class);

  private static RealFileServer server;
  private static LabHost alice;

  private final WorkspaceId id = someId();
  private long epoch;

  @BeforeAll
  static void start(LabNetwork network) {
    server = new RealFileServer(network.start("files", HostOptions.fileServer("64M")));
    alice = network.start("alice", HostOptions.full());
    done(server.workspaces().prepare(soon()));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Test
  void of_an_idle_workspace() {
    report("idle workspace", measure(ADVANCES, () -> {}));
  }

  @Test
  void of_a_workspace_that_is_being_written_to() {
    int count = Math.max(5, ADVANCES / 4);
    ToAgent.Mount[] present = {advance()};
    report(
        "workspace with a writer",
        measure(count, () -> Writer.start(alice, server, present[0], "measured" + epoch), present));
  }

  @Test
  void of_a_workspace_among_a_hundred() {
    for (int i = 0; i < 100; i++) {
      done(
          server
              .workspaces()
              .advance(new AdvanceRequest(someId(), 1, "vm", server.key(), 0), soon()));
    }
    report("idle workspace among 100", measure(ADVANCES, () -> {}));
  }

  private long[] measure(int count, Runnable before, ToAgent.Mount... present) {
    long[] nanos = new long[count];
    for (int i = 0; i < count; i++) {
      before.run();
      long started = System.nanoTime();
      ToAgent.Mount mount = advance();
      nanos[i] = System.nanoTime() - started;
      Arrays.fill(present, mount);
    }
    Arrays.sort(nanos);
    return nanos;
  }

  private ToAgent.Mount advance() {
    epoch++;
    return mount(
        server.workspaces().advance(new AdvanceRequest(id, epoch, "vm", server.key(), 0), soon()));
  }

  private static void report(String what, long[] nanos) {
    log.info(
        "advance ({}): n={} min={} p50={} p95={} max={} ms",
        what,
        nanos.length,
        millis(nanos[0]),
        millis(nanos[nanos.length / 2]),
        millis(nanos[nanos.length * 95 / 100]),
        millis(nanos[nanos.length - 1]));
    assertThat(Duration.ofNanos(nanos[nanos.length / 2])).isLessThan(BOUND);
  }

  private static String millis(long nanos) {
    return "%.1f".formatted(nanos / 1e6);
  }
}
