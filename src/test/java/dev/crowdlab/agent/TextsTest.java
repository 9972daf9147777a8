package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.protocol.FromAgent.ContainerReport;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.Protocol;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class TextsTest {

  @Test
  void controlCharactersAreTakenOut() {
    assertThat(Texts.lastLines("a\u001b[2Jb\r\u0000\u202ec\n\td", List.of()))
        .isEqualTo("a[2Jbc\n\td");
  }

  @Test
  void valuesOfVariablesAreMaskedTheLongerFirst() {
    assertThat(Texts.lastLines("use hunter22 or hunter2 at 1", List.of("hunter2", "hunter22", "1")))
        .isEqualTo("use *** or *** at 1");
  }

  @Test
  void theEndIsKept() {
    String text = "x".repeat(5_000) + "end";

    assertThat(Texts.lastLines(text, List.of())).hasSize(Protocol.MAX_LAST_LINES).endsWith("end");
  }

  @Test
  void aSecretThatIsCutAtTheBeginningOfTheTextIsMaskedBeforehand() {
    String secret = "s".repeat(100);
    String text = secret + "x".repeat(Protocol.MAX_LAST_LINES - 50);

    assertThat(Texts.lastLines(text, List.of(secret))).doesNotContain("ssss");
  }

  @Test
  void reportsThatAreTooLongForOneFrameComeWithoutLines() {
    TeamReport report =
        new TeamReport(
            "u",
            "n",
            "t",
            1,
            TeamReport.State.HEALTHY,
            null,
            null,
            List.of(new ContainerReport("web", true, 1, 1, "x".repeat(2_000))));

    assertThat(Texts.fitting(List.of(report))).containsExactly(report);
    assertThat(Texts.fitting(Collections.nCopies(50, report)))
        .hasSize(50)
        .allSatisfy(r -> assertThat(r.containers().getFirst().lastLines()).isNull());
  }
}
