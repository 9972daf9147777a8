package dev.crowdlab.testbed;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * A subnet 10.77.N.0/24 of this machine with lab hosts in it. Closing it ends them all; should this
 * JVM be killed, the next network's start does.
 */
public final class LabNetwork implements AutoCloseable {
  // An emulated machine's boot has five minutes; a host's half a minute.
  private static final Duration BOUND = Duration.ofMinutes(6);

  private final TestBed bed;
  private final Path run;

  private LabNetwork(TestBed bed, OptionalInt subnet) {
    this.bed = bed;
    List<String> words = new ArrayList<>();
    words.add("new-run");
    words.add(Long.toString(ProcessHandle.current().pid()));
    subnet.ifPresent(number -> words.add(Integer.toString(number)));
    run = Path.of(bed.lab(BOUND, words.toArray(String[]::new)).strip());
  }

  public static LabNetwork create() {
    return create(TestBed.ready());
  }

  public static LabNetwork create(TestBed bed) {
    return new LabNetwork(bed, OptionalInt.empty());
  }

  /**
   * With the subnet 10.77.{@code subnet}.0/24.
   *
   * @throws IllegalStateException when it is in use
   */
  public static LabNetwork create(TestBed bed, int subnet) {
    return new LabNetwork(bed, OptionalInt.of(subnet));
  }

  /** This machine's own address in the network, where an operator is reached. */
  public String gateway() {
    return "10.77.%s.1".formatted(run.getFileName());
  }

  /** This machine again, as a host of the internet: also from within containers with egress. */
  public String internet() {
    return "198.41.1.%s".formatted(run.getFileName());
  }

  /** The run's folder, which the script {@code lab} asks for. */
  public Path run() {
    return run;
  }

  /** The private key that every host takes, in OpenSSH's format. */
  public String privateKey() {
    return read(run.resolve("id"));
  }

  public Path privateKeyFile() {
    return run.resolve("id");
  }

  /**
   * Boots a host and waits until its SSH server answers: about a second, if it is not emulated.
   *
   * @param name at most 20 letters, digits and hyphens, its own in this network
   */
  public LabHost start(String name, HostOptions options) {
    List<String> words = new ArrayList<>(List.of("up", run.toString(), name));
    words.addAll(options.words());
    bed.lab(BOUND, words.toArray(String[]::new));
    return new LabHost(this, name, run.resolve("hosts").resolve(name));
  }

  /** Ends everything that dead processes left on this machine. */
  public static void sweep(TestBed bed) {
    bed.lab(BOUND, "sweep");
  }

  @Override
  public void close() {
    bed.lab(BOUND, "end-run", run.toString());
  }

  String lab(String verb, String host, String... words) {
    List<String> all = new ArrayList<>(List.of(verb, run.toString(), host));
    all.addAll(List.of(words));
    return bed.lab(BOUND, all.toArray(String[]::new));
  }

  Command.Result tryLab(Duration bound, String verb, String host, String... words) {
    List<String> all =
        new ArrayList<>(
            List.of(bed.scripts().resolve("lab").toString(), verb, run.toString(), host));
    all.addAll(List.of(words));
    return Command.run(bound, all);
  }

  static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
