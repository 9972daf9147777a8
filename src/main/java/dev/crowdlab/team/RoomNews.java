package dev.crowdlab.team;

import java.util.function.Consumer;

/** Tells that a namespace may have room that it had not: a team has left a machine. */
final class RoomNews {

  private volatile Consumer<String> listener = namespace -> {};

  void listen(Consumer<String> other) {
    listener = other;
  }

  void changed(String namespace) {
    listener.accept(namespace);
  }
}
