package dev.crowdlab.operator;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.api.Names;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.integrity.BaselineCodec;
import dev.crowdlab.vm.Baselines;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Baselines in ConfigMaps of the operator's namespace, one per VM: {@code baseline-<uid>}. Not in
 * Secrets, because they hold no secret: digests and paths.
 */
final class ConfigMapBaselines implements Baselines {

  /** What an entry is. */
  static final String STATE = "state";

  /** Digest of the baseline, for people; what counts is computed anew. */
  static final String DIGEST = "digest";

  /** Digests of the baselines before, separated by spaces. */
  static final String OLDER = "older";

  /** The baseline itself, compressed. */
  static final String BASELINE = "baseline.json.gz";

  private static final String ACCEPTED = "accepted";
  private static final String RELEASED = "released";
  private static final String VM = Names.GROUP + "/vm";
  private static final Pattern DIGESTS = Pattern.compile("([0-9a-f]{64}( [0-9a-f]{64})*)?");

  private final KubernetesClient client;
  private final String namespace;
  private final Duration bound;
  private final BaselineCodec codec = new BaselineCodec();

  /**
   * @param bound for each call, the client's own retries included
   */
  ConfigMapBaselines(KubernetesClient client, String namespace, Duration bound) {
    this.client = requireNonNull(client, "client");
    this.namespace = requireNonNull(namespace, "namespace");
    this.bound = requireNonNull(bound, "bound");
  }

  @Override
  public Optional<Kept> read(VmRef vm) {
    ConfigMap found =
        call(vm, "read", () -> client.configMaps().inNamespace(namespace).withName(name(vm)).get());
    return found == null
        ? Optional.empty()
        : Optional.of(new Kept(entry(found), found.getMetadata().getResourceVersion()));
  }

  @Override
  public void write(VmRef vm, Optional<Kept> read, Entry entry) {
    ConfigMap wanted = configMap(vm, read, entry);
    call(
        vm,
        "write",
        () -> {
          var resource = client.configMaps().inNamespace(namespace).resource(wanted);
          // An update names the version that was read, so the API server refuses a stale one.
          return read.isEmpty() ? resource.create() : resource.update();
        });
  }

  @Override
  public void delete(VmRef vm) {
    call(
        vm, "delete", () -> client.configMaps().inNamespace(namespace).withName(name(vm)).delete());
  }

  static String name(VmRef vm) {
    return "baseline-" + vm.uid();
  }

  private ConfigMap configMap(VmRef vm, Optional<Kept> read, Entry entry) {
    ConfigMapBuilder builder =
        new ConfigMapBuilder()
            .withNewMetadata()
            .withName(name(vm))
            .withNamespace(namespace)
            .withResourceVersion(read.map(Kept::version).orElse(null))
            .addToLabels(Names.MANAGED_BY_LABEL, Names.FIELD_MANAGER)
            .addToLabels(Names.VM_UID_LABEL, vm.uid())
            .addToAnnotations(VM, vm.toString())
            .endMetadata();
    return switch (entry) {
      case Entry.Released _ -> builder.addToData(STATE, RELEASED).build();
      case Entry.Accepted accepted ->
          builder
              .addToData(STATE, ACCEPTED)
              .addToData(DIGEST, codec.digest(accepted.baseline()))
              .addToData(OLDER, String.join(" ", accepted.older()))
              .addToBinaryData(BASELINE, Base64.getEncoder().encodeToString(bounded(accepted)))
              .build();
      case Entry.Unusable _ ->
          throw new IllegalArgumentException("what cannot be used is not kept");
    };
  }

  private byte[] bounded(Entry.Accepted accepted) {
    byte[] bytes = codec.encode(accepted.baseline());
    if (bytes.length > BaselineCodec.MAX_BYTES) {
      throw new IllegalArgumentException("the baseline is too large: " + bytes.length + " bytes");
    }
    return bytes;
  }

  private Entry entry(ConfigMap found) {
    Map<String, String> data = orEmpty(found.getData());
    String state = data.getOrDefault(STATE, "");
    if (state.equals(RELEASED)) {
      return new Entry.Released();
    }
    String packed = orEmpty(found.getBinaryData()).get(BASELINE);
    String older = data.getOrDefault(OLDER, "");
    if (!state.equals(ACCEPTED) || packed == null || !DIGESTS.matcher(older).matches()) {
      return new Entry.Unusable("a part is missing, or not of the expected form");
    }
    try {
      return new Entry.Accepted(
          codec.decode(Base64.getDecoder().decode(packed)),
          older.isEmpty() ? List.of() : List.of(older.split(" ", -1)));
    } catch (BaselineCodec.UnreadableException | IllegalArgumentException e) {
      return new Entry.Unusable("the baseline cannot be read");
    }
  }

  private static Map<String, String> orEmpty(@Nullable Map<String, String> map) {
    return map == null ? Map.of() : map;
  }

  /** Calls the API server on a thread of its own: the client's timeouts do not bound retries. */
  private <T> T call(VmRef vm, String verb, Callable<T> work) {
    String what = "cannot " + verb + " ConfigMap " + name(vm) + " of " + vm;
    FutureTask<T> task = new FutureTask<>(work);
    Thread.ofVirtual().name(name(vm)).start(task);
    try {
      return task.get(bound.toNanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof KubernetesClientException refused) {
        throw new BaselinesUnavailableException(what + reason(refused), refused);
      }
      throw new IllegalStateException(what, e.getCause());
    } catch (TimeoutException e) {
      task.cancel(true);
      throw new BaselinesUnavailableException(what + ": no answer in time", e);
    } catch (InterruptedException e) {
      task.cancel(true);
      Thread.currentThread().interrupt();
      throw new BaselinesUnavailableException(what + ": interrupted", e);
    }
  }

  private static String reason(KubernetesClientException refused) {
    return switch (refused.getCode()) {
      case 409 -> ": somebody else wrote it";
      case 403 -> ": not allowed";
      default -> "";
    };
  }
}
