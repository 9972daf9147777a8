package dev.crowdlab.storage;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.crowdlab.core.Outcome;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.ssh.AddressPolicy;
import dev.crowdlab.ssh.HostKeyPin;
import dev.crowdlab.ssh.Resolver;
import dev.crowdlab.ssh.SshCredentials;
import dev.crowdlab.ssh.SshSettings;
import dev.crowdlab.ssh.SshTarget;
import dev.crowdlab.ssh.SshjConnector;
import dev.crowdlab.testbed.LabHost;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/** A lab host as file server, the operator's way to it, and OpenSSH's client as an agent's. */
final class RealFileServer implements AutoCloseable {

  static final String DATA = "/srv/data/crowdlab";
  static final int SFTP_PORT = 2222;

  private final LabHost host;
  private final SshWorkspaces workspaces;
  private final Path folder;

  RealFileServer(LabHost host) {
    this.host = host;
    this.workspaces = connect(host);
    try {
      folder = Files.createTempDirectory("crowdlab-agent");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    succeed(run("", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", keyFile()));
  }

  /** A connection of an operator's own. */
  static SshWorkspaces connect(LabHost host) {
    SshTarget target =
        new SshTarget(
            host.address(),
            host.sshPort(),
            host.user(),
            !host.user().equals("root"),
            HostKeyPin.parse(host.hostKey("ed25519")),
            SshCredentials.key(host.privateKey()));
    return new SshWorkspaces(
        FileServerSettings.of("files", DATA, SFTP_PORT),
        () -> Outcome.done(target),
        new SshjConnector(SshSettings.DEFAULT, AddressPolicy.strict(), Resolver.system()),
        RandomGenerator.getDefault());
  }

  LabHost host() {
    return host;
  }

  SshWorkspaces workspaces() {
    return workspaces;
  }

  /** The agent's public key. */
  String key() {
    try {
      return Files.readString(folder.resolve("id.pub")).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String privateKey() {
    try {
      return Files.readString(folder.resolve("id"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String keyFile() {
    return folder.resolve("id").toString();
  }

  /** Whether a new session can create a file where the mount leads. */
  boolean canWrite(ToAgent.Mount mount) {
    return sftp(mount, "put " + keyFile() + ".pub " + mount.path() + "/written").exit() == 0;
  }

  /** A new session that carries out SFTP commands until one fails. */
  Ran sftp(ToAgent.Mount mount, String... commands) {
    List<String> words =
        new ArrayList<>(List.of("sftp", "-q", "-b", "-", "-P", Integer.toString(mount.port())));
    words.addAll(sshOptions(mount));
    words.add(mount.login() + "@" + mount.address());
    return run(String.join("\n", commands) + "\n", words.toArray(String[]::new));
  }

  /** The options that make OpenSSH's programs use the agent's key and pin the server's. */
  List<String> sshOptions(ToAgent.Mount mount) {
    Path known = folder.resolve("known_hosts");
    try {
      Files.writeString(
          known, "[%s]:%d %s%n".formatted(mount.address(), mount.port(), mount.hostKey()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return List.of(
        "-i",
        keyFile(),
        "-oIdentitiesOnly=yes",
        "-oBatchMode=yes",
        "-oConnectTimeout=10",
        "-oStrictHostKeyChecking=yes",
        "-oUserKnownHostsFile=" + known);
  }

  /** A file to send that has so many bytes. */
  String file(int bytes) {
    try {
      return Files.write(folder.resolve("file"), new byte[bytes]).toString();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What a program did. */
  record Ran(int exit, String output) {}

  static Ran succeed(Ran ran) {
    if (ran.exit() != 0) {
      throw new IllegalStateException("it ended with %d: %s".formatted(ran.exit(), ran.output()));
    }
    return ran;
  }

  /** Runs a program of this machine, at most half a minute. */
  static Ran run(String stdin, String... words) {
    try {
      Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
      try (var in = process.outputWriter()) {
        in.write(stdin);
      } catch (IOException e) {
        // It ended without reading; its exit status tells.
      }
      Thread killer =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      if (!process.waitFor(30, TimeUnit.SECONDS)) {
                        process.destroyForcibly();
                      }
                    } catch (InterruptedException e) {
                      Thread.currentThread().interrupt();
                    }
                  });
      String output = new String(process.getInputStream().readAllBytes(), UTF_8);
      int exit = process.waitFor();
      killer.join(Duration.ofSeconds(1));
      return new Ran(exit, output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    workspaces.close();
    try {
      for (String file : List.of("id", "id.pub", "known_hosts", "file")) {
        Files.deleteIfExists(folder.resolve(file));
      }
      Files.delete(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
