/**
 * Measures how long creation and recovery take, over and over, on a cluster that it reaches only
 * through the API server. Knows nothing of how the operator works.
 */
@NullMarked
package dev.crowdlab.experiment;

import org.jspecify.annotations.NullMarked;
