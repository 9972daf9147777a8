package dev.crowdlab.hub;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.LimitedMap;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.protocol.FromAgent.Prepared;
import dev.crowdlab.protocol.FromAgent.TeamGone;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.protocol.ToAgent.Prepare;
import dev.crowdlab.protocol.ToAgent.Run;
import dev.crowdlab.protocol.ToAgent.Stop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What one VM was ordered to do with teams, and what became of it. No I/O: it answers with the
 * messages to send. Guarded by its owner.
 *
 * <p>Only what was ordered here counts: a VM that speaks of other teams changes nothing.
 */
final class Ledger {

  /** When a caller should look again in case that an event was lost. */
  static final Duration LOOK_AGAIN = Duration.ofSeconds(5);

  /**
   * How many finished stops are remembered; more than any VM's teams, so that none is asked twice.
   */
  private static final int MAX_GONE = 1_024;

  /**
   * How many stops may be under way; twice what a VM can report. A VM that reports ever new teams
   * makes the eldest be forgotten, which whoever still wants it orders again.
   */
  private static final int MAX_STOPS = 1_024;

  /** How long containers get to end by themselves. */
  static final int GRACE_MILLIS = 5_000;

  /** The protocol since which an agent answers what it is asked for ahead. */
  private static final int ANSWERS_SINCE = 2;

  private enum Link {
    NONE,
    UP,
    HELD,
    CONFLICT
  }

  private static final Outcome<Void> MAKING =
      Outcome.inProgress(LOOK_AGAIN, "the machine makes the containers");

  private final Map<String, Run> runs = new LinkedHashMap<>();
  private final Map<String, Stop> stops = LimitedMap.byAge(MAX_STOPS);
  private final Map<String, Long> gone = LimitedMap.byAge(MAX_GONE);
  private final Map<String, Preparation> preparations = new LinkedHashMap<>();
  private final Map<String, Run> sentRuns = new LinkedHashMap<>();
  private final Map<String, Stop> sentStops = LimitedMap.byAge(MAX_STOPS);
  private Reports reports = new Reports(List.of());
  private Link link = Link.NONE;

  /** Whether the session tells what became of what it makes ahead. */
  private boolean answers = true;

  private boolean lost;

  /**
   * What the caller hears, and what is to be sent for it.
   *
   * @param send null when the session has it already, or there is none
   */
  record Order<T>(@Nullable ToAgent send, Outcome<T> outcome) {}

  /**
   * What of a run the present session was told to make ahead, and what it answered.
   *
   * @param busy whether that was that it could not yet
   */
  private record Preparation(Prepare asked, Outcome<Void> outcome, boolean busy) {

    Preparation(Prepare asked, Outcome<Void> outcome) {
      this(asked, outcome, false);
    }

    boolean isOf(String namespace, String name, long epoch) {
      Run run = asked.run();
      return run != null
          && run.namespace().equals(namespace)
          && run.name().equals(name)
          && run.epoch() == epoch;
    }
  }

  /**
   * A new session is welcome: what it must be told, stops before runs.
   *
   * @param protocol the one that its agent speaks
   */
  List<ToAgent> up(Reports said, int protocol) {
    answers = protocol >= ANSWERS_SINCE;
    sentRuns.clear();
    sentStops.clear();
    preparations.clear();
    said.all()
        .forEach(
            report ->
                gone.computeIfPresent(
                    report.teamUid(), (uid, epoch) -> report.epoch() <= epoch ? null : epoch));
    return resume(said);
  }

  /** The session is welcome again: what it was not told while it was held back. */
  List<ToAgent> resume(Reports said) {
    link = Link.UP;
    lost = false;
    reports = said;
    List<ToAgent> messages = new ArrayList<>();
    for (Stop stop : stops.values()) {
      if (!stop.equals(sentStops.put(stop.teamUid(), stop))) {
        messages.add(stop);
      }
    }
    for (Run run : runs.values()) {
      if (!run.equals(sentRuns.put(run.teamUid(), run))) {
        messages.add(run);
      }
    }
    return messages;
  }

  /** Nothing new is told until it is clear who the VM is: {@link #up} or {@link #resume}. */
  void hold() {
    link = Link.HELD;
  }

  void down() {
    link = Link.NONE;
    reports = new Reports(List.of());
  }

  void conflict() {
    link = Link.CONFLICT;
    reports = new Reports(List.of());
  }

  /** The VM is lost: whoever still wants a run there orders it anew after it came back. */
  void lost() {
    runs.clear();
    preparations.clear();
    lost = true;
  }

  /** A run's is asked for by the caller alone: a later session hears of it only from there. */
  Order<Void> prepare(Prepare prepare) {
    Run run = prepare.run();
    Optional<Outcome<Void>> nobody = nobodyToTell();
    if (nobody.isPresent()) {
      return new Order<>(null, nobody.get());
    }
    if (run == null) {
      return new Order<>(prepare, Outcome.done());
    }
    Preparation known = preparations.get(run.teamUid());
    if (known != null && known.asked().equals(prepare) && !known.busy()) {
      if (known.outcome() instanceof Outcome.Failed) {
        preparations.remove(run.teamUid());
      }
      return new Order<>(null, known.outcome());
    }
    welcomeBack(run);
    // Who does not answer is not waited for: the run makes what is not made by then.
    Outcome<Void> begun = answers ? MAKING : Outcome.done();
    preparations.put(run.teamUid(), new Preparation(prepare, begun));
    return new Order<>(prepare, begun);
  }

  /**
   * The team whose run is made ahead, or is not, when that was asked for here. That it cannot be
   * yet is no news: whoever asked looks again anyhow, and it is sent again then, not at once.
   */
  Optional<TeamRef> prepared(Prepared said) {
    Preparation known = preparations.get(said.teamUid());
    if (known == null || !known.isOf(said.namespace(), said.name(), said.epoch())) {
      return Optional.empty();
    }
    if (Prepared.BUSY.equals(said.code())) {
      preparations.put(said.teamUid(), new Preparation(known.asked(), MAKING, true));
      return Optional.empty();
    }
    Outcome<Void> outcome =
        said.code() == null
            ? Outcome.done()
            : new Outcome.Failed<>(RunReasons.failure(said.code(), said.message()));
    preparations.put(said.teamUid(), new Preparation(known.asked(), outcome));
    return Optional.of(new TeamRef(said.namespace(), said.name(), said.teamUid()));
  }

  private void forgetPreparation(String teamUid, long epoch) {
    Preparation known = preparations.get(teamUid);
    Run run = known == null ? null : known.asked().run();
    if (run != null && run.epoch() <= epoch) {
      preparations.remove(teamUid);
    }
  }

  /** What was to be gone of this epoch may be there again. */
  private void welcomeBack(Run run) {
    Long goneEpoch = gone.get(run.teamUid());
    if (goneEpoch != null && goneEpoch >= run.epoch()) {
      gone.remove(run.teamUid());
    }
    Stop stop = stops.get(run.teamUid());
    if (stop != null && stop.epoch() >= run.epoch()) {
      stops.remove(run.teamUid());
      sentStops.remove(run.teamUid());
    }
  }

  Order<TeamReport> run(Run run) {
    Run known = runs.get(run.teamUid());
    if (known != null && known.epoch() > run.epoch()) {
      return new Order<>(
          null, Outcome.later(Reason.FENCING, "a later epoch of the team was ordered"));
    }
    Optional<Outcome<TeamReport>> nobody = nobodyToTell();
    if (lost && nobody.isPresent()) {
      return new Order<>(null, nobody.get());
    }
    runs.put(run.teamUid(), run);
    forgetPreparation(run.teamUid(), run.epoch());
    welcomeBack(run);
    if (nobody.isPresent()) {
      return new Order<>(null, nobody.get());
    }
    Run send = run.equals(sentRuns.put(run.teamUid(), run)) ? null : run;
    return new Order<>(send, outcome(run));
  }

  private Outcome<TeamReport> outcome(Run run) {
    TeamReport report = reports.get(run.teamUid());
    if (report == null || report.epoch() != run.epoch()) {
      return Outcome.inProgress(LOOK_AGAIN, "the machine was told to run the team");
    }
    return switch (report.state()) {
      case HEALTHY -> Outcome.done(report);
      case FAILED -> new Outcome.Failed<>(RunReasons.failure(report));
      case PREPARING -> Outcome.inProgress(LOOK_AGAIN, "the machine prepares the images");
      case ATTACHING -> Outcome.inProgress(LOOK_AGAIN, "the machine mounts the workspace");
      case ATTACHED, STARTING ->
          Outcome.inProgress(LOOK_AGAIN, "the machine starts the containers");
      case STOPPING, STOPPED -> Outcome.inProgress(LOOK_AGAIN, "the machine stops the team");
    };
  }

  Order<Void> stop(TeamRef team, long epoch) {
    Run run = runs.get(team.uid());
    if (run != null && run.epoch() <= epoch) {
      runs.remove(team.uid());
      sentRuns.remove(team.uid());
    }
    forgetPreparation(team.uid(), epoch);
    if (gone.getOrDefault(team.uid(), -1L) >= epoch) {
      return new Order<>(null, Outcome.done());
    }
    Stop known = stops.get(team.uid());
    Stop stop =
        known != null && known.epoch() >= epoch
            ? known
            : new Stop(team.uid(), team.namespace(), team.name(), epoch, GRACE_MILLIS);
    stops.put(team.uid(), stop);
    Optional<Outcome<Void>> nobody = nobodyToTell();
    if (nobody.isPresent()) {
      return new Order<>(null, nobody.get());
    }
    Stop send = stop.equals(sentStops.put(team.uid(), stop)) ? null : stop;
    return new Order<>(
        send, Outcome.inProgress(LOOK_AGAIN, "the machine was told to stop the team"));
  }

  /** The team runs elsewhere at this epoch: nothing older is wanted here any more. */
  void supersede(String teamUid, long epoch) {
    Run run = runs.get(teamUid);
    if (run != null && run.epoch() < epoch) {
      runs.remove(teamUid);
    }
  }

  /** Whether the report changes what is known. */
  boolean reported(TeamReport report) {
    return reports.put(report);
  }

  /** The team that is gone, when it was ordered to stop. */
  Optional<TeamRef> gone(TeamGone said) {
    reports.gone(said.teamUid(), said.epoch());
    forgetPreparation(said.teamUid(), said.epoch());
    Optional<TeamRef> team = ordered(said.teamUid());
    Stop stop = stops.get(said.teamUid());
    if (stop != null && stop.epoch() <= said.epoch()) {
      stops.remove(said.teamUid());
      sentStops.remove(said.teamUid());
      gone.merge(said.teamUid(), stop.epoch(), Math::max);
    }
    return team;
  }

  /** The team of this UID, when it was ordered here, to run or to stop. */
  Optional<TeamRef> ordered(String teamUid) {
    Run run = runs.get(teamUid);
    if (run != null) {
      return Optional.of(new TeamRef(run.namespace(), run.name(), run.teamUid()));
    }
    Stop stop = stops.get(teamUid);
    return stop == null
        ? Optional.empty()
        : Optional.of(new TeamRef(stop.namespace(), stop.name(), stop.teamUid()));
  }

  Optional<TeamReport> report(String teamUid) {
    return Optional.ofNullable(reports.get(teamUid));
  }

  List<TeamReport> reports() {
    return reports.all();
  }

  List<Run> wanted() {
    return List.copyOf(runs.values());
  }

  private <T> Optional<Outcome<T>> nobodyToTell() {
    return switch (link) {
      case UP -> Optional.empty();
      case HELD ->
          Optional.of(Outcome.inProgress(LOOK_AGAIN, "the machine's agent is asked who it is"));
      case NONE ->
          Optional.of(
              Outcome.later(Reason.AGENT_NOT_CONNECTED, "the machine's agent is not connected"));
      case CONFLICT ->
          Optional.of(
              Outcome.later(Reason.IDENTITY_CONFLICT, "two agents answer for this machine"));
    };
  }
}
