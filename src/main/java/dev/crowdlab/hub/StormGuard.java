package dev.crowdlab.hub;

import dev.crowdlab.hub.Detector.Verdict;
import dev.crowdlab.hub.DetectorSettings.Storm;
import dev.crowdlab.hub.VmHealth.Hold;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Doubts us before it believes that many machines vanished at once: then each is confirmed by a
 * round of probes of its own, one after the other, and held for lost at a bounded rate. No I/O, no
 * clock. Thread-safe.
 *
 * <p>Vanished are machines that are suspected and whose sshd does not answer, and those that were
 * lost within the window.
 */
final class StormGuard {

  /** Machines of one storm on which it is said. */
  private static final int SAID = 5;

  /** Who has its turn and does not use it loses it. */
  private static final long TURN_NANOS = 10_000_000_000L;

  private final Storm settings;
  private final Map<String, Place> places = new HashMap<>();

  /** Those that are held, the longest first; what is said of each. */
  private final Map<String, Hold> held = new LinkedHashMap<>();

  private @Nullable String turn;
  private long turnAt;
  private long nextTurnAt;
  private boolean any;
  private int said;
  private long storms;

  private enum State {
    THERE,
    DOUBTED,
    LOST
  }

  private record Place(State state, long since) {}

  StormGuard(Storm settings) {
    this.settings = settings;
  }

  /**
   * A verdict fell, or sshd answered for a machine whose agent is suspected.
   *
   * @param answers whether sshd does
   */
  synchronized void decided(String vm, Verdict verdict, boolean answers, long nano) {
    State state =
        switch (verdict) {
          case ALIVE, AGENT_DOWN, AGENT_HUNG, CONFLICT -> State.THERE;
          case SUSPECT -> answers ? State.THERE : State.DOUBTED;
          case VM_LOST, VM_HUNG -> State.LOST;
          case AWAITED -> null;
        };
    if (state == null) {
      forget(vm);
      return;
    }
    Place before = places.get(vm);
    if (before == null || before.state() != state) {
      places.put(vm, new Place(state, nano));
    }
    if (state != State.DOUBTED) {
      release(vm, nano);
    }
  }

  /** Nobody watches it any more. */
  synchronized void forget(String vm) {
    places.remove(vm);
    release(vm, turnAt);
  }

  /** Whether a machine that does not answer is to be held for lost, or why not yet. */
  synchronized Hold mayLose(String vm, long nano) {
    if (vm.equals(turn)) {
      return Hold.NONE;
    }
    Hold hold = held.get(vm);
    if (hold != null) {
      return hold;
    }
    if (held.isEmpty() && !isStorm(nano)) {
      return Hold.NONE;
    }
    if (held.isEmpty()) {
      storms++;
      said = 0;
      nextTurnAt = any ? Math.max(nano, nextTurnAt) : nano;
      any = true;
    }
    Hold fresh = said++ < SAID ? Hold.STORM_TO_SAY : Hold.STORM;
    held.put(vm, fresh);
    return fresh;
  }

  /** Whether this machine may be probed now: those that are held wait for their turn. */
  synchronized boolean mayProbe(String vm, long nano) {
    if (!held.containsKey(vm) || vm.equals(turn)) {
      return true;
    }
    if (turn != null && nano - turnAt > TURN_NANOS) {
      Hold hold = held.remove(turn);
      if (hold != null) {
        held.put(turn, hold);
      }
      turn = null;
    }
    if (turn != null || nano - nextTurnAt < 0 || !vm.equals(held.keySet().iterator().next())) {
      return false;
    }
    turn = vm;
    turnAt = nano;
    nextTurnAt = nano + settings.every().toNanos();
    return true;
  }

  /** How many storms there were. */
  synchronized long storms() {
    return storms;
  }

  /** How many are held back now. */
  synchronized int held() {
    return held.size();
  }

  private void release(String vm, long nano) {
    held.remove(vm);
    if (vm.equals(turn)) {
      turn = null;
      nextTurnAt = Math.max(nextTurnAt, nano);
    }
  }

  private boolean isStorm(long nano) {
    int there = 0;
    int vanished = 0;
    for (Place place : places.values()) {
      switch (place.state()) {
        case THERE -> there++;
        case DOUBTED -> vanished++;
        case LOST -> {
          if (nano - place.since() <= settings.window().toNanos()) {
            vanished++;
          }
        }
      }
    }
    return vanished >= settings.least() && vanished > settings.share() * (there + vanished);
  }
}
