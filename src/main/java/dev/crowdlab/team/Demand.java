package dev.crowdlab.team;

import dev.crowdlab.api.ContainerSpec;
import dev.crowdlab.api.Exercise;
import dev.crowdlab.api.Resources;
import io.fabric8.kubernetes.api.model.Quantity;
import java.math.BigDecimal;
import java.math.RoundingMode;
import org.jspecify.annotations.Nullable;

/**
 * What a team asks of a machine besides a place: the sum of what its containers may use. A
 * contributor's machine is not lent twice over, so a limit above the request counts.
 *
 * @param cpuMillis thousandths of a core
 * @param memoryBytes bytes
 */
record Demand(long cpuMillis, long memoryBytes) {

  static final Demand NONE = new Demand(0, 0);

  /** The demand of an exercise: of each container the greater of request and limit. */
  static Demand of(Exercise exercise) {
    Demand sum = NONE;
    for (ContainerSpec container : exercise.containers()) {
      Resources resources = container.resources();
      if (resources != null) {
        sum =
            sum.plus(
                new Demand(
                    Math.max(
                        cpu(resources.requests().get("cpu")), cpu(resources.limits().get("cpu"))),
                    Math.max(
                        bytes(resources.requests().get("memory")),
                        bytes(resources.limits().get("memory")))));
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

  private static long whole(@Nullable Quantity quantity, BigDecimal factor) {
    if (quantity == null) {
      return 0;
    }
    BigDecimal exact = quantity.getNumericalAmount().multiply(factor);
    BigDecimal bounded = exact.min(BigDecimal.valueOf(Long.MAX_VALUE / 4)).max(BigDecimal.ZERO);
    return bounded.setScale(0, RoundingMode.CEILING).longValueExact();
  }
}
