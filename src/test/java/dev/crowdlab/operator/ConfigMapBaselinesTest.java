package dev.crowdlab.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crowdlab.core.VmRef;
import dev.crowdlab.integrity.Baseline;
import dev.crowdlab.integrity.Facts.ProtectedFile;
import dev.crowdlab.vm.Baselines.BaselinesUnavailableException;
import dev.crowdlab.vm.Baselines.Entry;
import dev.crowdlab.vm.Baselines.Kept;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@NullUnmarked
class ConfigMapBaselinesTest {

  private static final VmRef VM = new VmRef("lab", "alice-1", "3f1c-uid");
  private static final String DIGEST = "d".repeat(64);

  @Nested
  @EnableKubernetesMockClient(crud = true)
  @NullUnmarked
  class OnAnApiServer {

    private KubernetesClient client;

    @Test
    void keepsWhatItIsGiven() {
      Entry entry = new Entry.Accepted(baseline("a"), List.of(DIGEST, "e".repeat(64)));

      baselines().write(VM, Optional.empty(), entry);

      assertThat(baselines().read(VM)).map(Kept::entry).contains(entry);
      assertThat(stored().getMetadata().getLabels())
          .containsEntry("crowdlab.dev/vm-uid", "3f1c-uid")
          .containsEntry("app.kubernetes.io/managed-by", "crowdlab");
      assertThat(stored().getMetadata().getAnnotations())
          .containsEntry("crowdlab.dev/vm", "lab/alice-1");
    }

    @Test
    void knowsNothingOfAVmThatItNeverSaw() {
      assertThat(baselines().read(VM)).isEmpty();
    }

    @Test
    void replacesTheEntryThatWasRead() {
      baselines().write(VM, Optional.empty(), new Entry.Accepted(baseline("a"), List.of()));

      baselines().write(VM, baselines().read(VM), new Entry.Released());

      assertThat(baselines().read(VM)).map(Kept::entry).contains(new Entry.Released());
      assertThat(stored().getBinaryData()).isNullOrEmpty();
    }

    @Test
    void refusesToOverwriteWhatSomebodyElseWroteSince() {
      baselines().write(VM, Optional.empty(), new Entry.Accepted(baseline("a"), List.of()));
      Optional<Kept> read = baselines().read(VM);
      Entry theirs = new Entry.Accepted(baseline("b"), List.of());
      baselines().write(VM, read, theirs);

      assertThatThrownBy(() -> baselines().write(VM, read, new Entry.Released()))
          .isInstanceOf(BaselinesUnavailableException.class)
          .hasMessageContaining("somebody else");

      assertThat(baselines().read(VM)).map(Kept::entry).contains(theirs);
    }

    @Test
    void refusesToCreateWhatSomebodyElseCreated() {
      baselines().write(VM, Optional.empty(), new Entry.Released());

      assertThatThrownBy(
              () ->
                  baselines()
                      .write(VM, Optional.empty(), new Entry.Accepted(baseline("a"), List.of())))
          .isInstanceOf(BaselinesUnavailableException.class);
    }

    @Test
    void doesNotBringBackWhatWasDeletedSince() {
      baselines().write(VM, Optional.empty(), new Entry.Released());
      Optional<Kept> read = baselines().read(VM);
      baselines().delete(VM);

      assertThatThrownBy(() -> baselines().write(VM, read, new Entry.Released()))
          .isInstanceOf(BaselinesUnavailableException.class);
      assertThat(baselines().read(VM)).isEmpty();
    }

    @Test
    void deletesAsOftenAsAsked() {
      baselines().write(VM, Optional.empty(), new Entry.Released());

      baselines().delete(VM);
      baselines().delete(VM);

      assertThat(baselines().read(VM)).isEmpty();
    }

    @Test
    void twoVmsOfOneNameAreTwo() {
      baselines().write(VM, Optional.empty(), new Entry.Released());

      assertThat(baselines().read(new VmRef("lab", "alice-1", "another-uid"))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"state", "older", "baseline.json.gz"})
    void saysWhenAPartWasTamperedWith(String part) {
      baselines().write(VM, Optional.empty(), new Entry.Accepted(baseline("a"), List.of()));
      client
          .configMaps()
          .inNamespace("crowdlab-system")
          .withName(ConfigMapBaselines.name(VM))
          .edit(
              map -> {
                if (part.equals(ConfigMapBaselines.BASELINE)) {
                  map.setBinaryData(Map.of(part, "AAAA"));
                } else {
                  map.getData().put(part, "nonsense");
                }
                return map;
              });

      assertThat(baselines().read(VM).orElseThrow().entry()).isInstanceOf(Entry.Unusable.class);
    }

    @Test
    void refusesABaselineThatTheApiServerWouldNotTake() {
      Random random = new Random(1);
      TreeMap<String, ProtectedFile> files = new TreeMap<>();
      for (int i = 0; i < 3_000; i++) {
        byte[] bytes = new byte[200];
        random.nextBytes(bytes);
        files.put(
            "/" + HexFormat.of().formatHex(bytes),
            new ProtectedFile("a".repeat(64), "644:0:0", null));
      }
      Baseline huge =
          new Baseline("m", true, List.of("/"), files, List.of(), List.of(), List.of(), List.of());

      assertThatThrownBy(
              () -> baselines().write(VM, Optional.empty(), new Entry.Accepted(huge, List.of())))
          .isInstanceOf(IllegalArgumentException.class);
      assertThat(baselines().read(VM)).isEmpty();
    }

    private ConfigMapBaselines baselines() {
      return new ConfigMapBaselines(client, "crowdlab-system", Duration.ofSeconds(10));
    }

    private ConfigMap stored() {
      return client.configMaps().inNamespace("crowdlab-system").withName("baseline-3f1c-uid").get();
    }
  }

  @Nested
  @EnableKubernetesMockClient
  @NullUnmarked
  class OnABadDay {

    private static final String PATH =
        "/api/v1/namespaces/crowdlab-system/configmaps/baseline-3f1c-uid";

    private KubernetesMockServer server;
    private KubernetesClient client;

    @Test
    void anApiServerThatDoesNotAnswerIsGivenUpAtTheDeadline() throws Exception {
      // The kernel completes connections; nobody ever reads from them.
      try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
          KubernetesClient hanging =
              new KubernetesClientBuilder()
                  .withConfig(
                      new ConfigBuilder()
                          .withMasterUrl("http://127.0.0.1:" + silent.getLocalPort())
                          .build())
                  .build()) {
        long began = System.nanoTime();

        assertThatThrownBy(
                () ->
                    new ConfigMapBaselines(hanging, "crowdlab-system", Duration.ofMillis(300))
                        .read(VM))
            .isInstanceOf(BaselinesUnavailableException.class)
            .hasMessageContaining("no answer in time");

        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(5));
      }
    }

    @Test
    void aRefusalIsNotTakenForAnEmptyPlace() {
      server.expect().get().withPath(PATH).andReturn(403, "{}").always();

      assertThatThrownBy(() -> baselines(Duration.ofSeconds(10)).read(VM))
          .isInstanceOf(BaselinesUnavailableException.class)
          .hasMessageContaining("not allowed");
    }

    private ConfigMapBaselines baselines(Duration bound) {
      return new ConfigMapBaselines(client, "crowdlab-system", bound);
    }
  }

  private static Baseline baseline(String machineId) {
    return new Baseline(
        machineId,
        true,
        List.of("/etc"),
        new TreeMap<>(
            Map.of("/etc/sudoers", new ProtectedFile("a".repeat(64), "440:0:0", "sudo=1"))),
        List.of("root " + DIGEST),
        List.of("tcp 0.0.0.0 22"),
        List.of(),
        List.of());
  }
}
