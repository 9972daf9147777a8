package dev.crowdlab.integrity;

import dev.crowdlab.api.Capacity;
import java.time.Duration;

/**
 * All that a verdict is given on, besides the past.
 *
 * @param facts what the machine says
 * @param clockSkew how far its clock is ahead of ours
 * @param uncertainty how wrong {@code clockSkew} may be, either way
 * @param sharesMachineId whether another ContributedVM reports the same machine-id
 * @param capacity what the contributor promises
 */
public record Measurement(
    Facts facts,
    Duration clockSkew,
    Duration uncertainty,
    boolean sharesMachineId,
    Capacity capacity) {}
