package dev.crowdlab.ssh;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;

/** Bytes for a command's standard input; opened once for each attempt, closed by who opened it. */
@FunctionalInterface
public interface Payload {

  InputStream open() throws IOException;

  static Payload none() {
    return InputStream::nullInputStream;
  }

  static Payload of(byte[] bytes) {
    byte[] copy = bytes.clone();
    return () -> new ByteArrayInputStream(copy);
  }
}
