/**
 * The few words that every layer shares: who is meant, how long it may take, how it came out. No
 * logic, no I/O.
 */
@NullMarked
package dev.crowdlab.core;

import org.jspecify.annotations.NullMarked;
