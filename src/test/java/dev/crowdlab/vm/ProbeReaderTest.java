package dev.crowdlab.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import dev.crowdlab.integrity.Facts;
import dev.crowdlab.integrity.Facts.AuthorizedKey;
import dev.crowdlab.integrity.Facts.Listener;
import dev.crowdlab.integrity.Facts.PackageFinding;
import dev.crowdlab.integrity.Facts.ProtectedFile;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProbeReaderTest {

  private static final String DIGEST = "0123456789abcdef".repeat(4);

  private static final String REPORT =
      """
      {"clock":"1795361793857394129","os":"debian","osVersion":"12","osName":"Debian GNU/Linux 12",\
      "kernel":"6.1.0-18-amd64","arch":"x86_64","cpus":"4","memoryKib":"8388608",\
      "diskFreeKib":"41943040","machineIdHash":"%1$s","bootId":"14475491-0f6f-42d6-83ad-0676025b8639",\
      "taint":"0","packageManager":"apt","init":"systemd","agentVersion":"",\
      "tools":{"podman":false,"ssh":true},"uidZero":["root"],\
      "authorizedKeys":[{"user":"lab","digest":"%1$s"}],\
      "listeners":[{"table":"tcp","local":"00000000:08AE"},{"table":"tcp","local":"0100007F:1F90"},\
      {"table":"tcp6","local":"00000000000000000000000000000000:0016"},\
      {"table":"udp","local":"02014D0A:0044"},\
      {"table":"tcp6","local":"00000000000000000000000001000000:0050"}],\
      "files":[{"path":"/usr/sbin/sshd","digest":"%1$s","mode":"755:0:0","owner":"openssh-server=1:9.2"},\
      {"path":"/etc/x","digest":"link:y","mode":"777:0:0","owner":null}],\
      "verification":[{"path":"/usr/bin/su","missing":false,"configuration":false}],\
      "unmeasured":[]}
      """
          .formatted(DIGEST);

  private final ProbeReader reader = new ProbeReader();

  @Test
  void aReportIsRead() throws Exception {
    ProbeReader.Reading reading = reader.read(REPORT);

    Facts facts = reading.facts();
    assertThat(reading.clock()).isEqualTo(Instant.ofEpochSecond(1795361793L, 857394129L));
    assertThat(facts.os()).isEqualTo("debian");
    assertThat(facts.cpus()).isEqualTo(4);
    assertThat(facts.memoryBytes()).isEqualTo(8L << 30);
    assertThat(facts.diskFreeBytes()).isEqualTo(40L << 30);
    assertThat(facts.agentVersion()).isNull();
    assertThat(facts.tools()).containsOnly(entry("podman", false), entry("ssh", true));
    assertThat(facts.uidZero()).containsExactly("root");
    assertThat(facts.authorizedKeys()).containsExactly(new AuthorizedKey("lab", DIGEST));
    assertThat(facts.files())
        .containsOnly(
            entry("/usr/sbin/sshd", new ProtectedFile(DIGEST, "755:0:0", "openssh-server=1:9.2")),
            entry("/etc/x", new ProtectedFile("link:y", "777:0:0", null)));
    assertThat(facts.verification())
        .containsExactly(new PackageFinding("/usr/bin/su", false, false));
  }

  @Test
  void onlyListenersThatOthersReachAreKept() throws Exception {
    assertThat(reader.read(REPORT).facts().listeners())
        .containsExactly(
            new Listener("tcp", "0.0.0.0", 2222),
            new Listener("tcp", "0:0:0:0:0:0:0:0", 22),
            new Listener("udp", "10.77.1.2", 68));
  }

  @Test
  void whatALoginShellPrintsBeforeItIsSkipped() throws Exception {
    assertThat(reader.read("Welcome to {my} \"machine\"\n" + REPORT).facts().os())
        .isEqualTo("debian");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/etc/\\u00c3\\u00a4 b | /etc/ä b",
        "/etc/\\u001b[31m | /etc/\\u001b[31m",
        "/etc/a\\u000ab | /etc/a\\u000ab",
        "/etc/\\u00e2\\u0080\\u00aex | /etc/\\u202ex",
        "/etc/\\u00ff | /etc/\uFFFD"
      })
  void aHostileNameIsShownAsWhatItIs(String printed, String shown) throws Exception {
    assertThat(
            reader.read(REPORT.replace("/usr/bin/su", printed)).facts().verification().getFirst())
        .isEqualTo(new PackageFinding(shown, false, false));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"cpus\":\"4\"|\"cpus\":\"-4\"",
        "\"cpus\":\"4\"|\"cpus\":\"\"",
        "\"cpus\":\"4\"|\"cpus\":\"99999999\"",
        "\"cpus\":\"4\"|\"cpus\":null",
        "\"cpus\":\"4\",|",
        "\"memoryKib\":\"8388608\"|\"memoryKib\":\"9223372036854775807\"",
        "\"os\":\"debian\"|\"os\":\"debian\",\"os\":\"arch\"",
        "\"os\":\"debian\"|\"os\":\"debian\",\"more\":\"x\"",
        "\"os\":\"debian\"|\"os\":[[[[[[\"x\"]]]]]]",
        "\"agentVersion\":\"\"|\"agentVersion\":\"../../x\"",
        "\"machineIdHash\":\"0|\"machineIdHash\":\"",
        "00000000:08AE|zz:08AE",
        "00000000:08AE|00000000",
        "\"unmeasured\":[]}|\"unmeasured\":[]",
        "\"unmeasured\":[]}|\"unmeasured\":[]} {}",
        "{\"clock\":\"1795361793857394129\"|{\"clock\":\"x\"",
        "{\"clock\"|{\"time\""
      })
  void whatIsNotOfTheFormIsRefused(String change) {
    String[] parts = change.split("\\|", 2);
    String report = REPORT.replace(parts[0], parts[1]);
    assertThat(report).isNotEqualTo(REPORT);
    assertThatThrownBy(() -> reader.read(report))
        .isInstanceOf(ProbeReader.UnreadableException.class);
  }

  @Test
  void aTextTooLongIsRefused() {
    assertThatThrownBy(() -> reader.read(REPORT.replace("/usr/bin/su", "/" + "x".repeat(20_000))))
        .isInstanceOf(ProbeReader.UnreadableException.class);
  }
}
