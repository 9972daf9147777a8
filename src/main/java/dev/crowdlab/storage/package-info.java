/** Workspaces on the file server, their epochs and fences. */
@NullMarked
package dev.crowdlab.storage;

import org.jspecify.annotations.NullMarked;
