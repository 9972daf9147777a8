package dev.crowdlab.hub;

import dev.crowdlab.protocol.Frames;
import java.util.function.Supplier;

/**
 * What every {@link VmDesk} needs.
 *
 * @param nonces fresh random words for challenges
 */
record HubContext(
    DetectorSettings settings,
    Detector detector,
    HubClock clock,
    Timers timers,
    Prober prober,
    Dispatcher news,
    HubMetrics metrics,
    Frames frames,
    Supplier<String> nonces) {}
