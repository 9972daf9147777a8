package dev.crowdlab.team;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.core.TeamRef;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Who holds how much of which machine: the one place where room is given away, under one lock.
 * Caches may lag behind what was just given away; this does not, because only the leading operator
 * places teams and every binding it writes goes through here. After winning leadership it is
 * rebuilt from a consistent list before the first placement.
 *
 * <p>Thread-safe.
 */
final class Reservations {

  private static final String NEXT = "/next";

  private final ReentrantLock lock = new ReentrantLock();
  private final PortAllocator.Range ports;
  private final InstantSource clock;

  private final Map<String, Team> teams = new HashMap<>();
  private final Map<String, Map<String, Held>> machines = new HashMap<>();
  private final Map<String, Map<Integer, Instant>> givenBack = new HashMap<>();
  private final Map<String, Integer> cursors = new HashMap<>();
  private boolean rebuilt;

  Reservations(PortAllocator.Range ports, InstantSource clock) {
    this.ports = requireNonNull(ports, "ports");
    this.clock = requireNonNull(clock, "clock");
  }

  /** What a team has: the place it is bound to, and one it may move to. */
  private static final class Team {
    final String namespace;
    @Nullable Held bound;
    @Nullable Held next;

    Team(String namespace) {
      this.namespace = namespace;
    }
  }

  private record Held(String vmUid, Demand demand, @Nullable Integer port) {}

  /** A place that is reserved for a team. */
  sealed interface Place {}

  /** The place; it stays reserved until {@link #bound}, {@link #release} or {@link #giveUp}. */
  record Reserved(VmView vm, int port, int alternatives) implements Place {}

  /** There is none now. */
  record None(Placement.NoCapacity why) implements Place {}

  /** A machine that could be asked for. */
  record Machine(VmView vm, boolean reachable) {}

  /** Whether {@link #rebuild} has been called. */
  boolean isRebuilt() {
    lock.lock();
    try {
      return rebuilt;
    } finally {
      lock.unlock();
    }
  }

  /** Starts from what a consistent list of all teams says; later calls do nothing. */
  void rebuild(List<LabTeam> all) {
    lock.lock();
    try {
      if (!rebuilt) {
        all.forEach(this::hold);
        all.forEach(
            team ->
                team.getStatus().superseded().stream()
                    .filter(old -> old.vmUid() != null && old.port() != null)
                    .forEach(old -> restPort(requireNonNull(old.vmUid()), old.port())));
        rebuilt = true;
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Reserves a place to move to. What the team holds already does not stand in its own way. A place
   * reserved by an earlier call stays the same one as long as it will do.
   *
   * @param candidates the machines of the team's namespace
   * @throws IllegalStateException before {@link #rebuild}
   */
  Place place(TeamRef ref, Placement.Request request, List<Machine> candidates) {
    lock.lock();
    try {
      if (!rebuilt) {
        throw new IllegalStateException("room is given away before it is known what is taken");
      }
      Team team = teams.computeIfAbsent(ref.uid(), uid -> new Team(ref.namespace()));
      Held kept = team.next;
      if (kept != null) {
        drop(ref.uid(), kept);
        team.next = null;
      }
      String still =
          kept != null && isStillWelcome(kept, request, candidates) ? kept.vmUid() : null;
      Placement.Request asked =
          new Placement.Request(
              request.demand(),
              request.selector(),
              request.spread(),
              still != null ? still : request.prefer(),
              still != null ? null : request.avoid(),
              request.exclude(),
              request.shunned());
      return switch (Placement.choose(seen(ref, candidates), teamsOf(ref, candidates), asked)) {
        case Placement.NoCapacity none -> new None(none);
        case Placement.Chosen(VmView vm, int alternatives) -> {
          String vmUid = vm.ref().uid();
          OptionalInt port = port(vmUid, kept);
          if (port.isEmpty()) {
            yield new None(new Placement.NoCapacity(candidates.size(), 1, 0, 0, 0));
          }
          Held next = new Held(vmUid, request.demand(), port.getAsInt());
          team.next = next;
          machines.computeIfAbsent(vmUid, uid -> new HashMap<>()).put(ref.uid() + NEXT, next);
          yield new Reserved(vm, port.getAsInt(), alternatives);
        }
      };
    } finally {
      lock.unlock();
    }
  }

  /** The place reserved for the team becomes the one it is bound to; what it had is given back. */
  void bound(LabTeam team) {
    lock.lock();
    try {
      hold(team);
      dropNext(team.getMetadata().getUid());
    } finally {
      lock.unlock();
    }
  }

  /** Takes over what a team's status says, whoever wrote it. */
  void hold(LabTeam labTeam) {
    lock.lock();
    try {
      String uid = labTeam.getMetadata().getUid();
      Binding binding = labTeam.getStatus().binding();
      Team team = teams.computeIfAbsent(uid, key -> new Team(labTeam.getMetadata().getNamespace()));
      Held held =
          binding == null || binding.vmUid() == null
              ? null
              : new Held(
                  requireNonNull(binding.vmUid()),
                  Demand.of(labTeam.getSpec().exercise()),
                  binding.port());
      Held old = team.bound;
      if (Objects.equals(old, held)) {
        return;
      }
      if (old != null) {
        machines.getOrDefault(old.vmUid(), new HashMap<>()).remove(uid);
        if (held == null
            || !old.vmUid().equals(held.vmUid())
            || !Objects.equals(old.port(), held.port())) {
          rest(old);
        }
      }
      team.bound = held;
      if (held != null) {
        machines.computeIfAbsent(held.vmUid(), key -> new HashMap<>()).put(uid, held);
        if (held.port() != null) {
          cursors.put(held.vmUid(), held.port());
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** Gives back the place to move to; the one it is bound to stays. */
  void giveUp(TeamRef ref) {
    lock.lock();
    try {
      dropNext(ref.uid());
    } finally {
      lock.unlock();
    }
  }

  /** Gives back all that a team has. */
  void release(TeamRef ref) {
    lock.lock();
    try {
      forget(ref.uid());
    } finally {
      lock.unlock();
    }
  }

  /**
   * Forgets teams of a namespace that are there no more: one whose finalizer somebody took away was
   * never released.
   */
  void keepOnly(String namespace, Collection<String> uids) {
    lock.lock();
    try {
      Set<String> kept = Set.copyOf(uids);
      teams.entrySet().stream()
          .filter(entry -> entry.getValue().namespace.equals(namespace))
          .map(Map.Entry::getKey)
          .filter(uid -> !kept.contains(uid))
          .toList()
          .forEach(this::forget);
    } finally {
      lock.unlock();
    }
  }

  private void forget(String uid) {
    dropNext(uid);
    Team team = teams.remove(uid);
    if (team != null && team.bound != null) {
      machines.getOrDefault(team.bound.vmUid(), new HashMap<>()).remove(uid);
      rest(team.bound);
    }
  }

  private void dropNext(String uid) {
    Team team = teams.get(uid);
    if (team != null && team.next != null) {
      drop(uid, team.next);
      team.next = null;
    }
  }

  /** Nothing ever listened on its port: the cursor alone keeps it from being chosen next. */
  private void drop(String uid, Held next) {
    machines.getOrDefault(next.vmUid(), new HashMap<>()).remove(uid + NEXT);
  }

  /** Only the machine that a team is on already may be cordoned and yet be taken again. */
  private static boolean isStillWelcome(
      Held kept, Placement.Request request, List<Machine> candidates) {
    return kept.vmUid().equals(request.prefer())
        || candidates.stream()
            .map(Machine::vm)
            .anyMatch(vm -> vm.ref().uid().equals(kept.vmUid()) && vm.welcoming());
  }

  private List<Placement.Candidate> seen(TeamRef ref, List<Machine> candidates) {
    return candidates.stream()
        .map(
            machine -> {
              Demand used = Demand.NONE;
              int count = 0;
              for (Map.Entry<String, Held> entry :
                  machines.getOrDefault(machine.vm().ref().uid(), Map.of()).entrySet()) {
                if (!entry.getKey().equals(ref.uid()) && !entry.getKey().equals(ref.uid() + NEXT)) {
                  used = used.plus(entry.getValue().demand());
                  count++;
                }
              }
              return new Placement.Candidate(machine.vm(), machine.reachable(), used, count);
            })
        .toList();
  }

  private Map<String, Integer> teamsOf(TeamRef ref, List<Machine> candidates) {
    Map<String, Integer> counts = new HashMap<>();
    for (Placement.Candidate candidate : seen(ref, candidates)) {
      counts.merge(candidate.vm().contributor(), candidate.teams(), Integer::sum);
    }
    return counts;
  }

  private OptionalInt port(String vmUid, @Nullable Held kept) {
    if (kept != null && kept.vmUid().equals(vmUid) && kept.port() != null) {
      return OptionalInt.of(kept.port());
    }
    Instant now = clock.instant();
    Map<Integer, Instant> resting = givenBack.getOrDefault(vmUid, Map.of());
    Instant since = now.minus(PortAllocator.WINDOW);
    if (!resting.isEmpty()) {
      resting.values().removeIf(at -> !at.isAfter(since));
    }
    Set<Integer> used =
        machines.getOrDefault(vmUid, Map.of()).values().stream()
            .flatMap(held -> Stream.ofNullable(held.port()))
            .collect(Collectors.toSet());
    Integer last = cursors.get(vmUid);
    OptionalInt port =
        PortAllocator.next(
            ports,
            candidate -> used.contains(candidate) || resting.containsKey(candidate),
            last == null ? OptionalInt.empty() : OptionalInt.of(last),
            now);
    port.ifPresent(chosen -> cursors.put(vmUid, chosen));
    return port;
  }

  private void rest(Held held) {
    restPort(held.vmUid(), held.port());
  }

  private void restPort(String vmUid, @Nullable Integer port) {
    if (port != null) {
      givenBack.computeIfAbsent(vmUid, uid -> new HashMap<>()).put(port, clock.instant());
    }
  }
}
