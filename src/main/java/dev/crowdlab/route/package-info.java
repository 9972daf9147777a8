/**
 * How a student's connection finds the team: Service, EndpointSlice, Ingress, and the waiting room.
 */
@NullMarked
package dev.crowdlab.route;

import org.jspecify.annotations.NullMarked;
