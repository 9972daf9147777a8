package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crowdlab.protocol.ToAgent;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class RunChecksTest {

  private static final ToAgent.VmLimits NONE = new ToAgent.VmLimits(0, 0, 0);

  @Test
  void aSoundRunPasses() {
    assertThatCode(() -> RunChecks.check(Runs.run(1), false)).doesNotThrowAnyException();
  }

  static Stream<Arguments> unsound() {
    return Stream.of(
        Arguments.of("no container", containers()),
        Arguments.of("two of a name", containers(Runs.web(), Runs.web())),
        Arguments.of("a name with a slash", containers(Runs.container("a/b", Map.of()))),
        Arguments.of("a name like an option", containers(Runs.container("-a", Map.of()))),
        Arguments.of("the name of podman's own", containers(Runs.container("infra", Map.of()))),
        Arguments.of("an image like an option", image("--privileged")),
        Arguments.of("an image with a space", image("a b")),
        Arguments.of("a variable of two lines", env("A", "b\nC=d")),
        Arguments.of("a variable's name with a line end", env("A\nB", "c")),
        Arguments.of("a relative path", path("work")),
        Arguments.of("a path upwards", path("/work/../etc")),
        Arguments.of("a path with an option", path("/work:exec")),
        Arguments.of("a port of no container", ports(new ToAgent.PublishedPort("x", "p", 1, 2))),
        Arguments.of(
            "a port twice", ports(Runs.port(1), new ToAgent.PublishedPort("web", "q", 8081, 1))),
        Arguments.of("a source that is a name", sources("example.org")),
        Arguments.of("an address that is a name", mount("files.example.org", "e3", "/data", KEY)),
        Arguments.of("a login like an option", mount("10.0.0.1", "-oProxyCommand=x", "/data", KEY)),
        Arguments.of("a path with a comma", mount("10.0.0.1", "e3", "/data,uid=0", KEY)),
        Arguments.of("a path with a line end", mount("10.0.0.1", "e3", "/data\nx", KEY)),
        Arguments.of("a key of two lines", mount("10.0.0.1", "e3", "/data", KEY + "\n* " + KEY)));
  }

  private static final String KEY = Runs.MOUNT.hostKey();

  @ParameterizedTest(name = "{0}")
  @MethodSource("unsound")
  void anUnsoundRunIsRefused(String what, ToAgent.Run run) {
    assertThatThrownBy(() -> RunChecks.check(run, false)).isInstanceOf(RunException.class);
  }

  private static ToAgent.Run containers(ToAgent.Container... containers) {
    return Runs.of(1, List.of(containers), List.of(), NONE);
  }

  private static ToAgent.Run image(String image) {
    return containers(
        new ToAgent.Container("web", image, List.of(), List.of(), Map.of(), 0, 0, null));
  }

  private static ToAgent.Run env(String name, String value) {
    return containers(Runs.container("web", Map.of(name, value)));
  }

  private static ToAgent.Run path(String path) {
    return containers(
        new ToAgent.Container(
            "web", "localhost/exercise:1", List.of(), List.of(), Map.of(), 0, 0, path));
  }

  private static ToAgent.Run ports(ToAgent.PublishedPort... ports) {
    return Runs.of(1, List.of(Runs.web()), List.of(ports), NONE);
  }

  private static ToAgent.Run sources(String source) {
    return with(List.of(source), Runs.MOUNT);
  }

  private static ToAgent.Run mount(String address, String login, String path, String key) {
    return with(List.of(), new ToAgent.Mount(address, 22, login, path, key, false));
  }

  private static ToAgent.Run with(List<String> sources, ToAgent.Mount mount) {
    ToAgent.Run run = Runs.run(1);
    return new ToAgent.Run(
        run.teamUid(),
        run.namespace(),
        run.name(),
        1,
        mount,
        run.containers(),
        false,
        run.ports(),
        sources,
        null,
        NONE);
  }

  @Test
  void aRunThatIsMadeAheadHasItsMountStillToCome() {
    ToAgent.Run run = Runs.run(1).withMount(null);

    assertThatThrownBy(() -> RunChecks.check(run, false)).isInstanceOf(RunException.class);
    assertThatCode(() -> RunChecks.check(run, true)).doesNotThrowAnyException();
  }
}
