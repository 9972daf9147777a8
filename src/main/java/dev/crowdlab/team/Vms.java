package dev.crowdlab.team;

import java.util.List;
import java.util.Optional;

/** The ContributedVMs, from an informer's cache. */
public interface Vms {

  /** The machine of this name, whatever its UID. */
  Optional<VmView> get(String namespace, String name);

  /** All machines of a namespace. */
  List<VmView> in(String namespace);
}
