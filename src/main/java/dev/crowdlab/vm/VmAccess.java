package dev.crowdlab.vm;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.integrity.Facts;
import dev.crowdlab.ssh.Contact;
import dev.crowdlab.ssh.SshTarget;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A contributed machine as the reconciler sees it. Every verb connects, does its work and
 * disconnects; every verb may be called again after a crash at any point, blocks its (virtual)
 * thread for no longer than the deadline, and says beside its outcome what the connection learnt.
 *
 * <p>Failures to connect carry one of the reasons {@code HOST_KEY_NOT_APPROVED}, {@code
 * HOST_KEY_CHANGED}, {@code SECRET_INVALID}, {@code PASSPHRASE_REQUIRED}, {@code
 * AUTHENTICATION_FAILED}, {@code ADDRESS_NOT_ALLOWED}, {@code HOST_NOT_RESOLVED}, {@code
 * UNREACHABLE}; with an unpinned target every verb fails with the first of them and sends nothing.
 * Failures on the machine have {@link Contact#authenticated} and {@code SUDO_REFUSED}, {@code
 * VERIFICATION_FAILED}, {@code CONFIGURATION_FAILED}, {@code UNSUPPORTED_SYSTEM} or {@code
 * UNREACHABLE} (the connection broke).
 */
public interface VmAccess {

  /** Measures the machine in one read-only round trip; changes nothing on it. */
  Reply<Probed> probe(SshTarget target, ProbeRequest request, Deadline deadline);

  /**
   * Brings the machine to where its agent runs and dials the hub; changes nothing on a machine that
   * is there already. What is added is recorded on the machine before it is added, so that {@link
   * #uninstall} can take it away after a crash at any point.
   */
  Reply<Configured> configure(SshTarget target, Configuration configuration, Deadline deadline);

  /**
   * Restarts the agent's service and nothing else: teams' containers and mounts stay. One that its
   * owner stopped in order is left alone. Fails with {@code CONFIGURATION_FAILED} when the service
   * is not installed.
   */
  Reply<Restarted> restartAgent(SshTarget target, Deadline deadline);

  /** Logs in and out again: whether sshd goes through the whole exchange. */
  Reply<Greeted> greet(SshTarget target, Deadline deadline);

  /**
   * Takes away everything that {@link #configure} and the agent put there, teams included. Done for
   * a machine that has nothing of ours.
   */
  Reply<Removed> uninstall(SshTarget target, Deadline deadline);

  /** A verb's outcome, and what connecting learnt (also when it failed). */
  record Reply<T>(Outcome<T> outcome, Contact contact) {
    public Reply {
      requireNonNull(outcome, "outcome");
      requireNonNull(contact, "contact");
    }
  }

  /**
   * What to measure.
   *
   * @param protectedPaths absolute paths whose content counts, see {@link
   *     dev.crowdlab.integrity.ProtectedPaths}
   * @param verifyPackages whether the package manager verifies all its files (seconds) or only
   *     those of the protected paths
   */
  record ProbeRequest(List<String> protectedPaths, boolean verifyPackages) {
    public ProbeRequest {
      protectedPaths = List.copyOf(protectedPaths);
    }
  }

  /**
   * A measurement.
   *
   * @param facts what the machine says; hostile input, parsed and bounded, but not believed
   * @param roundTrip the shortest time in which the machine answered
   * @param clockSkew how far the machine's clock is ahead of ours, as exact as half of {@code
   *     roundTrip}
   * @param at when it was taken
   */
  record Probed(Facts facts, Duration roundTrip, Duration clockSkew, Instant at) {}

  /**
   * What the agent needs to enrol.
   *
   * @param vmUid the ContributedVM's UID, under which the agent introduces itself
   * @param hub the hub's URL, {@code wss://host:port/agent/v1}
   * @param caPem the certificates that the agent trusts for the hub, PEM
   * @param token the agent's token; null leaves the one on the machine
   */
  record Configuration(String vmUid, String hub, String caPem, @Nullable String token) {
    public Configuration {
      requireNonNull(vmUid, "vmUid");
      requireNonNull(hub, "hub");
      requireNonNull(caPem, "caPem");
    }

    @Override
    public String toString() {
      return "Configuration[vmUid=" + vmUid + ", hub=" + hub + ", token=***]";
    }
  }

  /**
   * A configured machine.
   *
   * @param changed whether this call changed anything
   * @param agentVersion the SHA-256 of the installed agent's archive, in hex
   * @param agentRestarted whether this call started or restarted the agent
   * @param agentLeftAlone whether its owner had stopped the agent in order, so that it stays so
   * @param packages what was installed for us, now or earlier, by name
   * @param tokenSha256 the SHA-256 of the token on the machine, in hex; null when it has none: call
   *     again with a token
   */
  record Configured(
      boolean changed,
      String agentVersion,
      boolean agentRestarted,
      boolean agentLeftAlone,
      List<String> packages,
      @Nullable String tokenSha256) {
    public Configured {
      packages = List.copyOf(packages);
    }
  }

  /** We were let in. */
  record Greeted() {}

  /**
   * The agent's service was looked after.
   *
   * @param leftAlone whether its owner had stopped it in order, so that it stays so; else it was
   *     restarted and is active
   */
  record Restarted(boolean leftAlone) {}

  /**
   * A cleaned machine.
   *
   * @param found whether anything of ours was there
   * @param kept packages that we installed and that stay because something else needs them now
   */
  record Removed(boolean found, List<String> kept) {
    public Removed {
      kept = List.copyOf(kept);
    }
  }
}
