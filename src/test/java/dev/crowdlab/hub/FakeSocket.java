package dev.crowdlab.hub;

import dev.crowdlab.protocol.Frames;
import dev.crowdlab.protocol.Frames.BadFrameException;
import dev.crowdlab.protocol.ToAgent;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** The hub's end of a connection, seen by a test that plays the agent. */
final class FakeSocket implements AgentSocket {

  private final Frames frames = new Frames();
  private final List<ToAgent> received = new ArrayList<>();
  private final ArrayDeque<Runnable> unread = new ArrayDeque<>();
  private boolean reads = true;
  private boolean closed;

  /** The agent stops reading: what is sent stays on its way. */
  void stopReading() {
    reads = false;
  }

  void readAgain() {
    reads = true;
    while (!unread.isEmpty()) {
      unread.poll().run();
    }
  }

  List<ToAgent> received() {
    return List.copyOf(received);
  }

  <T extends ToAgent> List<T> received(Class<T> type) {
    return received.stream().filter(type::isInstance).map(type::cast).toList();
  }

  boolean closed() {
    return closed;
  }

  @Override
  public void send(String frame, Runnable sent, Runnable failed) {
    try {
      received.add(frames.readToAgent(frame));
    } catch (BadFrameException e) {
      throw new AssertionError(e);
    }
    if (reads) {
      sent.run();
    } else {
      unread.add(sent);
    }
  }

  @Override
  public void close(int code, String reason) {
    closed = true;
  }

  @Override
  public void disconnect() {
    closed = true;
  }
}
