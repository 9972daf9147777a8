package dev.crowdlab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.core.VmRef;
import dev.crowdlab.protocol.FromAgent.Notice;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DispatcherTest {

  private static final VmRef VM = new VmRef("lab", "alice-1", "uid-1");
  private static final Instant NOW = Instant.EPOCH;

  private final Dispatcher dispatcher = new Dispatcher();
  private final List<String> heard = new CopyOnWriteArrayList<>();
  private final CountDownLatch gate = new CountDownLatch(1);

  @AfterEach
  void close() {
    gate.countDown();
    dispatcher.close();
  }

  /** Writes down what it hears, and at a session's change waits until the test lets it go on. */
  private final class Slow implements AgentListener {
    @Override
    public void sessionChanged(VmRef vm) {
      heard.add("session");
      try {
        gate.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void healthChanged(VmRef vm, VmHealth health) {
      heard.add(health.getClass().getSimpleName());
    }

    @Override
    public void teamChanged(VmRef vm, String namespace, String name) {
      heard.add(name);
    }

    @Override
    public void notice(VmRef vm, Notice.Kind kind) {
      throw new IllegalStateException("a listener's fault");
    }

    @Override
    public void diskChanged(VmRef vm) {
      heard.add("disk");
    }
  }

  @Test
  void waitingNewsOfOneMatterBecomesTheLatest() {
    dispatcher.listen(new Slow());
    dispatcher.session(VM);
    await().until(() -> heard.contains("session"));

    for (int i = 0; i < 10_000; i++) {
      dispatcher.team(VM, "lab", "team-7");
      dispatcher.disk(VM);
      dispatcher.health(VM, new VmHealth.Suspect(NOW, NOW, VmHealth.Hold.NONE));
    }
    dispatcher.health(VM, new VmHealth.Lost(NOW, NOW, VmHealth.VmFault.SILENT));
    gate.countDown();

    await()
        .untilAsserted(
            () -> assertThat(heard).containsExactly("session", "team-7", "disk", "Lost"));
  }

  @Test
  void aListenerThatFailsKeepsNothingFromTheOthersNorFromTheNextNews() {
    gate.countDown();
    dispatcher.listen(new Slow());
    List<Notice.Kind> kinds = new CopyOnWriteArrayList<>();
    dispatcher.listen(
        new AgentListener() {
          @Override
          public void sessionChanged(VmRef vm) {}

          @Override
          public void healthChanged(VmRef vm, VmHealth health) {}

          @Override
          public void teamChanged(VmRef vm, String namespace, String name) {}

          @Override
          public void notice(VmRef vm, Notice.Kind kind) {
            kinds.add(kind);
          }

          @Override
          public void diskChanged(VmRef vm) {}
        });

    dispatcher.notice(VM, Notice.Kind.LEAVE);
    dispatcher.team(VM, "lab", "team-8");

    await().untilAsserted(() -> assertThat(heard).containsExactly("team-8"));
    assertThat(kinds).containsExactly(Notice.Kind.LEAVE);
  }

  @Test
  void notEvenAnErrorOfAListenerKeepsTheNextNewsFromAnybody() {
    dispatcher.listen(
        new AgentListener() {
          @Override
          public void sessionChanged(VmRef vm) {}

          @Override
          public void healthChanged(VmRef vm, VmHealth health) {}

          @Override
          public void teamChanged(VmRef vm, String namespace, String name) {
            throw new NoClassDefFoundError("a listener's fault");
          }

          @Override
          public void notice(VmRef vm, Notice.Kind kind) {}

          @Override
          public void diskChanged(VmRef vm) {}
        });
    gate.countDown();
    dispatcher.listen(new Slow());

    dispatcher.team(VM, "lab", "team-7");
    await().untilAsserted(() -> assertThat(heard).containsExactly("team-7"));

    dispatcher.team(VM, "lab", "team-8");
    await().untilAsserted(() -> assertThat(heard).containsExactly("team-7", "team-8"));
  }

  @Test
  void newsAfterTheEndIsDropped() {
    dispatcher.listen(new Slow());
    dispatcher.close();

    dispatcher.team(VM, "lab", "team-7");

    assertThat(heard).isEmpty();
  }
}
