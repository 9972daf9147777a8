package dev.crowdlab.vm;

import dev.crowdlab.api.AgentStatus;
import dev.crowdlab.api.Fault;
import dev.crowdlab.api.FaultCause;
import dev.crowdlab.api.Reputation;
import dev.crowdlab.core.Times;
import dev.crowdlab.hub.Agents.Session;
import dev.crowdlab.hub.VmHealth;
import dev.crowdlab.hub.VmHealth.AgentFault;
import dev.crowdlab.hub.VmHealth.VmFault;
import dev.crowdlab.protocol.FromAgent.DiskState;
import dev.crowdlab.vm.VmSettings.Returning;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a machine's past says of it, kept from pass to pass: its faults, and from when on it may
 * carry teams again after a loss. Pure.
 */
final class Reputations {

  private static final int FAULTS_KEPT = 5;

  private final Returning settings;

  Reputations(Returning settings) {
    this.settings = settings;
  }

  /** The reputation by what is observed now; null while the agent was never heard. */
  @Nullable Reputation now(VmView view) {
    Reputation before = view.status().reputation();
    if (before == null && view.session().isEmpty()) {
      return null;
    }
    Draft draft = new Draft(before, view.now());
    if (view.awayByWish()) {
      // What its owner stopped in order, or takes back, is no fault of the machine's.
      return draft.done(view.now());
    }
    switch (view.health()) {
      case VmHealth.Lost(_, Instant detected, VmFault fault) -> lost(draft, detected, fault);
      case VmHealth.AgentDown(_, Instant at, AgentFault fault) -> down(draft, at, fault);
      case VmHealth.Unwatched _,
          VmHealth.Awaited _,
          VmHealth.Alive _,
          VmHealth.Suspect _,
          VmHealth.Conflict _ ->
          view.session().ifPresent(session -> there(draft, view, session));
    }
    return draft.done(view.now());
  }

  /** The same when its owner took back what kept teams away: it must stay, as after a loss. */
  @Nullable Reputation resumed(@Nullable Reputation before, Instant now) {
    if (before == null) {
      return null;
    }
    Draft draft = new Draft(before, now);
    draft.stableFrom = now.plus(settings.period(draft.flaps));
    return draft.done(now);
  }

  private void lost(Draft draft, Instant detected, VmFault fault) {
    if (draft.silent().filter(open -> open.cause().isLoss()).isPresent()) {
      return;
    }
    draft.flaps = Math.max(0, draft.flaps - forgiven(draft, detected)) + 1;
    draft.losses++;
    draft.stableFrom = null;
    draft.heard(detected);
    draft.begin(
        switch (fault) {
          case SILENT -> FaultCause.VM_LOST;
          case HUNG -> FaultCause.VM_HUNG;
        },
        detected);
  }

  /** How many losses the time since the last one makes up for. */
  private int forgiven(Draft draft, Instant until) {
    return draft.faults.stream()
        .filter(fault -> fault.cause().isLoss() && fault.over() != null)
        .findFirst()
        .map(fault -> between(String.valueOf(fault.over()), until))
        .map(well -> (int) Math.min(Integer.MAX_VALUE, well.dividedBy(settings.forgive())))
        .orElse(0);
  }

  private static void down(Draft draft, Instant at, AgentFault fault) {
    if (draft.silent().isEmpty()) {
      draft.agentFaults++;
      draft.begin(
          switch (fault) {
            case CRASHED -> FaultCause.AGENT_CRASHED;
            case HUNG -> FaultCause.AGENT_HUNG;
          },
          at);
    }
  }

  private void there(Draft draft, VmView view, Session session) {
    Instant back = session.connectedSince();
    Optional<Fault> open = draft.silent();
    if (open.isPresent() && open.get().cause().isLoss()) {
      tell(draft, open.get(), view, session);
      draft.lostFor = draft.lostFor.plus(between(open.get().at(), back));
      draft.stableFrom = back.plus(settings.period(draft.flaps));
    }
    draft.heard(back);
    view.disk().ifPresent(disk -> disk(draft, view.now(), disk));
    stabilise(draft, view.now(), back);
  }

  /** While nobody says anything of the disk, what was said of it last holds. */
  private static void disk(Draft draft, Instant now, DiskState disk) {
    Optional<FaultCause> cause =
        switch (disk) {
          case WRITABLE -> Optional.empty();
          case FULL -> Optional.of(FaultCause.DISK_FULL);
          case READ_ONLY -> Optional.of(FaultCause.DISK_READ_ONLY);
        };
    if (!draft.disk().map(Fault::cause).equals(cause)) {
      draft.diskMended(now);
      cause.ifPresent(fault -> draft.begin(fault, now));
    }
  }

  /** What is wrong with the disk by now, if anything is. */
  static Optional<FaultCause> disk(@Nullable Reputation reputation) {
    return reputation == null
        ? Optional.empty()
        : reputation.faults().stream()
            .filter(fault -> fault.cause().isDisk() && fault.over() == null)
            .map(Fault::cause)
            .findFirst();
  }

  /** Only now is it known whether the machine was off or only away. */
  private static void tell(Draft draft, Fault open, VmView view, Session session) {
    AgentStatus agent = view.status().agent();
    String bootBefore = agent == null ? null : agent.bootId();
    if (open.cause() == FaultCause.VM_LOST && bootBefore != null) {
      FaultCause cause =
          bootBefore.equals(session.bootId()) ? FaultCause.PARTITION : FaultCause.POWER_CUT;
      draft.replace(open, new Fault(cause, open.at(), null));
    }
  }

  /** A connection that broke meanwhile begins the time anew, and so does a clock that jumped. */
  private void stabilise(Draft draft, Instant now, Instant connected) {
    Instant from = draft.stableFrom;
    if (from == null) {
      return;
    }
    Duration period = settings.period(draft.flaps);
    Instant latest = now.plus(period);
    Instant anew = connected.plus(period);
    if (anew.isAfter(from) && !anew.isAfter(latest)) {
      from = anew;
    }
    if (from.isAfter(latest)) {
      from = latest;
    }
    draft.stableFrom = from.isAfter(now) ? from : null;
  }

  private static Duration between(String at, Instant until) {
    Duration time = Duration.between(Times.parse(at), until);
    return time.isNegative() ? Duration.ZERO : time;
  }

  /** A reputation in the making. */
  private static final class Draft {
    private final Instant since;
    private final List<Fault> faults;
    private Duration lostFor = Duration.ZERO;
    private int losses;
    private int agentFaults;
    private int flaps;
    private @Nullable Instant stableFrom;

    Draft(@Nullable Reputation before, Instant now) {
      since = before == null || before.since() == null ? now : Times.parse(before.since());
      faults = before == null ? new ArrayList<>() : new ArrayList<>(before.faults());
      if (before != null) {
        lostFor = before.lostFor() == null ? Duration.ZERO : Times.parseSeconds(before.lostFor());
        losses = count(before.losses());
        agentFaults = count(before.agentFaults());
        flaps = count(before.flaps());
        stableFrom = before.stableFrom() == null ? null : Times.parse(before.stableFrom());
      }
    }

    private static int count(@Nullable Integer value) {
      return value == null ? 0 : value;
    }

    /** The fault of a machine that nobody hears, while it lasts. */
    Optional<Fault> silent() {
      return open(false);
    }

    /** The fault of its disk, while it lasts. */
    Optional<Fault> disk() {
      return open(true);
    }

    private Optional<Fault> open(boolean ofDisk) {
      return faults.stream()
          .filter(fault -> fault.over() == null && fault.cause().isDisk() == ofDisk)
          .findFirst();
    }

    /**
     * One that lasts is kept, however many came since: its end is still to be told. So is the last
     * loss: since when the machine has been well is counted from it.
     */
    void begin(FaultCause cause, Instant at) {
      faults.addFirst(new Fault(cause, Times.format(at), null));
      for (int i = faults.size() - 1; i > 0 && faults.size() > FAULTS_KEPT; i--) {
        if (faults.get(i).over() != null && !isLastLoss(i)) {
          faults.remove(i);
        }
      }
    }

    private boolean isLastLoss(int i) {
      return faults.get(i).cause().isLoss()
          && faults.subList(0, i).stream().noneMatch(later -> later.cause().isLoss());
    }

    void heard(Instant at) {
      silent().ifPresent(fault -> end(fault, at));
    }

    void diskMended(Instant at) {
      disk().ifPresent(fault -> end(fault, at));
    }

    private void end(Fault fault, Instant over) {
      replace(fault, new Fault(fault.cause(), fault.at(), Times.format(over)));
    }

    void replace(Fault fault, Fault by) {
      faults.set(faults.indexOf(fault), by);
    }

    Reputation done(Instant now) {
      return new Reputation(
          Times.format(since),
          uptime(now),
          lostFor.isZero() ? null : Times.formatDuration(lostFor),
          losses == 0 ? null : losses,
          agentFaults == 0 ? null : agentFaults,
          flaps == 0 ? null : flaps,
          stableFrom == null ? null : Times.format(stableFrom),
          faults);
    }

    /** Rounded down: 100% means that nothing was ever lost. */
    private String uptime(Instant now) {
      Duration lost =
          silent()
              .filter(fault -> fault.cause().isLoss())
              .map(fault -> between(fault.at(), now))
              .orElse(Duration.ZERO)
              .plus(lostFor);
      double all = Math.max(1, Duration.between(since, now).toMillis());
      double share = Math.clamp(1 - lost.toMillis() / all, 0, 1);
      return String.format(Locale.ROOT, "%.1f%%", Math.floor(share * 1000) / 10);
    }
  }
}
