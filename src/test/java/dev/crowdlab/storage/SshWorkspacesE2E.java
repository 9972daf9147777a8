package dev.crowdlab.storage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.storage.Workspaces.AdvanceRequest;
import dev.crowdlab.testbed.HostOptions;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.RequiresTestBed;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The contract on a real file server, reached as a user with sudo. */
@RequiresTestBed
final class SshWorkspacesE2E extends WorkspacesContract {

  private static RealFileServer server;

  @BeforeAll
  static void start(LabNetwork network) {
    server =
        new RealFileServer(
            network.start("files", HostOptions.fileServer("64M").sudoUser("keeper").sshPort(2022)));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Override
  Workspaces workspaces() {
    return server.workspaces();
  }

  @Override
  String key() {
    return server.key();
  }

  @Override
  boolean canWrite(ToAgent.Mount mount) {
    return server.canWrite(mount);
  }

  @Test
  void preparing_a_prepared_server_changes_nothing() {
    Workspaces.FileServer first = done(workspaces().prepare(soon()));
    Set<String> before = installed(server.host().listing());

    Workspaces.FileServer second = done(workspaces().prepare(soon()));

    assertThat(second).isEqualTo(first);
    assertThat(installed(server.host().listing())).isEqualTo(before);
    assertThat(server.host().shell("systemctl show -p NRestarts --value crowdlab-sftpd"))
        .isEqualToIgnoringNewLines("0");
  }

  private static Set<String> installed(Set<String> listing) {
    Set<String> kept = new TreeSet<>(listing);
    kept.removeIf(line -> line.contains("/srv/data/"));
    return kept;
  }

  @Test
  void a_session_reaches_its_data_and_nothing_else() {
    ToAgent.Mount mount = fresh();

    assertThat(server.sftp(mount, "ls -1 /").output().lines().map(String::strip))
        .contains("/data")
        .noneMatch(line -> line.contains("etc") || line.contains("srv"));
    assertThat(server.sftp(mount, "mkdir /elsewhere").exit()).isNotZero();
    assertThat(server.sftp(mount, "ls /data/../../etc/passwd").exit()).isNotZero();
  }

  @Test
  void a_session_gets_no_shell_no_forwarding_and_no_way_through_the_machines_own_sshd() {
    ToAgent.Mount mount = fresh();

    assertThat(ssh(mount, mount.port(), "id").output()).doesNotContain("uid=");
    assertThat(ssh(mount, mount.port(), "-W", "127.0.0.1:" + server.host().sshPort()).output())
        .doesNotContain("SSH-2.0");
    assertThat(ssh(mount, server.host().sshPort(), "id").exit()).isEqualTo(255);
  }

  @Test
  void root_cannot_log_in_where_workspaces_are_served() {
    ToAgent.Mount mount = fresh();
    ToAgent.Mount asRoot =
        new ToAgent.Mount(
            mount.address(), mount.port(), "root", mount.path(), mount.hostKey(), false);
    server.host().shell("mkdir -p /root/.ssh; echo '" + key() + "' >>/root/.ssh/authorized_keys");

    assertThat(server.canWrite(asRoot)).isFalse();
  }

  private ToAgent.Mount fresh() {
    return mount(
        workspaces().advance(new AdvanceRequest(someId(), 1, "vm", key(), 1 << 20), soon()));
  }

  private static RealFileServer.Ran ssh(ToAgent.Mount mount, int port, String... more) {
    List<String> words = new ArrayList<>(List.of("ssh", "-q", "-p", Integer.toString(port)));
    words.add("-oStrictHostKeyChecking=no");
    words.addAll(server.sshOptions(mount));

    words.add(mount.login() + "@" + mount.address());
    words.addAll(List.of(more));
    return RealFileServer.run("", words.toArray(String[]::new));
  }
}
