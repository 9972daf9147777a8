package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.protocol.FromAgent.Disk;
import dev.crowdlab.protocol.FromAgent.DiskState;
import dev.crowdlab.protocol.FromAgent.Hello;
import dev.crowdlab.protocol.FromAgent.Notice;
import dev.crowdlab.protocol.FromAgent.TeamGone;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.FromAgent.TeamReport.State;
import dev.crowdlab.protocol.FromAgent.TokenStored;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.testbed.LabHost;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.RequiresTestBed;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** The agent as it is shipped, on a real machine, with podman, sshfs, nftables and a stub hub. */
@Order(6)
@RequiresTestBed
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class AgentE2E {

  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private final HttpClient http =
      HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
  private AgentBed bed;
  private int nextPort = 30_001;

  @BeforeAll
  void start(LabNetwork network, @TempDir Path folder) throws Exception {
    bed = AgentBed.start(network, folder);
  }

  @AfterAll
  void stop() {
    if (bed != null) {
      // What the agent decided, for who reads of a failure.
      System.out.println(
          bed.vm()
              .shell(
                  "journalctl -u crowdlab-agent -o short-precise --no-pager"
                      + " | grep -E ' (INFO|WARNING|SEVERE) ' || true"));
      bed.close();
    }
  }

  /** Each test leaves the machine as it found it. */
  @AfterEach
  void stopTeams(TestInfo test) {
    StubHub.Connection hub = hub();
    for (TeamReport team : hub.await(Hello.class).teams()) {
      hub.send(new ToAgent.Stop(team.teamUid(), "lab", team.teamUid(), 100, 0));
    }
    hub.messages().stream()
        .filter(TeamReport.class::isInstance)
        .map(report -> ((TeamReport) report).teamUid())
        .distinct()
        .forEach(uid -> stopped(hub, uid));
    bed.files().heal();
    bed.vm().heal();
  }

  private static void stopped(StubHub.Connection hub, String uid) {
    hub.send(new ToAgent.Stop(uid, "lab", uid, 100, 0));
    hub.await(TeamGone.class, gone -> gone.teamUid().equals(uid) && gone.epoch() == 100);
  }

  private StubHub.Connection hub() {
    return bed.hub().latest();
  }

  private static TeamReport awaitState(StubHub.Connection hub, String team, State state) {
    return hub.await(TeamReport.class, r -> r.teamUid().equals(team) && r.state() == state);
  }

  private static void awaitHealthy(StubHub.Connection hub, String team, long epoch) {
    hub.await(
        TeamReport.class,
        r -> r.teamUid().equals(team) && r.epoch() == epoch && r.state() == State.HEALTHY);
  }

  private static TeamReport awaitFailure(StubHub.Connection hub, String team, RunFailure code) {
    TeamReport failed = awaitState(hub, team, State.FAILED);
    assertThat(failed.code()).as("%s", failed).isEqualTo(code.name());
    return failed;
  }

  /** A team that is up, and its port. */
  private int up(String team) {
    int port = nextPort++;
    StubHub.Connection hub = hub();
    hub.send(bed.run(team, 1, port));
    awaitState(hub, team, State.HEALTHY);
    return port;
  }

  private String ask(int port, String file, String body) throws Exception {
    URI uri = URI.create("http://" + bed.vm().address() + ":" + port + "/cgi-bin/file?" + file);
    HttpRequest.Builder request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(10));
    HttpRequest full =
        body.isEmpty() ? request.build() : request.POST(BodyPublishers.ofString(body)).build();
    return http.send(full, HttpResponse.BodyHandlers.ofString()).body();
  }

  private String inContainer(String team, String container, String script) {
    return bed.vm()
        .exec("podman", "exec", "crowdlab-" + team + "-1-" + container, "sh", "-c", script);
  }

  private void assertNothingIsLeftOf(String team) {
    assertThat(bed.vm().exec("podman", "ps", "-a", "--format", "{{.Names}}")).doesNotContain(team);
    assertThat(bed.vm().shell("cat /proc/mounts")).doesNotContain("/teams/" + team + "/");
    assertThat(bed.vm().shell("ls /run/crowdlab/teams /run/crowdlab/secrets")).doesNotContain(team);
    assertThat(bed.vm().shell("ps -eo args")).doesNotContain("/teams/" + team + "/");
    assertThat(bed.vm().shell("ls /run/netns; ip -o link")).doesNotContain("crowdlab-");
  }

  @Test
  @Order(1)
  void aTeamRunsWithItsWorkspaceAndLeavesNothing() throws Exception {
    // when
    int port = up("happy");

    // then
    assertThat(ask(port, "a.txt", "hello")).isEqualTo("saved\n");
    assertThat(bed.files().exec("cat", "/run/crowdlab/e/happy/data/a.txt")).isEqualTo("hello");

    // when
    StubHub.Connection hub = hub();
    hub.send(new ToAgent.Stop("happy", "lab", "happy", 1, 1_000));
    hub.await(TeamGone.class, gone -> gone.teamUid().equals("happy"));

    // then
    assertNothingIsLeftOf("happy");
    assertThat(bed.vm().exec("nft", "list", "ruleset")).doesNotContain(Integer.toString(port));
  }

  @Test
  void containersReachEachOtherByNameAndOnlyTheOneThatAsksHasTheWorkspace() {
    up("names");

    assertThat(inContainer("names", "web", "wget -qO- http://victim:9090/ 2>&1 || true"))
        .contains("404 Not Found");
    assertThat(inContainer("names", "web", "mount | grep -c ' /work '")).isEqualTo("1\n");
    assertThat(inContainer("names", "victim", "mount | grep -c ' /work ' || true"))
        .isEqualTo("0\n");
    assertThat(inContainer("names", "web", "hostname")).isEqualTo("names\n");
  }

  @Test
  void aContainerHasNoPrivilegeAndItsVariablesExactly() {
    up("private");

    assertThat(inContainer("private", "web", "echo \"$GREETING\""))
        .isEqualTo("a \"quoted\" $HOME word\n");
    assertThat(inContainer("private", "web", "grep NoNewPrivs /proc/self/status"))
        .isEqualTo("NoNewPrivs:\t1\n");
    assertThat(inContainer("private", "web", "grep CapEff /proc/self/status"))
        .isEqualTo("CapEff:\t00000000800405fb\n");
    assertThat(inContainer("private", "web", "ls /dev/fuse /run/crowdlab 2>&1 || true"))
        .contains("/dev/fuse: No such file", "/run/crowdlab: No such file");
    assertThat(bed.vm().shell("ps -eo args; ls -la /run/crowdlab/secrets"))
        .doesNotContain("quoted");
    assertThat(bed.vm().shell("ps -o user= -p $(pgrep -o -x sshfs)")).isEqualTo("crowdlab\n");
  }

  @Test
  void aPublishedPortIsClosedToAllButItsSources() throws Exception {
    // given
    int port = up("closed");
    assertThat(ask(port, "a.txt", "open to the ingress")).isEqualTo("saved\n");

    // then
    assertThat(connects(bed.other(), bed.vm().address(), port)).isFalse();
    assertThat(connects(bed.other(), bed.vm().address(), 22)).as("the way there").isTrue();
    assertThat(
            bed.vm()
                .succeeds(
                    "setpriv",
                    "--reuid=nobody",
                    "timeout",
                    "2",
                    "bash",
                    "-c",
                    "</dev/tcp/127.0.0.1/" + port))
        .as("somebody else on the VM")
        .isFalse();

    // when
    String network =
        bed.vm()
            .exec(
                "podman",
                "inspect",
                "--format",
                "{{.NetworkSettings.IPAddress}}",
                "crowdlab-closed-1-web")
            .strip();
    bed.other().shell("ip route add " + network + "/32 via " + gatewayOf(bed.other()));

    // then
    assertThat(connects(bed.other(), network, 8_080)).as("past the published port").isFalse();
  }

  @Test
  void aFirewallOfTheMachineThatDropsWhatIsForwardedLeavesTeamsTheirWay() throws Exception {
    // given
    bed.vm().exec("iptables", "-P", "FORWARD", "DROP");
    bed.grant("walled");
    int port = nextPort++;

    try {
      // when
      hub().send(bed.run("walled", 1, port, bed.mount("walled"), true, AgentBed.containers()));
      awaitState(hub(), "walled", State.HEALTHY);

      // then
      assertThat(ask(port, "a.txt", "over the wall")).isEqualTo("saved\n");
      assertThat(connects(bed.other(), bed.vm().address(), port)).as("anybody else").isFalse();
      assertThat(reached("walled", Map.of("out", AgentBed.INTERNET_ADDRESS + " 22")))
          .containsExactly("out");
    } finally {
      bed.vm().exec("nft", "delete", "table", "ip", "filter");
    }
  }

  private static String gatewayOf(LabHost host) {
    return host.shell("ip route show default").split(" ", -1)[2];
  }

  private static boolean connects(LabHost from, String address, int port) {
    return from.succeeds("timeout", "3", "bash", "-c", "</dev/tcp/" + address + "/" + port);
  }

  private Map<String, String> forbiddenTargets(String other, int otherTeamsPort) {
    String otherPod =
        bed.vm()
            .exec(
                "podman",
                "inspect",
                "--format",
                "{{.NetworkSettings.IPAddress}} {{.NetworkSettings.Gateway}}",
                "crowdlab-" + other + "-1-web")
            .strip();
    String[] pod = otherPod.split(" ", -1);
    Map<String, String> targets = new LinkedHashMap<>();
    targets.put("the VM's own sshd", bed.vm().address() + " 22");
    targets.put("the VM, by the other team's gateway", pod[1] + " 22");
    targets.put("another team's container", pod[0] + " 8080");
    targets.put("another team's published port", bed.vm().address() + " " + otherTeamsPort);
    targets.put("a private address", bed.other().address() + " 22");
    targets.put("the file server", bed.files().address() + " 22");
    targets.put("the hub", bed.hubHost() + " " + bed.hubPort());
    targets.put("the cloud's metadata", AgentBed.METADATA + " 80");
    targets.put("a public address that the VM has itself", AgentBed.PUBLIC_OF_VM + " 22");
    return targets;
  }

  /** What a container connects to of these targets, all tried side by side. */
  private Set<String> reached(String team, Map<String, String> targets) {
    return named(
        targets,
        inContainer(
            team,
            "web",
            script(targets, "nc -w 2 %1$s </dev/null >/dev/null 2>&1 && echo '%1$s'")));
  }

  /** Without this the tests of what cannot be reached would prove nothing. */
  private void assertReachableFromTheVm(Map<String, String> targets) {
    String open =
        script(targets, "timeout 20 bash -c 'set -- %1$s; exec 3<>/dev/tcp/$1/$2' && echo '%1$s'");
    assertThat(named(targets, bed.vm().shell(open))).isEqualTo(targets.keySet());
  }

  private static String script(Map<String, String> targets, String tryOne) {
    return targets.values().stream()
        .map(target -> "(" + String.format(tryOne, target) + ") &\n")
        .collect(Collectors.joining("", "", "wait\n"));
  }

  private static Set<String> named(Map<String, String> targets, String answered) {
    List<String> lines = answered.lines().toList();
    return targets.entrySet().stream()
        .filter(target -> lines.contains(target.getValue()))
        .map(Map.Entry::getKey)
        .collect(Collectors.toSet());
  }

  @Test
  void withoutEgressAContainerReachesNobody() {
    // given
    int port = up("next-door");
    up("shut");
    Map<String, String> targets = forbiddenTargets("next-door", port);
    targets.put("the internet", AgentBed.INTERNET_ADDRESS + " 22");
    assertReachableFromTheVm(targets);

    // then
    targets.put("its own gateway", ownGateway("shut") + " 22");
    assertThat(reached("shut", targets)).isEmpty();
    assertThat(inContainer("shut", "web", "cat /proc/net/dev")).contains(" eth0:");
    // Absent where the kernel has no IPv6; when it is there and cannot be read, this fails.
    assertThat(inContainer("shut", "web", "test ! -e /proc/net/if_inet6 || cat /proc/net/if_inet6"))
        .as("IPv6 of the bridge")
        .doesNotContain("eth0");
  }

  @Test
  void withTheInternetAContainerReachesPublicAddressesAndNoOthers() {
    // given
    int port = up("neighbour");
    bed.grant("open");
    StubHub.Connection hub = hub();
    hub.send(bed.run("open", 1, nextPort++, bed.mount("open"), true, AgentBed.containers()));
    awaitState(hub, "open", State.HEALTHY);
    Map<String, String> targets = forbiddenTargets("neighbour", port);

    targets.put("its own gateway", ownGateway("open") + " 22");
    targets.put("the internet", AgentBed.INTERNET_ADDRESS + " 22");

    // then
    assertThat(reached("open", targets)).containsExactly("the internet");
  }

  private String ownGateway(String team) {
    return bed.vm()
        .exec(
            "podman",
            "inspect",
            "--format",
            "{{.NetworkSettings.Gateway}}",
            "crowdlab-" + team + "-1-web")
        .strip();
  }

  @Test
  void teamsOutliveTheAgentsDeath() throws Exception {
    // given
    int port = up("survivor");
    String before = containerPids("survivor");
    int connections = bed.hub().connectionCount();

    // when
    bed.vm().exec("systemctl", "kill", "--kill-who=main", "-s", "KILL", "crowdlab-agent");

    // then
    StubHub.Connection hub = bed.hub().connection(connections + 1);
    assertThat(hub.await(Hello.class).teams())
        .extracting(TeamReport::teamUid, TeamReport::epoch, TeamReport::state)
        .containsExactly(org.assertj.core.groups.Tuple.tuple("survivor", 1L, State.HEALTHY));
    assertThat(containerPids("survivor")).isEqualTo(before);
    assertThat(ask(port, "a.txt", "still here")).isEqualTo("saved\n");

    // when
    bed.vm().exec("systemctl", "restart", "crowdlab-agent");

    // then
    StubHub.Connection next = bed.hub().connection(connections + 2);
    assertThat(next.await(Hello.class).teams()).hasSize(1);
    assertThat(said(hub)).doesNotContain(Notice.Kind.STOPPING);
    assertThat(containerPids("survivor")).isEqualTo(before);

    // when
    next.send(new ToAgent.Stop("survivor", "lab", "survivor", 1, 0));
    next.await(TeamGone.class);

    // then
    assertNothingIsLeftOf("survivor");
  }

  private String containerPids(String team) {
    return bed.vm()
        .shell(
            "podman inspect --format '{{.State.Pid}}' crowdlab-%1$s-1-web crowdlab-%1$s-1-victim; pgrep -x sshfs"
                .formatted(team));
  }

  @Test
  void anOrderlyStopOfTheServiceAsksForADrainAndWaitsForTheTeamsToBeElsewhere() throws Exception {
    // given
    int port = up("patient");
    StubHub.Connection hub = hub();
    int connections = bed.hub().connectionCount();

    // when
    bed.vm().exec("systemctl", "stop", "--no-block", "crowdlab-agent");

    // then
    hub.await(Notice.class, notice -> notice.kind() == Notice.Kind.STOPPING);
    assertThat(ask(port, "a.txt", "not yet elsewhere")).isEqualTo("saved\n");
    assertThat(hub.isOpen()).as("it waits").isTrue();
    hub.send(new ToAgent.Stop("patient", "lab", "patient", 1, 0));
    hub.await(TeamGone.class, gone -> gone.teamUid().equals("patient"));
    await().atMost(Duration.ofSeconds(10)).until(() -> !hub.isOpen());
    await()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(
            () ->
                assertThat(
                        bed.vm()
                            .shell("systemctl show -p ActiveState -p Result crowdlab-agent | sort"))
                    .as("an orderly end: nothing starts it again")
                    .isEqualTo("ActiveState=inactive\nResult=success\n"));

    // when
    bed.vm().exec("systemctl", "start", "crowdlab-agent");

    // then
    StubHub.Connection again = bed.hub().connection(connections + 1);
    assertThat(again.await(Hello.class).teams()).isEmpty();
    assertThat(again.await(Notice.class).kind()).isEqualTo(Notice.Kind.RESUME);
  }

  @Test
  void anOrderlyStopWithoutAHubLeavesTheTeams() throws Exception {
    // given
    int port = up("stranded");
    int connections = bed.hub().connectionCount();
    bed.hub().refuse(1_000);
    hub().drop();
    await().atMost(Duration.ofSeconds(20)).until(() -> agent("status").contains("not connected"));

    // when
    bed.vm().exec("systemctl", "stop", "crowdlab-agent");

    // then
    assertThat(ask(port, "a.txt", "still here")).isEqualTo("saved\n");

    // when
    bed.hub().refuse(0);
    bed.vm().exec("systemctl", "start", "crowdlab-agent");

    // then
    assertThat(bed.hub().connection(connections + 1).await(Hello.class).teams()).hasSize(1);
  }

  @Test
  void losingTheHubStopsNobody() throws Exception {
    // given
    int port = up("alone");
    String before = containerPids("alone");
    int connections = bed.hub().connectionCount();

    // when
    bed.hub().refuse(5);
    hub().drop();
    assertThat(ask(port, "a.txt", "alone")).isEqualTo("saved\n");

    // then
    StubHub.Connection again = bed.hub().connection(connections + 1);
    assertThat(again.await(Hello.class).teams())
        .extracting(TeamReport::state)
        .containsExactly(State.HEALTHY);
    assertThat(containerPids("alone")).isEqualTo(before);
  }

  @Test
  void aContainerThatEndsIsStartedAgain() throws Exception {
    // given
    int port = up("phoenix");
    StubHub.Connection hub = hub();

    // when
    bed.vm().exec("podman", "kill", "crowdlab-phoenix-1-web");

    // then
    TeamReport report =
        hub.await(
            TeamReport.class,
            r ->
                r.state() == State.HEALTHY
                    && r.containers().stream().anyMatch(c -> c.restarts() == 1));
    assertThat(report.containers().getFirst().exitCode()).isEqualTo(137);
    assertThat(ask(port, "a.txt", "again")).isEqualTo("saved\n");
  }

  @Test
  void aContainerThatEndsAgainAndAgainFailsTheRunWithItsLastLinesAndNoSecret() {
    // given
    ToAgent.Container loud =
        new ToAgent.Container(
            "loud",
            "localhost/exercise:1",
            List.of(
                "/bin/sh", "-c", "echo starting with $PASSWORD; echo \"cannot go on\" >&2; exit 3"),
            List.of(),
            Map.of("PASSWORD", "correct horse"),
            0,
            0,
            null);
    StubHub.Connection hub = hub();

    // when
    hub.send(
        new ToAgent.Run(
            "loud",
            "lab",
            "loud",
            1,
            null,
            List.of(loud),
            false,
            List.of(),
            List.of(),
            null,
            new ToAgent.VmLimits(0, 0, 0)));

    // then
    TeamReport failed = awaitFailure(hub, "loud", RunFailure.CONTAINER_EXITED);
    assertThat(failed.message()).isEqualTo("container loud ended repeatedly");
    assertThat(failed.containers().getFirst().exitCode()).isEqualTo(3);
    assertThat(failed.containers().getFirst().lastLines())
        .contains("starting with ***", "cannot go on")
        .doesNotContain("correct horse");
  }

  @Test
  void anImageThatIsNowhereFailsTheRunAndLeavesNothing() {
    // given
    bed.grant("imageless");
    ToAgent.Container web = AgentBed.containers().getFirst();
    StubHub.Connection hub = hub();

    // when
    hub.send(
        bed.run(
            "imageless",
            1,
            nextPort++,
            bed.mount("imageless"),
            false,
            List.of(
                new ToAgent.Container(
                    "web",
                    "localhost/no-such:1",
                    web.command(),
                    web.args(),
                    web.env(),
                    0,
                    0,
                    "/work"))));

    // then
    assertThat(awaitFailure(hub, "imageless", RunFailure.IMAGE_MISSING).message())
        .contains("localhost/no-such:1");
    assertNothingIsLeftOf("imageless");
  }

  @Test
  void aCommandThatIsNotInTheImageFailsTheRun() {
    // given
    StubHub.Connection hub = hub();
    ToAgent.Container wrong =
        new ToAgent.Container(
            "web",
            "localhost/exercise:1",
            List.of("/no/such/program"),
            List.of(),
            Map.of(),
            0,
            0,
            null);

    // when
    hub.send(bed.run("wrong", 1, nextPort++, null, false, List.of(wrong)));

    // then
    awaitFailure(hub, "wrong", RunFailure.CONTAINER_REFUSED);
    assertNothingIsLeftOf("wrong");
  }

  @Test
  void aPortThatSomebodyElseHoldsFailsTheRun() {
    // given
    StubHub.Connection hub = hub();

    // when
    hub.send(bed.run("taken", 1, 22, null, false, withoutWorkspace()));

    // then
    awaitFailure(hub, "taken", RunFailure.PORT_IN_USE);
  }

  private static List<ToAgent.Container> withoutWorkspace() {
    return List.of(
        new ToAgent.Container(
            "web", "localhost/exercise:1", List.of(), List.of(), Map.of(), 0, 0, null));
  }

  @Test
  void aHigherEpochReplacesALowerOneAndTheLowerOneIsRefusedFromThenOn() throws Exception {
    // given
    int port = up("epochs");
    StubHub.Connection hub = hub();

    // when
    hub.send(bed.run("epochs", 2, port));
    awaitHealthy(hub, "epochs", 2);

    // then
    assertThat(ask(port, "a.txt", "second")).isEqualTo("saved\n");
    assertThat(bed.vm().exec("podman", "ps", "-a", "--format", "{{.Names}}"))
        .contains("crowdlab-epochs-2-web")
        .doesNotContain("crowdlab-epochs-1");

    // when
    hub.send(bed.run("epochs", 1, port));

    // then
    assertThat(awaitFailure(hub, "epochs", RunFailure.EPOCH_REFUSED).epoch()).isEqualTo(1);
    assertThat(ask(port, "a.txt", "")).isEqualTo("second");
  }

  @Test
  void anEpochWhoseKeyIsRefusedIsNotTriedAgain() {
    // given
    bed.grant("stale");
    bed.fence("stale");
    StubHub.Connection hub = hub();

    // when
    hub.send(bed.run("stale", 1, nextPort++, bed.mount("stale"), false, AgentBed.containers()));

    // then
    awaitFailure(hub, "stale", RunFailure.EPOCH_REFUSED);
    assertNothingIsLeftOf("stale");
  }

  @Test
  void aFileServerWithAnotherHostKeyIsNotTrusted() {
    // given
    bed.grant("pinned");
    ToAgent.Mount mount = bed.mount("pinned");
    StubHub.Connection hub = hub();

    // when
    hub.send(
        bed.run(
            "pinned",
            1,
            nextPort++,
            new ToAgent.Mount(
                mount.address(),
                mount.port(),
                mount.login(),
                mount.path(),
                bed.other().hostKey("ed25519"),
                false),
            false,
            AgentBed.containers()));

    // then
    assertThat(awaitFailure(hub, "pinned", RunFailure.MOUNT_FAILED).message())
        .contains("another host key");
  }

  @Test
  void aTeamWhoseEpochIsFencedIsStoppedByTheAgentAlone() {
    // given
    up("fenced");
    StubHub.Connection hub = hub();

    // when
    bed.fence("fenced");

    // then
    awaitFailure(hub, "fenced", RunFailure.EPOCH_REFUSED);
    assertNothingIsLeftOf("fenced");
  }

  @Test
  void aBrokenMountEndsTheRunAndTheNextEpochFindsWhatWasSaved() throws Exception {
    // given
    int port = up("broken");
    StubHub.Connection hub = hub();
    ask(port, "a.txt", "kept");

    // when
    bed.files().shell("pkill -KILL -u broken");

    // then
    awaitFailure(hub, "broken", RunFailure.MOUNT_LOST);
    assertNothingIsLeftOf("broken");
    hub.send(bed.run("broken", 2, port));
    awaitHealthy(hub, "broken", 2);
    assertThat(ask(port, "a.txt", "")).isEqualTo("kept");
    assertThat(ask(port, "b.txt", "more")).isEqualTo("saved\n");
  }

  @Test
  void aHungMountIsAbortedAndTheNextEpochFindsWhatWasSaved() throws Exception {
    // given
    int port = up("hung");
    ask(port, "a.txt", "kept");

    // when
    bed.vm().shell("kill -STOP $(pgrep -x sshfs)");

    // then
    StubHub.Connection hub = hub();
    awaitFailure(hub, "hung", RunFailure.MOUNT_LOST);
    await().atMost(PATIENCE).untilAsserted(() -> assertNothingIsLeftOf("hung"));
    hub.send(bed.run("hung", 2, port));
    awaitHealthy(hub, "hung", 2);
    assertThat(ask(port, "a.txt", "")).isEqualTo("kept");
  }

  @Test
  void aTeamThatIsCutOffFromItsFilesIsStoppedAfterTheBoundAndNotBefore() {
    // given
    up("cut");
    StubHub.Connection hub = hub();

    // when
    bed.vm().cutFrom(bed.files());
    hub.await(
        TeamReport.class,
        r -> r.teamUid().equals("cut") && RunFailure.MOUNT_FAILED.name().equals(r.code()));

    // then
    assertThat(bed.vm().exec("podman", "ps", "--format", "{{.Names}}"))
        .contains("crowdlab-cut-1-web");
    awaitFailure(hub, "cut", RunFailure.MOUNT_FAILED);
    assertNothingIsLeftOf("cut");
  }

  @Test
  void aStopWhileTheFileServerIsSilentEndsAllTheSame() {
    // given
    up("silent");
    StubHub.Connection hub = hub();
    bed.vm().cutFrom(bed.files());
    bed.vm()
        .shell("podman exec -d crowdlab-silent-1-web sh -c 'while :; do echo x >>/work/f; done'");

    // when
    hub.send(new ToAgent.Stop("silent", "lab", "silent", 1, 500));

    // then
    hub.await(TeamGone.class, gone -> gone.teamUid().equals("silent"));
    assertNothingIsLeftOf("silent");
  }

  @Test
  void theOwnerSeesWhatRunsAndIsHeard() {
    // given
    up("seen");
    StubHub.Connection hub = hub();

    // then
    assertThat(agent("status"))
        .contains("agent 0123456789abcdef", ": connected", "lab/seen epoch 1 HEALTHY");

    // when
    assertThat(agent("pause")).contains("has been told");

    // then
    hub.await(Notice.class, notice -> notice.kind() == Notice.Kind.PAUSE);
    assertThat(agent("status")).contains("asked of the lab: pause");

    // when
    agent("resume");

    // then
    await()
        .untilAsserted(() -> assertThat(said(hub)).endsWith(Notice.Kind.PAUSE, Notice.Kind.RESUME));
    assertThat(agent("status")).contains("asked of the lab: nothing");

    // when
    agent("leave");

    // then
    hub.await(Notice.class, notice -> notice.kind() == Notice.Kind.LEAVE);
    agent("resume");
    assertThat(
            bed.vm()
                .succeeds(
                    "setpriv",
                    "--reuid=nobody",
                    "/opt/crowdlab/current/bin/crowdlab-agent",
                    "status"))
        .as("anybody else")
        .isFalse();
  }

  private static List<Notice.Kind> said(StubHub.Connection hub) {
    return hub.messages().stream()
        .filter(Notice.class::isInstance)
        .map(notice -> ((Notice) notice).kind())
        .toList();
  }

  private String agent(String word) {
    return bed.vm().exec("/opt/crowdlab/current/bin/crowdlab-agent", word);
  }

  @Test
  void aDiskThatCanOnlyBeReadIsToldAlsoByTheNextAgentAndWhatRunsStays() throws Exception {
    // given
    int port = up("settled");
    StubHub.Connection hub = hub();
    await().untilAsserted(() -> assertThat(agent("status")).contains("disk: writable\n"));
    int connections = bed.hub().connectionCount();

    // when
    bed.vm()
        .shell(
            """
            mount --bind /var/lib/crowdlab /var/lib/crowdlab
            mount -o remount,bind,ro /var/lib/crowdlab
            """);
    try {

      // then: a run that needs the disk fails, and the agent looks why
      hub.send(bed.run("late", 1, nextPort++));
      awaitFailure(hub, "late", RunFailure.INTERNAL);
      hub.await(Disk.class, disk -> disk.state() == DiskState.READ_ONLY);
      assertThat(agent("status")).contains("disk: read-only: /var/lib/crowdlab\n");

      // when
      bed.vm().exec("systemctl", "kill", "--kill-who=main", "-s", "KILL", "crowdlab-agent");

      // then
      StubHub.Connection next = bed.hub().connection(connections + 1);
      assertThat(next.await(Hello.class).teams())
          .extracting(TeamReport::teamUid, TeamReport::state)
          .containsExactly(tuple("settled", State.HEALTHY));
      next.await(Disk.class, disk -> disk.state() == DiskState.READ_ONLY);
      assertThat(ask(port, "a.txt", "kept")).isEqualTo("saved\n");
    } finally {
      bed.vm().exec("umount", "/var/lib/crowdlab");
    }
    StubHub.Connection now = hub();
    now.await(Disk.class, disk -> disk.state() == DiskState.WRITABLE);
    now.drop();
    assertThat(bed.hub().connection(connections + 2).await(Hello.class).disk())
        .isEqualTo(DiskState.WRITABLE);
  }

  @Test
  void aRotatedTokenIsUsedAtTheNextConnection() {
    // given
    StubHub.Connection hub = hub();
    int connections = bed.hub().connectionCount();

    // when
    hub.send(new ToAgent.NewToken("id-2", "second-token"));
    hub.await(TokenStored.class);
    hub.drop();
    bed.hub().connection(connections + 1);

    // then
    assertThat(bed.hub().tokens()).last().isEqualTo("Bearer second-token");
    assertThat(bed.vm().exec("stat", "-c", "%a %U", "/etc/crowdlab/token")).isEqualTo("600 root\n");
  }

  @Test
  @Order(Integer.MAX_VALUE)
  void afterARestartOfTheMachineNothingOfBeforeRunsAndTeamsCanRunAgain() throws Exception {
    // given
    int port = up("reborn");
    int connections = bed.hub().connectionCount();

    // when
    bed.vm().powerCut();
    bed.vm().start();

    // then
    StubHub.Connection hub = bed.hub().connection(connections + 1);
    assertThat(hub.await(Hello.class).teams()).isEmpty();

    // when
    hub.send(bed.run("reborn", 1, port));

    // then what the machine had under way before is fenced first
    awaitFailure(hub, "reborn", RunFailure.MOUNT_LOST);
    assertThat(bed.vm().shell("grep -c fuse.sshfs /proc/mounts || true").strip()).isEqualTo("0");

    // when
    hub.send(bed.run("reborn", 2, port));
    awaitHealthy(hub, "reborn", 2);

    // then
    assertThat(ask(port, "a.txt", "again")).isEqualTo("saved\n");
  }
}
