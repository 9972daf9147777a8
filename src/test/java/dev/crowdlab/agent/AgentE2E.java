package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.protocol.FromAgent.TeamGone;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.FromAgent.TeamReport.State;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.RequiresTestBed;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** The agent as it is shipped, on a real machine, with podman, sshfs, nftables and a stub hub. */
@RequiresTestBed
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AgentE2E {

  private AgentBed bed;

  @BeforeAll
  void start(LabNetwork network, @TempDir Path folder) throws Exception {
    bed = AgentBed.start(network, folder);
  }

  @AfterAll
  void stop() throws Exception {
    if (bed != null) {
      System.out.println(bed.vm().shell("journalctl -u crowdlab-agent -o cat --no-pager"));
      bed.close();
    }
  }

  @Test
  void aTeamRunsWithItsWorkspaceAndLeavesNothing() throws Exception {
    // when
    StubHub.Connection hub = bed.hub().latest();
    ToAgent.Run run = bed.run("happy", 1, 30_001);
    hub.send(run);
    hub.await(TeamReport.class, r -> r.teamUid().equals("happy") && r.state() == State.HEALTHY);

    // then
    HttpResponse<String> saved =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(
                        URI.create("http://" + bed.vm().address() + ":30001/cgi-bin/file?a.txt"))
                    .POST(HttpRequest.BodyPublishers.ofString("hello"))
                    .build(),
                HttpResponse.BodyHandlers.ofString());
    assertThat(saved.body()).isEqualTo("saved\n");
    assertThat(bed.files().exec("cat", "/run/crowdlab/e/happy/data/a.txt")).isEqualTo("hello");

    // when
    hub.send(new ToAgent.Stop("happy", "lab", "happy", 1, 1_000));
    hub.await(TeamGone.class, gone -> gone.teamUid().equals("happy"));

    // then
    assertThat(bed.vm().exec("podman", "ps", "-aq")).isEmpty();
    assertThat(bed.vm().shell("grep -c sshfs /proc/mounts || true")).isEqualTo("0\n");
    assertThat(bed.vm().shell("ls /run/crowdlab/teams /run/crowdlab/secrets"))
        .doesNotContain("happy");
  }
}
