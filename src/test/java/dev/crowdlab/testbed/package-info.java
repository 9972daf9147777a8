/**
 * Real machines for tests and the demo: a Kubernetes control plane, lab hosts, an ingress. Thin,
 * typed words over the scripts in {@code src/test/testbed}; usable outside JUnit too.
 */
@NullMarked
package dev.crowdlab.testbed;

import org.jspecify.annotations.NullMarked;
