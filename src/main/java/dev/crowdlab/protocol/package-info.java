/**
 * The messages of hub and agent: JSON objects in WebSocket text frames, one message a frame, told
 * apart by {@code type}. Both sides treat what arrives as hostile: a frame has a largest size,
 * unknown fields and types are refused, every list and text has a bound.
 */
@NullMarked
package dev.crowdlab.protocol;

import org.jspecify.annotations.NullMarked;
