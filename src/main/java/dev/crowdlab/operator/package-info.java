/** The main process: configuration, wiring, leader election, health and metrics. */
@NullMarked
package dev.crowdlab.operator;

import org.jspecify.annotations.NullMarked;
