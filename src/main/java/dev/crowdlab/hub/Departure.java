package dev.crowdlab.hub;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.hub.Agents.Uninstalled;
import dev.crowdlab.protocol.FromAgent.Cleared;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How far a VM's agent is with taking everything of ours away. Guarded by its {@link VmDesk}; a
 * session is any object that stands for one.
 *
 * <p>Only the agent's own word that nothing is left counts, and only once it has hung up after it:
 * an agent that is merely silent may be a machine that lost its power half way.
 */
final class Departure {

  private static final Duration LOOK_AGAIN = Duration.ofSeconds(5);

  private @Nullable Object told;
  private boolean leaving;
  private @Nullable Cleared cleared;

  /** Whether this session is to be told now; it counts as told from now on. */
  boolean toTell(Object speaker) {
    if (speaker.equals(told)) {
      return false;
    }
    told = speaker;
    leaving = false;
    cleared = null;
    return true;
  }

  /** The agent heard it. */
  void leaving(Object session) {
    leaving |= session.equals(told);
  }

  /** The agent has done what it could; whether it is the one that was told. */
  boolean cleared(Object session, Cleared said) {
    if (!session.equals(told)) {
      return false;
    }
    cleared = said;
    return true;
  }

  /**
   * How it stands.
   *
   * @param connected the session that is there now, if any
   */
  Outcome<Uninstalled> outcome(@Nullable Object connected) {
    Cleared said = cleared;
    if (said != null && !said.left().isEmpty()) {
      told = null;
      cleared = null;
      return Outcome.later(
          Reason.CONFIGURATION_FAILED,
          "the machine still has " + String.join(", ", clean(said.left())));
    }
    if (connected != null) {
      return connected.equals(told)
          ? Outcome.inProgress(LOOK_AGAIN, "the agent is taking everything away")
          : Outcome.later(Reason.IDENTITY_CONFLICT, "two agents answer for the machine");
    }
    if (said != null) {
      return Outcome.done(new Uninstalled(clean(said.kept())));
    }
    return Outcome.later(
        Reason.AGENT_NOT_CONNECTED,
        leaving
            ? "the agent began to take everything away and was not heard of again"
            : "the machine's agent is not connected");
  }

  private static List<String> clean(List<String> said) {
    return said.stream().map(Clean::line).toList();
  }
}
