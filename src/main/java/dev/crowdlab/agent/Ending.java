package dev.crowdlab.agent;

import dev.crowdlab.agent.Commands.Command;
import dev.crowdlab.agent.Commands.Result;
import java.time.Duration;
import java.util.logging.Logger;

/** Why the agent's process is told to end. */
enum Ending {
  /** By whoever stops the service or the machine. */
  STOP,

  /** It is started again at once: by the operator, which brought another version, or by hand. */
  RESTART,

  /** systemd did not tell. */
  UNKNOWN;

  /** How long systemd is asked: it has more to do than usual where a whole machine shuts down. */
  static final Duration ASK = Duration.ofSeconds(6);

  private static final String UNIT = "crowdlab-agent.service";
  private static final Logger LOG = Logger.getLogger(Ending.class.getName());

  /** Asks systemd, within {@link #ASK}. */
  static Ending now(Commands commands) {
    Result jobs =
        commands.run(Command.of(ASK, "systemctl", "list-jobs", "--no-legend", "--no-pager"));
    if (!jobs.ok()) {
      LOG.warning("whether this is a stop or a restart is not known: " + jobs.reason());
      return UNKNOWN;
    }
    return jobs.out().lines().anyMatch(job -> job.contains(UNIT) && job.contains(" restart "))
        ? RESTART
        : STOP;
  }
}
