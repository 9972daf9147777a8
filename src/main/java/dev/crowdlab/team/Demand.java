package dev.crowdlab.team;

import dev.crowdlab.api.ContainerSpec;
import dev.crowdlab.api.Exercise;
import dev.crowdlab.api.Resources;
import io.fabric8.kubernetes.api.model.Quantity;
import java.math.BigDecimal;
import java.math.RoundingMode;
import org.jspecify.annotations.Nullable;

/**
 * What a team asks of a machine besides a place: the sum of its containers' requests.
 *
 * @param cpuMillis thousandths of a core
 * @param memoryBytes bytes
 */
record Demand(long cpuMillis, long memoryBytes) {

  static final Demand NONE = new Demand(0, 0);

  /** The demand of an exercise; a container's request is its limit when it has none. */
  static Demand of(Exercise exercise) {
    Demand sum = NONE;
    for (ContainerSpec container : exercise.containers()) {
      Resources resources = container.resources();
      if (resources != null) {
        sum =
            sum.plus(
                new Demand(cpu(request(resources, "cpu")), bytes(request(resources, "memory"))));
      }
    }
    return sum;
  }

  Demand plus(Demand other) {
    return new Demand(cpuMillis + other.cpuMillis, memoryBytes + other.memoryBytes);
  }

  /** A quantity of cpu in thousandths of a core, rounded up; 0 for none. */
  static long cpu(@Nullable Quantity quantity) {
    return whole(quantity, BigDecimal.valueOf(1_000));
  }

  /** A quantity in bytes, rounded up; 0 for none. */
  static long bytes(@Nullable Quantity quantity) {
    return whole(quantity, BigDecimal.ONE);
  }

  private static @Nullable Quantity request(Resources resources, String name) {
    Quantity request = resources.requests().get(name);
    return request != null ? request : resources.limits().get(name);
  }

  private static long whole(@Nullable Quantity quantity, BigDecimal factor) {
    if (quantity == null) {
      return 0;
    }
    BigDecimal exact = quantity.getNumericalAmount().multiply(factor);
    BigDecimal bounded = exact.min(BigDecimal.valueOf(Long.MAX_VALUE / 4)).max(BigDecimal.ZERO);
    return bounded.setScale(0, RoundingMode.CEILING).longValueExact();
  }
}
