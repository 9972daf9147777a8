package dev.crowdlab.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.logging.Logger;

/**
 * The images that the agent brought to this machine, one name a line in {@code pulled-images}: its
 * uninstaller takes them away again, and no others.
 */
final class PulledImages {

  private static final Logger LOG = Logger.getLogger(PulledImages.class.getName());

  private final Path file;

  PulledImages(Path stateDir) {
    this.file = stateDir.resolve("pulled-images");
  }

  synchronized void add(String image) {
    try {
      Set<String> images = new LinkedHashSet<>();
      if (Files.exists(file)) {
        images.addAll(Files.readAllLines(file));
      }
      if (images.add(image)) {
        Durable.write(file, String.join("\n", images) + "\n");
      }
    } catch (IOException e) {
      LOG.warning("image " + image + " will outlive us: it cannot be noted: " + e.getMessage());
    }
  }
}
