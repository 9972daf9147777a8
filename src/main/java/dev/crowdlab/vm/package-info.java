/** A ContributedVM: its reconciler, and the steps that integrate a machine. */
@NullMarked
package dev.crowdlab.vm;

import org.jspecify.annotations.NullMarked;
