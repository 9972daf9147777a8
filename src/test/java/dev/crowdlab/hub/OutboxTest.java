package dev.crowdlab.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class OutboxTest {

  private final ManualTime time = new ManualTime();
  private final List<String> sent = new ArrayList<>();
  private final List<Runnable> inFlight = new ArrayList<>();
  private boolean atOnce;
  private final Outbox outbox =
      new Outbox(
          new AgentSocket() {
            @Override
            public void send(String frame, Runnable done, Runnable failed) {
              sent.add(frame);
              if (atOnce) {
                done.run();
              } else {
                inFlight.add(done);
              }
            }

            @Override
            public void close(int code, String reason) {}

            @Override
            public void disconnect() {}
          },
          time.clock());

  @Test
  void oneFrameIsInFlightAndTheOthersFollowInOrder() {
    List.of("a", "b", "c").forEach(frame -> assertThat(outbox.offer(frame)).isTrue());
    assertThat(sent).containsExactly("a");

    inFlight.removeFirst().run();
    assertThat(sent).containsExactly("a", "b");

    inFlight.removeFirst().run();
    assertThat(sent).containsExactly("a", "b", "c");
  }

  @Test
  void whatDoesNotFitIsRefused() {
    long taken = IntStream.range(0, 2 * Outbox.MAX_FRAMES).filter(i -> outbox.offer("x")).count();

    assertThat(taken).isEqualTo(Outbox.MAX_FRAMES + 1);
  }

  @Test
  void whatIsTooMuchTogetherIsRefused() {
    String large = "x".repeat(200_000);
    long taken = IntStream.range(0, 200).filter(i -> outbox.offer(large)).count();

    assertThat(taken).isEqualTo(Outbox.MAX_CHARS / large.length() + 1);
  }

  @Test
  void aLongQueueIsSentWithoutGoingDeep() {
    IntStream.range(0, Outbox.MAX_FRAMES).forEach(i -> outbox.offer("x"));
    atOnce = true;

    inFlight.removeFirst().run();

    assertThat(sent).hasSize(Outbox.MAX_FRAMES);
    assertThat(outbox.inFlightFor()).isZero();
  }

  @Test
  void itTellsForHowLongAFrameIsOnItsWay() {
    assertThat(outbox.inFlightFor()).isZero();

    outbox.offer("x");
    time.pass(Duration.ofSeconds(3));

    assertThat(outbox.inFlightFor()).isEqualTo(Duration.ofSeconds(3));
  }

  @Test
  void aClosedOneSendsNothingMore() {
    outbox.offer("a");
    outbox.offer("b");

    outbox.close();
    inFlight.removeFirst().run();
    outbox.offer("c");

    assertThat(sent).containsExactly("a");
  }
}
