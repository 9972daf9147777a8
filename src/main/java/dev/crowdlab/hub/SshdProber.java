package dev.crowdlab.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

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
  public void probe(InetSocketAddress sshd, Duration connect, Duration banner, Heard heard) {
    execute(() -> heard.found(probed(sshd, connect, banner, heard)));
  }

  /** Asks on a thread of the prober, and tells there. */
  void ask(BooleanSupplier question, Consumer<Boolean> answer) {
    execute(() -> answer.accept(question.getAsBoolean()));
  }

  private void execute(Runnable task) {
    try {
      threads.execute(
          () -> {
            slots.acquireUninterruptibly();
            try {
              task.run();
            } finally {
              slots.release();
            }
          });
    } catch (RejectedExecutionException e) {
      // Closed: nobody waits for the answer any more.
    }
  }

  private static ProbeResult probed(
      InetSocketAddress sshd, Duration connect, Duration banner, Heard heard) {
    InetSocketAddress address =
        sshd.isUnresolved() ? new InetSocketAddress(sshd.getHostString(), sshd.getPort()) : sshd;
    if (address.isUnresolved()) {
      return ProbeResult.UNABLE;
    }
    try (Socket socket = new Socket()) {
      socket.setTcpNoDelay(true);
      long begin = System.nanoTime();
      ProbeResult failed = connected(socket, address, connect);
      if (failed != null) {
        return failed;
      }
      heard.connected(Duration.ofNanos(System.nanoTime() - begin));
      return said(socket, System.nanoTime() + banner.toNanos());
    } catch (IOException e) {
      // The socket itself: no descriptor is left, or the like.
      return ProbeResult.UNABLE;
    }
  }

  /** Null when it is connected. */
  private static @Nullable ProbeResult connected(
      Socket socket, InetSocketAddress address, Duration within) {
    try {
      socket.connect(address, Math.toIntExact(Math.max(1, within.toMillis())));
      return null;
    } catch (SocketTimeoutException | NoRouteToHostException e) {
      return ProbeResult.NOTHING;
    } catch (ConnectException e) {
      return says(e, "refused") ? ProbeResult.REFUSED : ProbeResult.NOTHING;
    } catch (IOException e) {
      // A router may say this of their network, or our kernel of ours: see Hearing.
      return says(e, "unreachable") ? ProbeResult.NOTHING : ProbeResult.UNABLE;
    }
  }

  private static boolean says(IOException e, String word) {
    return String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT).contains(word);
  }

  private static ProbeResult said(Socket socket, long end) {
    byte[] read = new byte[MAX_BANNER];
    int length = 0;
    try {
      InputStream in = socket.getInputStream();
      while (length < read.length) {
        long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
        if (left <= 0) {
          break;
        }
        socket.setSoTimeout(Math.toIntExact(left));
        int n = in.read(read, length, read.length - length);
        if (n < 0) {
          break;
        }
        length += n;
        if (length >= SSH.length && !isSsh(read)) {
          break;
        }
        if (read[length - 1] == '\n' && isSsh(read)) {
          socket.getOutputStream().write(OURS);
          return ProbeResult.BANNER;
        }
      }
    } catch (IOException e) {
      // What was said before counts.
    }
    if (length == 0) {
      reset(socket);
      return ProbeResult.MUTE;
    }
    return ProbeResult.OTHER;
  }

  /**
   * A hung machine serves what waits for it when it goes on. OpenSSH holds a connection against us
   * that was closed before, and cannot one that was reset: it does not know any more whose it was.
   */
  private static void reset(Socket socket) {
    try {
      socket.setSoLinger(true, 0);
    } catch (SocketException e) {
      // It is closed already.
    }
  }

  private static boolean isSsh(byte[] read) {
    return Arrays.equals(read, 0, SSH.length, SSH, 0, SSH.length);
  }

  /** Lets probes under way end by their own timeouts and takes no new ones. */
  @Override
  public void close() {
    threads.shutdownNow();
  }
}
