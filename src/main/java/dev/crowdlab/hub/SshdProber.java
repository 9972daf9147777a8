package dev.crowdlab.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Connects, reads sshd's identification line, answers with ours (RFC 4253, 4.2) and closes. Never
 * authenticates.
 */
final class SshdProber implements Prober, AutoCloseable {

  /** Probes under way at the same time; the others wait, and their time starts when they start. */
  private static final int MAX_CONCURRENT = 512;

  private static final int MAX_BANNER = 255;
  private static final byte[] OURS =
      "SSH-2.0-CrowdLab_probe\r\n".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] SSH = "SSH-".getBytes(StandardCharsets.US_ASCII);

  private final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("crowdlab-probe-", 0).factory());
  private final Semaphore slots = new Semaphore(MAX_CONCURRENT);

  @Override
  public void probe(InetSocketAddress sshd, Duration timeout, Consumer<ProbeResult> result) {
    try {
      threads.execute(
          () -> {
            slots.acquireUninterruptibly();
            ProbeResult found;
            try {
              found = probe(sshd, timeout);
            } finally {
              slots.release();
            }
            result.accept(found);
          });
    } catch (RejectedExecutionException e) {
      // Closed: nobody waits for the answer any more.
    }
  }

  private static ProbeResult probe(InetSocketAddress sshd, Duration timeout) {
    long end = System.nanoTime() + timeout.toNanos();
    try (Socket socket = new Socket()) {
      socket.setTcpNoDelay(true);
      try {
        socket.connect(sshd, Math.toIntExact(Math.max(1, timeout.toMillis())));
      } catch (ConnectException e) {
        String message = e.getMessage();
        return message != null && message.contains("refused")
            ? ProbeResult.REFUSED
            : ProbeResult.NOTHING;
      } catch (IOException e) {
        return ProbeResult.NOTHING;
      }
      return banner(socket, end) ? ProbeResult.BANNER : ProbeResult.CONNECTED;
    } catch (IOException e) {
      return ProbeResult.CONNECTED;
    }
  }

  private static boolean banner(Socket socket, long end) throws IOException {
    InputStream in = socket.getInputStream();
    byte[] read = new byte[MAX_BANNER];
    int length = 0;
    while (length < read.length) {
      long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
      if (left <= 0) {
        return false;
      }
      socket.setSoTimeout(Math.toIntExact(left));
      int n;
      try {
        n = in.read(read, length, read.length - length);
      } catch (SocketTimeoutException e) {
        return false;
      }
      if (n < 0) {
        return false;
      }
      length += n;
      if (length >= SSH.length) {
        if (!Arrays.equals(read, 0, SSH.length, SSH, 0, SSH.length)) {
          return false;
        }
        if (read[length - 1] == '\n') {
          socket.getOutputStream().write(OURS);
          return true;
        }
      }
    }
    return false;
  }

  /** Lets probes under way end by their own timeouts and takes no new ones. */
  @Override
  public void close() {
    threads.shutdownNow();
  }
}
