package dev.crowdlab.protocol;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What an agent says to the hub. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
  @JsonSubTypes.Type(value = FromAgent.Hello.class, name = "hello"),
  @JsonSubTypes.Type(value = FromAgent.Heartbeat.class, name = "heartbeat"),
  @JsonSubTypes.Type(value = FromAgent.TeamReport.class, name = "team"),
  @JsonSubTypes.Type(value = FromAgent.TeamGone.class, name = "team-gone"),
  @JsonSubTypes.Type(value = FromAgent.Prepared.class, name = "prepared"),
  @JsonSubTypes.Type(value = FromAgent.Notice.class, name = "notice"),
  @JsonSubTypes.Type(value = FromAgent.Disk.class, name = "disk"),
  @JsonSubTypes.Type(value = FromAgent.ChallengeAnswer.class, name = "challenge-answer"),
  @JsonSubTypes.Type(value = FromAgent.TokenStored.class, name = "token-stored"),
  @JsonSubTypes.Type(value = FromAgent.Leaving.class, name = "leaving"),
  @JsonSubTypes.Type(value = FromAgent.Cleared.class, name = "cleared"),
})
public sealed interface FromAgent {

  /**
   * The first message of a session; the hub closes a session that begins otherwise.
   *
   * @param protocol the one that the agent speaks in this session, see {@link Protocol#VERSION}
   * @param agentVersion the digest of the agent's archive
   * @param bootId the kernel's boot id: a new one tells that the machine was restarted
   * @param machineId the machine's id, hashed by the agent for this use
   * @param workspaceKey the public key (OpenSSH line, no comment) with which this VM logs in to the
   *     file server; its private half never leaves the VM
   * @param teams everything that still runs or is mounted on the VM, whatever its epoch
   * @param disk as {@link Disk} would say it; null while the agent does not know
   */
  record Hello(
      int protocol,
      String agentVersion,
      String bootId,
      String machineId,
      String workspaceKey,
      List<TeamReport> teams,
      @Nullable DiskState disk)
      implements FromAgent {
    public Hello {
      Bounds.text(agentVersion, Bounds.MAX_NAME, "agentVersion");
      Bounds.text(bootId, Bounds.MAX_NAME, "bootId");
      Bounds.text(machineId, Bounds.MAX_NAME, "machineId");
      Bounds.text(workspaceKey, Bounds.MAX_KEY, "workspaceKey");
      teams = Bounds.list(teams, Bounds.MAX_TEAMS, "teams");
    }

    /** The same in another protocol: the first one has no word for the disk. */
    public Hello in(int other) {
      return new Hello(
          other,
          agentVersion,
          bootId,
          machineId,
          workspaceKey,
          teams.stream().map(report -> report.in(other)).toList(),
          other > 1 ? disk : null);
    }
  }

  /**
   * A sign of life at the cadence that the hub has set.
   *
   * @param sequence counts up by one within a session
   * @param uptimeMillis the agent's monotonic clock, so that the hub can tell a late frame from a
   *     late agent
   */
  record Heartbeat(long sequence, long uptimeMillis) implements FromAgent {}

  /** The present state of one team's run; sent at each change and answered by nothing. */
  record TeamReport(
      String teamUid,
      String namespace,
      String name,
      long epoch,
      State state,
      @Nullable String code,
      @Nullable String message,
      List<ContainerReport> containers)
      implements FromAgent {
    public TeamReport {
      Bounds.uid(teamUid, "teamUid");
      Bounds.text(namespace, Bounds.MAX_NAME, "namespace");
      Bounds.text(name, Bounds.MAX_NAME, "name");
      Bounds.range(epoch, 0, Long.MAX_VALUE, "epoch");
      Bounds.given(state, "state");
      Bounds.optional(code, Bounds.MAX_NAME, "code");
      Bounds.optional(message, Bounds.MAX_LINE, "message");
      containers = Bounds.list(containers, Bounds.MAX_CONTAINERS, "containers");
    }

    /** The same in another protocol: the first one has no word for what is saved already. */
    public TeamReport in(int protocol) {
      return protocol > 1 || state != State.STOPPED
          ? this
          : new TeamReport(
              teamUid, namespace, name, epoch, State.STOPPING, code, message, containers);
    }

    /**
     * The steps of a run, in order; {@code FAILED} carries a {@link #code} of {@link RunFailure}.
     * {@code STOPPED}: it was stopped in order, so that all it wrote is on the file server, and its
     * workspace is not mounted any more; what is left of it is being removed. Since protocol 2.
     */
    public enum State {
      PREPARING,
      ATTACHING,
      ATTACHED,
      STARTING,
      HEALTHY,
      FAILED,
      STOPPING,
      STOPPED
    }
  }

  /**
   * One container of a run.
   *
   * @param lastLines the end of its output when it exited, at most {@link Protocol#MAX_LAST_LINES}
   *     characters
   */
  record ContainerReport(
      String name,
      boolean running,
      int restarts,
      @Nullable Integer exitCode,
      @Nullable String lastLines) {
    public ContainerReport {
      Bounds.text(name, Bounds.MAX_NAME, "name");
      Bounds.range(restarts, 0, Integer.MAX_VALUE, "restarts");
      Bounds.optional(lastLines, Protocol.MAX_LAST_LINES, "lastLines");
    }
  }

  /**
   * Nothing of this team at or below this epoch is left on the VM: no container, no mount, no
   * process.
   */
  record TeamGone(String teamUid, String namespace, String name, long epoch) implements FromAgent {
    public TeamGone {
      Bounds.uid(teamUid, "teamUid");
      Bounds.text(namespace, Bounds.MAX_NAME, "namespace");
      Bounds.text(name, Bounds.MAX_NAME, "name");
      Bounds.range(epoch, 0, Long.MAX_VALUE, "epoch");
    }
  }

  /**
   * Answers {@link ToAgent.Prepare} of a run: all of it that needs no mount is made, or why not.
   * Since protocol 2.
   *
   * @param code a {@link RunFailure} when it is not made, {@link #BUSY} when it cannot be yet;
   *     null: it is
   */
  record Prepared(
      String teamUid,
      String namespace,
      String name,
      long epoch,
      @Nullable String code,
      @Nullable String message)
      implements FromAgent {

    /** Something of the team is still here that has to go first: worth asking for again. */
    public static final String BUSY = "BUSY";

    public Prepared {
      Bounds.uid(teamUid, "teamUid");
      Bounds.text(namespace, Bounds.MAX_NAME, "namespace");
      Bounds.text(name, Bounds.MAX_NAME, "name");
      Bounds.range(epoch, 1, Long.MAX_VALUE, "epoch");
      Bounds.optional(code, Bounds.MAX_NAME, "code");
      Bounds.optional(message, Bounds.MAX_LINE, "message");
    }

    /** It is made. */
    public static Prepared of(ToAgent.Run run) {
      return new Prepared(run.teamUid(), run.namespace(), run.name(), run.epoch(), null, null);
    }

    /** It is not made, and why. */
    public static Prepared not(ToAgent.Run run, RunFailure why, String message) {
      return new Prepared(
          run.teamUid(), run.namespace(), run.name(), run.epoch(), why.name(), message);
    }

    /** It cannot be made yet, and why. */
    public static Prepared notYet(ToAgent.Run run, String message) {
      return new Prepared(run.teamUid(), run.namespace(), run.name(), run.epoch(), BUSY, message);
    }
  }

  /** The contributor's voice on their own machine, or an orderly end of the agent. */
  record Notice(Kind kind) implements FromAgent {
    public Notice {
      Bounds.given(kind, "kind");
    }

    /**
     * STOPPING: the service or machine is shut down in order; PAUSE and LEAVE: please drain;
     * RESUME: welcome again.
     */
    public enum Kind {
      STOPPING,
      PAUSE,
      RESUME,
      LEAVE
    }
  }

  /**
   * Whether what must be kept on the VM can be written there; said when it changes. Since protocol
   * 2.
   */
  record Disk(DiskState state) implements FromAgent {
    public Disk {
      Bounds.given(state, "state");
    }
  }

  /**
   * FULL: no space, no inodes, or a quota is used up; READ_ONLY: the file system takes no write at
   * all.
   */
  enum DiskState {
    WRITABLE,
    FULL,
    READ_ONLY
  }

  /** Answers {@link ToAgent.Challenge} on the same socket. */
  record ChallengeAnswer(String nonce) implements FromAgent {
    public ChallengeAnswer {
      Bounds.text(nonce, Bounds.MAX_NAME, "nonce");
    }
  }

  /** The new token is on disk; from now on the agent uses it and the hub may drop the old one. */
  record TokenStored(String tokenId) implements FromAgent {
    public TokenStored {
      Bounds.text(tokenId, Bounds.MAX_NAME, "tokenId");
    }
  }

  /**
   * Answers {@link ToAgent.Uninstall} at once: from now on no run is taken, and what is there goes.
   */
  record Leaving() implements FromAgent {}

  /**
   * The end of {@link Leaving}. When nothing is left, the agent itself is all that is still on the
   * machine: it goes now, and the session ends with it. Else it stays, and tries again when it is
   * told again.
   *
   * @param kept packages that came for us and stay, because something else has come to need them
   * @param left what could not be taken away, in words for a person
   */
  record Cleared(List<String> kept, List<String> left) implements FromAgent {
    public Cleared {
      kept = Bounds.texts(kept, Bounds.MAX_PACKAGES, Bounds.MAX_NAME, "kept");
      left = Bounds.texts(left, Bounds.MAX_ARGUMENTS, Bounds.MAX_LINE, "left");
    }
  }
}
