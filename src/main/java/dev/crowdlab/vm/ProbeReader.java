package dev.crowdlab.vm;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.crowdlab.integrity.Facts;
import dev.crowdlab.integrity.Facts.AuthorizedKey;
import dev.crowdlab.integrity.Facts.Listener;
import dev.crowdlab.integrity.Facts.PackageFinding;
import dev.crowdlab.integrity.Facts.ProtectedFile;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads what {@code probe.sh} prints. It comes from a stranger's machine: unknown and missing
 * fields, numbers out of range and texts too long are refused as a whole.
 */
final class ProbeReader {

  /** The most bytes that a probe may print. */
  static final int MAX_BYTES = 4 * 1024 * 1024;

  /** Where the report begins: a login shell's start files may print before it. */
  private static final String BEGINNING = "{\"clock\":";

  private static final int MAX_TEXT = 16 * 1024;
  private static final int MAX_WORD = 256;
  private static final int MAX_CPUS = 65_536;
  private static final long KIB = 1024;
  private static final long MAX_KIB = Long.MAX_VALUE / KIB;
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
  private static final Pattern UUID = Pattern.compile("[0-9a-f-]{36}");

  private final ObjectMapper json =
      JsonMapper.builder(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxDocumentLength(MAX_BYTES)
                          .maxNestingDepth(4)
                          .maxStringLength(MAX_TEXT)
                          .maxNameLength(MAX_WORD)
                          .build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .build();

  /** What was read: the facts, and the machine's clock when it began to answer. */
  record Reading(Facts facts, Instant clock) {}

  /** The output is not a probe's report; the message says why, without anything of it. */
  static final class UnreadableException extends Exception {

    private static final long serialVersionUID = 1L;

    UnreadableException(String message) {
      super(message);
    }

    UnreadableException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  Reading read(String output) throws UnreadableException {
    int from = output.indexOf(BEGINNING);
    if (from < 0) {
      throw new UnreadableException("it has no beginning");
    }
    try {
      Report report = json.readValue(output.substring(from), Report.class);
      return new Reading(facts(report), clock(report.clock()));
    } catch (JsonProcessingException | IllegalArgumentException e) {
      throw new UnreadableException("it is not of the expected form", e);
    }
  }

  private static Facts facts(Report r) {
    return new Facts(
        word(r.os()),
        word(r.osVersion()),
        word(r.osName()),
        word(r.kernel()),
        word(r.arch()),
        (int) number(r.cpus(), MAX_CPUS),
        number(r.memoryKib(), MAX_KIB) * KIB,
        number(r.diskFreeKib(), MAX_KIB) * KIB,
        matching(SHA256, r.machineIdHash()),
        matching(UUID, r.bootId()),
        number(r.taint(), Long.MAX_VALUE),
        word(r.packageManager()),
        word(r.init()),
        r.agentVersion().isEmpty() ? null : matching(SHA256, r.agentVersion()),
        Map.copyOf(r.tools()),
        r.verification().stream()
            .map(f -> new PackageFinding(text(f.path()), f.missing(), f.configuration()))
            .toList(),
        files(r.files()),
        r.uidZero().stream().map(ProbeReader::word).toList(),
        r.authorizedKeys().stream()
            .map(k -> new AuthorizedKey(word(k.user()), matching(SHA256, k.digest())))
            .toList(),
        r.listeners().stream().map(ProbeReader::listener).flatMap(Optional::stream).toList(),
        r.unmeasured().stream().map(ProbeReader::word).toList());
  }

  private static Map<String, ProtectedFile> files(List<Report.File> files) {
    Map<String, ProtectedFile> byPath = new LinkedHashMap<>();
    for (Report.File file : files) {
      String owner = file.owner();
      byPath.put(
          text(file.path()),
          new ProtectedFile(
              text(file.digest()), word(file.mode()), owner == null ? null : word(owner)));
    }
    return byPath;
  }

  /** Empty for a socket that only the machine itself can reach. */
  private static Optional<Listener> listener(Report.Socket socket) {
    String[] parts = socket.local().split(":", 2);
    if (parts.length != 2 || (parts[0].length() != 8 && parts[0].length() != 32)) {
      throw new IllegalArgumentException("no socket");
    }
    byte[] kernel = HexFormat.of().parseHex(parts[0]);
    byte[] network = new byte[kernel.length];
    for (int i = 0; i < kernel.length; i++) {
      // The kernel prints words of four bytes in the order of a little-endian machine.
      network[i] = kernel[i / 4 * 4 + 3 - i % 4];
    }
    try {
      InetAddress address = InetAddress.getByAddress(network);
      int port = HexFormat.fromHexDigits(parts[1]);
      String protocol = socket.table().startsWith("tcp") ? "tcp" : "udp";
      return address.isLoopbackAddress()
          ? Optional.empty()
          : Optional.of(new Listener(protocol, address.getHostAddress(), port));
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private static Instant clock(String nanos) {
    long value = number(nanos, Long.MAX_VALUE);
    return Instant.ofEpochSecond(value / 1_000_000_000L, value % 1_000_000_000L);
  }

  private static long number(String digits, long max) {
    if (digits.length() > 19 || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
      throw new IllegalArgumentException("no number");
    }
    long value = Long.parseLong(digits);
    if (value > max) {
      throw new IllegalArgumentException("a number out of range");
    }
    return value;
  }

  private static String matching(Pattern pattern, String value) {
    if (!pattern.matcher(value).matches()) {
      throw new IllegalArgumentException("not of the form " + pattern);
    }
    return value;
  }

  private static String word(String bytes) {
    String word = text(bytes);
    return word.length() <= MAX_WORD ? word : word.substring(0, MAX_WORD);
  }

  /**
   * The bytes that the probe printed one by one, as UTF-8. What would act on a terminal is shown as
   * its code, so that two paths never look the same and none of them acts.
   */
  private static String text(String bytes) {
    String decoded = new String(bytes.getBytes(ISO_8859_1), UTF_8);
    StringBuilder shown = new StringBuilder(decoded.length());
    decoded
        .codePoints()
        .forEach(
            c -> {
              int type = Character.getType(c);
              if (Character.isISOControl(c)
                  || type == Character.FORMAT
                  || type == Character.LINE_SEPARATOR
                  || type == Character.PARAGRAPH_SEPARATOR) {
                shown.append(String.format("\\u%04x", c));
              } else {
                shown.appendCodePoint(c);
              }
            });
    return shown.toString();
  }

  /** The report as it is printed. */
  record Report(
      String clock,
      String os,
      String osVersion,
      String osName,
      String kernel,
      String arch,
      String cpus,
      String memoryKib,
      String diskFreeKib,
      String machineIdHash,
      String bootId,
      String taint,
      String packageManager,
      String init,
      String agentVersion,
      Map<String, Boolean> tools,
      List<String> uidZero,
      List<Key> authorizedKeys,
      List<Socket> listeners,
      List<File> files,
      List<Verified> verification,
      List<String> unmeasured) {

    Report {
      for (Object part :
          new @Nullable Object[] {
            clock,
            os,
            osVersion,
            osName,
            kernel,
            arch,
            cpus,
            memoryKib,
            diskFreeKib,
            machineIdHash,
            bootId,
            taint,
            packageManager,
            init,
            agentVersion,
            tools,
            uidZero,
            authorizedKeys,
            listeners,
            files,
            verification,
            unmeasured
          }) {
        if (part == null) {
          throw new IllegalArgumentException("a part is missing");
        }
      }
    }

    record Key(String user, String digest) {}

    record Socket(String table, String local) {}

    record File(String path, String digest, String mode, @Nullable String owner) {}

    record Verified(String path, boolean missing, boolean configuration) {}
  }
}
