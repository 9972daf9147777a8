package dev.crowdlab.testbed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The machines that all other tests stand on are what they are said to be. */
@RequiresTestBed
class TestBedE2E {
  @Test
  void aHostIsAMachineOfItsOwnThatOneLogsInToOverSsh(LabNetwork network) {
    try (LabHost host = network.start("own", HostOptions.bare())) {
      assertThat(host.ssh("hostname")).isEqualTo("own\n");
      assertThat(host.ssh("whoami")).isEqualTo("root\n");
      assertThat(host.ssh("ps -o comm= -p 1")).isEqualTo("systemd\n");
      assertThat(host.fingerprint("ed25519"))
          .isEqualTo(
              host.exec("ssh-keygen", "-lf", "/etc/ssh/ssh_host_ed25519_key.pub").split(" ")[1]);
    }
  }

  @Test
  void aSudoUserLogsInOnAnotherPort(LabNetwork network) {
    try (LabHost host = network.start("sudo", HostOptions.bare().sudoUser("lab").sshPort(2222))) {
      assertThat(host.ssh("sudo -n id -u")).isEqualTo("0\n");
      assertThat(host.user()).isEqualTo("lab");
    }
  }

  @Test
  void aPowerCutIsSilentAndTheDiskIsThereWhenThePowerIsBack(LabNetwork network) {
    try (LabHost host = network.start("cut", HostOptions.bare())) {
      // given
      host.shell("echo kept >/var/lib/kept; sync");

      // when
      host.powerCut();

      // then
      assertHangs(host);
      host.start();
      assertThat(host.ssh("cat /var/lib/kept")).isEqualTo("kept\n");
    }
  }

  @Test
  void aPartitionIsSilentAndHeals(LabNetwork network) {
    try (LabHost host = network.start("part", HostOptions.bare())) {
      host.partition();
      assertHangs(host);
      host.heal();
      assertThat(host.ssh("true")).isEmpty();
    }
  }

  @Test
  void aCutBetweenTwoHostsLeavesTheOthers(LabNetwork network) {
    try (LabHost one = network.start("one", HostOptions.bare());
        LabHost two = network.start("two", HostOptions.bare())) {
      one.cutFrom(two);
      assertThat(connects(one, two.address(), 22)).isFalse();
      assertThat(one.ssh("true")).isEmpty();
      one.heal();
      assertThat(connects(one, two.address(), 22)).isTrue();
    }
  }

  @Test
  void aFrozenHostHangsAndGoesOn(LabNetwork network) {
    try (LabHost host = network.start("frozen", HostOptions.bare())) {
      host.freeze();
      assertThatThrownBy(() -> readBanner(host)).isInstanceOf(SocketTimeoutException.class);
      host.thaw();
      assertThat(host.ssh("true")).isEmpty();
    }
  }

  @Test
  void nothingOfALabLeavesTheMachine(LabNetwork network) {
    try (LabHost host = network.start("inside", HostOptions.bare());
        LabHost internet =
            network.start("internet", HostOptions.bare().alsoAddress("203.0.113.7"))) {
      assertThat(connects(host, "198.51.100.1", 80)).isFalse();
      assertThat(connects(host, "203.0.113.7", internet.sshPort())).isTrue();
    }
  }

  @Test
  void aBareHostInstallsPackagesAndTheListingShowsWhatCame(LabNetwork network) {
    try (LabHost host = network.start("install", HostOptions.bare())) {
      Set<String> before = host.listing();

      host.ssh("apt-get update -q && apt-get install -y -q --no-install-recommends sshfs");

      Set<String> came = host.listing();
      came.removeAll(before);
      assertThat(came.stream().filter(line -> line.contains("/usr/bin/")))
          .anyMatch(line -> line.startsWith("./usr/bin/sshfs f 755 0:0 "));
    }
  }

  @Test
  void oneHostMountsAnothersFilesWithSshfs(LabNetwork network) {
    try (LabHost files = network.start("files", HostOptions.fileServer("64M"));
        LabHost host = network.start("mounts", HostOptions.full())) {
      host.write("/root/id", network.privateKey());
      host.shell("chmod 600 /root/id; mkdir /work");
      host.shell(
          "sshfs -o IdentityFile=/root/id,StrictHostKeyChecking=no root@%s:/srv/data /work >/dev/null 2>&1"
              .formatted(files.address()));
      host.shell("echo saved >/work/notes.txt");

      assertThat(files.exec("cat", "/srv/data/notes.txt")).isEqualTo("saved\n");
    }
  }

  @Test
  void aHostPullsAnImageFromARegistryThatAsksForAPassword(TestBed bed, LabNetwork network) {
    try (LabHost host = network.start("pulls", HostOptions.full());
        ImageRegistry registry = ImageRegistry.guarded(bed, network, "bob", "secret")) {
      registry.trustedBy(host);

      assertThat(host.succeeds("podman", "pull", "-q", registry.image())).isFalse();
      assertThat(host.succeeds("podman", "pull", "-q", "--creds=bob:secret", registry.image()))
          .isTrue();
    }
  }

  @Test
  void aStudentReachesAnExerciseThroughTheIngress(
      ControlPlane controlPlane, LabNetwork network, IngressBed ingress) {
    try (LabHost host = network.start("serves", HostOptions.full().image());
        Browser browser = new Browser(ingress.address())) {
      // given
      host.shell("mkdir /work; podman run -d -p 30080:8080 -v /work:/work localhost/exercise:1");
      controlPlane
          .admin()
          .resource(new NamespaceBuilder().withNewMetadata().withName("bed").endMetadata().build())
          .create();

      // when
      controlPlane.admin().load(stream(route(host.address()))).serverSideApply();

      // then
      String url = "http://exercise.lab.example.org/cgi-bin/file?notes.txt";
      await()
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(() -> assertThat(browser.post(url, "hello").body()).isEqualTo("saved\n"));
      assertThat(browser.get(url)).isEqualTo(new Browser.Page(200, "hello", ""));
      assertThat(host.exec("cat", "/work/notes.txt")).isEqualTo("hello");

      // when
      String append = "http://exercise.lab.example.org/cgi-bin/append?notes.txt";
      assertThat(browser.post(append, "first").body()).isEqualTo("appended\n");
      assertThat(browser.post(append, "second").body()).isEqualTo("appended\n");

      // then
      assertThat(host.exec("cat", "/work/notes.txt")).isEqualTo("hello\nfirst\nsecond\n");
    }
  }

  private static void assertHangs(LabHost host) {
    assertThatThrownBy(() -> readBanner(host))
        .isInstanceOf(SocketTimeoutException.class)
        .hasMessageContaining("onnect timed out");
  }

  private static int readBanner(LabHost host) throws IOException {
    try (Socket socket = new Socket()) {
      // Longer than the three seconds after which an unanswered ARP would say "no route to host".
      socket.connect(new InetSocketAddress(host.address(), host.sshPort()), 4_000);
      socket.setSoTimeout(1_000);
      return socket.getInputStream().read();
    }
  }

  private static boolean connects(LabHost from, String address, int port) {
    return from.succeeds(
        "timeout", "2", "bash", "-c", "exec 3<>/dev/tcp/$0/$1", address, Integer.toString(port));
  }

  private static InputStream stream(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String route(String address) {
    return """
    apiVersion: v1
    kind: Service
    metadata: {name: exercise, namespace: bed}
    spec:
      ports: [{name: http, port: 80, targetPort: 30080}]
    ---
    apiVersion: discovery.k8s.io/v1
    kind: EndpointSlice
    metadata: {name: exercise, namespace: bed, labels: {kubernetes.io/service-name: exercise}}
    addressType: IPv4
    ports: [{name: http, port: 30080, protocol: TCP}]
    endpoints: [{addresses: ["%s"], conditions: {ready: true}}]
    ---
    apiVersion: networking.k8s.io/v1
    kind: Ingress
    metadata: {name: exercise, namespace: bed}
    spec:
      ingressClassName: contour
      rules:
      - host: exercise.lab.example.org
        http:
          paths:
          - {path: /, pathType: Prefix, backend: {service: {name: exercise, port: {name: http}}}}
    """
        .formatted(address);
  }
}
