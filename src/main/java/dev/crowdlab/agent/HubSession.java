package dev.crowdlab.agent;

import dev.crowdlab.protocol.Frames;
import dev.crowdlab.protocol.FromAgent;
import dev.crowdlab.protocol.Protocol;
import dev.crowdlab.protocol.ToAgent;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One connection to the hub. One frame is being sent at a time, the others wait in a bounded queue:
 * when that is full, the hub is too slow to be worth talking to, and the session ends. The next one
 * begins with the whole present state, so nothing that was queued is missed.
 */
final class HubSession implements WebSocket.Listener {

  private static final int MOST_QUEUED = 512;

  private final int protocol;
  private final Frames frames;
  private final BiConsumer<HubSession, ToAgent> receiver;
  private final CompletableFuture<String> ended = new CompletableFuture<>();
  private final StringBuilder partial = new StringBuilder();
  private final AtomicLong sequence = new AtomicLong();
  private volatile long opened = System.nanoTime();
  private volatile long lastHeard = System.nanoTime();
  private volatile boolean welcome;
  private volatile boolean notUnderstood;

  // Guarded by this.
  private final Deque<FromAgent> queue = new ArrayDeque<>();
  private @Nullable WebSocket socket;
  private boolean sending;
  private boolean pinging;
  private boolean closing;

  /**
   * One that has not begun.
   *
   * @param protocol the one that is spoken in it, see {@link Protocol#VERSION}
   */
  HubSession(int protocol, Frames frames, BiConsumer<HubSession, ToAgent> receiver) {
    this.protocol = protocol;
    this.frames = frames;
    this.receiver = receiver;
  }

  /** Completes with the reason when the session is over. */
  CompletableFuture<String> ended() {
    return ended;
  }

  boolean isWelcome() {
    return welcome && !ended.isDone();
  }

  /** Whether the hub ended it at once because it does not know the protocol. */
  boolean isNotUnderstood() {
    return notUnderstood;
  }

  void welcomed() {
    welcome = true;
  }

  /** The number of the next heartbeat. */
  AtomicLong sequence() {
    return sequence;
  }

  /** When the connection was made, on the monotonic clock. */
  long opened() {
    return opened;
  }

  /** When anything of the hub came last, on the monotonic clock. */
  long lastHeard() {
    return lastHeard;
  }

  /** The first message, whatever was queued before it. */
  synchronized void begin(FromAgent.Hello hello) {
    queue.addFirst(hello.in(protocol));
  }

  synchronized void send(FromAgent message) {
    if (ended.isDone()) {
      return;
    }
    if (protocol < Protocol.VERSION) {
      translated(message).ifPresent(this::queue);
    } else {
      queue(message);
    }
  }

  /** In the words of an older protocol; empty: it has none for this. */
  private Optional<FromAgent> translated(FromAgent message) {
    return switch (message) {
      case FromAgent.TeamReport report -> Optional.of(report.in(protocol));
      case FromAgent.Prepared _, FromAgent.Disk _ -> Optional.empty();
      case FromAgent.Hello _,
          FromAgent.Heartbeat _,
          FromAgent.TeamGone _,
          FromAgent.Notice _,
          FromAgent.ChallengeAnswer _,
          FromAgent.TokenStored _,
          FromAgent.Leaving _,
          FromAgent.Cleared _ ->
          Optional.of(message);
    };
  }

  private synchronized void queue(FromAgent message) {
    if (queue.size() == MOST_QUEUED) {
      end("the hub takes nothing");
      return;
    }
    queue.addLast(message);
    sendNext();
  }

  /** A heartbeat; left out while an earlier frame still waits, as it could only add to it. */
  synchronized void beat(FromAgent.Heartbeat heartbeat) {
    if (queue.isEmpty() && !sending) {
      sequence.incrementAndGet();
      send(heartbeat);
    }
  }

  synchronized void ping() {
    if (socket != null && !pinging) {
      pinging = true;
      var _ =
          socket
              .sendPing(ByteBuffer.allocate(0))
              .whenComplete(
                  (done, failure) -> {
                    synchronized (this) {
                      pinging = false;
                    }
                    if (failure != null) {
                      end("a ping could not be sent");
                    }
                  });
    }
  }

  /** Ends the session at once. */
  void end(String reason) {
    if (ended.complete(reason)) {
      WebSocket open;
      synchronized (this) {
        open = socket;
      }
      if (open != null) {
        open.abort();
      }
    }
  }

  /** Ends the session politely, once what is queued is sent. */
  synchronized CompletableFuture<String> close() {
    closing = true;
    sendNext();
    return ended;
  }

  private synchronized void sendNext() {
    if (sending || socket == null) {
      return;
    }
    FromAgent next = queue.pollFirst();
    CompletableFuture<WebSocket> sent;
    if (next != null) {
      sent = socket.sendText(frames.write(next), true);
    } else if (closing) {
      sent = socket.sendClose(1001, "going away");
    } else {
      return;
    }
    sending = true;
    var _ =
        sent.whenComplete(
            (done, failure) -> {
              if (failure != null) {
                end("a frame could not be sent");
              } else if (next == null) {
                end("closed by us");
              } else {
                synchronized (this) {
                  sending = false;
                  sendNext();
                }
              }
            });
  }

  @Override
  public void onOpen(WebSocket webSocket) {
    synchronized (this) {
      socket = webSocket;
      sendNext();
    }
    opened = System.nanoTime();
    lastHeard = System.nanoTime();
    webSocket.request(1);
  }

  @Override
  public @Nullable CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
    lastHeard = System.nanoTime();
    if (partial.length() + data.length() > Protocol.MAX_FRAME_BYTES) {
      end("the hub sent a frame that is too long");
      return null;
    }
    partial.append(data);
    if (last) {
      String frame = partial.toString();
      partial.setLength(0);
      try {
        receiver.accept(this, frames.readToAgent(frame));
      } catch (Frames.BadFrameException e) {
        end("the hub sent a bad frame: " + e.getMessage());
        return null;
      } catch (RuntimeException e) {
        end("a frame could not be obeyed: " + e);
        return null;
      }
    }
    webSocket.request(1);
    return null;
  }

  @Override
  public @Nullable CompletionStage<?> onBinary(WebSocket webSocket, ByteBuffer data, boolean last) {
    end("the hub sent a binary frame");
    return null;
  }

  @Override
  public @Nullable CompletionStage<?> onPing(WebSocket webSocket, ByteBuffer message) {
    lastHeard = System.nanoTime();
    webSocket.request(1);
    return null;
  }

  @Override
  public @Nullable CompletionStage<?> onPong(WebSocket webSocket, ByteBuffer message) {
    lastHeard = System.nanoTime();
    webSocket.request(1);
    return null;
  }

  @Override
  public @Nullable CompletionStage<?> onClose(WebSocket webSocket, int code, String reason) {
    notUnderstood = code == Protocol.PROTOCOL_ERROR && !welcome;
    end("the hub closed: " + code + " " + Texts.message(reason));
    return null;
  }

  @Override
  public void onError(WebSocket webSocket, Throwable error) {
    end("the connection broke: " + error.getMessage());
  }
}
