package dev.crowdlab.vm;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.integrity.Facts;
import dev.crowdlab.ssh.Contact;
import dev.crowdlab.ssh.HostKey;
import dev.crowdlab.ssh.HostKeyPin;
import dev.crowdlab.ssh.SshCredentials;
import dev.crowdlab.ssh.SshTarget;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * Machines in memory, by host name. They present a host key, check credentials, can be switched
 * off, and remember what was configured; tests look at {@link Machine} to see what was done.
 */
public final class FakeVmAccess implements VmAccess {

  /** A host key for machines that are given none. */
  public static final HostKey ED25519 =
      HostKey.parse(
          "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ");

  /** Another one. */
  public static final HostKey OTHER_ED25519 =
      HostKey.parse(
          "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINGWzLLc8mSs9HEHAKuSJTTdvfrX+HTrL4ugjQRFf7w1");

  /** The version of the agent that {@code configure} installs. */
  public static final String AGENT_VERSION = "a".repeat(64);

  private final Map<String, Machine> machines = new HashMap<>();
  private final InstantSource clock;

  public FakeVmAccess(InstantSource clock) {
    this.clock = clock;
  }

  /** The machine of that name, made on first use: reachable, healthy, with nothing of ours. */
  public synchronized Machine machine(String host) {
    return machines.computeIfAbsent(host, Machine::new);
  }

  /** From now on the machine has this name as well. */
  public synchronized void alias(String host, Machine machine) {
    machines.put(host, machine);
  }

  @Override
  public synchronized Reply<Probed> probe(
      SshTarget target, ProbeRequest request, Deadline deadline) {
    return on(
        target,
        "probe",
        machine ->
            Outcome.done(
                new Probed(
                    machine.facts, Duration.ofMillis(1), machine.clockSkew, clock.instant())));
  }

  @Override
  public synchronized Reply<Configured> configure(
      SshTarget target, Configuration configuration, Deadline deadline) {
    return on(
        target,
        "configure",
        machine -> {
          Configuration before = machine.configuration;
          String token =
              configuration.token() != null
                  ? configuration.token()
                  : before == null ? null : before.token();
          Configuration after =
              new Configuration(
                  configuration.vmUid(), configuration.hub(), configuration.caPem(), token);
          boolean changed = !after.equals(before);
          machine.configuration = after;
          if (changed) {
            machine.changes++;
          }
          boolean started = changed && !machine.agentStopped;
          if (started) {
            machine.agentStarts++;
          }
          return Outcome.done(
              new Configured(
                  changed,
                  AGENT_VERSION,
                  started,
                  machine.agentStopped,
                  List.of("podman", "sshfs"),
                  token == null ? null : sha256(token)));
        });
  }

  @Override
  public synchronized Reply<Restarted> restartAgent(SshTarget target, Deadline deadline) {
    return on(
        target,
        "restartAgent",
        machine -> {
          if (machine.configuration == null) {
            return Outcome.later(Reason.CONFIGURATION_FAILED, "the agent is not installed");
          }
          if (!machine.agentStopped) {
            machine.agentStarts++;
          }
          return Outcome.done(new Restarted(machine.agentStopped));
        });
  }

  @Override
  public synchronized Reply<Greeted> greet(SshTarget target, Deadline deadline) {
    return on(target, "greet", machine -> Outcome.done(new Greeted()));
  }

  @Override
  public synchronized Reply<Removed> uninstall(SshTarget target, Deadline deadline) {
    return on(
        target,
        "uninstall",
        machine -> {
          boolean found = machine.configuration != null;
          machine.configuration = null;
          return Outcome.done(new Removed(found, List.of()));
        });
  }

  private interface Work<T> {
    Outcome<T> on(Machine machine);
  }

  private <T> Reply<T> on(SshTarget target, String verb, Work<T> work) {
    Machine machine = machines.get(target.host());
    if (machine == null) {
      return failed(
          null, null, Outcome.later(Reason.HOST_NOT_RESOLVED, "the host name does not resolve"));
    }
    machine.lookups++;
    if (machine.notAllowed) {
      return failed(
          null, null, Outcome.refused(Reason.ADDRESS_NOT_ALLOWED, "the host leads inside"));
    }
    machine.logins++;
    if (!machine.reachable) {
      return failed(machine, null, Outcome.later(Reason.UNREACHABLE, "the machine did not answer"));
    }
    if (target.pin() instanceof HostKeyPin.Unpinned) {
      return failed(
          machine,
          machine.hostKey,
          Outcome.refused(Reason.HOST_KEY_NOT_APPROVED, "the host key is not approved"));
    }
    if (!target.pin().accepts(machine.hostKey)) {
      return failed(
          machine,
          machine.hostKey,
          Outcome.refused(Reason.HOST_KEY_CHANGED, "the host key is not the pinned one"));
    }
    if (machine.accepts != null && !machine.accepts.equals(target.credentials())) {
      return failed(
          machine,
          machine.hostKey,
          Outcome.refused(Reason.AUTHENTICATION_FAILED, "the machine refused the credentials"));
    }
    if (machine.refusesSudo) {
      return new Reply<>(
          Outcome.refused(Reason.SUDO_REFUSED, "the user may not use sudo without a password"),
          new Contact(machine.address, machine.hostKey, true, Duration.ofMillis(2)));
    }
    machine.calls.add(verb);
    machine.lastTarget = target;
    Outcome.Failure failure = machine.failures.remove(verb);
    Outcome<T> outcome = failure != null ? new Outcome.Failed<>(failure) : work.on(machine);
    return new Reply<>(
        outcome, new Contact(machine.address, machine.hostKey, true, Duration.ofMillis(2)));
  }

  private static <T> Reply<T> failed(Machine machine, HostKey presented, Outcome<T> outcome) {
    String address = machine == null ? null : machine.address;
    return new Reply<>(outcome, new Contact(address, presented, false, Duration.ofMillis(2)));
  }

  static String sha256(String text) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A machine; change it at will between calls. */
  public static final class Machine {

    private final List<String> calls = new ArrayList<>();
    private final Map<String, Outcome.Failure> failures = new HashMap<>();
    private String address = "10.77.1.2";
    private HostKey hostKey = ED25519;
    private boolean reachable = true;
    private boolean notAllowed;
    private boolean refusesSudo;
    private SshCredentials accepts;
    private Facts facts;
    private Duration clockSkew = Duration.ZERO;
    private Configuration configuration;
    private int changes;
    private int agentStarts;
    private int lookups;
    private boolean agentStopped;
    private int logins;
    private SshTarget lastTarget;

    private Machine(String host) {
      facts =
          new Facts(
              "debian",
              "12",
              "Debian GNU/Linux 12 (bookworm)",
              "6.1.0-18-amd64",
              "x86_64",
              4,
              8L << 30,
              40L << 30,
              sha256("machine-id of " + host),
              "5b7a9a6c-0d4c-4c3f-9a57-4b2f1c8f3d10",
              0,
              "apt",
              "systemd",
              null,
              Map.of("podman", false, "sshfs", false),
              List.of(),
              Map.of("/usr/sbin/sshd", new Facts.ProtectedFile("b".repeat(64), "0755:0:0", null)),
              List.of("root"),
              List.of(),
              List.of(new Facts.Listener("tcp", "0.0.0.0", 22)),
              List.of());
    }

    public Machine address(String value) {
      address = value;
      return this;
    }

    public Machine hostKey(HostKey value) {
      hostKey = value;
      return this;
    }

    /** True: its owner has stopped the agent's service in order. */
    public Machine agentStopped(boolean value) {
      agentStopped = value;
      return this;
    }

    /** Its disk is new: nothing of ours is there, and nothing that its owner did to it. */
    public Machine reinstalled() {
      configuration = null;
      agentStopped = false;
      return this;
    }

    /** False: every connect times out. */
    public Machine reachable(boolean value) {
      reachable = value;
      return this;
    }

    /** True: its name leads to an address that must not be dialled. */
    public Machine notAllowed(boolean value) {
      notAllowed = value;
      return this;
    }

    /** True: the login works, and root's rights are refused. */
    public Machine refusesSudo(boolean value) {
      refusesSudo = value;
      return this;
    }

    /** Refuses every other credentials from now on; with null none. */
    public Machine accepts(SshCredentials value) {
      accepts = value;
      return this;
    }

    public Machine facts(UnaryOperator<Facts> change) {
      facts = change.apply(facts);
      return this;
    }

    public Machine clockSkew(Duration value) {
      clockSkew = value;
      return this;
    }

    /** Lets the next call of the verb (e.g. {@code "configure"}) fail, once. */
    public Machine failNext(String verb, Outcome.Failure failure) {
      failures.put(verb, failure);
      return this;
    }

    /** The verbs that reached the machine, in order. */
    public List<String> calls() {
      return List.copyOf(calls);
    }

    /** How the last verb reached the machine; null before the first. */
    public SshTarget lastTarget() {
      return lastTarget;
    }

    /** What is installed, null when nothing is. */
    public Configuration configuration() {
      return configuration;
    }

    /** How often its name was looked up. */
    public int lookups() {
      return lookups;
    }

    /** How often somebody tried to connect. */
    public int logins() {
      return logins;
    }

    /** How many calls of {@code configure} changed something. */
    public int changes() {
      return changes;
    }

    /** How often the agent was started or restarted. */
    public int agentStarts() {
      return agentStarts;
    }
  }
}
