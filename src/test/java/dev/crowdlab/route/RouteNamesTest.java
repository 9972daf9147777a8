package dev.crowdlab.route;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RouteNamesTest {

  private static final String LONG_LABEL = "a".repeat(63);
  private static final String LONGEST =
      String.join(".", LONG_LABEL, LONG_LABEL, LONG_LABEL, "a".repeat(61));

  @ParameterizedTest
  @ValueSource(
      strings = {
        "team-7",
        "7",
        "007-bond",
        "a.b",
        "1.2.3",
        "a--b",
        "0.a-b.c",
        "lab-team-7",
        "x1234567890123456789012345678901234567890123456789012345678901"
      })
  void aServiceMayHaveEveryNameThatComesOut(String teamName) {
    assertThat(RouteNames.of(teamName))
        .matches("[a-z]([-a-z0-9]*[a-z0-9])?")
        .hasSizeLessThanOrEqualTo(RouteNames.MAX_LENGTH);
  }

  @Test
  void theLongestNameThatKubernetesAllowsFits() {
    assertThat(LONGEST).hasSize(253);
    assertThat(RouteNames.of(LONGEST))
        .matches("[a-z]([-a-z0-9]*[a-z0-9])?")
        .hasSizeLessThanOrEqualTo(63);
    assertThat(RouteNames.ipv6(LONGEST)).matches("[a-z0-9]([-a-z0-9.]*[a-z0-9])?");
  }

  @Test
  void aNameThatFitsStaysReadable() {
    assertThat(RouteNames.of("team-7")).isEqualTo("lab-team-7");
  }

  @Test
  void namesThatLookAlikeStayApart() {
    String cut = "a".repeat(100);
    Set<String> names = new HashSet<>();
    for (String name :
        new String[] {
          "a.b", "a-b", "a.b.c", "a-b.c", "a.b-c", "x-a-b", cut, cut + "b", cut + "c", "a-b.v6"
        }) {
      names.add(RouteNames.of(name));
      names.add(RouteNames.ipv6(name));
    }
    assertThat(names).hasSize(20);
  }

  @Test
  void noTeamCanBeNamedIntoTheHashedNameOfAnother() {
    String hashed = RouteNames.of("a.b");
    assertThat(hashed).startsWith("labx-a-b-");
    // Whatever follows "lab-" is the plain name of a team; "labx-" never follows from one.
    assertThat(RouteNames.of(hashed.substring("lab".length()).replaceFirst("^x-", "")))
        .isNotEqualTo(hashed);
    assertThat(RouteNames.of(hashed)).isNotEqualTo(hashed);
  }
}
