package dev.crowdlab.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class WorkspaceIdsTest {

  private static final String UID = "0d5f9a3e-54a7-4a30-8c3f-8b7b3d3a1f10";

  /** Made by {@code printf %s UID | sha256sum | xxd -r -p | base32}. */
  @Test
  void an_id_is_the_installation_and_the_digest_of_the_teams_uid_in_base32() {
    assertThat(WorkspaceIds.of("abc234", UID).value()).isEqualTo("abc234-fwl47auff6tbzogz");
    assertThat(WorkspaceIds.installation(UID)).isEqualTo("fwl47a");
  }

  @Test
  void another_team_and_another_installation_have_another_id() {
    assertThat(WorkspaceIds.of("abc234", UID))
        .isNotEqualTo(WorkspaceIds.of("abc234", UID + "x"))
        .isNotEqualTo(WorkspaceIds.of("abc235", UID));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "abc", "ABCDEF", "abc 34", "abc/34", "abcd018", "../../", "abc23\n"})
  void an_installation_that_is_not_six_digits_of_base32_is_refused(String installation) {
    assertThatThrownBy(() -> WorkspaceIds.of(installation, UID))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
