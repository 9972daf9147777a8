package dev.crowdlab.vm;

import dev.crowdlab.api.ContributedVM;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Finds objects that stand for one machine twice: the same address and port, or the same host key.
 * The younger is refused; of two made in one second, the one with the greater UID. One whose
 * machine left, clean, stands for none any more.
 */
final class Twins {

  private static final Comparator<ContributedVM> BY_AGE =
      Comparator.comparing((ContributedVM vm) -> created(vm))
          .thenComparing(vm -> vm.getMetadata().getUid());

  private Twins() {}

  /** The oldest object that is older than {@code vm} and stands for the same machine. */
  static Optional<ContributedVM> olderTwin(ContributedVM vm, Collection<ContributedVM> all) {
    return others(vm, all)
        .filter(other -> BY_AGE.compare(other, vm) < 0)
        .filter(other -> sameEndpoint(vm, other) || sameHostKey(vm, other))
        .min(BY_AGE);
  }

  /**
   * Other objects whose machine reports the same machine-id: copies of one image, or one machine
   * behind two addresses.
   */
  static boolean sharesMachineId(ContributedVM vm, Collection<ContributedVM> all) {
    String id = vm.getStatus().machineIdHash();
    return id != null
        && others(vm, all).anyMatch(other -> id.equals(other.getStatus().machineIdHash()));
  }

  private static Stream<ContributedVM> others(ContributedVM vm, Collection<ContributedVM> all) {
    return all.stream()
        .filter(other -> !other.getMetadata().getUid().equals(vm.getMetadata().getUid()))
        .filter(other -> !Voices.hasLeft(other.getStatus().voice()));
  }

  private static boolean sameEndpoint(ContributedVM a, ContributedVM b) {
    return a.getSpec().ssh().port().equals(b.getSpec().ssh().port())
        && (a.getSpec().ssh().host().equalsIgnoreCase(b.getSpec().ssh().host())
            || (a.getStatus().address() != null
                && Objects.equals(a.getStatus().address(), b.getStatus().address())));
  }

  private static boolean sameHostKey(ContributedVM a, ContributedVM b) {
    return a.getStatus().hostKey() != null
        && Objects.equals(a.getStatus().hostKey(), b.getStatus().hostKey());
  }

  private static Instant created(ContributedVM vm) {
    String timestamp = vm.getMetadata().getCreationTimestamp();
    return timestamp == null ? Instant.MAX : Instant.parse(timestamp);
  }
}
