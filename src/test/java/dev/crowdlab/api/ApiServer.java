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
  private static final Namespace NAMESPACE = Namespace.create(ApiServer.class);

  @Override
  public void beforeAll(ExtensionContext context) {
    running(context);
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == KubernetesClient.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return running(context).client();
  }

  private static Running running(ExtensionContext context) {
    return context
        .getRoot()
        .getStore(NAMESPACE)
        .computeIfAbsent(Running.class, _ -> Running.start(), Running.class);
  }

  private record Running(KubeAPIServer server, KubernetesClient client) implements AutoCloseable {
    static Running start() {
      Path cache =
          Path.of(
              System.getenv()
                  .getOrDefault(
                      "CROWDLAB_CACHE", System.getProperty("user.home") + "/.cache/crowdlab"));
      KubeAPIServer server =
          new KubeAPIServer(
              new KubeAPIServerConfigBuilder()
                  .withTestDir(cache.resolve("kube-api-test").toString())
                  .withOfflineMode(true)
                  .withApiServerVersion("1.36.3")
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
