package dev.crowdlab.api;

import io.fabric8.kubeapitest.KubeAPIServer;
import io.fabric8.kubeapitest.KubeAPIServerConfigBuilder;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * A real API server with our definitions and a namespace {@code lab}, one for all the tests here.
 */
final class ApiServer implements BeforeAllCallback, ParameterResolver {
  private static final String VERSION = "1.36.3";
  private static final Path CACHE =
      Path.of(
              System.getenv()
                  .getOrDefault(
                      "CROWDLAB_CACHE", System.getProperty("user.home") + "/.cache/crowdlab"))
          .resolve("kube-api-test");
  private static final Namespace NAMESPACE = Namespace.create(ApiServer.class);

  @Override
  public void beforeAll(ExtensionContext context) {
    running(context);
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == KubernetesClient.class
        || parameter.getParameter().getType() == Kubectl.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    Running running = running(context);
    return parameter.getParameter().getType() == Kubectl.class
        ? new Kubectl(running.server().getKubeConfigYaml())
        : running.client();
  }

  /** The real kubectl of the same version, as the cluster's administrator. */
  record Kubectl(String kubeConfig) {
    /** Runs it to its end and gives what it printed; fails when it failed. */
    String run(Path scratch, String... words) throws IOException, InterruptedException {
      Path config = Files.writeString(scratch.resolve("kubeconfig"), kubeConfig);
      Path output = scratch.resolve("output");
      List<String> command = new ArrayList<>();
      command.add(CACHE.resolve("k8s/" + VERSION + "-linux-amd64/kubectl").toString());
      command.add("--kubeconfig=" + config);
      command.add("--cache-dir=" + scratch.resolve("cache"));
      command.addAll(List.of(words));
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      if (!process.waitFor(60, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IllegalStateException("kubectl did not end: " + command);
      }
      String printed = Files.readString(output);
      if (process.exitValue() != 0) {
        throw new IllegalStateException(command + " failed: " + printed);
      }
      return printed;
    }
  }

  private static Running running(ExtensionContext context) {
    return context
        .getRoot()
        .getStore(NAMESPACE)
        .computeIfAbsent(Running.class, _ -> Running.start(), Running.class);
  }

  private record Running(KubeAPIServer server, KubernetesClient client) implements AutoCloseable {
    static Running start() {
      KubeAPIServer server =
          new KubeAPIServer(
              new KubeAPIServerConfigBuilder()
                  .withTestDir(CACHE.toString())
                  .withOfflineMode(true)
                  .withApiServerVersion(VERSION)
                  .withUpdateKubeConfig(false)
                  .build());
      server.start();
      KubernetesClient client =
          new KubernetesClientBuilder()
              .withConfig(Config.fromKubeconfig(server.getKubeConfigYaml()))
              .build();
      try (Stream<Path> files = Files.list(Crds.DIRECTORY)) {
        files.forEach(file -> apply(client, file));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      client
          .namespaces()
          .resource(new NamespaceBuilder().withNewMetadata().withName("lab").endMetadata().build())
          .create();
      return new Running(server, client);
    }

    private static void apply(KubernetesClient client, Path file) {
      CustomResourceDefinition crd =
          client.apiextensions().v1().customResourceDefinitions().load(file.toFile()).create();
      Awaitility.await()
          .atMost(Duration.ofSeconds(30))
          .until(
              () ->
                  client
                      .apiextensions()
                      .v1()
                      .customResourceDefinitions()
                      .withName(crd.getMetadata().getName())
                      .get()
                      .getStatus()
                      .getConditions()
                      .stream()
                      .anyMatch(
                          c -> c.getType().equals("Established") && c.getStatus().equals("True")));
    }

    @Override
    public void close() {
      client.close();
      server.stop();
    }
  }
}
