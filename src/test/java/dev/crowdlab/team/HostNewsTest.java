package dev.crowdlab.team;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.AccessSpec;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamSpec;
import dev.crowdlab.api.LabTeamStatus;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class HostNewsTest {

  private final List<String> freed = new ArrayList<>();
  private final HostNews news = new HostNews(freed::add);

  @Test
  void aDeletedTeamsHostIsFree() {
    news.onDelete(team("a.example.org", "/", null), false);

    assertThat(freed).containsExactly("a.example.org");
  }

  @Test
  void aHostOrPathThatIsLeftAndAUrlThatIsWithdrawnAreFree() {
    LabTeam before = team("a.example.org", "/x", "http://a.example.org/x");

    news.onUpdate(before, team("b.example.org", "/x", "http://a.example.org/x"));
    news.onUpdate(before, team("a.example.org", "/y", "http://a.example.org/x"));
    news.onUpdate(before, team("a.example.org", "/x", null));

    assertThat(freed).containsExactly("a.example.org", "a.example.org", "a.example.org");
  }

  @Test
  void aTeamThatComesAndOneThatStaysFreeNothing() {
    LabTeam team = team("a.example.org", "/", "http://a.example.org/");
    LabTeam unrouted = team("a.example.org", "/", null);

    news.onAdd(team);
    news.onUpdate(team, team("A.example.org", "/", "http://a.example.org/"));
    news.onUpdate(unrouted, team);
    news.onUpdate(team, team("a.example.org", "/", "https://a.example.org/"));
    news.onUpdate(unrouted, unrouted);

    assertThat(freed).isEmpty();
  }

  private static LabTeam team(String host, String path, String url) {
    LabTeamSpec spec = Samples.spec("t1", "localhost/exercise:1");
    AccessSpec access = spec.access();
    LabTeam team = new LabTeam();
    team.setSpec(
        new LabTeamSpec(
            spec.exercise(),
            spec.members(),
            spec.workspace(),
            new AccessSpec(
                host,
                path,
                access.port(),
                access.ingressClassName(),
                access.tlsSecretName(),
                access.annotations()),
            spec.placement(),
            spec.recovery(),
            spec.suspended(),
            spec.expiresAfter()));
    team.setStatus(LabTeamStatus.EMPTY.toBuilder().url(url).build());
    return team;
  }
}
