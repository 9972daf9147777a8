package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EpochsTest {

  @TempDir Path folder;

  @Test
  void onlyTheHighestEpochSeenAndHigherOnesAreAdmitted() throws Exception {
    Epochs epochs = new Epochs(folder);

    assertThat(epochs.admit("u", 3)).isTrue();
    assertThat(epochs.admit("u", 3)).isTrue();
    assertThat(epochs.admit("u", 2)).isFalse();
    assertThat(epochs.admit("other", 1)).isTrue();
    assertThat(epochs.admit("u", 4)).isTrue();
    assertThat(epochs.admit("u", 3)).isFalse();
  }

  @Test
  void theHighestEpochOutlivesTheAgent() throws Exception {
    new Epochs(folder).admit("u", 7);

    assertThat(new Epochs(folder).highest("u")).isEqualTo(7);
    assertThat(new Epochs(folder).admit("u", 6)).isFalse();
  }
}
