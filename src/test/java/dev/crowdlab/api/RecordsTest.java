package dev.crowdlab.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RecordsTest {

  @Test
  void aFieldOfALaterVersionIsIgnored() {
    LabTeam team =
        Serialization.unmarshal(
            Documents.TEAM.replace("members: [bob]", "members: [bob]\n  novelty: {a: [1]}"),
            LabTeam.class);

    assertThat(team.getSpec().members()).containsExactly("bob");
  }

  @Test
  void whatWasLeftOutHasTheDefaultsOfTheApi() {
    LabTeamSpec team = Serialization.unmarshal(Documents.TEAM, LabTeam.class).getSpec();
    ContributedVMSpec vm = Serialization.unmarshal(Documents.VM, ContributedVM.class).getSpec();

    assertThat(team.suspended()).isFalse();
    assertThat(team.exercise().egress()).isEqualTo(Egress.NONE);
    assertThat(team.recovery().policy()).isEqualTo(RecoveryPolicy.AUTOMATIC);
    assertThat(vm.schedulable()).isTrue();
    assertThat(vm.integrity()).isEqualTo(IntegritySpec.DEFAULT);
    assertThat(vm.availability()).isEmpty();
  }

  @Test
  void aNewObjectHasAStatusThatSaysNothing() {
    assertThat(new ContributedVM().getStatus()).isEqualTo(ContributedVMStatus.EMPTY);
    assertThat(new LabTeam().getStatus()).isEqualTo(LabTeamStatus.EMPTY);
  }

  @Test
  void aStatusIsRebuiltWithOneFieldChanged() {
    LabTeamStatus before =
        LabTeamStatus.EMPTY.toBuilder().url("http://a/").highestEpoch(3L).build();

    LabTeamStatus after = before.toBuilder().url(null).build();

    assertThat(after.url()).isNull();
    assertThat(after.highestEpoch()).isEqualTo(3);
    assertThat(before.toBuilder().build()).isEqualTo(before);
  }

  @Test
  void whatIsEmptyIsNotWritten() {
    assertThat(Serialization.asJson(LabTeamStatus.EMPTY)).isEqualTo("{}");
  }

  @Test
  void sudoIsUsedByEveryUserButRootUnlessSaid() {
    assertThat(ssh("root", null).usesSudo()).isFalse();
    assertThat(ssh("lab", null).usesSudo()).isTrue();
    assertThat(ssh("root", true).usesSudo()).isTrue();
    assertThat(ssh("lab", false).usesSudo()).isFalse();
  }

  @Test
  void everyReasonIsItsConstantInCamelCase() {
    for (Reason reason : Reason.values()) {
      assertThat(reason.value()).matches("([A-Z][a-z]+)+");
      assertThat(reason.value().replaceAll("(?<=[a-z])(?=[A-Z])", "_"))
          .isEqualToIgnoringCase(reason.name());
    }
    assertThat(Arrays.stream(Reason.values()).map(Reason::value)).doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @ValueSource(
      classes = {
        DayOfWeek.class,
        Egress.class,
        FindingKind.class,
        IntegrityPolicy.class,
        OnViolation.class,
        PortProtocol.class,
        RecoveryCause.class,
        RecoveryPolicy.class,
        Spread.class,
        TeamPhase.class,
        TeamStep.class,
        VmPhase.class,
        VmStep.class
      })
  void anEnumIsPrintedAsItStandsInTheApi(Class<? extends Enum<?>> type) {
    for (Enum<?> constant : type.getEnumConstants()) {
      assertThat(constant)
          .hasToString(Serialization.jsonMapper().convertValue(constant, String.class));
    }
  }

  @Test
  void listsCannotBeChangedFromOutside() {
    List<String> members = new java.util.ArrayList<>(List.of("bob"));
    LabTeamSpec template = Serialization.unmarshal(Documents.TEAM, LabTeam.class).getSpec();
    LabTeamSpec spec =
        new LabTeamSpec(
            template.exercise(),
            members,
            template.workspace(),
            template.access(),
            template.placement(),
            template.recovery(),
            false,
            null);

    members.add("mallory");

    assertThat(spec.members()).containsExactly("bob");
  }

  private static SshSpec ssh(String user, Boolean sudo) {
    return new SshSpec("10.77.1.2", 22, user, sudo, null, new SecretRef("ssh"));
  }
}
