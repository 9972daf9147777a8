package dev.crowdlab.vm;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.integrity.Facts;
import dev.crowdlab.ssh.AddressPolicy;
import dev.crowdlab.ssh.HostKey;
import dev.crowdlab.ssh.HostKeyPin;
import dev.crowdlab.ssh.Payload;
import dev.crowdlab.ssh.Resolver;
import dev.crowdlab.ssh.SshCredentials;
import dev.crowdlab.ssh.SshSettings;
import dev.crowdlab.ssh.SshTarget;
import dev.crowdlab.ssh.SshjConnector;
import dev.crowdlab.testbed.HostOptions;
import dev.crowdlab.testbed.LabHost;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.RequiresTestBed;
import dev.crowdlab.vm.VmAccess.Configuration;
import dev.crowdlab.vm.VmAccess.Configured;
import dev.crowdlab.vm.VmAccess.ProbeRequest;
import dev.crowdlab.vm.VmAccess.Probed;
import dev.crowdlab.vm.VmAccess.Removed;
import dev.crowdlab.vm.VmAccess.Reply;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Real machines with a real sshd, systemd and apt; the agent is a stand-in that only lives. */
@Order(7)
@RequiresTestBed
class SshVmAccessE2E {

  private static final String TOKEN = "a token";
  private static final ProbeRequest ALL =
      new ProbeRequest(List.of("/usr/sbin/sshd", "/etc/ssh", "/usr/bin/su"), true);

  @TempDir private static Path directory;
  private static AgentArchive agent;
  private static AgentArchive nextAgent;

  @BeforeAll
  static void makeAgents() throws Exception {
    agent = agent("one");
    nextAgent = agent("two");
  }

  @Test
  void aBareMachineIsMeasuredConfiguredAndGivenBackAsRoot(LabNetwork network) throws Exception {
    try (LabHost host = network.start("root1", HostOptions.bare())) {
      integrateAndGiveBack(host, keyTarget(host, network, fingerprint(host, "ed25519")));
    }
  }

  @Test
  void aBareMachineIsMeasuredConfiguredAndGivenBackThroughSudo(LabNetwork network)
      throws Exception {
    try (LabHost host = network.start("sudo1", HostOptions.bare().sudoUser("lab").sshPort(2222))) {
      integrateAndGiveBack(host, keyTarget(host, network, line(host, "rsa")));
    }
  }

  /** What the running process has, not what its unit says. */
  private static void assertHardened(LabHost host) {
    String process = host.exec("systemctl", "show", "-p", "MainPID", "--value", "crowdlab-agent");
    long withheld = capabilities(host, "1") & ~capabilities(host, process.strip());
    assertThat(IntStream.range(0, Long.SIZE).filter(each -> (withheld >> each & 1) == 1).boxed())
        .as("capabilities that it cannot have, by their numbers in linux/capability.h")
        .containsExactly(9, 17, 20, 22, 25, 28, 30, 32, 34, 35, 36, 37);
    assertThat(host.exec("grep", "core file size", "/proc/%s/limits".formatted(process.strip())))
        .containsPattern("size +0 +0 ");
  }

  private static long capabilities(LabHost host, String process) {
    return Long.parseUnsignedLong(
        host.shell("awk '/^CapBnd/ { print $2 }' /proc/%s/status".formatted(process)).strip(), 16);
  }

  private void integrateAndGiveBack(LabHost host, SshTarget target) throws Exception {
    Set<String> before = listing(host);
    String accounts = accounts(host);
    String packages = packages(host);
    String units = units(host);

    Reply<Probed> probed = access(agent).probe(target, ALL, in(60));

    assertUnchanged(before, host);
    Facts facts = value(probed).facts();
    assertThat(facts.os()).isEqualTo("debian");
    assertThat(facts.kernel()).isEqualTo(host.exec("uname", "-r").strip());
    assertThat(facts.machineIdHash()).isEqualTo(sha256(host.exec("cat", "/etc/machine-id")));
    assertThat(facts.files()).containsKeys("/usr/sbin/sshd", "/etc/ssh/sshd_config", "/usr/bin/su");
    assertThat(facts.files().get("/usr/sbin/sshd").owner()).startsWith("openssh-server=");
    assertThat(facts.files().get("/usr/sbin/sshd").digest())
        .isEqualTo(host.exec("sha256sum", "/usr/sbin/sshd").substring(0, 64));
    assertThat(facts.uidZero()).containsExactly("root");
    assertThat(facts.authorizedKeys()).hasSize(1);
    assertThat(facts.listeners()).extracting(Facts.Listener::port).contains(host.sshPort());
    assertThat(facts.tools()).containsEntry("podman", false);
    assertThat(facts.unmeasured()).isEmpty();
    assertThat(value(probed).clockSkew().abs()).isLessThan(Duration.ofMillis(500));
    assertThat(value(probed).roundTrip()).isPositive().isLessThan(Duration.ofSeconds(1));
    assertThat(probed.contact().address()).isEqualTo(host.address());

    Configured first = value(access(agent).configure(target, configuration(TOKEN), in(300)));

    assertThat(first.changed()).isTrue();
    assertThat(first.agentRestarted()).isTrue();
    assertThat(first.packages()).contains("podman", "sshfs");
    assertThat(first.tokenSha256()).isEqualTo(sha256(TOKEN));
    assertThat(host.exec("systemctl", "is-active", "crowdlab-agent").strip()).isEqualTo("active");
    assertHardened(host);
    assertThat(host.exec("stat", "-c", "%a %U", "/etc/crowdlab/token").strip())
        .isEqualTo("600 root");
    assertThat(value(access(agent).probe(target, ALL, in(60))).facts().agentVersion())
        .isEqualTo(agent.digest());

    String stamps = stamps(host);
    Configured second = value(access(agent).configure(target, configuration(null), in(300)));

    assertThat(second.changed()).isFalse();
    assertThat(second.agentRestarted()).isFalse();
    assertThat(second.tokenSha256()).isEqualTo(sha256(TOKEN));
    assertThat(second.packages()).isEqualTo(first.packages());
    assertThat(stamps(host)).isEqualTo(stamps);

    Removed removed = value(access(agent).uninstall(target, in(300)));

    assertThat(removed).isEqualTo(new Removed(true, List.of()));
    assertUnchanged(before, host);
    assertThat(accounts(host)).isEqualTo(accounts);
    assertThat(packages(host)).isEqualTo(packages);
    assertThat(units(host)).isEqualTo(units);
    assertThat(value(access(agent).uninstall(target, in(60))))
        .isEqualTo(new Removed(false, List.of()));
  }

  @Test
  void aNewAgentReplacesTheOldOneAndTheTokenStays(LabNetwork network) throws Exception {
    try (LabHost host = network.start("update1", HostOptions.full())) {
      SshTarget target = keyTarget(host, network, fingerprint(host, "ecdsa"));
      value(access(agent).configure(target, configuration(TOKEN), in(300)));

      Configured updated = value(access(nextAgent).configure(target, configuration(null), in(300)));

      assertThat(updated.changed()).isTrue();
      assertThat(updated.agentRestarted()).isTrue();
      assertThat(updated.tokenSha256()).isEqualTo(sha256(TOKEN));
      assertThat(updated.packages()).isEmpty();
      assertThat(host.shell("ls -d /opt/crowdlab/agent-*").strip())
          .isEqualTo("/opt/crowdlab/agent-" + nextAgent.digest().substring(0, 12));
    }
  }

  @Test
  void anUpdateThatEndedBeforeTheRestartIsFinished(LabNetwork network) throws Exception {
    try (LabHost host = network.start("update2", HostOptions.full())) {
      SshTarget target = keyTarget(host, network, fingerprint(host, "ed25519"));
      value(access(agent).configure(target, configuration(TOKEN), in(300)));
      host.write(
          "/usr/local/sbin/systemctl",
          "#!/bin/sh\n[ \"$1\" != restart ] || kill -9 $PPID\nexec /usr/bin/systemctl \"$@\"\n");
      host.exec("chmod", "755", "/usr/local/sbin/systemctl");
      failure(outcome(access(nextAgent).configure(target, configuration(null), in(300))));
      host.exec("rm", "/usr/local/sbin/systemctl");
      String old = host.shell("systemctl show -P MainPID crowdlab-agent");

      assertThat(
              value(access(nextAgent).configure(target, configuration(null), in(300)))
                  .agentRestarted())
          .isTrue();

      assertThat(host.shell("systemctl show -P MainPID crowdlab-agent")).isNotEqualTo(old);
      assertThat(value(access(nextAgent).configure(target, configuration(null), in(300))).changed())
          .isFalse();
    }
  }

  @Test
  void aDamagedAgentIsMended(LabNetwork network) throws Exception {
    try (LabHost host = network.start("mend1", HostOptions.full())) {
      SshTarget target = keyTarget(host, network, fingerprint(host, "ed25519"));
      value(access(agent).configure(target, configuration(TOKEN), in(300)));
      host.shell("echo '#!/bin/false' >/opt/crowdlab/current/bin/crowdlab-agent");

      assertThat(value(access(agent).configure(target, configuration(null), in(300))).changed())
          .isTrue();
      assertThat(host.shell("cat /opt/crowdlab/current/bin/crowdlab-agent")).contains("sleep");
    }
  }

  @Test
  void restartingTheAgentLeavesWhatItStartedAndWhatItsOwnerStopped(LabNetwork network)
      throws Exception {
    try (LabHost host = network.start("restart1", HostOptions.full().image())) {
      SshTarget target = keyTarget(host, network, fingerprint(host, "ed25519"));
      assertThat(outcome(access(agent).restartAgent(target, in(30))))
          .isEqualTo(Outcome.later(Reason.CONFIGURATION_FAILED, "the agent is not installed"));
      value(access(agent).configure(target, configuration(TOKEN), in(300)));
      String team = team(host);
      String before = host.shell("systemctl show -P MainPID crowdlab-agent").strip();

      assertThat(value(access(agent).restartAgent(target, in(30))).leftAlone()).isFalse();

      assertThat(host.shell("systemctl show -P MainPID crowdlab-agent").strip())
          .isNotEqualTo(before);
      assertThat(host.exec("podman", "inspect", "-f", "{{.State.Pid}}", "team").strip())
          .isEqualTo(team);

      host.exec("systemctl", "stop", "crowdlab-agent");

      assertThat(value(access(agent).restartAgent(target, in(30))).leftAlone()).isTrue();
      Configured configured = value(access(agent).configure(target, configuration(null), in(300)));
      assertThat(configured.agentLeftAlone()).isTrue();
      assertThat(configured.changed()).isFalse();
      assertThat(host.succeeds("systemctl", "is-active", "crowdlab-agent")).isFalse();

      // A clean-up was cut short after it had disabled the service: that was not its owner.
      host.shell("rm /var/lib/crowdlab/started; systemctl disable crowdlab-agent");
      Configured mended = value(access(agent).configure(target, configuration(null), in(300)));
      assertThat(mended.agentLeftAlone()).isFalse();
      assertThat(mended.agentRestarted()).isTrue();
      assertThat(host.succeeds("systemctl", "is-enabled", "crowdlab-agent")).isTrue();

      // It fails, and systemd gives up.
      host.shell(
          "mkdir -p /run/systemd/system/crowdlab-agent.service.d;"
              + " printf '[Service]\\nRestart=no\\n'"
              + " >/run/systemd/system/crowdlab-agent.service.d/test.conf; systemctl"
              + " daemon-reload; systemctl kill -s KILL crowdlab-agent");
      assertThat(value(access(agent).restartAgent(target, in(30))).leftAlone()).isFalse();
      assertThat(host.succeeds("systemctl", "is-active", "crowdlab-agent")).isTrue();
    }
  }

  @Test
  void uninstallingEndsTeamsAndLeavesTheContributorsOwn(LabNetwork network) throws Exception {
    try (LabHost host = network.start("teams1", HostOptions.full().image())) {
      SshTarget target = keyTarget(host, network, fingerprint(host, "ed25519"));
      host.exec("podman", "run", "-d", "--name", "own", "localhost/exercise:1");
      Set<String> before = listing(host);
      value(access(agent).configure(target, configuration(TOKEN), in(300)));
      team(host);
      host.shell(
          "mkdir -p /run/crowdlab/teams/x && mount -t tmpfs none /run/crowdlab/teams/x"
              + " && nft add table inet crowdlab");

      assertThat(value(access(agent).uninstall(target, in(120))).found()).isTrue();

      assertThat(host.exec("podman", "ps", "-a", "--format", "{{.Names}}").strip())
          .isEqualTo("own");
      assertThat(host.exec("cat", "/proc/mounts")).doesNotContain("/run/crowdlab");
      assertThat(host.exec("nft", "list", "tables")).doesNotContain("inet crowdlab");
      assertUnchanged(before, host);
    }
  }

  @Test
  void packagesThatTheContributorHasComeToNeedStay(LabNetwork network) throws Exception {
    try (LabHost host = network.start("needs1", HostOptions.bare())) {
      SshTarget target = keyTarget(host, network, fingerprint(host, "ed25519"));
      value(access(agent).configure(target, configuration(TOKEN), in(300)));
      host.shell("DEBIAN_FRONTEND=noninteractive apt-get install -y -q sshfs </dev/null");
      host.shell("DEBIAN_FRONTEND=noninteractive apt-get autoremove -y -q </dev/null");
      assertThat(host.succeeds("sh", "-c", "command -v podman")).isTrue();

      Removed removed = value(access(agent).uninstall(target, in(300)));

      assertThat(removed.kept()).contains("sshfs", "fuse3", "libfuse3-3").doesNotContain("podman");
      assertThat(host.succeeds("sh", "-c", "command -v sshfs")).isTrue();
      assertThat(host.succeeds("sh", "-c", "command -v podman")).isFalse();
    }
  }

  @Test
  void aConfigurationThatWasCutShortIsFinishedAndGivenBackWhole(LabNetwork network)
      throws Exception {
    try (LabHost host = network.start("cut1", HostOptions.bare())) {
      SshTarget target = keyTarget(host, network, fingerprint(host, "ed25519"));
      Set<String> before = listing(host);
      Thread cut =
          Thread.ofVirtual()
              .start(
                  () -> {
                    await()
                        .atMost(Duration.ofMinutes(2))
                        .until(
                            () ->
                                host.succeeds("sh", "-c", "grep -q unpacked /var/lib/dpkg/status"));
                    host.powerCut();
                  });
      Outcome<Configured> outcome =
          outcome(access(agent).configure(target, configuration(TOKEN), in(300)));
      cut.join();
      assertThat(failure(outcome).reason()).isEqualTo(Reason.UNREACHABLE);
      host.start();

      assertThat(value(access(agent).configure(target, configuration(TOKEN), in(300))).changed())
          .isTrue();
      assertThat(value(access(agent).uninstall(target, in(300))).kept()).isEmpty();

      assertUnchanged(before, host);
    }
  }

  @Test
  void theMachineCanGiveItselfBack(LabNetwork network) throws Exception {
    try (LabHost host = network.start("self1", HostOptions.full())) {
      SshTarget target = keyTarget(host, network, fingerprint(host, "ed25519"));
      Set<String> before = listing(host);
      value(access(agent).configure(target, configuration(TOKEN), in(300)));

      String command =
          host.shell(
                  """
                  sleep 600 >/dev/null 2>&1 &
                  echo $! >/sys/fs/cgroup/system.slice/crowdlab-agent.service/cgroup.procs
                  echo $!
                  """)
              .strip();

      host.exec("/opt/crowdlab/uninstall", "--detach");

      await()
          .atMost(Duration.ofMinutes(1))
          // A listing fails when what it lists vanishes beneath it.
          .ignoreExceptionsInstanceOf(IllegalStateException.class)
          .untilAsserted(() -> assertUnchanged(before, host));
      assertThat(host.shell("kill -0 " + command + " 2>/dev/null && echo yes || echo no"))
          .as("a command of the agent's is still at work")
          .isEqualTo("no\n");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"ed25519", "ecdsa", "rsa"})
  void aHostOfSeveralKeysIsTrustedByEitherFormOfEachPin(String type, LabNetwork network) {
    try (LabHost host = network.start("keys-" + type, HostOptions.full())) {
      for (HostKeyPin pin : List.of(fingerprint(host, type), line(host, type))) {
        Reply<Probed> reply = access(agent).probe(keyTarget(host, network, pin), quick(), in(60));
        value(reply);
        assertThat(reply.contact().presented()).isEqualTo(HostKey.parse(host.hostKey(type)));
      }
    }
  }

  @Test
  void aPasswordLogsInAndAWrongOneIsRefused(LabNetwork network) {
    try (LabHost host =
        network.start("password1", HostOptions.full().sudoUser("lab").password("it's $ecret"))) {
      HostKeyPin pin = fingerprint(host, "ed25519");
      value(
          access(agent)
              .probe(target(host, pin, SshCredentials.password("it's $ecret")), quick(), in(60)));

      assertThat(
              failure(
                  outcome(
                      access(agent)
                          .probe(
                              target(host, pin, SshCredentials.password("wrong")),
                              quick(),
                              in(60)))))
          .isEqualTo(
              new Outcome.Failure(
                  Outcome.Failure.Kind.TERMINAL,
                  Reason.AUTHENTICATION_FAILED,
                  "the machine refused the credentials of lab; it accepts publickey, password"));
    }
  }

  @Test
  void anUnknownAndAChangedHostKeyAreShownAndNothingIsSent(LabNetwork network) {
    try (LabHost host = network.start("changed1", HostOptions.full())) {
      HostKeyPin pinned = fingerprint(host, "ed25519");
      Reply<Probed> unknown =
          access(agent).probe(keyTarget(host, network, new HostKeyPin.Unpinned()), quick(), in(60));
      assertThat(failure(outcome(unknown)).reason()).isEqualTo(Reason.HOST_KEY_NOT_APPROVED);
      assertThat(unknown.contact().presented())
          .asInstanceOf(type(HostKey.class))
          .extracting(HostKey::fingerprint)
          .isEqualTo(host.fingerprint("ed25519"));

      host.shell(
          "rm /etc/ssh/ssh_host_*; ssh-keygen -A >/dev/null; systemctl restart ssh;"
              + " journalctl --rotate --vacuum-time=1s -q >/dev/null 2>&1 || true");
      Reply<Probed> changed =
          access(agent).probe(keyTarget(host, network, pinned), quick(), in(60));
      assertThat(failure(outcome(changed)).reason()).isEqualTo(Reason.HOST_KEY_CHANGED);
      await("sshd's word on the one that left")
          .atMost(Duration.ofSeconds(10))
          .untilAsserted(
              () ->
                  assertThat(host.shell("journalctl -u ssh --no-pager"))
                      .contains(network.gateway()));
      assertThat(host.shell("journalctl -u ssh --no-pager"))
          .doesNotContain("Accepted publickey for root from " + network.gateway());
    }
  }

  @Test
  void sudoThatAsksForAPasswordIsSaid(LabNetwork network) {
    try (LabHost host = network.start("sudo2", HostOptions.full().sudoUser("lab"))) {
      host.shell("rm -f /etc/sudoers.d/*; ! grep -q NOPASSWD /etc/sudoers");
      SshTarget target = keyTarget(host, network, fingerprint(host, "ed25519"));

      Reply<Probed> reply = access(agent).probe(target, quick(), in(60));

      assertThat(reply.contact().authenticated()).isTrue();
      assertThat(failure(outcome(reply)).reason()).isEqualTo(Reason.SUDO_REFUSED);
    }
  }

  @Test
  void aMachineThatIsOffEndsAtTheDeadline(LabNetwork network) {
    try (LabHost host = network.start("off1", HostOptions.full())) {
      SshTarget target = keyTarget(host, network, fingerprint(host, "ed25519"));
      host.powerCut();

      assertThat(failure(outcome(access(agent).probe(target, quick(), in(3)))).reason())
          .isEqualTo(Reason.UNREACHABLE);
    }
  }

  @Test
  void whatWasTamperedWithShows(LabNetwork network) {
    try (LabHost host = network.start("tamper1", HostOptions.full())) {
      SshTarget target = keyTarget(host, network, fingerprint(host, "ed25519"));
      host.shell(
          """
          printf x >>/usr/bin/su
          rm /usr/bin/tac
          echo '# ours' >>/etc/sudoers
          useradd -o -u 0 -M toor
          mkdir -m 700 /root/.ssh2
          cp /etc/ssh/ssh_host_ed25519_key.pub /tmp/key
          mkdir -p /root/.ssh
          { printf 'command="x y" '; cat /tmp/key; } >>/root/.ssh/authorized_keys
          """);
      int keys =
          host.shell("cat /root/.ssh/authorized_keys")
              .lines()
              .filter(l -> !l.isBlank())
              .toList()
              .size();

      Facts facts = value(access(agent).probe(target, ALL, in(120))).facts();

      assertThat(facts.verification())
          .contains(
              new Facts.PackageFinding("/usr/bin/tac", true, false),
              new Facts.PackageFinding("/etc/sudoers", false, true))
          .anyMatch(f -> f.path().endsWith("bin/su") && !f.missing() && !f.configuration());
      assertThat(facts.uidZero()).containsExactly("root", "toor");
      assertThat(facts.authorizedKeys())
          .filteredOn(key -> key.user().equals("root"))
          .hasSize(keys)
          .contains(
              new Facts.AuthorizedKey(
                  "root", sha256("command=\"x y\" " + host.hostKey("ed25519"))));
    }
  }

  @Test
  void hostileNamesDoNotBreakTheReport(LabNetwork network) {
    try (LabHost host = network.start("names1", HostOptions.full())) {
      host.shell(
          """
          mkdir '/srv/a b'
          cd '/srv/a b'
          : >'quo"te' ; : >"it's" ; : >'back\\slash' ; : >'$(reboot)' ; : >-n ; : >'*'
          : >"$(printf 'new\\nline')" ; : >"$(printf 'esc\\033[31m')" ; : >"$(printf 'bad\\377')"
          ln -s "$(printf '/etc/"x\\n')" link
          """);
      SshTarget target = keyTarget(host, network, fingerprint(host, "ed25519"));

      Probed probed =
          value(access(agent).probe(target, new ProbeRequest(List.of("/srv/a b"), false), in(60)));

      assertThat(probed.facts().files().keySet())
          .containsExactlyInAnyOrder(
              "/srv/a b/quo\"te",
              "/srv/a b/it's",
              "/srv/a b/back\\slash",
              "/srv/a b/$(reboot)",
              "/srv/a b/-n",
              "/srv/a b/*",
              "/srv/a b/new\\u000aline",
              "/srv/a b/esc\\u001b[31m",
              "/srv/a b/bad\uFFFD",
              "/srv/a b/link");
      assertThat(probed.facts().files().values())
          .filteredOn(file -> !file.digest().startsWith("link:"))
          .allSatisfy(file -> assertThat(file.digest()).isEqualTo(sha256("")));
    }
  }

  private static ProbeRequest quick() {
    return new ProbeRequest(List.of("/usr/sbin/sshd"), false);
  }

  /** A container as the agent starts them, inside the agent's service; returns its process. */
  private static String team(LabHost host) {
    host.exec(
        "podman",
        "run",
        "-d",
        "--name",
        "team",
        "--label",
        "crowdlab.team=t",
        "--stop-timeout",
        "1",
        "localhost/exercise:1");
    return host.exec("podman", "inspect", "-f", "{{.State.Pid}}", "team").strip();
  }

  private static Configuration configuration(String token) {
    return new Configuration(
        "5b7a9a6c-0d4c-4c3f-9a57-4b2f1c8f3d10", "wss://10.77.1.1:8443/agent/v1", "no ca\n", token);
  }

  private static SshVmAccess access(AgentArchive archive) {
    return new SshVmAccess(
        new SshjConnector(SshSettings.DEFAULT, AddressPolicy.strict(), Resolver.system()),
        archive,
        Clock.systemUTC());
  }

  private static SshTarget keyTarget(LabHost host, LabNetwork network, HostKeyPin pin) {
    return target(host, pin, SshCredentials.key(network.privateKey()));
  }

  private static SshTarget target(LabHost host, HostKeyPin pin, SshCredentials credentials) {
    return new SshTarget(
        host.address(), host.sshPort(), host.user(), !host.user().equals("root"), pin, credentials);
  }

  private static HostKeyPin fingerprint(LabHost host, String type) {
    return HostKeyPin.parse(host.fingerprint(type));
  }

  private static HostKeyPin line(LabHost host, String type) {
    return HostKeyPin.parse(host.hostKey(type));
  }

  /**
   * Every path with its type, mode, owner and size, and what is in the files that are edited; logs,
   * caches and volatile paths aside, and what apt and dpkg note about themselves.
   */
  private static Set<String> listing(LabHost host) {
    return Stream.concat(
            host.listing().stream().filter(line -> line.startsWith("./")),
            host.shell("find /etc /opt /root /home /usr/local -xdev -type f -exec sha256sum {} +")
                .lines())
        .filter(
            line ->
                !line.contains("/var/lib/apt/extended_states")
                    && !line.contains("/var/lib/dpkg/status")
                    && !line.contains("/var/lib/dpkg/lock")
                    && !line.contains("/var/lib/dpkg/triggers/")
                    && !line.contains("/etc/ld.so.cache")
                    && !line.contains("/var/lib/systemd/random-seed")
                    && !line.contains("/var/lib/systemd/timesync/"))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static void assertUnchanged(Set<String> before, LabHost host) {
    Set<String> after = listing(host);
    assertThat(after.stream().filter(line -> !before.contains(line))).as("came").isEmpty();
    assertThat(before.stream().filter(line -> !after.contains(line))).as("went").isEmpty();
  }

  private static String accounts(LabHost host) {
    return host.exec("cat", "/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow");
  }

  private static String packages(LabHost host) {
    return host.shell("dpkg-query -W; apt-mark showmanual");
  }

  private static String units(LabHost host) {
    return host.shell(
        "systemctl list-unit-files --no-legend; systemctl list-timers -a --no-legend | awk '{print"
            + " $(NF-1)}' | sort");
  }

  /** When each file's content and each inode last changed. */
  private static String stamps(LabHost host) {
    return host.shell(
        "find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var/tmp"
            + " -o -path /var/log -o -path /var/cache -o -path /var/lib/systemd \\) -prune"
            + " -o -printf '%p %T@ %C@\\n' | sort");
  }

  private static AgentArchive agent(String name) throws Exception {
    Path root = Files.createDirectory(directory.resolve(name));
    Path program = root.resolve("bin/crowdlab-agent");
    Files.createDirectory(program.getParent());
    Files.writeString(program, "#!/bin/sh\n# " + name + "\nexec sleep infinity\n");
    assertThat(program.toFile().setExecutable(true, false)).isTrue();
    Process tar =
        new ProcessBuilder("tar", "-C", root.toString(), "-cz", ".")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    tar.getInputStream().transferTo(out);
    assertThat(tar.waitFor()).isZero();
    return AgentArchive.of(Payload.of(out.toByteArray()), "x86_64");
  }

  private static <T> Outcome<T> outcome(Reply<T> reply) {
    return reply.outcome();
  }

  private static <T> T value(Reply<T> reply) {
    assertThat(reply.outcome()).isInstanceOf(Outcome.Done.class);
    return ((Outcome.Done<T>) reply.outcome()).value();
  }

  private static Outcome.Failure failure(Outcome<?> outcome) {
    assertThat(outcome).isInstanceOf(Outcome.Failed.class);
    return ((Outcome.Failed<?>) outcome).failure();
  }

  private static String sha256(String text) {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Deadline in(int seconds) {
    return Deadline.in(Duration.ofSeconds(seconds));
  }
}
