package dev.crowdlab.e2e;

import dev.crowdlab.oracle.Mark;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Hears of each line that a team's writer saved, outside of all machines: what it has heard must be
 * in the file, whatever became of the machine.
 */
final class Collector implements AutoCloseable {

  /** About ten hours of one writer. */
  private static final int MOST = 1_000_000;

  private final ServerSocket server = new ServerSocket();
  private final Set<Mark> heard = new LinkedHashSet<>();

  private Collector(String host) throws IOException {
    server.bind(new InetSocketAddress(host, 0));
    Thread.ofVirtual().name("collector").start(this::accept);
  }

  static Collector at(String host) {
    try {
      return new Collector(host);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String address() {
    return server.getInetAddress().getHostAddress();
  }

  int port() {
    return server.getLocalPort();
  }

  /** What was heard of a team's writers so far. */
  List<Mark> of(String team) {
    synchronized (heard) {
      return heard.stream().filter(mark -> mark.writer().startsWith(team + "-")).toList();
    }
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket writer = server.accept();
        Thread.ofVirtual().start(() -> hear(writer));
      } catch (IOException e) {
        // Closed, or the writer is gone again.
      }
    }
  }

  /** A line that was cut off on the way was not heard of. */
  private void hear(Socket writer) {
    try (writer;
        BufferedReader lines =
            new BufferedReader(
                new InputStreamReader(writer.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        Mark.parse(line).ifPresent(this::add);
      }
    } catch (IOException e) {
      // Its machine is gone.
    }
  }

  private void add(Mark mark) {
    synchronized (heard) {
      if (heard.size() >= MOST) {
        throw new IllegalStateException("the collector holds at most " + MOST + " lines");
      }
      heard.add(mark);
    }
  }

  @Override
  public void close() {
    try {
      server.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
