package dev.crowdlab.route;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;

/** An exercise that speaks HTTP byte by byte, so that it can also speak it badly. */
final class RawBackend implements AutoCloseable {

  /** What it does with a connection. */
  interface Script {
    void serve(Received received, OutputStream out) throws IOException;
  }

  /** A request as it came in; its body is read only when asked for. */
  record Received(String requestLine, List<String> headers, InputStream in) {

    byte[] body() throws IOException {
      ByteArrayOutputStream body = new ByteArrayOutputStream();
      bodyTo(body);
      return body.toByteArray();
    }

    void bodyTo(OutputStream sink) throws IOException {
      if (header("transfer-encoding").equals("chunked")) {
        for (int size = chunkSize(in); size > 0; size = chunkSize(in)) {
          copy(in, sink, size);
          line(in);
        }
        line(in);
      } else if (!header("content-length").isEmpty()) {
        copy(in, sink, Long.parseLong(header("content-length")));
      }
    }

    String header(String name) {
      List<String> values = all(name);
      return values.isEmpty() ? "" : values.getFirst();
    }

    List<String> all(String name) {
      return headers.stream()
          .filter(header -> header.toLowerCase(Locale.ROOT).startsWith(name + ":"))
          .map(header -> header.substring(name.length() + 1).strip())
          .toList();
    }

    private static int chunkSize(InputStream in) throws IOException {
      return Integer.parseInt(line(in), 16);
    }
  }

  private final ServerSocket server;
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  private final BlockingQueue<Received> received = new LinkedBlockingQueue<>(10_000);
  private final Script script;

  RawBackend(Script script) throws IOException {
    this(InetAddress.getLoopbackAddress(), script);
  }

  RawBackend(InetAddress address, Script script) throws IOException {
    this.server = new ServerSocket(0, 200, address);
    this.script = script;
    Thread.ofVirtual().start(this::accept);
  }

  static void respond(OutputStream out, String head, byte[] body) throws IOException {
    out.write((head + "\r\nContent-Length: " + body.length + "\r\n\r\n").getBytes(ISO_8859_1));
    out.write(body);
    out.flush();
  }

  Endpoint endpoint() {
    return new Endpoint(server.getInetAddress(), server.getLocalPort());
  }

  /** The requests so far. */
  List<Received> received() {
    return new ArrayList<>(received);
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  private void accept() {
    try {
      while (true) {
        Socket socket = server.accept();
        sockets.add(socket);
        Thread.ofVirtual().start(() -> serve(socket));
      }
    } catch (IOException e) {
      // It was closed.
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      InputStream in = new BufferedInputStream(socket.getInputStream());
      String requestLine = line(in);
      List<String> headers = new ArrayList<>();
      for (String header = line(in); !header.isEmpty(); header = line(in)) {
        headers.add(header);
      }
      Received request = new Received(requestLine, List.copyOf(headers), in);
      received.add(request);
      OutputStream out = new BufferedOutputStream(socket.getOutputStream());
      script.serve(request, out);
      out.flush();
    } catch (IOException e) {
      // The other side has had enough.
    }
  }

  static String line(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) {
        throw new IOException("the connection ended in a line");
      }
      line.write(b);
    }
    return line.toString(ISO_8859_1).stripTrailing();
  }

  static void copy(InputStream in, OutputStream sink, long bytes) throws IOException {
    byte[] buffer = new byte[1 << 16];
    for (long left = bytes; left > 0; ) {
      int read = in.read(buffer, 0, (int) Math.min(buffer.length, left));
      if (read < 0) {
        throw new IOException(left + " bytes of the body are missing");
      }
      sink.write(buffer, 0, read);
      left -= read;
    }
  }
}
