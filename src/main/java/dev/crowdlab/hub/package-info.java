/** The agents' WebSocket server, their sessions, and the failure detector. */
@NullMarked
package dev.crowdlab.hub;

import org.jspecify.annotations.NullMarked;
