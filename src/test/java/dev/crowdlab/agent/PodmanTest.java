package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crowdlab.agent.Commands.Result;
import dev.crowdlab.agent.Networks.Network;
import dev.crowdlab.agent.Pods.Found;
import dev.crowdlab.agent.Pods.ImageMissingException;
import dev.crowdlab.agent.Pods.Plan;
import dev.crowdlab.agent.Pods.Pod;
import dev.crowdlab.agent.Pods.Status;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.protocol.ToAgent;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PodmanTest {

  private static final Pod POD = new Pod("uid-1", 3);
  private static final Network NETWORK = new Network("crowdlab-0", "10.89.240.2");

  @TempDir Path secrets;
  @TempDir Path state;

  private final FakeCommands commands = new FakeCommands();

  private Podman podman(boolean limits) {
    return new Podman(
        commands, Runnable::run, secrets, new PulledImages(state), List.of("9.9.9.9"), limits);
  }

  private String line(String part) {
    return commands.lines().stream().filter(l -> l.contains(part)).findFirst().orElseThrow();
  }

  private static Plan plan(ToAgent.Run run) {
    return new Plan(POD, NETWORK, run, Path.of("/run/crowdlab/teams/uid-1/3/workspace"));
  }

  @Test
  void whereItKeepsContainersIsWhatItsConfigurationSaysFirst() throws Exception {
    Path own = state.resolve("own.conf");
    Path packaged = state.resolve("packaged.conf");
    assertThat(Podman.storage(List.of(own, packaged)))
        .isEqualTo(Path.of("/var/lib/containers/storage"));

    Files.writeString(packaged, "[storage]\n  graphroot = \"/srv/packaged\"  \n");
    assertThat(Podman.storage(List.of(own, packaged))).isEqualTo(Path.of("/srv/packaged"));

    Files.writeString(own, "[storage]\n# graphroot = \"/no\"\nrunroot = \"/run/x\"\n");
    assertThat(Podman.storage(List.of(own, packaged))).isEqualTo(Path.of("/srv/packaged"));

    Files.writeString(own, "[storage]\ngraphroot=\"/srv/own\"\n");
    assertThat(Podman.storage(List.of(own, packaged))).isEqualTo(Path.of("/srv/own"));
  }

  @Test
  void aPodHasNoProcessOfItsOwnAndSharesNothing() throws Exception {
    podman(true).create(plan(Runs.run(3)));

    assertThat(line("pod create"))
        .isEqualTo(
            "podman pod create --name crowdlab-uid-1-3 --infra=false"
                + " --label crowdlab.team=uid-1 --label crowdlab.epoch=3"
                + " --label crowdlab.network=crowdlab-0");
  }

  @Test
  void containersShareTheTeamsNetworkAndKnowEachOtherByName() throws Exception {
    // given
    ToAgent.Run run =
        Runs.of(
            3,
            List.of(Runs.web(), Runs.container("db", Map.of())),
            List.of(),
            new ToAgent.VmLimits(0, 0, 0));

    // when
    podman(true).create(plan(run));

    // then
    assertThat(line("--name crowdlab-uid-1-3-db"))
        .contains(
            "--pod crowdlab-uid-1-3 --name crowdlab-uid-1-3-db --hostname team-7"
                + " --network ns:/run/netns/crowdlab-0"
                + " --add-host web:127.0.0.1 --add-host db:127.0.0.1 --dns 127.0.0.1 ")
        .doesNotContain("--publish");
  }

  @Test
  void onlyTeamsWithTheInternetHaveResolvers() throws Exception {
    // given
    ToAgent.Run run = Runs.run(3);

    // when
    podman(true)
        .create(
            plan(
                new ToAgent.Run(
                    run.teamUid(),
                    run.namespace(),
                    run.name(),
                    run.epoch(),
                    run.mount(),
                    run.containers(),
                    true,
                    run.ports(),
                    run.sources(),
                    null,
                    run.limits())));

    // then
    assertThat(line("create --pod")).contains(" --dns 9.9.9.9 ").doesNotContain("--dns 127.0.0.1");
  }

  @Test
  void aContainerHasNoPrivilegeBeyondPodmansDefaultAndItsLimits() throws Exception {
    podman(true).create(plan(Runs.run(3)));

    assertThat(line("create --pod"))
        .contains("--security-opt no-new-privileges --cap-drop NET_RAW")
        .contains("--pids-limit 2048 --cpus 0.500 --memory 67108864b --memory-swap 67108864b")
        .contains("--volume /run/crowdlab/teams/uid-1/3/workspace:/work:rw,nosuid,nodev,rslave")
        .contains("--pull never")
        .endsWith(" localhost/exercise:1")
        .doesNotContain("privileged ", "cap-add");
  }

  @Test
  void onlyATestBedGoesWithoutLimits() throws Exception {
    podman(false).create(plan(Runs.run(3)));

    assertThat(line("create --pod")).doesNotContain("--pids-limit", "--cpus", "--memory");
  }

  @Test
  void valuesOfVariablesAreInNoArgumentAndInNoFileThatStays() throws Exception {
    // given
    List<String> files = new ArrayList<>();
    commands.answer(
        "create --pod",
        command -> {
          Path file = Path.of(command.words().get(command.words().indexOf("--env-file") + 1));
          try {
            files.add(Files.readString(file));
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
          return new Result(0, "", "");
        });

    // when
    podman(true).create(plan(Runs.run(3)));

    // then
    assertThat(files).containsExactly("SECRET=hunter2\n");
    assertThat(commands.lines()).noneMatch(line -> line.contains("hunter2"));
    assertThat(secrets).isEmptyDirectory();
  }

  @Test
  void commandAndArgumentsMeanWhatTheyMeanInKubernetes() throws Exception {
    // given
    ToAgent.Container container =
        new ToAgent.Container(
            "web",
            "img",
            List.of("/bin/sh", "-c", "echo \"a b\""),
            List.of("--name", "x"),
            Map.of(),
            0,
            0,
            null);

    // when
    podman(true)
        .create(plan(Runs.of(3, List.of(container), List.of(), new ToAgent.VmLimits(0, 0, 0))));

    // then
    List<String> words =
        commands.asked().stream()
            .map(Commands.Command::words)
            .filter(w -> w.contains("--entrypoint"))
            .findFirst()
            .orElseThrow();
    assertThat(words.subList(words.indexOf("--entrypoint"), words.size()))
        .containsExactly(
            "--entrypoint", "[\"/bin/sh\",\"-c\",\"echo \\\"a b\\\"\"]", "img", "--name", "x");
  }

  @ParameterizedTest
  @CsvSource({
    "Error: localhost/exercise:1: image not known, true",
    "Error: no such image, true",
    "Error: something else, false",
  })
  void aMissingImageIsToldFromOtherRefusals(String said, boolean missing) {
    commands.answer("create --pod", 125, "", said);

    assertThatThrownBy(() -> podman(true).create(plan(Runs.run(3))))
        .isInstanceOf(missing ? ImageMissingException.class : RunException.class);
  }

  @ParameterizedTest
  @CsvSource({
    "runc: error setting cgroup config for procHooks process, HOST_UNFIT",
    "executable file not found in $PATH, CONTAINER_REFUSED",
  })
  void podmansRefusalsHaveCodes(String said, RunFailure code) {
    commands.answer("start", 126, "", said);

    assertThatThrownBy(() -> podman(true).start(POD, List.of("web")))
        .isInstanceOfSatisfying(RunException.class, e -> assertThat(e.code()).isEqualTo(code));
  }

  @Test
  void whatPeopleReadHoldsNoIds() {
    commands.answer(
        "start", 126, "", "Error: unable to start container \"" + "0a".repeat(32) + "\": bad");

    assertThatThrownBy(() -> podman(true).start(POD, List.of("web")))
        .hasMessage("container web was refused by podman: Error: unable to start container …: bad");
  }

  @Test
  void aPodOfTheSameNameIsReplaced() throws Exception {
    // given
    boolean[] removed = {false};
    commands.answer(
        "pod rm",
        command -> {
          removed[0] = true;
          return new Result(0, "", "");
        });
    commands.answer(
        "pod create",
        command ->
            removed[0]
                ? new Result(0, "", "")
                : new Result(
                    125, "", "Error: name crowdlab-uid-1-3 is in use: pod already exists"));

    // when
    podman(true).create(plan(Runs.run(3)));

    // then
    assertThat(removed[0]).isTrue();
  }

  @Test
  void containersAreStartedSideBySideAndOneThatIsRefusedIsTold() {
    // given
    commands.answer("start crowdlab-uid-1-3-db", 126, "", "executable file not found in $PATH");

    // then
    assertThatThrownBy(() -> podman(true).start(POD, List.of("db", "web")))
        .hasMessageContaining("container db was refused");
    assertThat(commands.lines())
        .containsExactlyInAnyOrder(
            "podman start crowdlab-uid-1-3-db", "podman start crowdlab-uid-1-3-web");
  }

  @Test
  void podmanThatDoesNotSayWhatRunsIsNotTakenToSayThatNothingDoes() {
    commands.answer("ps --all", 125, "", "Error: database is locked");
    assertThatThrownBy(() -> podman(true).list()).isInstanceOf(RunException.class);

    commands.answer("ps --all", 0, "[{\"Labels\":", "");
    assertThatThrownBy(() -> podman(true).list()).isInstanceOf(RunException.class);
  }

  @Test
  void podsAreFoundByTheirLabels() throws RunException {
    // given
    commands.answer(
        "ps --all",
        0,
        """
        [{"Labels":{"crowdlab.team":"uid-1","crowdlab.epoch":"3","crowdlab.network":"crowdlab-1"},"State":"running"},
         {"Labels":{"crowdlab.team":"uid-1","crowdlab.epoch":"3","crowdlab.network":"crowdlab-1"},"State":"exited"},
         {"Labels":{"crowdlab.team":"uid-2","crowdlab.epoch":"1","crowdlab.network":"crowdlab-2"},"State":"exited"},
         {"Labels":{"crowdlab.team":"../x","crowdlab.epoch":"1"},"State":"running"},
         {"Labels":{"crowdlab.team":"uid-4","crowdlab.epoch":"none"},"State":"running"}]
        """,
        "");

    // then
    assertThat(podman(true).list())
        .containsExactlyInAnyOrder(
            new Found(POD, true, "crowdlab-1"),
            new Found(new Pod("uid-2", 1), false, "crowdlab-2"));
  }

  @Test
  void containersThatAreSetUpSeeTheWorkspaceWhenItIsMountedForTheirProcessToo() {
    // given: this very process stands for the container's, so both see the same
    Podman podman = podman(true);
    String pid = Long.toString(ProcessHandle.current().pid());
    commands.answer("inspect", 0, "crowdlab-uid-1-3-web abc " + pid + " 15\n", "");
    ToAgent.Container web = Runs.run(3).containers().getFirst();

    // when
    podman.setUp(POD, List.of(mountedAt(web, "/proc")));

    // then
    assertThat(line("init")).isEqualTo("podman init crowdlab-uid-1-3-web");
    assertThat(podman.see(POD, Path.of("/proc"))).isTrue();
    assertThat(podman.see(POD, Path.of("/sys"))).as("another device").isFalse();
    assertThat(podman.see(POD, Path.of("/nowhere"))).as("nothing is mounted").isFalse();
  }

  @Test
  void aContainerThatWasSetUpAndWhoseProcessIsNotKnownIsNotTakenToSeeTheWorkspace() {
    Podman podman = podman(true);
    commands.answer("inspect", 125, "", "Error: no answer");

    podman.setUp(POD, List.of(mountedAt(Runs.run(3).containers().getFirst(), "/proc")));

    assertThat(podman.see(POD, Path.of("/proc"))).isFalse();
  }

  @Test
  void aContainerThatCouldNotBeSetUpIsLeftToItsStart() {
    Podman podman = podman(true);
    commands.answer("init", 125, "", "Error: refused").answer("inspect", 0, "", "");

    podman.setUp(POD, List.of(mountedAt(Runs.run(3).containers().getFirst(), "/proc")));

    assertThat(podman.see(POD, Path.of("/proc"))).isTrue();
  }

  private static ToAgent.Container mountedAt(ToAgent.Container container, String path) {
    return new ToAgent.Container(
        container.name(),
        container.image(),
        container.command(),
        container.args(),
        container.env(),
        container.cpuMillis(),
        container.memoryBytes(),
        path);
  }

  @Test
  void podmanStopsWhatWeDoNotKnowTheFirstProcessesOf() {
    assertThat(podman(true).stop(POD, List.of("web"), Duration.ofSeconds(5))).isTrue();

    assertThat(line("pod stop")).contains("--time 5 ");
  }

  @Test
  void statusesAreReadAndAContainerThatIsGoneHasEnded() {
    // given
    commands.answer(
        "inspect",
        125,
        "crowdlab-uid-1-3-web abc running 0 4711 15\ncrowdlab-uid-1-3-db def exited 137 0 15\n",
        "Error: no such container \"crowdlab-uid-1-3-old\"\n");

    // then
    assertThat(podman(true).statuses(POD, List.of("web", "db", "old")))
        .containsExactlyInAnyOrder(
            new Status("web", "abc", true, null),
            new Status("db", "def", false, 137),
            new Status("old", "", false, null));
  }

  @Test
  void credentialsOfARegistryAreInNoArgumentAndInNoFileThatStays() throws Exception {
    // given
    commands.answer("image exists", 1, "", "");
    List<String> contents = new ArrayList<>();
    commands.answer(
        "pull",
        command -> {
          try {
            contents.add(
                Files.readString(
                    Path.of(command.words().get(command.words().indexOf("--authfile") + 1))));
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
          return new Result(0, "", "");
        });

    // when
    podman(true).pull("img", new ToAgent.RegistryAuth("{\"auths\":{}}"), new CompletableFuture<>());

    // then
    assertThat(contents).containsExactly("{\"auths\":{}}");
    assertThat(secrets).isEmptyDirectory();
    assertThat(state.resolve("pulled-images")).hasContent("img\n");
  }

  @Test
  void pullsBesideEachOtherHaveCredentialsOfTheirOwn() throws Exception {
    // given
    commands.answer("image exists", 1, "", "");
    Podman podman = podman(true);
    List<String> contents = new ArrayList<>();
    CompletableFuture<Void> oneForAll = new CompletableFuture<>();
    commands.answer(
        "pull --quiet",
        command -> {
          String file = command.words().get(command.words().indexOf("--authfile") + 1);
          try {
            if (command.words().contains("first")) {
              podman.pull("second", new ToAgent.RegistryAuth("of the second"), oneForAll);
            }
            contents.add(Files.readString(Path.of(file)));
          } catch (IOException | RunException e) {
            throw new IllegalStateException(e);
          }
          return new Result(0, "", "");
        });

    // when
    podman.pull("first", new ToAgent.RegistryAuth("of the first"), oneForAll);

    // then
    assertThat(contents).containsExactly("of the second", "of the first");
    assertThat(secrets).isEmptyDirectory();
  }

  @Test
  void anImageThatIsThereIsNotPulled() throws Exception {
    podman(true).pull("img", null, new CompletableFuture<>());

    assertThat(commands.lines()).containsExactly("podman image exists img");
    assertThat(state).isEmptyDirectory();
  }

  @ParameterizedTest
  @CsvSource({
    "team-7, team-7",
    "Team.7.example, team",
    "-x-, -x",
    "a_b, a",
    "123, 123",
    "..., team",
  })
  void theHostNameIsALabel(String team, String hostname) {
    assertThat(Podman.hostname(team)).isEqualTo(hostname);
  }
}
