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

  @Test
  void thatAnEpochWasMountedOutlivesTheAgentAndIsSaidOfThatEpochOnly() throws Exception {
    Epochs epochs = new Epochs(folder);
    epochs.admit("u", 7);
    assertThat(epochs.isMounted("u", 7)).isFalse();

    epochs.mounted("u", 7);

    Epochs later = new Epochs(folder);
    assertThat(later.isMounted("u", 7)).isTrue();
    assertThat(later.highest("u")).isEqualTo(7);
    assertThat(later.admit("u", 7)).isTrue();
    assertThat(later.isMounted("u", 7)).isTrue();
    assertThat(later.admit("u", 8)).isTrue();
    assertThat(later.isMounted("u", 8)).isFalse();
    later.mounted("u", 7);
    assertThat(later.highest("u")).isEqualTo(8);
    assertThat(later.isMounted("u", 8)).isFalse();
  }
}
