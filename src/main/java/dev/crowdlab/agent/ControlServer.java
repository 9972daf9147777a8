package dev.crowdlab.agent;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.crowdlab.protocol.FromAgent.Notice;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.logging.Logger;

/** Lets root on this machine talk to the running agent: one word in, a text out. */
final class ControlServer {

  private static final Logger LOG = Logger.getLogger(ControlServer.class.getName());
  private static final int MAX_WORD = 64;

  /** Who answers. */
  interface Desk {

    String status() throws IOException;

    String say(Notice.Kind kind) throws IOException;
  }

  private ControlServer() {}

  /** Listens on a socket that only root can open, until the process ends. */
  static void start(Path path, Desk desk) throws IOException {
    Files.deleteIfExists(path);
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(path));
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
    Thread.ofPlatform().daemon().name("control").start(() -> serve(server, desk));
  }

  private static void serve(ServerSocketChannel server, Desk desk) {
    while (server.isOpen()) {
      try (SocketChannel client = server.accept()) {
        ByteBuffer word = ByteBuffer.allocate(MAX_WORD);
        client.read(word);
        String text = UTF_8.decode(word.flip()).toString().strip();
        client.write(UTF_8.encode(answer(text, desk)));
      } catch (IOException e) {
        LOG.fine("a conversation broke off: " + e.getMessage());
      }
    }
  }

  private static String answer(String word, Desk desk) throws IOException {
    return switch (word) {
      case "status" -> desk.status();
      case "pause" -> desk.say(Notice.Kind.PAUSE);
      case "resume" -> desk.say(Notice.Kind.RESUME);
      case "leave" -> desk.say(Notice.Kind.LEAVE);
      default -> "unknown word\n";
    };
  }

  /** Says a word to the agent that listens there, and returns its answer. */
  static String ask(Path path, String word) throws IOException {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
      channel.write(UTF_8.encode(word));
      channel.shutdownOutput();
      StringBuilder answer = new StringBuilder();
      ByteBuffer buffer = ByteBuffer.allocate(8_192);
      while (channel.read(buffer) >= 0) {
        answer.append(UTF_8.decode(buffer.flip()));
        buffer.clear();
      }
      return answer.toString();
    }
  }
}
