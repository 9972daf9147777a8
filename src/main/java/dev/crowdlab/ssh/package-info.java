/**
 * Connections over SSH: who is dialled, whose key is trusted, what is sent, and for how long. The
 * only place that knows sshj.
 */
@NullMarked
package dev.crowdlab.ssh;

import org.jspecify.annotations.NullMarked;
