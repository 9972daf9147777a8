/** What users write and read: the two custom resources, their names and reasons. No logic. */
@NullMarked
package dev.crowdlab.api;

import org.jspecify.annotations.NullMarked;
