package dev.crowdlab.vm;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.Finding;
import dev.crowdlab.api.FindingKind;
import dev.crowdlab.api.IntegrityStatus;
import dev.crowdlab.core.Times;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.integrity.Baseline;
import dev.crowdlab.integrity.BaselineCodec;
import dev.crowdlab.integrity.Measurement;
import dev.crowdlab.integrity.Ours;
import dev.crowdlab.integrity.Past;
import dev.crowdlab.integrity.Policy;
import dev.crowdlab.integrity.Verdict;
import dev.crowdlab.vm.Baselines.BaselinesUnavailableException;
import dev.crowdlab.vm.Baselines.Entry;
import dev.crowdlab.vm.Baselines.Kept;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Judges by policy and keeps the baselines.
 *
 * <p>The digest in a VM's status and the kept baseline vouch for each other. A status that names a
 * baseline which is not kept is never answered with a new baseline in silence: when the machine
 * still measures to that very digest, the baseline is kept anew; else it is a violation, {@code
 * BaselineLost}, that a person ends by releasing the machine. A new baseline is kept before the
 * status names it, with the digests that it followed, so a crash between the two loses nothing.
 *
 * <p>Failures to read or keep a baseline are thrown, and the reconciler tries again: a machine is
 * not accepted before its baseline is kept.
 */
public final class IntegrityJudge implements Judge {

  private static final Logger LOG = LoggerFactory.getLogger(IntegrityJudge.class);

  /** The most findings in a status. */
  static final int MAX_FINDINGS = 50;

  /** How far a status may lag behind: more updates than a machine has between two writes. */
  private static final int MAX_OLDER = 16;

  private static final int SHORT_DIGEST = 12;

  private final Baselines baselines;
  private final Ours ours;
  private final boolean alwaysQuarantine;
  private final BaselineCodec codec = new BaselineCodec();

  /**
   * @param ours what is ours on the machines
   * @param alwaysQuarantine the installation's floor, see {@link Policy}
   */
  public IntegrityJudge(Baselines baselines, Ours ours, boolean alwaysQuarantine) {
    this.baselines = requireNonNull(baselines, "baselines");
    this.ours = requireNonNull(ours, "ours");
    this.alwaysQuarantine = alwaysQuarantine;
  }

  @Override
  public Judgement judge(ContributedVM vm, VmAccess.Probed probed, boolean sharesMachineId) {
    VmRef ref = VmView.ref(vm);
    Policy policy = new Policy(vm.getSpec().integrity(), alwaysQuarantine, ours);
    Measurement measured =
        new Measurement(
            probed.facts(),
            probed.clockSkew(),
            probed.roundTrip().dividedBy(2),
            sharesMachineId,
            vm.getSpec().capacity());
    String named = namedDigest(vm);
    Optional<Kept> kept = baselines.read(ref);
    Past past = past(named, kept, policy.baselineOf(measured));
    Verdict verdict = bounded(policy.judge(measured, past));
    return switch (verdict) {
      case Verdict.Accepted(List<Finding> findings, Baseline baseline) ->
          new Judgement(true, false, status(keep(ref, kept, baseline), probed, findings));
      case Verdict.Violated(List<Finding> findings) -> {
        if (past instanceof Past.Released) {
          // A release accepts what was there when it was given, and nothing that comes later.
          baselines.delete(ref);
        }
        LOG.warn("{}: violates its integrity policy: {}", ref, kinds(findings));
        yield new Judgement(
            false, policy.quarantines(), status(violatedDigest(past, named), probed, findings));
      }
    };
  }

  @Override
  public void release(ContributedVM vm) {
    VmRef ref = VmView.ref(vm);
    baselines.write(ref, baselines.read(ref), new Entry.Released());
  }

  /** A baseline that stays behind harms nobody: no other VM ever has its name. */
  @Override
  public void forget(ContributedVM vm) {
    VmRef ref = VmView.ref(vm);
    try {
      baselines.delete(ref);
    } catch (BaselinesUnavailableException e) {
      LOG.warn("{}: its baseline stays behind: {}", ref, e.getMessage());
    }
  }

  /**
   * What the past of a machine is.
   *
   * @param named the digest that its status names
   * @param now the baseline that the machine would have, were it accepted now
   */
  private Past past(@Nullable String named, Optional<Kept> kept, Baseline now) {
    if (kept.isEmpty() && named == null) {
      return new Past.Nothing();
    }
    if (kept.isPresent()) {
      switch (kept.get().entry()) {
        case Entry.Released _ -> {
          return new Past.Released();
        }
        case Entry.Accepted(Baseline baseline, List<String> older) -> {
          // Without a digest in status: a crash before it was written, or the status was emptied.
          if (named == null || older.contains(named) || named.equals(codec.digest(baseline))) {
            return new Past.Known(baseline);
          }
        }
        case Entry.Unusable _ -> {}
      }
    }
    return codec.digest(now).equals(named) ? new Past.Known(now) : new Past.Lost();
  }

  /** Keeps the baseline if it is another one than before; gives back its digest. */
  private String keep(VmRef ref, Optional<Kept> kept, Baseline baseline) {
    String digest = codec.digest(baseline);
    List<String> older = new ArrayList<>();
    if (kept.isPresent() && kept.get().entry() instanceof Entry.Accepted before) {
      String last = codec.digest(before.baseline());
      if (last.equals(digest)) {
        return digest;
      }
      older.add(last);
      before.older().stream().limit(MAX_OLDER - 1).forEach(older::add);
    }
    baselines.write(ref, kept, new Entry.Accepted(baseline, older));
    if (older.isEmpty()) {
      LOG.info("{}: accepted with baseline {}", ref, shortened(digest));
    } else {
      LOG.info(
          "{}: what changed is explained, baseline {} follows {}",
          ref,
          shortened(digest),
          shortened(older.getFirst()));
    }
    return digest;
  }

  /** What does not fit where baselines are kept cannot be watched over. */
  private Verdict bounded(Verdict verdict) {
    if (verdict instanceof Verdict.Accepted(List<Finding> findings, Baseline baseline)
        && codec.encode(baseline).length > BaselineCodec.MAX_BYTES) {
      List<Finding> all = new ArrayList<>(findings);
      all.addFirst(
          new Finding(
              FindingKind.UNMEASURABLE,
              "baseline",
              "the protected paths hold too much to be kept as a baseline: protect less",
              true));
      return new Verdict.Violated(all);
    }
    return verdict;
  }

  private @Nullable String violatedDigest(Past past, @Nullable String named) {
    return switch (past) {
      case Past.Nothing _, Past.Released _ -> null;
      case Past.Known(Baseline baseline) -> codec.digest(baseline);
      case Past.Lost _ -> named;
    };
  }

  private static @Nullable String namedDigest(ContributedVM vm) {
    IntegrityStatus integrity = vm.getStatus().integrity();
    return integrity == null ? null : integrity.baselineDigest();
  }

  private static IntegrityStatus status(
      @Nullable String digest, VmAccess.Probed probed, List<Finding> findings) {
    return new IntegrityStatus(
        digest, Times.format(probed.at()), findings.stream().limit(MAX_FINDINGS).toList());
  }

  private static List<String> kinds(List<Finding> findings) {
    return findings.stream()
        .filter(Finding::violation)
        .map(finding -> finding.kind().toString())
        .distinct()
        .toList();
  }

  private static String shortened(String digest) {
    return digest.substring(0, SHORT_DIGEST);
  }
}
