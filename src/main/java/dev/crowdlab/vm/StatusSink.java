package dev.crowdlab.vm;

import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.ContributedVMStatus;

/** Writes a status and gives back the object as it was written. */
@FunctionalInterface
interface StatusSink {
  ContributedVM write(ContributedVM vm, ContributedVMStatus status);
}
