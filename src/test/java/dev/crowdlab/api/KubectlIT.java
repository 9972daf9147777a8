package dev.crowdlab.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.RequiresTestBed;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a person sees with the real kubectl; that every field has a text is {@link CrdsTest}'s. */
@RequiresTestBed(labHosts = false)
class KubectlIT {
  private final ControlPlane controlPlane;

  @TempDir private Path scratch;

  KubectlIT(ControlPlane controlPlane) {
    this.controlPlane = controlPlane;
  }

  /** A namespace of this class alone: others that run beside it make and remove the same names. */
  private static final String NAMESPACE = "kubectl-it";

  @BeforeAll
  static void install(ControlPlane controlPlane) {
    Documents.prepare(controlPlane.admin(), NAMESPACE);
  }

  @Test
  void explainReadsWell() throws Exception {
    assertThat(controlPlane.kubectl("explain", "cvm")).contains("a virtual machine", "contributor");
    assertThat(controlPlane.kubectl("explain", "cvm.spec.ssh.hostKey"))
        .contains("pinned host key", "waits for approval");
    assertThat(controlPlane.kubectl("explain", "lt.spec.exercise.containers"))
        .contains("workspaceMountPath", "required", "reach each other by name");
    assertThat(controlPlane.kubectl("explain", "lt.status.conditions"))
        .contains("Placed, WorkspaceAttached, ExerciseRunning, Routed");
  }

  @Test
  void getShowsTheColumnsAndTheCategory() throws Exception {
    Path both =
        Files.writeString(
            scratch.resolve("both.yaml"),
            Documents.in(NAMESPACE, Documents.VM)
                + "---\n"
                + Documents.in(NAMESPACE, Documents.TEAM));
    controlPlane.kubectl("apply", "-f", both.toString());

    assertThat(controlPlane.kubectl("get", "cvm", "-n", NAMESPACE, "-o", "wide"))
        .containsPattern("NAME +PHASE +TEAMS +AGENT +VERIFIED +AGE +HOST +OS +LAST SEEN +REASON");
    assertThat(controlPlane.kubectl("get", "lt", "-n", NAMESPACE, "-o", "wide"))
        .containsPattern(
            "NAME +PHASE +VM +URL +RECOVERIES +AGE +EPOCH +CREATED IN +RECOVERED IN +REASON");
    assertThat(controlPlane.kubectl("get", "crowdlab", "-n", NAMESPACE, "-o", "name"))
        .contains("contributedvm.crowdlab.dev/alice-1", "labteam.crowdlab.dev/team-7");
    controlPlane.kubectl("delete", "--wait=false", "-f", both.toString());
  }

  @Test
  void theFolderOfSamplesIsAppliedInOneGo() {
    assertThat(controlPlane.kubectl("apply", "-f", "manifests/samples"))
        .contains(
            "namespace/lab created",
            "contributedvm.crowdlab.dev/alice-1 created",
            "labteam.crowdlab.dev/team-7 created",
            "secret/alice-1-ssh created");
    controlPlane.kubectl("delete", "--wait=false", "-f", "manifests/samples");
  }

  @Test
  void anUnknownFieldIsRefusedByDefault() throws Exception {
    Path spoilt =
        Files.writeString(
            scratch.resolve("spoilt.yaml"),
            Documents.in(NAMESPACE, Documents.TEAM).replace("members: [bob]", "member: [bob]"));

    assertThat(
            org.assertj.core.api.Assertions.catchThrowable(
                () -> controlPlane.kubectl("apply", "-f", spoilt.toString())))
        .hasMessageContaining("unknown field \"spec.member\"");
  }
}
