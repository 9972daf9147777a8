package dev.crowdlab.vm;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.ssh.Payload;
import dev.crowdlab.ssh.Script;
import dev.crowdlab.ssh.SshConnector;
import dev.crowdlab.ssh.SshConnector.Connection;
import dev.crowdlab.ssh.SshException;
import dev.crowdlab.ssh.SshSession;
import dev.crowdlab.ssh.SshSession.Result;
import dev.crowdlab.ssh.SshTarget;
import dev.crowdlab.ssh.Text;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** {@link VmAccess} over SSH, by the shell scripts that stand beside it as resources. */
public final class SshVmAccess implements VmAccess {

  private static final Logger LOG = LoggerFactory.getLogger(SshVmAccess.class);

  /** For what scripts print besides a probe's report: a line for each package. */
  private static final int MAX_LINES_BYTES = 256 * 1024;

  private static final int MAX_SAID = 300;
  private static final Duration DEFAULT_LOST_MOUNT_BOUND = Duration.ofSeconds(60);

  private final SshConnector connector;
  private final AgentArchive agent;
  private final InstantSource clock;
  private final Duration lostMountBound;
  private final AddressRefusals refusals = new AddressRefusals();
  private final ProbeReader reader = new ProbeReader();
  private final ObjectMapper json = new ObjectMapper();
  private final Script probe = resource("probe.sh");
  private final Script restart =
      Script.of("restart", resource("manifest.sh").text(), resource("restart.sh").text());
  private final Script configure =
      Script.of("configure", resource("manifest.sh").text(), resource("configure.sh").text());
  private final Script uninstall =
      Script.of("uninstall", resource("manifest.sh").text(), resource("uninstall.sh").text());
  private final String unit = resource("crowdlab-agent.service").text();

  /** With the agent's own default for how long a team's mount may be dead. */
  public SshVmAccess(SshConnector connector, AgentArchive agent, InstantSource clock) {
    this(connector, agent, clock, DEFAULT_LOST_MOUNT_BOUND);
  }

  /**
   * @param lostMountBound how long a team's mount may be dead before the agent stops its
   *     containers; at least a second
   */
  public SshVmAccess(
      SshConnector connector, AgentArchive agent, InstantSource clock, Duration lostMountBound) {
    if (lostMountBound.toSeconds() < 1) {
      throw new IllegalArgumentException("lostMountBound is at least a second");
    }
    this.lostMountBound = lostMountBound;
    this.connector = requireNonNull(connector, "connector");
    this.agent = requireNonNull(agent, "agent");
    this.clock = requireNonNull(clock, "clock");
  }

  @Override
  public Reply<Probed> probe(SshTarget target, ProbeRequest request, Deadline deadline) {
    Map<String, String> arguments = new LinkedHashMap<>();
    arguments.put("verify", request.verifyPackages() ? "all" : "protected");
    List<String> paths = request.protectedPaths();
    for (int i = 0; i < paths.size(); i++) {
      String path = paths.get(i);
      if (!path.startsWith("/") || path.chars().anyMatch(c -> c < ' ')) {
        throw new IllegalArgumentException("a protected path is absolute and has no line breaks");
      }
      arguments.put("p" + i, path);
    }
    return on(
        target,
        deadline,
        session -> {
          Instant called = clock.instant();
          Result result =
              session.run(probe, arguments, Payload.none(), ProbeReader.MAX_BYTES, deadline);
          return probed(target, session, called, result);
        });
  }

  private Outcome<Probed> probed(
      SshTarget target, SshSession session, Instant called, Result result) {
    try {
      ProbeReader.Reading reading = reader.read(result.stdout());
      // The machine read its clock half a round trip before its answer arrived.
      Instant then = called.plus(result.firstOutput()).minus(session.roundTrip().dividedBy(2));
      return Outcome.done(
          new Probed(
              reading.facts(),
              session.roundTrip(),
              Duration.between(then, reading.clock()),
              clock.instant()));
    } catch (ProbeReader.UnreadableException e) {
      LOG.warn("{}: the probe's report cannot be read: {}", target, e.getMessage());
      return Outcome.later(
          Reason.VERIFICATION_FAILED,
          "the probe's report cannot be read: " + e.getMessage() + said(result));
    }
  }

  @Override
  public Reply<Configured> configure(
      SshTarget target, Configuration configuration, Deadline deadline) {
    Map<String, String> arguments = new LinkedHashMap<>();
    arguments.put("digest", agent.digest());
    arguments.put("arch", agent.arch());
    arguments.put("config", Script.base64(agentConfig(configuration)));
    arguments.put("ca", Script.base64(configuration.caPem()));
    arguments.put("unit", Script.base64(unit));
    arguments.put("uninstall", Script.base64(uninstall.text()));
    arguments.put("token", Objects.requireNonNullElse(configuration.token(), ""));
    return on(
        target,
        deadline,
        session -> {
          // Most machines have the agent already: 20 MB are sent only to one that asks for them.
          Answer answer = configure(session, arguments, "asked", Payload.none(), deadline);
          if (answer.first("archive").equals("needed")) {
            answer = configure(session, arguments, "sent", agent.content(), deadline);
          }
          return configured(target, answer);
        });
  }

  private Answer configure(
      SshSession session,
      Map<String, String> arguments,
      String archive,
      Payload payload,
      Deadline deadline)
      throws SshException {
    Map<String, String> all = new LinkedHashMap<>(arguments);
    all.put("archive", archive);
    return new Answer(session.run(configure, all, payload, MAX_LINES_BYTES, deadline));
  }

  private Outcome<Configured> configured(SshTarget target, Answer answer) {
    if (!answer.succeeded() || answer.first("changed").isEmpty()) {
      return failed(target, answer);
    }
    String tokenSha256 = answer.first("token_sha256");
    boolean changed = answer.first("changed").equals("1");
    boolean restarted = answer.first("restarted").equals("1");
    LOG.info("{}: configured, changed: {}, agent restarted: {}", target, changed, restarted);
    return Outcome.done(
        new Configured(
            changed,
            agent.digest(),
            restarted,
            answer.first("stopped").equals("1"),
            answer.all("package"),
            tokenSha256.matches("[0-9a-f]{64}") ? tokenSha256 : null));
  }

  @Override
  public Reply<Restarted> restartAgent(SshTarget target, Deadline deadline) {
    return on(
        target,
        deadline,
        session -> {
          Answer answer =
              new Answer(session.run(restart, Map.of(), Payload.none(), MAX_LINES_BYTES, deadline));
          if (!answer.succeeded()) {
            return failed(target, answer);
          }
          boolean leftAlone = answer.first("state").equals("stopped");
          LOG.info(
              "{}: the agent was {}",
              target,
              leftAlone ? "stopped by its owner: left alone" : "restarted");
          return Outcome.done(new Restarted(leftAlone));
        });
  }

  @Override
  public Reply<Greeted> greet(SshTarget target, Deadline deadline) {
    return on(target, deadline, _ -> Outcome.done(new Greeted()));
  }

  @Override
  public Reply<Removed> uninstall(SshTarget target, Deadline deadline) {
    return on(
        target,
        deadline,
        session -> {
          Answer answer =
              new Answer(
                  session.run(uninstall, Map.of(), Payload.none(), MAX_LINES_BYTES, deadline));
          if (!answer.succeeded() || answer.first("found").isEmpty()) {
            return failed(target, answer);
          }
          List<String> left = answer.all("left");
          if (!left.isEmpty()) {
            LOG.warn("{}: uninstalled, but left: {}", target, left);
            return Outcome.later(
                Reason.CONFIGURATION_FAILED, "the machine still has " + String.join(", ", left));
          }
          LOG.info("{}: uninstalled, packages kept: {}", target, answer.all("kept"));
          return Outcome.done(new Removed(answer.first("found").equals("1"), answer.all("kept")));
        });
  }

  private <T> Outcome<T> failed(SshTarget target, Answer answer) {
    String fail = answer.first("fail");
    String kind = fail.split(" ", 2)[0];
    String text = fail.substring(Math.min(fail.length(), kind.length() + 1));
    LOG.warn("{}: {} {}", target, fail, said(answer.result));
    return switch (kind) {
      case "unsupported" -> Outcome.refused(Reason.UNSUPPORTED_SYSTEM, text);
      case "refused" ->
          Outcome.refused(
              Reason.SUDO_REFUSED, text + "; log in as root or set spec.ssh.sudo to true");
      case "" ->
          Outcome.later(
              Reason.CONFIGURATION_FAILED, "a step on the machine failed" + said(answer.result));
      default -> Outcome.later(Reason.CONFIGURATION_FAILED, text);
    };
  }

  private interface Step<T> {
    Outcome<T> on(SshSession session) throws SshException;
  }

  private <T> Reply<T> on(SshTarget target, Deadline deadline, Step<T> step) {
    return switch (connector.connect(target, deadline)) {
      case Connection.Refused(var failure, var contact) -> {
        LOG.atLevel(refusals.isNews(target, failure) ? Level.INFO : Level.DEBUG)
            .log("{}: {}", target, failure.toFailure().message());
        yield new Reply<>(new Outcome.Failed<>(failure.toFailure()), contact);
      }
      case Connection.Connected(SshSession session) -> {
        refusals.connected(target);
        try (session) {
          yield new Reply<>(step.on(session), session.contact());
        } catch (SshException e) {
          LOG.warn("{}: {}", target, e.failure().toFailure().message());
          yield new Reply<>(new Outcome.Failed<>(e.failure().toFailure()), session.contact());
        }
      }
    };
  }

  private String agentConfig(Configuration configuration) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("hub", configuration.hub());
    config.put("vmUid", configuration.vmUid());
    config.put("caFile", "/etc/crowdlab/hub-ca.pem");
    config.put("tokenFile", "/etc/crowdlab/token");
    config.put("stateDir", "/var/lib/crowdlab");
    config.put("runDir", "/run/crowdlab");
    config.put("version", agent.digest());
    config.put("mountDeadSeconds", lostMountBound.toSeconds());
    try {
      return json.writerWithDefaultPrettyPrinter().writeValueAsString(config) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a map of texts is always JSON", e);
    }
  }

  /** What a script complained of, for a message; empty when it did not. */
  private static String said(Result result) {
    return result
        .stderr()
        .lines()
        .filter(line -> !line.isBlank())
        .reduce((_, line) -> line)
        .map(line -> ": " + Text.printable(line, MAX_SAID))
        .orElse("");
  }

  private static Script resource(String name) {
    return Script.resource(SshVmAccess.class, name);
  }

  /**
   * A script's lines of {@code key=value}; from a stranger's machine, so each is made printable.
   */
  private static final class Answer {

    private final Result result;

    private Answer(Result result) {
      this.result = result;
    }

    private boolean succeeded() {
      return result.succeeded();
    }

    /** The first value of a key; empty when there is none. */
    private String first(String key) {
      return all(key).stream().findFirst().orElse("");
    }

    private List<String> all(String key) {
      return result
          .stdout()
          .lines()
          .filter(line -> line.startsWith(key + "="))
          .map(line -> Text.printable(line.substring(key.length() + 1), MAX_SAID))
          .toList();
    }
  }
}
