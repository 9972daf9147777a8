/** Facts, baseline, policy and verdict: pure functions over what a machine says about itself. */
@NullMarked
package dev.crowdlab.integrity;

import org.jspecify.annotations.NullMarked;
