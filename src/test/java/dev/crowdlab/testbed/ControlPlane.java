package dev.crowdlab.testbed;

import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.UUID;

/**
 * A Kubernetes control plane on loopback: etcd, the API server with RBAC, and the controllers that
 * collect garbage, end namespaces and keep service accounts. Up in about three seconds.
 *
 * <p>The garbage collector learns of new resource types every 30 s: owned objects of a custom
 * resource whose CRD is younger may stay that long.
 */
public final class ControlPlane implements AutoCloseable {
  private static final Duration START_BOUND = Duration.ofSeconds(60);
  private static final Duration POLL = Duration.ofMillis(50);
  private static final String CONTROLLERS =
      "garbage-collector-controller,namespace-controller,serviceaccount-controller,"
          + "clusterrole-aggregation-controller,endpoints-controller,endpointslice-controller";

  private final TestBed bed;
  private final WorkFolder folder = WorkFolder.create();
  private final List<AutoCloseable> started = new ArrayList<>();
  private final int etcdPort = WorkFolder.freePort();
  private final int port = WorkFolder.freePort();
  private final String adminToken = UUID.randomUUID().toString();
  private final Path adminKubeconfig;
  private final KubernetesClient admin;
  private Daemon apiServer;

  private ControlPlane(TestBed bed) {
    this.bed = bed;
    try {
      writeKeys();
      adminKubeconfig = writeKubeconfig("admin", adminToken);
      startEtcd();
      apiServer = startApiServer();
      await().atMost(START_BOUND).pollInterval(POLL).until(() -> Files.exists(certificate()));
      admin = client(adminKubeconfig);
      started.add(admin);
      awaitReady();
      started.add(startControllers());
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  public static ControlPlane start() {
    return start(TestBed.ready());
  }

  public static ControlPlane start(TestBed bed) {
    return new ControlPlane(bed);
  }

  /** A client that may do everything; closed with this. */
  public KubernetesClient admin() {
    return admin;
  }

  public String url() {
    return "https://127.0.0.1:" + port;
  }

  /** A kubeconfig of one who may do everything. */
  public Path kubeconfig() {
    return adminKubeconfig;
  }

  /** A kubeconfig of a service account, which may do what its RBAC allows. Good for an hour. */
  public Path kubeconfig(String namespace, String serviceAccount) {
    String token =
        admin
            .serviceAccounts()
            .inNamespace(namespace)
            .withName(serviceAccount)
            .tokenRequest(
                new TokenRequestBuilder()
                    .withNewSpec()
                    .withExpirationSeconds(3600L)
                    .endSpec()
                    .build())
            .getStatus()
            .getToken();
    return writeKubeconfig(namespace + "-" + serviceAccount, token);
  }

  /** A client of one who may do what their token's RBAC allows; the caller closes it. */
  public KubernetesClient client(Path kubeconfig) {
    return new KubernetesClientBuilder()
        .withConfig(Config.fromKubeconfig(kubeconfig.toFile()))
        .build();
  }

  /** Where kubectl of the same version is. */
  public Path binaries() {
    return bed.kube();
  }

  /** Runs kubectl as one who may do everything, and gives what it printed. */
  public String kubectl(String... words) {
    List<String> command = new ArrayList<>();
    command.add(bed.kube().resolve("kubectl").toString());
    command.add("--kubeconfig=" + kubeconfig());
    command.addAll(List.of(words));
    return Command.output(Duration.ofMinutes(1), command);
  }

  /** Installs the operator's account, its rights and all else that an installation makes. */
  public void installOperator() {
    kubectl(
        "apply",
        "--server-side",
        "--force-conflicts",
        "-f",
        "manifests/install/00-namespace.yaml",
        "-f",
        "manifests/install/crowdlab.yaml");
  }

  /** Kills the API server; what it stored stays. */
  public void stopApiServer() {
    apiServer.close();
  }

  /** Starts a stopped API server on the same address, and waits until it is ready. */
  public void startApiServer(Duration bound) {
    apiServer = startApiServer();
    awaitReady(bound);
  }

  @Override
  public void close() {
    Closing.all(
        () -> Closing.reversed(started),
        () -> {
          if (apiServer != null) {
            apiServer.close();
          }
        },
        folder::close);
  }

  private void startEtcd() {
    String url = "http://127.0.0.1:" + etcdPort;
    String peer = "http://127.0.0.1:" + WorkFolder.freePort();
    started.add(
        bed.start(
            log("etcd"),
            bed.kube().resolve("etcd").toString(),
            "--data-dir=" + folder.resolve("etcd"),
            "--listen-client-urls=" + url,
            "--advertise-client-urls=" + url,
            "--listen-peer-urls=" + peer,
            "--initial-advertise-peer-urls=" + peer,
            "--initial-cluster=default=" + peer,
            "--unsafe-no-fsync",
            "--log-level=warn"));
  }

  private Daemon startApiServer() {
    return bed.start(
        log("kube-apiserver"),
        bed.kube().resolve("kube-apiserver").toString(),
        "--etcd-servers=http://127.0.0.1:" + etcdPort,
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        "--secure-port=" + port,
        "--cert-dir=" + folder.resolve("certificates"),
        "--service-cluster-ip-range=10.96.0.0/16",
        "--endpoint-reconciler-type=none",
        "--authorization-mode=RBAC",
        "--token-auth-file=" + folder.resolve("tokens.csv"),
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-account-key-file=" + folder.resolve("accounts.pub"),
        "--service-account-signing-key-file=" + folder.resolve("accounts.key"));
  }

  private Daemon startControllers() {
    return bed.start(
        log("kube-controller-manager"),
        bed.kube().resolve("kube-controller-manager").toString(),
        "--kubeconfig=" + kubeconfig(),
        "--controllers=" + CONTROLLERS,
        "--service-account-private-key-file=" + folder.resolve("accounts.key"),
        "--root-ca-file=" + certificate(),
        "--leader-elect=false",
        "--secure-port=0");
  }

  private void awaitReady() {
    awaitReady(START_BOUND);
  }

  private void awaitReady(Duration bound) {
    await()
        .atMost(bound)
        .pollInterval(POLL)
        .ignoreExceptions()
        .until(
            () -> {
              apiServer.checkRunning();
              return "ok".equals(admin.raw("/readyz"))
                  && admin.namespaces().withName("default").get() != null;
            });
  }

  private void writeKeys() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(2048);
      KeyPair pair = generator.generateKeyPair();
      write("accounts.key", pem("PRIVATE KEY", pair.getPrivate().getEncoded()));
      write("accounts.pub", pem("PUBLIC KEY", pair.getPublic().getEncoded()));
      write("tokens.csv", adminToken + ",admin,admin,\"system:masters\"\n");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private Path writeKubeconfig(String user, String token) {
    return write(
        user + ".kubeconfig",
        """
        apiVersion: v1
        kind: Config
        clusters:
        - {name: testbed, cluster: {server: "%s", certificate-authority: "%s"}}
        users:
        - {name: "%s", user: {token: "%s"}}
        contexts:
        - {name: testbed, context: {cluster: testbed, user: "%s"}}
        current-context: testbed
        """
            .formatted(url(), certificate(), user, token, user));
  }

  private Path certificate() {
    return folder.resolve("certificates/apiserver.crt");
  }

  private Path log(String name) {
    return folder.resolve(name + ".log");
  }

  private Path write(String name, String text) {
    try {
      return Files.writeString(folder.resolve(name), text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String pem(String kind, byte[] der) {
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
        .formatted(kind, Base64.getMimeEncoder().encodeToString(der), kind);
  }
}
