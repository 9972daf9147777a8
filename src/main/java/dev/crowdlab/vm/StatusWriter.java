package dev.crowdlab.vm;

import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.ContributedVMStatus;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Writes the status of ContributedVMs, and remembers what it wrote until the cache shows it: a pass
 * over an older status would do again what was done.
 */
final class StatusWriter {

  private static final int CONFLICT = 409;
  private static final int ATTEMPTS = 3;

  private final Map<String, ContributedVM> written = new ConcurrentHashMap<>();

  /** The object from the cache, with the status that was written last. */
  ContributedVM freshest(ContributedVM cached) {
    String uid = cached.getMetadata().getUid();
    ContributedVM last = written.get(uid);
    if (last == null) {
      return cached;
    }
    if (version(cached) >= version(last)) {
      written.remove(uid, last);
      return cached;
    }
    return VmObserver.withStatus(cached, last.getStatus());
  }

  /**
   * Replaces the status that was read. A conflict mostly comes from an edit of the rest, and the
   * status goes onto that; when the status itself is another than was read, another operator wrote
   * it, and this one has to observe again.
   *
   * @throws KubernetesClientException then, and when the API server does not answer
   */
  ContributedVM write(KubernetesClient client, ContributedVM vm, ContributedVMStatus status) {
    ContributedVM onto = vm;
    for (int attempt = 1; ; attempt++) {
      try {
        ContributedVM stands = client.resource(VmObserver.withStatus(onto, status)).updateStatus();
        written.put(stands.getMetadata().getUid(), stands);
        return stands;
      } catch (KubernetesClientException e) {
        if (e.getCode() != CONFLICT || attempt == ATTEMPTS) {
          throw e;
        }
        onto = client.resource(vm).require();
        if (!onto.getMetadata().getUid().equals(vm.getMetadata().getUid())
            || !onto.getStatus().equals(vm.getStatus())) {
          written.remove(vm.getMetadata().getUid());
          throw e;
        }
      }
    }
  }

  /** Whether the cache does not show yet what was written last. */
  boolean isAhead(ContributedVM cached) {
    ContributedVM last = written.get(cached.getMetadata().getUid());
    return last != null && version(cached) < version(last);
  }

  /** The object is gone. */
  void forget(ContributedVM vm) {
    written.remove(vm.getMetadata().getUid());
  }

  /** Versions of one object can be compared as numbers since Kubernetes 1.35 (KEP-5504). */
  private static long version(ContributedVM vm) {
    return Long.parseLong(vm.getMetadata().getResourceVersion());
  }
}
