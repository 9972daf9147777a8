package dev.crowdlab.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class FramesTest {

  private final Frames frames = new Frames();

  static List<ToAgent> commands() {
    return List.of(
        new ToAgent.Welcome(250),
        new ToAgent.Cadence(1_000),
        new ToAgent.Prepare("u-1", List.of("localhost/exercise:1"), null),
        new ToAgent.Run(
            "u-1",
            "lab",
            "team-7",
            3,
            new ToAgent.Mount("10.77.1.9", 2222, "e3", "data", "ssh-ed25519 AAAA", true),
            List.of(
                new ToAgent.Container(
                    "web", "img", List.of("/bin/x"), List.of(""), Map.of("A", "b"), 500, 1, "/w"),
                new ToAgent.Container("victim", "img", List.of(), List.of(), Map.of(), 0, 0, null)),
            false,
            List.of(new ToAgent.PublishedPort("web", "http", 8080, 30_001)),
            List.of("10.77.0.0/16"),
            new ToAgent.RegistryAuth("{}"),
            new ToAgent.VmLimits(4, 2_000, 1L << 32)),
        new ToAgent.Stop("u-1", "lab", "team-7", 3, 0),
        new ToAgent.Challenge("n"),
        new ToAgent.NewToken("id", "secret"),
        new ToAgent.Uninstall());
  }

  static List<FromAgent> reports() {
    return List.of(
        new FromAgent.Hello(1, "v", "b", "m", "ssh-ed25519 AAAA", List.of(), null),
        new FromAgent.Hello(
            1, "v", "b", "m", "ssh-ed25519 AAAA", List.of(), FromAgent.DiskState.FULL),
        new FromAgent.Heartbeat(1, 2),
        new FromAgent.TeamReport(
            "u-1",
            "lab",
            "team-7",
            3,
            FromAgent.TeamReport.State.FAILED,
            RunFailure.CONTAINER_EXITED.name(),
            "web exited",
            List.of(new FromAgent.ContainerReport("web", false, 2, 137, "bye"))),
        new FromAgent.TeamGone("u-1", "lab", "team-7", 3),
        new FromAgent.Prepared(
            "u-1", "lab", "team-7", 3, RunFailure.IMAGE_MISSING.name(), "no such image"),
        new FromAgent.Notice(FromAgent.Notice.Kind.LEAVE),
        new FromAgent.Disk(FromAgent.DiskState.READ_ONLY),
        new FromAgent.ChallengeAnswer("n"),
        new FromAgent.TokenStored("id"),
        new FromAgent.Leaving(),
        new FromAgent.Cleared(List.of("sshfs"), List.of("a workspace that is still in use")));
  }

  @ParameterizedTest
  @MethodSource("commands")
  void everyCommandComesBackAsItWasSent(ToAgent message) throws Exception {
    assertThat(frames.readToAgent(frames.write(message))).isEqualTo(message);
  }

  @ParameterizedTest
  @MethodSource("reports")
  void everyReportComesBackAsItWasSent(FromAgent message) throws Exception {
    assertThat(frames.readFromAgent(frames.write(message))).isEqualTo(message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "[]",
        "{}",
        "{\"type\":\"heartbeat\"}",
        "{\"type\":\"heartbeat\",\"sequence\":1}",
        "{\"type\":\"heartbeat\",\"sequence\":null,\"uptimeMillis\":2}",
        "{\"type\":\"heartbeat\",\"sequence\":\"1\",\"uptimeMillis\":2}",
        "{\"type\":\"heartbeat\",\"sequence\":1.5,\"uptimeMillis\":2}",
        "{\"type\":\"heartbeat\",\"sequence\":1,\"uptimeMillis\":2,\"extra\":3}",
        "{\"type\":\"heartbeat\",\"sequence\":1,\"sequence\":1,\"uptimeMillis\":2}",
        "{\"type\":\"heartbeat\",\"sequence\":1,\"uptimeMillis\":2} {}",
        "{\"type\":\"heartbeat\",\"sequence\":1,\"uptimeMillis\":2",
        "{\"type\":\"welcome\",\"heartbeatMillis\":100}",
        "{\"type\":\"notice\",\"kind\":0}",
        "{\"type\":\"notice\",\"kind\":\"DANCE\"}",
        "{\"type\":\"notice\",\"kind\":null}",
        "{\"type\":\"disk\"}",
        "{\"type\":\"disk\",\"state\":1}",
        "{\"type\":\"disk\",\"state\":\"MELTED\"}",
        "{\"type\":\"disk\",\"state\":\"FULL\",\"folder\":\"/srv\"}",
        "{\"type\":\"hello\",\"protocol\":1,\"agentVersion\":\"v\",\"bootId\":\"b\",\"machineId\":\"m\","
            + "\"workspaceKey\":\"k\",\"teams\":[],\"disk\":\"MELTED\"}",
        "{\"type\":\"java.lang.Runtime\"}",
        "{\"type\":\"team-gone\",\"teamUid\":\"../x\",\"namespace\":\"a\",\"name\":\"b\",\"epoch\":1}",
        "{\"type\":\"team-gone\",\"teamUid\":\"u\",\"namespace\":\"a\",\"name\":\"b\",\"epoch\":-1}",
      })
  void whatBreaksTheProtocolIsRefused(String frame) {
    assertThatThrownBy(() -> frames.readFromAgent(frame))
        .isInstanceOf(Frames.BadFrameException.class);
  }

  @Test
  void aHelloThatSaysNothingOfTheDiskIsUnderstood() throws Exception {
    String hello =
        "{\"type\":\"hello\",\"protocol\":1,\"agentVersion\":\"v\",\"bootId\":\"b\",\"machineId\":\"m\","
            + "\"workspaceKey\":\"k\",\"teams\":[]}";

    assertThat(frames.readFromAgent(hello))
        .isEqualTo(new FromAgent.Hello(1, "v", "b", "m", "k", List.of(), null));
  }

  @Test
  void aListLongerThanItsBoundIsRefused() {
    String hello =
        "{\"type\":\"hello\",\"protocol\":1,\"agentVersion\":\"v\",\"bootId\":\"b\",\"machineId\":\"m\","
            + "\"workspaceKey\":\"k\",\"teams\":["
            + "null,".repeat(600)
            + "null]}";

    assertThatThrownBy(() -> frames.readFromAgent(hello)).hasMessageContaining("teams");
  }

  @Test
  void aFrameBeyondTheLargestIsRefused() {
    String frame = "{\"type\":\"challenge-answer\",\"nonce\":\"" + "x".repeat(300_000) + "\"}";

    assertThatThrownBy(() -> frames.readFromAgent(frame)).hasMessageContaining("longer than");
  }

  @Test
  void deepNestingIsRefused() {
    assertThatThrownBy(() -> frames.readFromAgent("[".repeat(10_000)))
        .isInstanceOf(Frames.BadFrameException.class);
  }

  @Test
  void aRefusalQuotesNothingOfTheFrame() {
    String frame = "{\"type\":\"new-token\",\"tokenId\":\"i\",\"token\":\"hunter2 \"}";

    assertThatThrownBy(() -> frames.readToAgent(frame))
        .hasMessage("token must be a token")
        .hasNoCause();
    assertThatThrownBy(() -> frames.readToAgent(frame.replace("token\":\"h", "hunter2\":\"h")))
        .message()
        .doesNotContain("hunter2");
  }

  @Test
  void secretsStayOutOfLogLines() {
    assertThat(new ToAgent.NewToken("id", "hunter2").toString()).doesNotContain("hunter2");
    assertThat(new ToAgent.RegistryAuth("hunter2").toString()).doesNotContain("hunter2");
    assertThat(
            new ToAgent.Container(
                    "web", "i", List.of(), List.of(), Map.of("PASS", "hunter2"), 0, 0, null)
                .toString())
        .doesNotContain("hunter2");
  }
}
