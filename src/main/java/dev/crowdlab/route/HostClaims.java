package dev.crowdlab.route;

import static java.util.Comparator.comparing;

import dev.crowdlab.api.AccessSpec;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Outcome.Failure;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Decides whose a host is. It belongs to the first namespace that uses it, cluster-wide, and within
 * that namespace a path of it belongs to the first team.
 *
 * <p>First is who has it: a team whose {@code status.url} names the host comes before all others,
 * so that nobody can take a host over by editing an old team. Among equals the older object comes
 * first, then the lower UID. All of this stands in the objects, so every operator decides alike,
 * also after a restart.
 */
public final class HostClaims {

  private HostClaims() {}

  /** The LabTeams of the whole cluster whose {@code spec.access.host} is a host, from a cache. */
  @FunctionalInterface
  public interface HostUsers {

    /**
     * Those that use the host, in any order; more teams than those may be returned.
     *
     * @param host in lower case
     */
    Collection<LabTeam> of(String host);
  }

  /** Why the team may not use its host and path; empty when it may. */
  public static Optional<Failure> refusal(LabTeam team, Collection<LabTeam> users) {
    String host = team.getSpec().access().host();
    String uid = team.getMetadata().getUid();
    // The team itself may be missing from a cache that lags, or stand there as it was before.
    Stream<LabTeam> others =
        users.stream().filter(user -> !user.getMetadata().getUid().equals(uid));
    List<LabTeam> claims =
        Stream.concat(others, Stream.of(team))
            .filter(user -> user.getSpec().access().host().equalsIgnoreCase(host))
            .sorted(precedence(host))
            .toList();
    if (!namespace(claims.getFirst()).equals(namespace(team))) {
      // Whose it is, is not ours to tell: namespaces are kept apart.
      return taken("Another namespace's team uses the host " + host + ": choose another host.");
    }
    String path = path(team.getSpec().access());
    return claims.stream()
        .filter(user -> namespace(user).equals(namespace(team)))
        .filter(user -> path(user.getSpec().access()).equals(path))
        .findFirst()
        .filter(user -> !user.getMetadata().getUid().equals(uid))
        .flatMap(
            user ->
                taken(
                    "The team "
                        + user.getMetadata().getName()
                        + " uses the host "
                        + host
                        + " with the path "
                        + user.getSpec().access().path()
                        + ": choose another path or host."));
  }

  private static Comparator<LabTeam> precedence(String host) {
    return comparing((LabTeam user) -> !holds(user, host))
        .thenComparing(user -> user.getMetadata().getCreationTimestamp())
        .thenComparing(user -> user.getMetadata().getUid());
  }

  private static boolean holds(LabTeam user, String host) {
    String url = user.getStatus().url();
    return url != null && host.equalsIgnoreCase(RouteUrl.host(url));
  }

  /** Ingress prefixes match by path elements: a slash at the end makes no difference. */
  private static String path(AccessSpec access) {
    return access.path().endsWith("/") ? access.path() : access.path() + "/";
  }

  private static String namespace(LabTeam team) {
    return team.getMetadata().getNamespace();
  }

  private static Optional<Failure> taken(String message) {
    return Optional.of(new Failure(Failure.Kind.TERMINAL, Reason.HOST_TAKEN, message));
  }
}
