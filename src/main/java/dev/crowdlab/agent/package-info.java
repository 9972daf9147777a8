/**
 * The process on a VM. It knows {@code protocol}, Jackson and the JDK, and nothing else of ours.
 */
@NullMarked
package dev.crowdlab.agent;

import org.jspecify.annotations.NullMarked;
