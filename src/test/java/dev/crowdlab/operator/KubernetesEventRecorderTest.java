package dev.crowdlab.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Reason;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

@EnableKubernetesMockClient(crud = true)
@NullUnmarked
class KubernetesEventRecorderTest {

  private static final Instant START = Instant.parse("2026-01-02T03:00:00Z");

  private KubernetesClient client;
  private final LabTeam team = team();

  @Test
  void writesWhatAPersonReads() throws Exception {
    try (var recorder = recorder(Clock.fixed(START, ZoneOffset.UTC))) {
      recorder.warning(team, Reason.VM_LOST, "alice-1 is lost");
    }

    assertThat(events())
        .singleElement()
        .satisfies(
            event -> {
              assertThat(event.getReason()).isEqualTo("VmLost");
              assertThat(event.getType()).isEqualTo("Warning");
              assertThat(event.getNote()).isEqualTo("alice-1 is lost");
              assertThat(event.getRegarding().getUid()).isEqualTo("u-7");
              assertThat(event.getRegarding().getKind()).isEqualTo("LabTeam");
              assertThat(event.getReportingController()).isEqualTo("crowdlab.dev/operator");
              assertThat(event.getReportingInstance()).isEqualTo("op-1");
            });
  }

  @Test
  void saysTheSameOnceInAWhileButAnotherNoteAtOnce() throws Exception {
    AtomicReference<Instant> now = new AtomicReference<>(START);
    try (var recorder = recorder(now::get)) {
      recorder.normal(team, Reason.PLACED, "on alice-1, epoch 1");
      recorder.normal(team, Reason.PLACED, "on alice-1, epoch 1");
      recorder.normal(team, Reason.PLACED, "on bob-1, epoch 2");
      now.set(START.plus(KubernetesEventRecorder.INTERVAL).plus(Duration.ofSeconds(1)));
      recorder.normal(team, Reason.PLACED, "on alice-1, epoch 1");
    }

    assertThat(events()).hasSize(3);
  }

  @Test
  void aRestartedOperatorDoesNotRepeatWhatItsPredecessorSaid() throws Exception {
    for (int restart = 0; restart < 2; restart++) {
      try (var recorder = recorder(Clock.fixed(START, ZoneOffset.UTC))) {
        recorder.normal(team, Reason.PLACED, "on alice-1, epoch 1");
      }
    }

    assertThat(events()).hasSize(1);
  }

  private KubernetesEventRecorder recorder(InstantSource clock) {
    return new KubernetesEventRecorder(client, clock, "op-1", Duration.ofMinutes(1));
  }

  private List<Event> events() {
    return client.events().v1().events().inNamespace("lab").list().getItems();
  }

  private static LabTeam team() {
    LabTeam team = new LabTeam();
    team.getMetadata().setNamespace("lab");
    team.getMetadata().setName("team-7");
    team.getMetadata().setUid("u-7");
    return team;
  }
}
