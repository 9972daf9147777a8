/** The whole system on real machines: what users are promised, and the demo. */
package dev.crowdlab.e2e;
