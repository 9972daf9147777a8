package dev.crowdlab.core;

import static java.util.Objects.requireNonNull;

/** Names one LabTeam for its whole life; see {@link VmRef} for why the UID is part of it. */
public record TeamRef(String namespace, String name, String uid) implements ObjectRef {

  public TeamRef {
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
