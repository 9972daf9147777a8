package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.agent.Mounts.Attach;
import dev.crowdlab.agent.Mounts.Place;
import dev.crowdlab.protocol.ToAgent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SshfsTest {

  private static final Place PLACE = new Place("uid-1", 3);
  private static final CompletableFuture<Void> NEVER = new CompletableFuture<>();

  @TempDir Path folder;

  private final FakeCommands commands = new FakeCommands();

  private Sshfs sshfs(Optional<String> user) {
    return new Sshfs(commands, Runnable::run, folder, Path.of("/k"), user);
  }

  private List<String> mountWords() {
    return commands.asked().stream()
        .map(Commands.Command::words)
        .filter(words -> words.contains("mount.fuse3"))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void itMountsWithBoundsAPinnedKeyAndNoRightsOfRoot() throws Exception {
    // given
    StringBuilder config = new StringBuilder();
    commands.answer(
        "mount.fuse3",
        command -> {
          try {
            config.append(Files.readString(folder.resolve("uid-1/3/ssh_config")));
            config.append(Files.readString(folder.resolve("uid-1/3/known_hosts")));
          } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
          }
          return new Commands.Result(0, "", "");
        });

    // when
    Attach attach = sshfs(Optional.of("crowdlab")).attach(PLACE, Runs.MOUNT, NEVER);

    // then
    assertThat(attach).isEqualTo(new Attach.Attached());
    List<String> words = mountWords();
    assertThat(words).startsWith("systemd-run", "--scope").contains("sshfs#e3@10.77.1.9:/data");
    assertThat(words.getLast())
        .contains("nosuid,nodev,allow_other")
        .contains("setuid=crowdlab,drop_privileges")
        .contains("kernel_cache")
        .contains("ssh_command=ssh -F " + folder.resolve("uid-1/3/ssh_config"))
        .doesNotContain("reconnect", "sshfs_sync");
    assertThat(config)
        .contains("Port 2222\n", "User e3\n", "IdentityFile /k\n", "IdentitiesOnly yes\n")
        .contains("StrictHostKeyChecking yes\n", "BatchMode yes\n", "ConnectTimeout 5\n")
        .contains("ServerAliveInterval 20\n", "ServerAliveCountMax 3\n")
        .contains("[10.77.1.9]:2222 ssh-ed25519 AAAA");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "curve25519-sha256 sntrup761x25519-sha512@openssh.com|^curve25519-sha256",
        "curve25519-sha256 mlkem768x25519-sha256|^mlkem768x25519-sha256,curve25519-sha256",
      })
  void theQuickKeyExchangesThatSshKnowsComeFirst(String known, String first) throws Exception {
    // given
    commands.answer("ssh -Q kex", 0, known.replace(' ', '\n') + "\n", "");

    Sshfs sshfs = sshfs(Optional.empty());
    sshfs.prepare(PLACE);

    // when
    sshfs.login(PLACE, Runs.MOUNT, NEVER);

    // then
    assertThat(folder.resolve("uid-1/3/ssh_config")).content().contains("KexAlgorithms " + first);
  }

  @Test
  void aSynchronousMountSaysSo() {
    ToAgent.Mount mount = Runs.MOUNT;

    sshfs(Optional.empty())
        .attach(
            PLACE,
            new ToAgent.Mount(
                "2001:db8::9", 22, mount.login(), mount.path(), mount.hostKey(), true),
            NEVER);

    assertThat(mountWords()).contains("sshfs#e3@[2001:db8::9]:/data");
    assertThat(mountWords().getLast()).contains("sshfs_sync").doesNotContain("setuid");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1|e3@10.77.1.9: Permission denied (publickey).|Refused",
        "1|Host key verification failed.|Distrusted",
        "1|ssh: connect to host 10.77.1.9 port 2222: Connection refused|Unreachable",
        "1|Connection closed by 10.77.1.9 port 2222|Unreachable",
        "1|fuse: device not found, try 'modprobe fuse' first: /dev/fuse|Unfit",
        "-3|No such file|Unfit",
        "-1||Unreachable",
      })
  void failuresAreToldApart(int exit, String said, String kind) {
    // given
    commands.answer("mount.fuse3", exit, "", said == null ? "" : said);

    // when
    Attach attach = sshfs(Optional.empty()).attach(PLACE, Runs.MOUNT, NEVER);

    // then
    assertThat(attach.getClass().getSimpleName()).isEqualTo(kind);
    assertThat(folder.resolve("uid-1/3/workspace"))
        .as("where containers are bound to")
        .isDirectory();
  }

  @Test
  void aMountIsFoundByItsPathTheTopmostOfSeveral() {
    String mountinfo =
        """
        22 1 0:20 / /proc rw - proc proc rw
        302 116 0:85 / /run/c/workspace rw,nosuid - fuse.sshfs x rw
        303 302 0:86 / /run/c/workspace rw,nosuid - fuse.sshfs x rw
        """;

    assertThat(Sshfs.device(mountinfo, Path.of("/run/c/workspace"))).contains(86);
    assertThat(Sshfs.device(mountinfo, Path.of("/run/c"))).isEmpty();
  }

  @Test
  void whatIsNotMountedIsDead() {
    assertThat(sshfs(Optional.empty()).health(PLACE)).isEqualTo(Mounts.Health.DEAD);
  }
}
