package dev.crowdlab.testbed;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A TCP proxy that passes bytes on after a delay that may change at any time: the kernel here has
 * no netem. Each way is delayed, so a round trip takes twice as long; the order stays.
 */
public final class Relay implements AutoCloseable {

  /** Chunks under way in one direction; then the sender waits, as for a full pipe. */
  private static final int UNDER_WAY = 1_024;

  private final ServerSocket server;
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile InetSocketAddress target;
  private volatile Duration delay = Duration.ZERO;

  private record Chunk(byte[] bytes, long due) {}

  /**
   * Listens at one address and passes on to another.
   *
   * @param listen with a free port
   */
  public Relay(InetSocketAddress listen, InetSocketAddress target) {
    try {
      this.server = new ServerSocket();
      server.bind(listen);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    this.target = target;
    Thread.ofVirtual().name("relay").start(this::accept);
  }

  /** Where the relay listens. */
  public InetSocketAddress address() {
    return (InetSocketAddress) server.getLocalSocketAddress();
  }

  /** Connections from now on lead elsewhere. */
  public void leadTo(InetSocketAddress other) {
    target = other;
  }

  /** What comes from now on is passed on so much later. */
  public void delay(Duration each) {
    delay = each;
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket from = server.accept();
        Thread.ofVirtual().start(() -> connect(from));
      } catch (IOException e) {
        // Closed, or the caller has gone again.
      }
    }
  }

  private void connect(Socket from) {
    Socket to = new Socket();
    sockets.addAll(List.of(from, to));
    try {
      to.connect(target, 5_000);
      from.setTcpNoDelay(true);
      to.setTcpNoDelay(true);
    } catch (IOException e) {
      // Nobody listens there: the caller sees the connection end.
      close(from, to);
      return;
    }
    pump(from, to);
    pump(to, from);
  }

  private void pump(Socket from, Socket to) {
    BlockingQueue<Chunk> underWay = new ArrayBlockingQueue<>(UNDER_WAY);
    Thread.ofVirtual().start(() -> read(from, to, underWay));
    Thread.ofVirtual().start(() -> write(from, to, underWay));
  }

  private void read(Socket from, Socket to, BlockingQueue<Chunk> underWay) {
    byte[] buffer = new byte[8_192];
    try {
      InputStream in = from.getInputStream();
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        underWay.put(new Chunk(Arrays.copyOf(buffer, n), System.nanoTime() + delay.toNanos()));
      }
      underWay.put(new Chunk(new byte[0], System.nanoTime() + delay.toNanos()));
    } catch (IOException e) {
      close(from, to);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void write(Socket from, Socket to, BlockingQueue<Chunk> underWay) {
    try {
      OutputStream out = to.getOutputStream();
      while (true) {
        // A reader that failed has closed both sockets, and tells nothing any more.
        Chunk chunk = underWay.poll(1, TimeUnit.SECONDS);
        if (chunk == null && to.isClosed()) {
          return;
        }
        if (chunk != null) {
          if (closed.await(chunk.due() - System.nanoTime(), TimeUnit.NANOSECONDS)) {
            return;
          }
          if (chunk.bytes().length == 0) {
            to.shutdownOutput();
            return;
          }
          out.write(chunk.bytes());
        }
      }
    } catch (IOException e) {
      close(from, to);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void close(Socket one, Socket other) {
    for (Socket socket : List.of(one, other)) {
      sockets.remove(socket);
      try {
        socket.close();
      } catch (IOException e) {
        // It is gone.
      }
    }
  }

  @Override
  public void close() {
    closed.countDown();
    try {
      server.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    for (Socket socket : sockets) {
      close(socket, socket);
    }
  }
}
