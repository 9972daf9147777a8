package dev.crowdlab.core;

/** Names one object of ours for its whole life. */
public sealed interface ObjectRef permits TeamRef, VmRef {

  String namespace();

  String name();

  String uid();
}
