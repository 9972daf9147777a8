package dev.crowdlab.core;

import static java.util.Objects.requireNonNull;

/**
 * Names one ContributedVM for its whole life. The UID tells two objects of one name apart, so
 * nothing that was promised to a deleted one is given to its successor.
 */
public record VmRef(String namespace, String name, String uid) implements ObjectRef {

  public VmRef {
    requireNonNull(namespace, "namespace");
    requireNonNull(name, "name");
    requireNonNull(uid, "uid");
  }

  /** The form in which log lines name the object. */
  @Override
  public String toString() {
    return namespace + "/" + name;
  }
}
