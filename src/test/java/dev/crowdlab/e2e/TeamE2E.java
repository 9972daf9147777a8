package dev.crowdlab.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Names;
import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.testbed.Browser;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.HostOptions;
import dev.crowdlab.testbed.ImageRegistry;
import dev.crowdlab.testbed.IngressBed;
import dev.crowdlab.testbed.LabHost;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.RequiresTestBed;
import dev.crowdlab.testbed.TestBed;
import io.fabric8.kubernetes.api.model.Condition;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What a team has on its machine, what it tells of its troubles, and what is left of it. */
@Order(5)
@RequiresTestBed(handsClusterOn = true)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TeamE2E {

  private static final Duration BOUND = Duration.ofSeconds(90);

  /** "Within seconds" is what is promised. */
  private static final Duration SECONDS = Duration.ofSeconds(10);

  private static final String PULL_SECRET = "kubernetes.io/dockerconfigjson";

  /** An address of the internet, played by the small machine. */
  private static final String INTERNET = "198.41.0.46";

  private static final String SECRET_WORD = "correct-horse-battery";

  private Lab lab;
  private Browser student;
  private LabHost large;
  private LabHost small;

  @BeforeAll
  void start(ControlPlane controlPlane, LabNetwork network, IngressBed ingress) {
    lab = Lab.start(controlPlane, network, "team-e2e");
    student = new Browser(ingress.address());
    large = Lab.machine(network, "t-large", HostOptions.full().image());
    small = Lab.machine(network, "t-small", HostOptions.full().image().alsoAddress(INTERNET));
    contribute(network, large, "large", 8);
    contribute(network, small, "small", 1);
    lab.awaitVmReady("t-large", BOUND);
    lab.awaitVmReady("t-small", BOUND);
  }

  private void contribute(LabNetwork network, LabHost host, String room, int teams) {
    lab.secret(lab.namespace(), host.name() + "-ssh", network.privateKey());
    lab.apply(
        ContributedVM.class,
        lab.vmYaml(host, room, teams).replace("annotations: {}", "labels: {room: " + room + "}"));
  }

  @AfterEach
  void deleteTeams() {
    var teams = lab.client().resources(LabTeam.class).inNamespace(lab.namespace());
    List<String> names =
        teams.list().getItems().stream().map(team -> team.getMetadata().getName()).toList();
    teams.delete();
    names.forEach(name -> lab.awaitGone(LabTeam.class, name, BOUND));
  }

  @AfterAll
  void stop() {
    student.close();
    lab.close();
  }

  // ---- a team that is well

  @Test
  void aTeamsContainersReachEachOtherAndNobodyElseReachesThem() {
    // given
    LabTeam team = ready(yaml("reach", "large"));
    LabTeam other = ready(yaml("stranger", "large"));
    int port = Objects.requireNonNull(team.getStatus().binding().port());
    String pod = address(team);

    // then
    assertThat(student.open(team.getStatus().url()).body()).contains("<h1>Exercise</h1>");
    assertThat(inContainer(team, "web", "wget -qO- http://victim:9090/cgi-bin/index.cgi"))
        .contains("<h1>Exercise</h1>");
    assertThat(inContainer(team, "victim", "wget -qO- http://web:8080/cgi-bin/index.cgi"))
        .contains("<h1>Exercise</h1>");
    assertThat(inContainer(team, "web", "grep -c ' /work ' /proc/mounts")).isEqualTo("1\n");
    assertThat(inContainer(team, "victim", "grep -c ' /work ' /proc/mounts || true"))
        .isEqualTo("0\n");

    assertThat(connects(large, pod, 9090)).as("root of the machine, for comparison").isTrue();
    for (String target : List.of(pod + " 8080", pod + " 9090", large.address() + " " + port)) {
      assertThat(reaches(other, target)).as("another team, %s", target).isFalse();
    }

    assertThat(connects(port)).as("an address of route.sources").isTrue();
    assertThat(connects(small, large.address(), large.sshPort())).as("the way there").isTrue();
    assertThat(connects(small, large.address(), port)).as("any other address").isFalse();
  }

  @Test
  void aTeamReachesTheInternetOnlyWhereItsSpecSaysSo() {
    // given
    LabTeam none = ready(yaml("shut", "large"));
    LabTeam internet =
        ready(
            yaml("open", "large").replace("  exercise:\n", "  exercise:\n    egress: Internet\n"));
    String sshd = INTERNET + " " + small.sshPort();
    URI hub = URI.create(large.shell("grep -o 'wss://[^\"]*' /etc/crowdlab/agent.json").strip());
    String workspaces = lab.fileServer().address() + " 2222";
    String operator = hub.getHost() + " " + hub.getPort();
    assertThat(connects(large, lab.fileServer().address(), 2222)).isTrue();
    assertThat(connects(large, hub.getHost(), hub.getPort())).isTrue();

    // then
    assertThat(reaches(internet, sshd)).as("the internet").isTrue();
    assertThat(reaches(none, sshd)).as("the internet, with egress None").isFalse();
    for (LabTeam team : List.of(none, internet)) {
      assertThat(reaches(team, workspaces)).as("the file server").isFalse();
      assertThat(reaches(team, operator)).as("the hub").isFalse();
    }
  }

  // ---- a team in trouble

  @Test
  void aMissingImageIsNamedAndItsCorrectionHeals() {
    apply(yaml("imageless", "large").replace("localhost/exercise:1", "localhost/no-such:1"));

    LabTeam failed =
        awaitCondition(
            "imageless", ConditionType.EXERCISE_RUNNING, "False", Reason.IMAGE_PULL_FAILED);

    assertThat(message(failed, ConditionType.EXERCISE_RUNNING)).contains("localhost/no-such:1");
    assertThat(message(failed, ConditionType.READY)).contains("localhost/no-such:1");

    apply(yaml("imageless", "large"));

    lab.awaitTeamReady("imageless", Duration.ofSeconds(20));
  }

  @Test
  void aContainerThatExitsIsToldWithItsLastLinesAndNoSecret() throws IOException {
    apply(
        yaml("crashing", "large")
            .replace(
                Lab.VICTIM,
                "env: [{name: PASSWORD, value: "
                    + SECRET_WORD
                    + "}], command: [/bin/sh, -c, 'echo connecting with $PASSWORD; echo no such"
                    + " database >&2; exit 3']"));

    LabTeam failed =
        awaitCondition(
            "crashing", ConditionType.EXERCISE_RUNNING, "False", Reason.CONTAINER_EXITED);

    assertThat(message(failed, ConditionType.EXERCISE_RUNNING))
        .contains("victim", "connecting with ***", "no such database");
    awaitCondition("crashing", ConditionType.READY, "False", Reason.CONTAINER_EXITED);
    assertNotTold(SECRET_WORD);

    apply(yaml("crashing", "large"));

    lab.awaitTeamReady("crashing", Duration.ofSeconds(20));
  }

  @Test
  void aFullWorkspaceIsToldAndTheTellingEndsWhenThereIsRoom() {
    LabTeam team = ready(yaml("hoarder", "large"));
    String file = team.getStatus().url() + "cgi-bin/file?work.txt";
    assertThat(student.post(file, "before").status()).isEqualTo(200);
    LabHost files = lab.fileServer();
    files.shell(
        "fallocate -l $(( $(stat -f -c '%a * %S' /srv/data) )) /srv/data/somebody-elses; sync");
    try {
      LabTeam full =
          awaitCondition(
              "hoarder", ConditionType.WORKSPACE_ATTACHED, "True", Reason.WORKSPACE_FULL);

      assertThat(message(full, ConditionType.WORKSPACE_ATTACHED)).contains("full");
      awaitCondition("hoarder", ConditionType.READY, "True", Reason.WORKSPACE_FULL);
      assertThat(student.post(file + "-more", "more").status()).isEqualTo(500);
      assertThat(student.get(file).body()).isEqualTo("before");
    } finally {
      files.shell("rm /srv/data/somebody-elses; sync");
    }

    awaitCondition("hoarder", ConditionType.READY, "True", Reason.READY);
    assertThat(student.post(file + "-more", "more").status()).isEqualTo(200);
  }

  @Test
  void anImageOfAGuardedRegistryNeedsTheRightSecret(TestBed bed, LabNetwork network)
      throws IOException {
    try (ImageRegistry registry = ImageRegistry.guarded(bed, network, "bob", SECRET_WORD)) {
      registry.trustedBy(large);
      apply(pulling("puller").replace("localhost/exercise:1", registry.image()));

      // A Secret that is not there, of the wrong type, with the wrong password, the right one.
      LabTeam missing = awaitSoon("puller", Reason.SECRET_NOT_FOUND);
      assertThat(message(missing, ConditionType.READY)).contains("puller-login");

      pullSecret("puller", "Opaque", login(registry, SECRET_WORD));
      LabTeam invalid = awaitSoon("puller", Reason.SECRET_INVALID);
      assertThat(message(invalid, ConditionType.STALLED))
          .contains("puller-login", "kubernetes.io/dockerconfigjson");

      pullSecret("puller", PULL_SECRET, login(registry, "wrong-" + SECRET_WORD));
      LabTeam refused = awaitSoon("puller", Reason.IMAGE_PULL_FAILED);
      assertThat(message(refused, ConditionType.READY)).contains(registry.image());

      // The next attempt with the wrong password would be ten seconds away, or more.
      lab.awaitTeam(
          "puller",
          "refused twice",
          team -> team.getStatus().backoff() != null && team.getStatus().backoff().attempts() >= 2,
          BOUND);
      pullSecret("puller", PULL_SECRET, login(registry, SECRET_WORD));
      LabTeam ready = lab.awaitTeamReady("puller", SECONDS);

      assertThat(student.open(ready.getStatus().url()).body()).contains("<h1>Exercise</h1>");
      assertNotTold(SECRET_WORD);
      assertThat(large.shell("grep -rlF " + SECRET_WORD + " /run/crowdlab /etc /root || true"))
          .as("the password on the machine")
          .isEmpty();
    }
  }

  @Test
  void aPullSecretThatIsOfNoUseIsSaidAndTheRightOneHealsWithinSeconds() {
    apply(pulling("missing"));
    apply(pulling("mistyped"));
    apply(pulling("unusable"));
    awaitSoon("missing", Reason.SECRET_NOT_FOUND);
    awaitSoon("mistyped", Reason.SECRET_NOT_FOUND);
    awaitSoon("unusable", Reason.SECRET_NOT_FOUND);

    pullSecret("mistyped", "kubernetes.io/basic-auth", Map.of("username", "bob"));
    pullSecret("unusable", PULL_SECRET, Map.of(".dockerconfigjson", "{\"auths\": {}}"));

    awaitSoon("mistyped", Reason.SECRET_INVALID);
    assertThat(
            message(awaitSoon("unusable", Reason.SECRET_INVALID), ConditionType.EXERCISE_RUNNING))
        .contains("no login");

    for (String team : List.of("missing", "mistyped", "unusable")) {
      pullSecret(team, PULL_SECRET, login("registry.example.org", SECRET_WORD));
      lab.awaitTeamReady(team, SECONDS);
    }
  }

  /** A team that names a Secret, which is its own. */
  private String pulling(String team) {
    return yaml(team, "large")
        .replace(
            "  exercise:\n",
            "  exercise:\n    imagePullSecretRef: {name: %s-login}\n".formatted(team));
  }

  private LabTeam awaitSoon(String team, Reason reason) {
    return awaitCondition(team, ConditionType.EXERCISE_RUNNING, "False", reason, SECONDS);
  }

  private void pullSecret(String team, String type, Map<String, String> data) {
    lab.replaceSecret(lab.namespace(), team + "-login", type, data);
  }

  private static Map<String, String> login(ImageRegistry registry, String password) {
    return login(registry.authority(), password);
  }

  private static Map<String, String> login(String registry, String password) {
    String auth =
        Base64.getEncoder().encodeToString(("bob:" + password).getBytes(StandardCharsets.UTF_8));
    return Map.of(
        ".dockerconfigjson", "{\"auths\":{\"%s\":{\"auth\":\"%s\"}}}".formatted(registry, auth));
  }

  @Test
  void aFileServerSecretThatIsOfNoUseIsSaidAndTheRightOneHealsWithinSeconds() {
    lab.client().secrets().inNamespace(Lab.SYSTEM).withName("files").delete();
    try {
      hangUp();
      apply(yaml("homeless", "large"));
      awaitFileServer("homeless", "Secret files does not exist");

      fileServerSecret("Opaque", lab.fileServer().privateKey());
      awaitFileServer("homeless", "is of type Opaque");

      fileServerSecret(
          Names.SSH_SECRET_TYPE,
          large.shell("ssh-keygen -q -t ed25519 -N '' -f /run/stranger; cat /run/stranger"));
      awaitFileServer("homeless", "refused the credentials");
    } finally {
      fileServerSecret(Names.SSH_SECRET_TYPE, lab.fileServer().privateKey());
    }

    lab.awaitTeamReady("homeless", SECONDS);
  }

  private void fileServerSecret(String type, String key) {
    lab.replaceSecret(Lab.SYSTEM, "files", type, Map.of(Names.SSH_PRIVATE_KEY, key));
  }

  /** Ends the connection that the operator keeps to the file server, and no team's. */
  private void hangUp() {
    lab.fileServer().shell("pkill -f '^sshd: root@notty'");
  }

  private void awaitFileServer(String team, String part) {
    lab.awaitTeam(
        team,
        part,
        now ->
            Conditions.find(now.getStatus().conditions(), ConditionType.WORKSPACE_ATTACHED)
                .filter(c -> c.getReason().equals(Reason.FILE_SERVER_UNAVAILABLE.value()))
                .filter(c -> c.getMessage().contains(part))
                .isPresent(),
        SECONDS);
  }

  @Test
  void aTeamWithoutRoomIsToldTheNumbersAndPlacedAsSoonAsThereIsRoom() {
    ready(yaml("first", "small"));
    apply(yaml("second", "small"));

    LabTeam waiting = awaitCondition("second", ConditionType.PLACED, "False", Reason.NO_CAPACITY);

    assertThat(message(waiting, ConditionType.PLACED))
        .contains("1 of 1 matching machines", "0 places");
    assertThat(Conditions.find(waiting.getStatus().conditions(), ConditionType.STALLED)).isEmpty();

    lab.delete(LabTeam.class, "first", BOUND);

    // The next look at a team that waits would be half a minute away.
    lab.awaitTeamReady("second", Duration.ofSeconds(15));
  }

  // ---- the end

  @Test
  void aDeletedTeamLeavesOnlyRetainedDataThatNoNewTeamSees() {
    // given
    // The machine's first team makes what all of them use.
    ready(yaml("earlier", "large"));
    lab.delete(LabTeam.class, "earlier", BOUND);
    String before = traces(large);
    LabTeam team = ready(yaml("leaver", "large"));
    String file = team.getStatus().url() + "cgi-bin/file?private.txt";
    assertThat(student.post(file, "mine").status()).isEqualTo(200);
    String workspace = team.getStatus().workspace().id();
    String uid = team.getMetadata().getUid();
    int port = Objects.requireNonNull(team.getStatus().binding().port());

    // when
    lab.delete(LabTeam.class, "leaver", BOUND);

    // then
    assertThat(traces(large)).isEqualTo(before);
    assertThat(large.exec("nft", "list", "ruleset")).doesNotContain(Integer.toString(port));
    assertThat(large.shell("ps -eo args")).doesNotContain("sshfs", uid);
    assertThat(large.listing())
        .as("the agent remembers the highest epoch, lest an old order runs: nothing else")
        .filteredOn(line -> line.contains(uid))
        .allMatch(line -> line.contains("/var/lib/crowdlab/epochs/" + uid));

    var namespace = lab.namespace();
    assertThat(lab.client().services().inNamespace(namespace).list().getItems()).isEmpty();
    assertThat(
            lab.client().discovery().v1().endpointSlices().inNamespace(namespace).list().getItems())
        .isEmpty();
    assertThat(lab.client().network().v1().ingresses().inNamespace(namespace).list().getItems())
        .isEmpty();

    LabHost files = lab.fileServer();
    assertThat(
            files.shell(
                """
                cat /etc/passwd /proc/mounts
                ls /run/crowdlab/e /run/crowdlab/keys /srv/data/live
                ps -eo user:40,args
                """))
        .doesNotContain(workspace);
    String retained = files.shell("find /srv/data/retained -path '*" + workspace + "*'");
    assertThat(retained).contains("private.txt");
    assertThat(files.shell("stat -c '%U %a' /srv/data/retained")).isEqualTo("root 700\n");
    assertThat(files.shell("stat -c %U /srv/data/retained/" + workspace)).isEqualTo("root\n");
    assertThat(files.shell("find /srv/data/retained ! -user root ! -nouser"))
        .as("what is in there has no owner who could log in")
        .isEmpty();

    // when
    LabTeam again = ready(yaml("leaver", "large"));

    // then
    assertThat(again.getStatus().workspace().id()).isNotEqualTo(workspace);
    assertThat(student.get(file).status()).isEqualTo(404);
    assertThat(inContainer(again, "web", "ls -A /work")).isEmpty();
  }

  /** What teams have on a machine. */
  private static String traces(LabHost machine) {
    return machine.shell(
        """
        podman ps -a --format '{{.Names}}'
        podman pod ls --format '{{.Name}}'
        podman volume ls -q
        podman secret ls -q
        nft -s list table inet crowdlab 2>/dev/null || true
        grep -E 'sshfs|overlay|crowdlab|netns' /proc/mounts || true
        find /run/crowdlab | sort
        """);
  }

  // ---- helpers

  private String yaml(String team, String room) {
    return lab.teamYaml(team) + "  placement: {vmSelector: {matchLabels: {room: " + room + "}}}\n";
  }

  private void apply(String yaml) {
    lab.apply(LabTeam.class, yaml);
  }

  private LabTeam ready(String yaml) {
    return lab.awaitTeamReady(lab.apply(LabTeam.class, yaml).getMetadata().getName(), BOUND);
  }

  private LabTeam awaitCondition(String team, String type, String status, Reason reason) {
    return awaitCondition(team, type, status, reason, BOUND);
  }

  private LabTeam awaitCondition(
      String team, String type, String status, Reason reason, Duration bound) {
    return lab.awaitTeam(
        team,
        type + "=" + status + ":" + reason.value(),
        now ->
            Conditions.find(now.getStatus().conditions(), type)
                .filter(c -> c.getStatus().equals(status) && c.getReason().equals(reason.value()))
                .isPresent(),
        bound);
  }

  private static String message(LabTeam team, String type) {
    return Conditions.find(team.getStatus().conditions(), type)
        .map(Condition::getMessage)
        .orElse("no condition " + type);
  }

  /** Neither in an object that people read, nor in an event, nor in the operator's log. */
  private void assertNotTold(String secret) throws IOException {
    String namespace = lab.namespace();
    for (LabTeam team :
        lab.client().resources(LabTeam.class).inNamespace(namespace).list().getItems()) {
      assertThat(lab.client().getKubernetesSerialization().asYaml(team.getStatus()))
          .doesNotContain(secret);
    }
    assertThat(lab.client().events().v1().events().inNamespace(namespace).list().getItems())
        .isNotEmpty()
        .noneMatch(event -> event.toString().contains(secret));
    assertThat(Files.readString(lab.operatorLog())).doesNotContain(secret);
    assertThat(large.shell("journalctl -u crowdlab-agent -o cat --no-pager"))
        .doesNotContain(secret);
  }

  private String container(LabTeam team, String name) {
    return "crowdlab-%s-%d-%s"
        .formatted(team.getMetadata().getUid(), team.getStatus().binding().epoch(), name);
  }

  private String inContainer(LabTeam team, String container, String script) {
    return large.exec("podman", "exec", container(team, container), "sh", "-c", script);
  }

  /** The address of the team's pod, in the network that its containers share. */
  private String address(LabTeam team) {
    String network =
        large
            .exec(
                "podman",
                "inspect",
                "--format",
                "{{index .Config.Labels \"crowdlab.network\"}}",
                container(team, "web"))
            .strip();
    String shown = large.exec("ip", "-n", network, "-4", "-o", "address", "show", "dev", "eth0");
    return shown.replaceAll("(?s).* inet ([0-9.]+)/.*", "$1");
  }

  private boolean reaches(LabTeam team, String target) {
    return inContainer(team, "web", "nc -w 2 " + target + " </dev/null >/dev/null 2>&1; echo $?")
        .equals("0\n");
  }

  private static boolean connects(LabHost from, String address, int port) {
    return from.succeeds("timeout", "3", "bash", "-c", "exec 3<>/dev/tcp/" + address + "/" + port);
  }

  /** Whether this machine, from where the ingress sends, connects to the large machine's port. */
  private boolean connects(int port) {
    try (Socket socket = new Socket()) {
      socket.bind(new InetSocketAddress(lab.gateway(), 0));
      socket.connect(new InetSocketAddress(large.address(), port), 3_000);
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
