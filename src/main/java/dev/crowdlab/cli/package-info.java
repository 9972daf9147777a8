/** The command line. */
@NullMarked
package dev.crowdlab.cli;

import org.jspecify.annotations.NullMarked;
