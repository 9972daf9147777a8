/**
 * Judges what was promised to a student and to a workspace, from outside: what was asked, what was
 * answered, what stands in the files. Knows nothing of clusters and machines.
 */
@NullMarked
package dev.crowdlab.oracle;

import org.jspecify.annotations.NullMarked;
