package dev.crowdlab.ssh;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How far an attempt to connect came, and what it learnt on the way; there is one for a failed
 * attempt too.
 *
 * @param address the address that was checked and dialled; null when it did not come that far
 * @param presented the host key that the machine presented; null when it did not come that far
 * @param authenticated whether the machine let us in: what failed later failed on the machine
 * @param took from the call to the authenticated connection, or to the failure
 */
public record Contact(
    @Nullable String address, @Nullable HostKey presented, boolean authenticated, Duration took) {}
