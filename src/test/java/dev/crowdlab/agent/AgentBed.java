package dev.crowdlab.agent;

import dev.crowdlab.protocol.FromAgent.Hello;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.testbed.HostOptions;
import dev.crowdlab.testbed.LabHost;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.TestPki;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A machine with the agent as it is shipped, a file server, a third machine, and a stub hub. */
final class AgentBed implements AutoCloseable {

  /** An address of the internet, played by the third machine. */
  static final String INTERNET_ADDRESS = "198.41.0.44";

  /** A public address that leads to the VM itself. */
  static final String PUBLIC_OF_VM = "198.41.0.45";

  /** Where clouds tell a machine's secrets; played by a network namespace of the VM. */
  static final String METADATA = "169.254.169.254";

  private final StubHub hub;
  private final LabHost vm;
  private final LabHost files;
  private final LabHost other;

  private AgentBed(StubHub hub, LabHost vm, LabHost files, LabHost other) {
    this.hub = hub;
    this.vm = vm;
    this.files = files;
    this.other = other;
  }

  static AgentBed start(LabNetwork network, Path folder) throws Exception {
    TestPki pki = new TestPki();
    StubHub hub = new StubHub(network.gateway(), pki.server(network.gateway()));
    LabHost files = network.start("files", HostOptions.full());
    LabHost vm = network.start("vm", HostOptions.full().image().alsoAddress(PUBLIC_OF_VM));
    LabHost other = network.start("other", HostOptions.full().alsoAddress(INTERNET_ADDRESS));
    files.write(
        "/etc/ssh/sshd_config.d/workspaces.conf",
        """
        MaxStartups 100
        Match Group workspaces
          ChrootDirectory /run/crowdlab/e/%u
          ForceCommand internal-sftp
          AuthorizedKeysFile /etc/crowdlab/keys/%u
        """);
    files.shell("groupadd workspaces; mkdir -p /etc/crowdlab/keys; systemctl reload ssh");
    vm.shell(
        """
        ip netns add cloud
        ip link add cloud0 type veth peer name eth0 netns cloud
        ip link set cloud0 up
        ip route add %1$s/32 dev cloud0
        ip -n cloud link set eth0 up
        ip -n cloud address add %1$s/32 dev eth0
        ip -n cloud route add default dev eth0
        systemd-run -q --unit=cloud ip netns exec cloud /usr/sbin/sshd -D -p 80
        """
            .formatted(METADATA));
    AgentBed bed = new AgentBed(hub, vm, files, other);
    bed.install(Files.readString(pki.caFile(folder)));
    return bed;
  }

  private void install(String ca) throws Exception {
    Path archive = Path.of("target/classes/crowdlab-agent.tar.gz").toAbsolutePath();
    vm.shell(
        "mkdir -p /opt/crowdlab/current /etc/crowdlab; useradd -r -M -s /usr/sbin/nologin"
            + " crowdlab");
    new ProcessBuilder(
            "sh",
            "-c",
            "exec ssh -q -i \"$1\" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
                + " root@\"$2\" tar -C /opt/crowdlab/current -xz <\"$3\"",
            "sh",
            key().toString(),
            vm.address(),
            archive.toString())
        .inheritIO()
        .start()
        .waitFor();
    vm.write("/opt/crowdlab/current/digest", "0123456789abcdef\n");
    vm.write("/etc/crowdlab/hub-ca.pem", ca);
    vm.write("/etc/crowdlab/token", "first-token\n");
    vm.write("/etc/crowdlab-testbed.json", "{\"noLimits\": true}\n");
    vm.write(
        "/etc/crowdlab/agent.json",
        """
        {"hub":"%s","vmUid":"vm-uid","caFile":"/etc/crowdlab/hub-ca.pem","tokenFile":"/etc/crowdlab/token",
         "stateDir":"/var/lib/crowdlab","runDir":"/run/crowdlab","mountDeadSeconds":20}
        """
            .formatted(hub.uri()));
    vm.write(
        "/etc/systemd/system/crowdlab-agent.service",
        Files.readString(Path.of("src/main/resources/dev/crowdlab/vm/crowdlab-agent.service")));
    vm.exec("systemctl", "enable", "--now", "crowdlab-agent");
  }

  private Path key() throws Exception {
    Path file = Files.createTempFile("key", "");
    Files.writeString(file, vm.privateKey());
    Files.setPosixFilePermissions(
        file, java.nio.file.attribute.PosixFilePermissions.fromString("rw-------"));
    return file;
  }

  StubHub hub() {
    return hub;
  }

  LabHost vm() {
    return vm;
  }

  LabHost files() {
    return files;
  }

  LabHost other() {
    return other;
  }

  /** Lets the VM's key in as the login of a team, and no other key. */
  void grant(String login) {
    String key = hub.connection(1).await(Hello.class).workspaceKey();
    files.shell(
        """
        id %1$s >/dev/null 2>&1 || useradd -M -g workspaces -d / -s /usr/sbin/nologin %1$s
        mkdir -p /run/crowdlab/e/%1$s/data && chown %1$s /run/crowdlab/e/%1$s/data
        echo '%2$s' >/etc/crowdlab/keys/%1$s
        """
            .formatted(login, key));
  }

  /** Fences a login as the file server would: no key, no session. */
  void fence(String login) {
    files.shell("rm -f /etc/crowdlab/keys/%1$s; pkill -KILL -u %1$s || true".formatted(login));
  }

  ToAgent.Mount mount(String login) {
    return new ToAgent.Mount(files.address(), 22, login, "/data", files.hostKey("ed25519"), false);
  }

  /** A team of two containers with a workspace, reached from this machine. */
  ToAgent.Run run(String team, long epoch, int port) {
    grant(team);
    return run(team, epoch, port, mount(team), false, containers());
  }

  ToAgent.Run run(
      String team,
      long epoch,
      int port,
      ToAgent.@Nullable Mount mount,
      boolean internet,
      List<ToAgent.Container> containers) {
    return new ToAgent.Run(
        team,
        "lab",
        team,
        epoch,
        mount,
        containers,
        internet,
        List.of(new ToAgent.PublishedPort("web", "http", 8080, port)),
        List.of(gateway() + "/32"),
        null,
        new ToAgent.VmLimits(20, 0, 0));
  }

  static List<ToAgent.Container> containers() {
    return List.of(
        new ToAgent.Container(
            "web",
            "localhost/exercise:1",
            List.of(),
            List.of(),
            Map.of("GREETING", "a \"quoted\" $HOME word"),
            500,
            64L << 20,
            "/work"),
        new ToAgent.Container(
            "victim",
            "localhost/exercise:1",
            List.of("/bin/httpd", "-f", "-p", "9090"),
            List.of(),
            Map.of(),
            0,
            0,
            null));
  }

  String hubHost() {
    return gateway();
  }

  int hubPort() {
    return java.net.URI.create(hub.uri()).getPort();
  }

  private String gateway() {
    return URI_HOST.matcher(hub.uri()).replaceFirst("$1");
  }

  private static final java.util.regex.Pattern URI_HOST =
      java.util.regex.Pattern.compile("wss://([^:/]+).*");

  @Override
  public void close() {
    hub.close();
  }
}
