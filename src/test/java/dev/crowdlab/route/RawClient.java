package dev.crowdlab.route;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A client that sends the bytes it is given, and reads one answer. */
final class RawClient implements AutoCloseable {

  /** An answer. */
  static final class Answer {
    private final int status;
    private final List<String> headers;
    private final byte[] body;
    private final boolean complete;

    private Answer(int status, List<String> headers, byte[] body, boolean complete) {
      this.status = status;
      this.headers = headers;
      this.body = body;
      this.complete = complete;
    }

    int status() {
      return status;
    }

    List<String> headers() {
      return headers;
    }

    byte[] body() {
      return body;
    }

    /** Whether the body ended as its framing promised. */
    boolean complete() {
      return complete;
    }

    String header(String name) {
      return headers.stream()
          .filter(header -> header.toLowerCase(Locale.ROOT).startsWith(name + ":"))
          .map(header -> header.substring(name.length() + 1).strip())
          .findFirst()
          .orElse("");
    }

    String text() {
      return new String(body, UTF_8);
    }
  }

  private final Socket socket;
  private final InputStream in;

  RawClient(int port) throws IOException {
    socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(20_000);
    in = new BufferedInputStream(socket.getInputStream());
  }

  /** Sends one request and reads its answer. */
  static Answer ask(int port, String request) throws IOException {
    try (RawClient client = new RawClient(port)) {
      client.send(request);
      return client.answer(request.startsWith("HEAD "));
    }
  }

  void send(String text) throws IOException {
    send(text.getBytes(ISO_8859_1));
  }

  void send(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
  }

  Answer answer() throws IOException {
    return answer(false);
  }

  Answer answer(boolean head) throws IOException {
    String statusLine = RawBackend.line(in);
    List<String> headers = new ArrayList<>();
    for (String header = RawBackend.line(in); !header.isEmpty(); header = RawBackend.line(in)) {
      headers.add(header);
    }
    int status = Integer.parseInt(statusLine.substring(9, 12));
    Answer bare = new Answer(status, headers, new byte[0], true);
    if (head || status < 200 || status == 204 || status == 304) {
      return bare;
    }
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    boolean complete = true;
    try {
      if (!bare.header("content-length").isEmpty()) {
        RawBackend.copy(in, body, Long.parseLong(bare.header("content-length")));
      } else if (bare.header("transfer-encoding").equals("chunked")) {
        for (int size = Integer.parseInt(RawBackend.line(in), 16);
            size > 0;
            size = Integer.parseInt(RawBackend.line(in), 16)) {
          RawBackend.copy(in, body, size);
          RawBackend.line(in);
        }
        RawBackend.line(in);
      } else {
        in.transferTo(body);
      }
    } catch (IOException e) {
      complete = false;
    }
    return new Answer(status, headers, body.toByteArray(), complete);
  }

  String line() throws IOException {
    return RawBackend.line(in);
  }

  /** Whether the other side has closed the connection; waits for it. */
  boolean ended() throws IOException {
    try {
      return in.read() < 0;
    } catch (SocketException e) {
      return true;
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
