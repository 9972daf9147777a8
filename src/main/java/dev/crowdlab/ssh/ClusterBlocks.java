package dev.crowdlab.ssh;

import java.util.Collection;

/** The addresses that belong to the cluster, as they are known now. */
@FunctionalInterface
public interface ClusterBlocks {

  /** What is known now; answers at once. */
  Collection<Cidr> known();

  /**
   * An address was refused because of these: it may have left the cluster since they were read.
   * Answers at once.
   */
  default void refusedOne() {}
}
