/**
 * LabTeams: placing a team on a machine, binding it under an epoch, fencing what was before, and
 * recovering it. {@code docs/recovery.md} has the states.
 */
@NullMarked
package dev.crowdlab.team;

import org.jspecify.annotations.NullMarked;
