package dev.crowdlab.hub;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * One direction of a TCP connection over a link that loses packets both ways, by the rules that
 * matter for silence: delivery in order, cumulative acknowledgements, retransmission after a
 * timeout that doubles (RFC 6298, with Linux's least timeout of 0.2 s), one segment in flight after
 * a timeout, fast retransmission after three duplicate acknowledgements (RFC 5681).
 */
final class LossyStream {

  private static final Duration LEAST_TIMEOUT = Duration.ofMillis(200);
  private static final Duration LONGEST_TIMEOUT = Duration.ofSeconds(120);
  private static final int DUPLICATES = 3;

  private final ManualTime time;
  private final Random random;
  private final double loss;
  private final Duration oneWay;
  private final Consumer<String> receiver;

  private final TreeMap<Long, String> unacknowledged = new TreeMap<>();
  private final ArrayDeque<String> unsent = new ArrayDeque<>();
  private long next;
  private boolean recovering;
  private Duration timeout = LEAST_TIMEOUT;
  private int timer;
  private int duplicates;

  private final TreeMap<Long, String> early = new TreeMap<>();
  private long expected;
  private boolean closed;

  LossyStream(
      ManualTime time, Random random, double loss, Duration oneWay, Consumer<String> receiver) {
    this.time = time;
    this.random = random;
    this.loss = loss;
    this.oneWay = oneWay;
    this.receiver = receiver;
  }

  void send(String frame) {
    unsent.add(frame);
    if (!recovering) {
      flush();
    }
  }

  void close() {
    closed = true;
  }

  private void flush() {
    while (!unsent.isEmpty()) {
      boolean first = unacknowledged.isEmpty();
      unacknowledged.put(next, unsent.remove());
      transmit(next++);
      if (first) {
        startTimer();
      }
    }
  }

  private void transmit(long sequence) {
    String frame = unacknowledged.get(sequence);
    arrives(() -> received(sequence, frame));
  }

  private void arrives(Runnable what) {
    if (random.nextDouble() >= loss) {
      time.after(
          oneWay,
          () -> {
            if (!closed) {
              what.run();
            }
          });
    }
  }

  private void startTimer() {
    int mine = ++timer;
    time.after(
        timeout,
        () -> {
          if (mine == timer && !closed && !unacknowledged.isEmpty()) {
            recovering = true;
            timeout = timeout.multipliedBy(2);
            timeout = timeout.compareTo(LONGEST_TIMEOUT) < 0 ? timeout : LONGEST_TIMEOUT;
            transmit(unacknowledged.firstKey());
            startTimer();
          }
        });
  }

  private void received(long sequence, String frame) {
    if (sequence >= expected) {
      early.put(sequence, frame);
    }
    while (!early.isEmpty() && early.firstKey() == expected) {
      receiver.accept(early.pollFirstEntry().getValue());
      expected++;
    }
    long upTo = expected;
    arrives(() -> acknowledged(upTo));
  }

  private void acknowledged(long upTo) {
    if (unacknowledged.isEmpty()) {
      return;
    }
    if (upTo <= unacknowledged.firstKey()) {
      if (++duplicates == DUPLICATES) {
        transmit(unacknowledged.firstKey());
      }
      return;
    }
    unacknowledged.headMap(upTo).clear();
    duplicates = 0;
    recovering = false;
    timeout = LEAST_TIMEOUT;
    timer++;
    if (!unacknowledged.isEmpty()) {
      transmit(unacknowledged.firstKey());
      startTimer();
    }
    flush();
  }
}
