package dev.crowdlab.integrity;

import dev.crowdlab.api.FindingKind;
import dev.crowdlab.api.IntegritySpec;
import dev.crowdlab.integrity.Findings.Weight;
import io.fabric8.kubernetes.api.model.Quantity;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What is judged without a baseline: the system, its kernel, its clock and its size. */
final class HostRules {

  /**
   * The skew from which on the clock is noted. Kerberos, the tightest of the usual protocols, fails
   * at five minutes (RFC 4120, 1.6); a machine that keeps time by NTP is within a second. A
   * free-running clock of 50 ppm takes a week to drift by 30 s, so more means that nobody sets it.
   */
  static final Duration MAX_CLOCK_SKEW = Duration.ofSeconds(30);

  /**
   * The part of the promised memory that a machine may lack: MemTotal leaves out what firmware and
   * kernel keep for themselves, 2 to 6 % on machines of 1 to 8 GiB.
   */
  private static final BigDecimal MEMORY_TOLERANCE = new BigDecimal("0.9");

  private HostRules() {}

  static void judge(Measurement measured, IntegritySpec spec, Findings findings) {
    Facts facts = measured.facts();
    distribution(facts, spec.allowedDistributions(), findings);
    kernel(facts, spec.minimumKernel(), findings);
    if (facts.taint() != 0) {
      findings.add(
          Weight.NOTED,
          FindingKind.KERNEL_TAINTED,
          Long.toString(facts.taint()),
          "bits of /proc/sys/kernel/tainted are set");
    }
    if (measured.sharesMachineId()) {
      findings.add(
          Weight.NOTED,
          FindingKind.MACHINE_ID_DUPLICATE,
          null,
          "another ContributedVM has the same machine-id: copies of one image, or one machine");
    }
    Duration skew = measured.clockSkew().abs().minus(measured.uncertainty());
    if (skew.compareTo(MAX_CLOCK_SKEW) > 0) {
      findings.add(
          Weight.NOTED,
          FindingKind.CLOCK_SKEWED,
          null,
          (measured.clockSkew().isNegative() ? "behind" : "ahead")
              + " by more than "
              + MAX_CLOCK_SKEW.toSeconds()
              + " s; is its time set by NTP?");
    }
    capacity(measured, findings);
  }

  private static void distribution(Facts facts, List<String> allowed, Findings findings) {
    List<String> accepted = allowed.isEmpty() ? Policy.SUPPORTED_DISTRIBUTIONS : allowed;
    String release = facts.os() + ":" + facts.osVersion();
    if (!accepted.contains(facts.os()) && !accepted.contains(release)) {
      findings.add(
          Weight.VIOLATION,
          FindingKind.DISTRIBUTION_NOT_ALLOWED,
          release,
          (allowed.isEmpty() ? "supported are " : "the spec allows ")
              + String.join(", ", accepted));
    }
  }

  private static void kernel(Facts facts, @Nullable String minimum, Findings findings) {
    if (minimum == null) {
      return;
    }
    Optional<KernelVersion> oldest = KernelVersion.parse(minimum);
    Optional<KernelVersion> running = KernelVersion.parse(facts.kernel());
    boolean newEnough =
        oldest.isPresent() && running.isPresent() && running.get().compareTo(oldest.get()) >= 0;
    if (!newEnough) {
      findings.add(
          Weight.VIOLATION,
          FindingKind.KERNEL_TOO_OLD,
          facts.kernel(),
          "the spec asks for at least " + minimum);
    }
  }

  private static void capacity(Measurement measured, Findings findings) {
    Facts facts = measured.facts();
    Quantity cpu = measured.capacity().cpu();
    if (cpu != null && amount(cpu).compareTo(BigDecimal.valueOf(facts.cpus())) > 0) {
      findings.add(
          Weight.NOTED,
          FindingKind.CAPACITY_TOO_SMALL,
          "cpu",
          "the machine has " + facts.cpus() + ", its capacity promises " + cpu);
    }
    Quantity memory = measured.capacity().memory();
    if (memory != null
        && amount(memory)
                .multiply(MEMORY_TOLERANCE)
                .compareTo(BigDecimal.valueOf(facts.memoryBytes()))
            > 0) {
      findings.add(
          Weight.NOTED,
          FindingKind.CAPACITY_TOO_SMALL,
          "memory",
          "the machine has " + (facts.memoryBytes() >> 20) + "Mi, its capacity promises " + memory);
    }
  }

  private static BigDecimal amount(Quantity quantity) {
    return quantity.getNumericalAmount();
  }
}
