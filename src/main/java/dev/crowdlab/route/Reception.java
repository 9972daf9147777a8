package dev.crowdlab.route;

import static java.util.Comparator.comparingInt;

import dev.crowdlab.core.TeamRef;
import dev.crowdlab.route.Routes.Why;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Knows where each team stands and which requests wait for it; decides what becomes of a request.
 * No I/O: guests are told outside the lock.
 */
final class Reception implements Lobby {

  /** A request that waits. It is told exactly one thing, unless it leaves before. */
  interface Guest {

    /** It goes to the exercise, and then leaves. */
    void proceed(Visit visit, Endpoint exercise);

    void turnAway(Notice notice);
  }

  /** What becomes of a request. */
  sealed interface Decision {

    /** It waits; its guest will be told. */
    record Wait(Visit visit) implements Decision {}

    /** It goes to the exercise now. */
    record Proceed(Visit visit, Endpoint exercise) implements Decision {}

    record TurnAway(Notice notice) implements Decision {}
  }

  /** A seat in the room, from the decision until {@link #leave}. */
  static final class Visit {
    private final Room room;
    private final Guest guest;

    private Visit(Room room, Guest guest) {
      this.room = room;
      this.guest = guest;
    }
  }

  private sealed interface State {

    /** Equal but for the time: a repeated call does not prolong anything. */
    default boolean sameAs(State other) {
      return switch (this) {
        case Waiting waiting -> waiting.equals(other);
        case Ready(Endpoint exercise, Instant _) ->
            other instanceof Ready ready && ready.exercise.equals(exercise);
      };
    }

    record Waiting(Why why) implements State {}

    record Ready(Endpoint exercise, Instant since) implements State {}
  }

  private static final class Room {
    private final String host;
    private final String prefix;
    private State state;
    private final Set<Visit> waiting = new LinkedHashSet<>();
    private int seats;

    private Room(String host, String prefix, State state) {
      this.host = host;
      this.prefix = prefix;
      this.state = state;
    }
  }

  private final WaitingRoomSettings settings;
  private final InstantSource clock;
  private final Instant teamsKnownFrom;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<String, List<Room>> roomsByHost = new HashMap<>();
  private final Map<TeamRef, Room> rooms = new HashMap<>();
  private int seats;
  private int waiting;

  /**
   * @param grace how long from now an unknown host may be one of a team that was not heard of yet
   */
  Reception(WaitingRoomSettings settings, InstantSource clock, Duration grace) {
    this.settings = settings;
    this.clock = clock;
    this.teamsKnownFrom = clock.instant().plus(grace);
  }

  /**
   * Takes a request in.
   *
   * @param path the decoded path without dot segments
   * @param patient whether the request may be held
   */
  Decision admit(String host, String path, boolean patient, Guest guest) {
    lock.lock();
    try {
      Room room = find(host, path);
      if (room == null) {
        return new Decision.TurnAway(
            clock.instant().isBefore(teamsKnownFrom) ? Notice.STARTING : Notice.UNKNOWN);
      }
      return switch (room.state) {
        case State.Waiting(Why why) when !patient || hopeless(why) ->
            new Decision.TurnAway(Notice.of(why));
        case State.Ready(Endpoint _, Instant since)
            when !patient || since.plus(settings.linger()).isBefore(clock.instant()) ->
            new Decision.TurnAway(Notice.MOVED);
        case State _ when full(room) -> new Decision.TurnAway(Notice.FULL);
        case State.Waiting _ -> {
          Visit visit = sit(room, guest);
          room.waiting.add(visit);
          waiting++;
          yield new Decision.Wait(visit);
        }
        case State.Ready(Endpoint exercise, Instant _) ->
            new Decision.Proceed(sit(room, guest), exercise);
      };
    } finally {
      lock.unlock();
    }
  }

  /**
   * The hold is over.
   *
   * @return what the request is told, and its seat is free; empty when it was told something before
   */
  Optional<Notice> giveUp(Visit visit) {
    lock.lock();
    try {
      if (!visit.room.waiting.remove(visit)) {
        return Optional.empty();
      }
      waiting--;
      free(visit);
      return Optional.of(
          visit.room.state instanceof State.Waiting(Why why) ? Notice.of(why) : Notice.MOVED);
    } finally {
      lock.unlock();
    }
  }

  /** A request that was told to proceed is answered: its seat is free. */
  void leave(Visit visit) {
    lock.lock();
    try {
      free(visit);
    } finally {
      lock.unlock();
    }
  }

  /** How many requests wait now. */
  int waiting() {
    lock.lock();
    try {
      return waiting;
    } finally {
      lock.unlock();
    }
  }

  /** How many requests wait or are being proxied now. */
  int seats() {
    lock.lock();
    try {
      return seats;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void waiting(TeamRef team, String host, String path, Why why) {
    List<Visit> told = enter(team, host, path, new State.Waiting(why), hopeless(why));
    if (hopeless(why)) {
      told.forEach(this::leave);
      told.forEach(visit -> visit.guest.turnAway(Notice.of(why)));
    }
  }

  @Override
  public void ready(TeamRef team, String host, String path, Endpoint exercise) {
    enter(team, host, path, new State.Ready(exercise, clock.instant()), true)
        .forEach(visit -> visit.guest.proceed(visit, exercise));
  }

  @Override
  public void gone(TeamRef team) {
    turnStrangersAway(leaveRoom(team, room -> true));
  }

  /** Whether only a person can change it: nobody waits for that with an open connection. */
  private static boolean hopeless(Why why) {
    return switch (why) {
      case SUSPENDED, STALLED -> true;
      case CREATING, RECOVERING -> false;
    };
  }

  /** Changes a team's state; those who waited are taken out of the room when it says so. */
  private List<Visit> enter(TeamRef team, String host, String path, State state, boolean release) {
    String lowerHost = host.toLowerCase(Locale.ROOT);
    String prefix = prefix(path);
    turnStrangersAway(
        leaveRoom(team, room -> !room.host.equals(lowerHost) || !room.prefix.equals(prefix)));
    lock.lock();
    try {
      Room room = rooms.get(team);
      if (room == null) {
        room = new Room(lowerHost, prefix, state);
        rooms.put(team, room);
        List<Room> siblings = roomsByHost.computeIfAbsent(lowerHost, _ -> new ArrayList<>());
        siblings.add(room);
        // The longest prefix that matches wins, as in an Ingress.
        siblings.sort(comparingInt((Room sibling) -> sibling.prefix.length()).reversed());
      } else if (!room.state.sameAs(state)) {
        room.state = state;
      }
      return release ? release(room) : List.of();
    } finally {
      lock.unlock();
    }
  }

  private List<Visit> leaveRoom(TeamRef team, Predicate<Room> when) {
    lock.lock();
    try {
      Room room = rooms.get(team);
      if (room == null || !when.test(room)) {
        return List.of();
      }
      rooms.remove(team);
      List<Room> siblings = roomsByHost.getOrDefault(room.host, List.of());
      siblings.remove(room);
      if (siblings.isEmpty()) {
        roomsByHost.remove(room.host);
      }
      return release(room);
    } finally {
      lock.unlock();
    }
  }

  private void turnStrangersAway(List<Visit> visits) {
    visits.forEach(this::leave);
    visits.forEach(visit -> visit.guest.turnAway(Notice.UNKNOWN));
  }

  private List<Visit> release(Room room) {
    List<Visit> released = List.copyOf(room.waiting);
    room.waiting.clear();
    waiting -= released.size();
    return released;
  }

  private @Nullable Room find(String host, String path) {
    for (Room room : roomsByHost.getOrDefault(host.toLowerCase(Locale.ROOT), List.of())) {
      if (path.equals(room.prefix) || path.startsWith(room.prefix + "/")) {
        return room;
      }
    }
    return null;
  }

  private static String prefix(String path) {
    return path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
  }

  private Visit sit(Room room, Guest guest) {
    room.seats++;
    seats++;
    return new Visit(room, guest);
  }

  private boolean full(Room room) {
    return seats >= settings.maxHeld() || room.seats >= settings.maxHeldPerTeam();
  }

  private void free(Visit visit) {
    visit.room.seats--;
    seats--;
  }
}
