package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeafTest {

  private static String status(String caught) {
    return "Name:\thttpd\nNSpid:\t4711\t1\nSigIgn:\t0000000000004000\nSigCgt:\t%s\nCapInh:\t0\n"
        .formatted(caught);
  }

  @ParameterizedTest
  @CsvSource({
    // SIGTERM is 15, SIGQUIT 3, SIGINT 2, SIGRTMIN+3 37.
    "0000000000000000, 15, false",
    "0000000000004000, 15, true",
    "0000000000004000, 3, false",
    "0000000000000004, 3, true",
    "0000000000000002, 15, false",
    "0000001000000000, 37, true",
  })
  void aProcessHearsASignalThatItHasAHandlerFor(String caught, int signal, boolean hears) {
    assertThat(Deaf.hears(status(caught), signal)).isEqualTo(hears);
  }

  @Test
  void whatTellsNothingCountsAsOneThatHears() {
    assertThat(Deaf.hears("Name:\tgone\n", 15)).isTrue();
  }
}
