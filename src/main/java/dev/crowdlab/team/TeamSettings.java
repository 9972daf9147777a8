package dev.crowdlab.team;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.storage.WorkspaceId;
import dev.crowdlab.storage.WorkspaceIds;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the installation decides for all teams.
 *
 * @param installation six characters of {@code a-z2-7}
 * @param fileServer the file server's name for status; null when there is none
 * @param firstPort first port on a machine for exercises
 * @param lastPort last one
 * @param sources CIDRs that an exercise's port accepts
 * @param retention how long a deleted team's data is kept
 * @param bounds how long things may take
 */
public record TeamSettings(
    String installation,
    @Nullable String fileServer,
    int firstPort,
    int lastPort,
    List<String> sources,
    Duration retention,
    Bounds bounds) {

  public TeamSettings {
    requireNonNull(installation, "installation");
    sources = List.copyOf(sources);
    requireNonNull(retention, "retention");
    requireNonNull(bounds, "bounds");
  }

  /**
   * How long things may take.
   *
   * @param fence one advance of the file server
   * @param ahead making ahead what a planned move needs on its new machine, images included
   * @param ingress until an ingress obeys a route that was changed; what serves is not stopped
   *     before
   * @param stop stopping a run in order before its machine is left; then the fence does it
   * @param agent waiting for the agent of a machine that was chosen and then fell silent
   * @param agentGone how long the agent of a machine whose teams serve may be down before they move
   * @param route one write of a route
   * @param removal cleaning up after a deleted team, in all
   */
  public record Bounds(
      Duration fence,
      Duration ahead,
      Duration ingress,
      Duration stop,
      Duration agent,
      Duration agentGone,
      Duration route,
      Duration removal) {

    /** What a running installation uses. */
    public static final Bounds DEFAULT =
        new Bounds(
            Duration.ofSeconds(15),
            Duration.ofMinutes(2),
            Duration.ofMillis(250),
            Duration.ofSeconds(20),
            Duration.ofSeconds(60),
            Duration.ofMinutes(5),
            Duration.ofSeconds(5),
            Duration.ofMinutes(2));

    /** The same, but for the time that an ingress takes. */
    public Bounds withIngress(Duration value) {
      return new Bounds(fence, ahead, value, stop, agent, agentGone, route, removal);
    }

    /** The same, but for the time that an agent may be down. */
    public Bounds withAgentGone(Duration value) {
      return new Bounds(fence, ahead, ingress, stop, agent, value, route, removal);
    }
  }

  PortAllocator.Range ports() {
    return new PortAllocator.Range(firstPort, lastPort);
  }

  /** A team's workspace: from its UID, so that a later team of the same name never sees it. */
  WorkspaceId workspace(LabTeam team) {
    return WorkspaceIds.of(installation, team.getMetadata().getUid());
  }
}
