package dev.crowdlab.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.Reason;
import dev.crowdlab.api.Voice;
import dev.crowdlab.api.Wish;
import dev.crowdlab.protocol.FromAgent.Notice.Kind;
import java.time.Instant;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class VoicesTest {

  private static final Instant NOW = Instant.parse("2026-06-01T10:00:00Z");
  private static final String EARLIER = "2026-06-01T09:00:00.000Z";
  private static final Voice PAUSED = new Voice(Wish.PAUSE, EARLIER);
  private static final Voice LEAVING = new Voice(Wish.LEAVE, EARLIER);
  private static final Voice STOPPED = new Voice(Wish.STOP, EARLIER);
  private static final Voice LEFT = Voices.left(LEAVING, NOW);

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void whatStandsFollowsFromWhatStoodAndWhatIsSaid(
      String name, @Nullable Voice known, @Nullable Kind said, @Nullable Voice stands) {
    assertThat(Voices.next(known, Optional.ofNullable(said), NOW)).isEqualTo(stands);
  }

  static Stream<Arguments> whatStandsFollowsFromWhatStoodAndWhatIsSaid() {
    Voice pause = new Voice(Wish.PAUSE, "2026-06-01T10:00:00.000Z");
    Voice leave = new Voice(Wish.LEAVE, "2026-06-01T10:00:00.000Z");
    Voice stop = new Voice(Wish.STOP, "2026-06-01T10:00:00.000Z");
    return Stream.of(
        Arguments.of("nothing was ever said", null, null, null),
        Arguments.of("nothing stands", null, Kind.RESUME, null),
        Arguments.of("a pause", null, Kind.PAUSE, pause),
        Arguments.of("the same pause, at another session", PAUSED, Kind.PAUSE, PAUSED),
        Arguments.of("a pause, and a session that said nothing yet", PAUSED, null, PAUSED),
        Arguments.of("a pause that was taken back", PAUSED, Kind.RESUME, null),
        Arguments.of("a pause, then leave", PAUSED, Kind.LEAVE, leave),
        Arguments.of("a pause, then an orderly stop", PAUSED, Kind.STOPPING, stop),
        Arguments.of("leave", null, Kind.LEAVE, leave),
        Arguments.of("leave that was taken back in time", LEAVING, Kind.RESUME, null),
        Arguments.of("leave that became a pause", LEAVING, Kind.PAUSE, pause),
        Arguments.of("the agent ends because it is removed", LEAVING, Kind.STOPPING, LEAVING),
        Arguments.of("an orderly stop", null, Kind.STOPPING, stop),
        Arguments.of("the same stop", STOPPED, Kind.STOPPING, STOPPED),
        Arguments.of("stopped, and nobody is there", STOPPED, null, STOPPED),
        Arguments.of("started again", STOPPED, Kind.RESUME, null),
        Arguments.of("started again, and still paused", STOPPED, Kind.PAUSE, pause),
        Arguments.of("left: no agent brings it back", LEFT, Kind.RESUME, LEFT));
  }

  @ParameterizedTest(name = "{2}")
  @MethodSource
  void aChangeIsToldOnce(@Nullable Voice before, @Nullable Voice after, @Nullable Reason told) {
    assertThat(Voices.news(before, after).map(Voices.News::reason))
        .isEqualTo(Optional.ofNullable(told));
  }

  static Stream<Arguments> aChangeIsToldOnce() {
    return Stream.of(
        Arguments.of(null, null, null),
        Arguments.of(null, PAUSED, Reason.CONTRIBUTOR_PAUSED),
        Arguments.of(PAUSED, PAUSED, null),
        Arguments.of(PAUSED, null, Reason.CONTRIBUTOR_RESUMED),
        Arguments.of(null, LEAVING, Reason.LEAVING),
        // The conditions tell of the end, with a machine's own note.
        Arguments.of(LEAVING, LEFT, null),
        Arguments.of(null, STOPPED, Reason.STOPPED),
        Arguments.of(STOPPED, null, Reason.CONTRIBUTOR_RESUMED));
  }
}
