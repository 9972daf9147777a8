package dev.crowdlab.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What a person sees with the real kubectl; that every field has a text is {@link CrdsTest}'s. */
@ExtendWith(ApiServer.class)
class KubectlIT {
  private final ApiServer.Kubectl kubectl;

  @TempDir private Path scratch;

  KubectlIT(ApiServer.Kubectl kubectl) {
    this.kubectl = kubectl;
  }

  @Test
  void explainReadsWell() throws Exception {
    assertThat(kubectl.run(scratch, "explain", "cvm")).contains("a virtual machine", "contributor");
    assertThat(kubectl.run(scratch, "explain", "cvm.spec.ssh.hostKey"))
        .contains("pinned host key", "waits for approval");
    assertThat(kubectl.run(scratch, "explain", "lt.spec.exercise.containers"))
        .contains("workspaceMountPath", "required", "reach each other by name");
    assertThat(kubectl.run(scratch, "explain", "lt.status.conditions"))
        .contains("Placed, WorkspaceAttached, ExerciseRunning, Routed");
  }

  @Test
  void getShowsTheColumnsAndTheCategory() throws Exception {
    Path both =
        Files.writeString(scratch.resolve("both.yaml"), Documents.VM + "---\n" + Documents.TEAM);
    kubectl.run(scratch, "apply", "-f", both.toString());

    assertThat(kubectl.run(scratch, "get", "cvm", "-n", "lab", "-o", "wide"))
        .containsPattern("NAME +PHASE +TEAMS +AGENT +VERIFIED +AGE +HOST +OS +LAST SEEN +REASON");
    assertThat(kubectl.run(scratch, "get", "lt", "-n", "lab", "-o", "wide"))
        .containsPattern(
            "NAME +PHASE +VM +URL +RECOVERIES +AGE +EPOCH +CREATED IN +RECOVERED IN +REASON");
    assertThat(kubectl.run(scratch, "get", "crowdlab", "-n", "lab", "-o", "name"))
        .contains("contributedvm.crowdlab.dev/alice-1", "labteam.crowdlab.dev/team-7");
    kubectl.run(scratch, "delete", "--wait=false", "-f", both.toString());
  }

  @Test
  void anUnknownFieldIsRefusedByDefault() throws Exception {
    Path spoilt =
        Files.writeString(
            scratch.resolve("spoilt.yaml"),
            Documents.TEAM.replace("members: [bob]", "member: [bob]"));

    assertThat(
            org.assertj.core.api.Assertions.catchThrowable(
                () -> kubectl.run(scratch, "apply", "-f", spoilt.toString())))
        .hasMessageContaining("unknown field \"spec.member\"");
  }
}
