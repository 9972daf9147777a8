package dev.crowdlab.team;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.crowdlab.team.PortAllocator.Range;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PortAllocatorTest {

  private static final Range RANGE = new Range(20_000, 29_999);
  private static final Instant WINDOW_START = Instant.ofEpochSecond(600L * 4 * 700_000);

  @Test
  void beginsWhereTheClockIsInTheWindowsSlice() {
    assertThat(next(Set.of(), OptionalInt.empty(), WINDOW_START)).hasValue(20_000);
    assertThat(next(Set.of(), OptionalInt.empty(), WINDOW_START.plusSeconds(300))).hasValue(21_250);
    assertThat(next(Set.of(), OptionalInt.empty(), WINDOW_START.plusSeconds(600))).hasValue(22_500);
  }

  @Test
  void goesOnAfterTheLastOneWhenItIsAheadOfTheClock() {
    assertThat(next(Set.of(), OptionalInt.of(20_007), WINDOW_START)).hasValue(20_008);
  }

  @Test
  void leavesTheLastOneBehindWhenTheClockIsAhead() {
    assertThat(next(Set.of(), OptionalInt.of(20_007), WINDOW_START.plusSeconds(60)))
        .hasValue(20_250);
  }

  @Test
  void skipsWhatIsTaken() {
    assertThat(next(Set.of(20_000, 20_001), OptionalInt.empty(), WINDOW_START)).hasValue(20_002);
  }

  @Test
  void goesToTheSliceThatRestedLongestWhenItsOwnIsUsedUp() {
    Set<Integer> taken = new HashSet<>();
    for (int port = 20_000; port < 22_500; port++) {
      taken.add(port);
    }

    assertThat(next(taken, OptionalInt.empty(), WINDOW_START)).hasValue(22_500);
  }

  @Test
  void wrapsRoundAtTheEndOfTheRange() {
    Range small = new Range(100, 107);
    Set<Integer> taken = Set.of(106, 107);

    OptionalInt port =
        PortAllocator.next(
            small, taken::contains, OptionalInt.empty(), WINDOW_START.plusSeconds(1_800));

    assertThat(port).hasValue(100);
  }

  @Test
  void isEmptyWhenAllAreTaken() {
    OptionalInt port =
        PortAllocator.next(new Range(100, 107), p -> true, OptionalInt.empty(), WINDOW_START);

    assertThat(port).isEmpty();
  }

  @Test
  void aRangeMustHaveAPortForEachSlice() {
    assertThatIllegalArgumentException().isThrownBy(() -> new Range(100, 102));
    assertThatIllegalArgumentException().isThrownBy(() -> new Range(65_530, 65_536));
  }

  /**
   * Short-lived teams at any pace, the cursor lost every now and then as by a restart: no port
   * comes back within ten minutes of its first use.
   */
  @Test
  void doesNotComeBackWithinTenMinutesAlsoAcrossRestarts() {
    Random random = new Random(7);
    Map<Integer, Instant> lastUsed = new HashMap<>();
    Instant now = WINDOW_START;
    OptionalInt cursor = OptionalInt.empty();
    for (int i = 0; i < 20_000; i++) {
      now = now.plusMillis(random.nextInt(2_000));
      // A restart takes a second, in which the clock passes what was given away before.
      if (random.nextInt(50) == 0) {
        cursor = OptionalInt.empty();
        now = now.plusSeconds(2);
      }
      OptionalInt port = next(Set.of(), cursor, now);
      assertThat(port).isPresent();
      Instant last = lastUsed.put(port.getAsInt(), now);
      if (last != null) {
        assertThat(Duration.between(last, now)).isGreaterThan(PortAllocator.WINDOW);
      }
      cursor = port;
    }
    assertThat(lastUsed).hasSizeGreaterThan(5_000);
  }

  private static OptionalInt next(Set<Integer> taken, OptionalInt cursor, Instant now) {
    return PortAllocator.next(RANGE, taken::contains, cursor, now);
  }
}
