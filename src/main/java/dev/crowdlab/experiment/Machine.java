package dev.crowdlab.experiment;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a measurement was taken on, as far as a program can tell. */
public final class Machine {

  private static final Path MEMORY = Path.of("/proc/meminfo");
  private static final Path LOAD = Path.of("/proc/loadavg");

  private Machine() {}

  /** This machine, now. */
  public static Map<String, String> here() {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("cores", Integer.toString(Runtime.getRuntime().availableProcessors()));
    facts.put("system", property("os.name") + " " + property("os.version"));
    facts.put("java", property("java.vm.name") + " " + property("java.runtime.version"));
    first(MEMORY).ifPresent(line -> facts.put("memory", line.replaceAll("MemTotal:\\s*", "")));
    first(LOAD).ifPresent(line -> facts.put("load at the end", line));
    return facts;
  }

  private static String property(String name) {
    return System.getProperty(name, "unknown");
  }

  private static java.util.Optional<String> first(Path file) {
    if (!Files.isReadable(file)) {
      return java.util.Optional.empty();
    }
    try {
      return Files.readAllLines(file).stream().findFirst();
    } catch (IOException e) {
      return java.util.Optional.empty();
    }
  }
}
