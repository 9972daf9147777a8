package dev.crowdlab.integrity;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crowdlab.integrity.Facts.AuthorizedKey;
import dev.crowdlab.integrity.Facts.Listener;
import dev.crowdlab.integrity.Facts.ProtectedFile;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class BaselineCodecTest {

  private static final Ours OURS = new Ours(20_000, 29_999);

  private final BaselineCodec codec = new BaselineCodec();

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void theDigestDoesNotDependOnTheOrderInWhichAMachineReports(long seed) {
    Random random = new Random(seed);
    SampleFacts first = random(random);
    SampleFacts shuffled = shuffled(first, random);

    assertThat(codec.digest(baseline(shuffled))).isEqualTo(codec.digest(baseline(first)));
    assertThat(codec.encode(baseline(shuffled))).isEqualTo(codec.encode(baseline(first)));
  }

  @Test
  void theFormStaysAsItIs() throws Exception {
    Baseline baseline = baseline(new SampleFacts());

    // Statuses in clusters name digests of this form: to change it is to lose every baseline.
    assertThat(unpacked(codec.encode(baseline)))
        .startsWith(
            "{\"authorizedKeys\":[\"root"
                + " 4444444444444444444444444444444444444444444444444444444444444444\"],"
                + "\"configured\":false,\"files\":{\"/etc/ssh/sshd_config\":{\"digest\":\"cccc")
        .endsWith(
            "\"listeners\":[\"tcp 0.0.0.0 22\"],\"machineId\":\""
                + SampleFacts.hex('1')
                + "\",\"roots\":[\"/etc\",\"/usr\"]}");
    assertThat(codec.digest(baseline))
        .isEqualTo("59acd4840340fc04c5bc56b880be12dfcb6b0328b810f3ef892eb96950fff44b");
  }

  @ParameterizedTest
  @MethodSource("volatileChanges")
  void whatChangesByItselfOrIsOursDoesNotChangeTheDigest(
      String what, Consumer<SampleFacts> change) {
    SampleFacts changed = new SampleFacts();
    change.accept(changed);

    assertThat(codec.digest(baseline(changed)))
        .as(what)
        .isEqualTo(codec.digest(baseline(new SampleFacts())));
  }

  static Stream<Arguments> volatileChanges() {
    return Stream.of(
        change("boot id", f -> f.bootId = "ffffffff-0d4c-4c3f-9a57-4b2f1c8f3d10"),
        change("free disk", f -> f.diskFreeBytes = 1),
        change("kernel", f -> f.kernel = "6.1.0-25-amd64"),
        change("an exercise's port", f -> f.listeners.add(new Listener("tcp", "0.0.0.0", 20_000))),
        change("a udp client", f -> f.listeners.add(new Listener("udp", "0.0.0.0", 40_123))),
        change("our program", f -> f.link("/usr/local/bin/crowdlab-agent", "/opt/crowdlab/x")),
        change(
            "our unit",
            f -> f.file("/etc/systemd/system/crowdlab-agent.service", 'e', "644:0:0", null)),
        change("our settings", f -> f.file("/etc/crowdlab/agent.json", 'e', "644:0:0", null)),
        change("an unprotected file", f -> f.file("/srv/x", 'e', "644:0:0", null)));
  }

  @ParameterizedTest
  @MethodSource("lastingChanges")
  void everyLastingChangeChangesTheDigest(String what, Consumer<SampleFacts> change) {
    SampleFacts changed = new SampleFacts();
    change.accept(changed);

    assertThat(codec.digest(baseline(changed)))
        .as(what)
        .isNotEqualTo(codec.digest(baseline(new SampleFacts())));
  }

  static Stream<Arguments> lastingChanges() {
    return Stream.of(
        change("machine-id", f -> f.machineId = SampleFacts.hex('2')),
        change("content", f -> f.file(SampleFacts.SSHD, 'e', "755:0:0", SampleFacts.OLD)),
        change("mode", f -> f.file(SampleFacts.SSHD, 'a', "4755:0:0", SampleFacts.OLD)),
        change("package", f -> f.file(SampleFacts.SSHD, 'a', "755:0:0", SampleFacts.NEW)),
        change("a new file", f -> f.file("/etc/ld.so.preload", 'e', "644:0:0", null)),
        change("a file like ours", f -> f.file("/etc/crowdlab.d/x", 'e', "644:0:0", null)),
        change("a key", f -> f.keys.add(new AuthorizedKey("root", SampleFacts.hex('5')))),
        change("a listener", f -> f.listeners.add(new Listener("tcp", "0.0.0.0", 8080))),
        change("an unmeasured part", f -> f.unmeasured.add("listeners")));
  }

  @Test
  void readsWhatItWrote() throws Exception {
    Baseline baseline = baseline(random(new Random(99))).withAccepted(List.of("UidZeroAccount x"));

    assertThat(codec.decode(codec.encode(baseline))).isEqualTo(baseline);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "[]",
        "{}",
        "{\"machineId\":\"x\",\"configured\":false,\"surprise\":1}",
        "{\"machineId\":\"x\",\"machineId\":\"y\",\"configured\":false}",
        "{\"machineId\":\"x\",\"configured\":null}",
        "{\"machineId\":\"x\",\"configured\":\"true\"}",
        "{\"machineId\":\"x\",\"configured\":false} {}",
      })
  void refusesWhatIsNoBaseline(String json) throws IOException {
    byte[] packed = packed(json);

    assertThatThrownBy(() -> codec.decode(packed))
        .isInstanceOf(BaselineCodec.UnreadableException.class);
  }

  @Test
  void refusesWhatIsNotCompressedAndWhatIsCutOff() {
    byte[] whole = codec.encode(baseline(new SampleFacts()));

    assertThatThrownBy(() -> codec.decode("{}".getBytes(UTF_8)))
        .isInstanceOf(BaselineCodec.UnreadableException.class);
    assertThatThrownBy(() -> codec.decode(java.util.Arrays.copyOf(whole, whole.length / 2)))
        .isInstanceOf(BaselineCodec.UnreadableException.class);
  }

  @Test
  void refusesWhatUnpacksToTooMuch() throws IOException {
    byte[] bomb = packed(" ".repeat(17 * 1024 * 1024));

    assertThat(bomb.length).isLessThan(BaselineCodec.MAX_BYTES);
    assertThatThrownBy(() -> codec.decode(bomb)).hasMessageContaining("too large");
  }

  @Test
  void theLargestUsualBaselineFitsWhereItIsKept() {
    SampleFacts large = new SampleFacts();
    Random random = new Random(5);
    for (int i = 0; i < 2_000; i++) {
      large.files.put(
          "/usr/lib/x86_64-linux-gnu/security/module_" + i + ".so",
          new ProtectedFile(hex(random), "644:0:0", "libpam-modules=1.5.2-6+deb12u1"));
    }

    assertThat(codec.encode(baseline(large)).length).isLessThan(150 * 1024);
  }

  private static Baseline baseline(SampleFacts facts) {
    return Baseline.of(facts.facts(), List.of("/etc", "/usr"), OURS);
  }

  private static SampleFacts random(Random random) {
    SampleFacts facts = new SampleFacts();
    for (int i = 0; i < 30; i++) {
      facts.files.put(
          "/etc/" + hex(random).substring(0, 1 + random.nextInt(20)),
          new ProtectedFile(hex(random), "644:0:0", random.nextBoolean() ? null : "p=" + i));
      facts.keys.add(new AuthorizedKey("user" + random.nextInt(5), hex(random)));
      facts.listeners.add(new Listener("tcp", "::", 1 + random.nextInt(1000)));
    }
    return facts;
  }

  private static SampleFacts shuffled(SampleFacts facts, Random random) {
    SampleFacts copy = new SampleFacts();
    List<Map.Entry<String, ProtectedFile>> files = new ArrayList<>(facts.files.entrySet());
    Collections.shuffle(files, random);
    copy.files = new LinkedHashMap<>();
    files.forEach(file -> copy.files.put(file.getKey(), file.getValue()));
    copy.keys = new ArrayList<>(facts.keys);
    copy.keys.addAll(facts.keys.subList(0, 3));
    Collections.shuffle(copy.keys, random);
    copy.listeners = new ArrayList<>(facts.listeners);
    Collections.shuffle(copy.listeners, random);
    return copy;
  }

  private static Arguments change(String what, Consumer<SampleFacts> change) {
    return Arguments.of(what, change);
  }

  private static String hex(Random random) {
    byte[] bytes = new byte[32];
    random.nextBytes(bytes);
    return java.util.HexFormat.of().formatHex(bytes);
  }

  private static byte[] packed(String text) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream packed = new GZIPOutputStream(bytes)) {
      packed.write(text.getBytes(UTF_8));
    }
    return bytes.toByteArray();
  }

  private static String unpacked(byte[] bytes) throws IOException {
    return new String(new GZIPInputStream(new ByteArrayInputStream(bytes)).readAllBytes(), UTF_8);
  }
}
