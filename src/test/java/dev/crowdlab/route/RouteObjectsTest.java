package dev.crowdlab.route;

import static dev.crowdlab.route.Teams.ACCESS;
import static dev.crowdlab.route.Teams.access;
import static dev.crowdlab.route.Teams.team;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.LabTeam;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RouteObjectsTest {

  private final LabTeam team = team("lab", "team-7", ACCESS);

  @Test
  void theServiceHasNoSelector() throws IOException {
    assertThat(yaml(RouteObjects.service(team))).isEqualTo(golden("service.yaml"));
  }

  @Test
  void theSliceHoldsOneReadyEndpoint() throws IOException {
    assertThat(yaml(RouteObjects.slice(team, false, Endpoint.of("10.77.1.2", 20_001))))
        .isEqualTo(golden("slice-ipv4.yaml"));
  }

  @Test
  void anIpv6EndpointHasASliceOfItsOwn() throws IOException {
    assertThat(yaml(RouteObjects.slice(team, true, Endpoint.of("2001:db8::5", 20_001))))
        .isEqualTo(golden("slice-ipv6.yaml"));
  }

  @Test
  void withoutAnEndpointTheSliceIsEmpty() throws IOException {
    assertThat(yaml(RouteObjects.slice(team, false, null))).isEqualTo(golden("slice-empty.yaml"));
  }

  @Test
  void theIngressLeadsFromHostAndPathToTheService() throws IOException {
    assertThat(yaml(RouteObjects.ingress(team, key -> true))).isEqualTo(golden("ingress.yaml"));
  }

  @Test
  void theIngressCarriesTlsAndOnlyAllowedAnnotations() throws IOException {
    Map<String, String> annotations =
        Map.of("cert-manager.io/issuer", "ca", "nginx.org/server-snippets", "return 200;");
    LabTeam tls =
        team("lab", "007.bond", access("Bond.Lab.example.org", "/x/", "bond-tls", annotations));

    HasMetadata ingress = RouteObjects.ingress(tls, "cert-manager.io/issuer"::equals);

    assertThat(yaml(ingress)).isEqualTo(golden("ingress-tls.yaml"));
  }

  @ParameterizedTest
  @CsvSource({
    "cert-manager.io/issuer, true",
    "cert-manager.io/cluster-issuer, false",
    "haproxy.org/timeout-server, true",
    "haproxy.org.evil/x, false",
    "haproxy.org, false",
    "plain, true",
    "/x, false",
  })
  void anAnnotationIsAllowedByItsKeyOrItsPrefix(String key, boolean allowed) {
    RouteSettings settings =
        new RouteSettings(Set.of("cert-manager.io/issuer", "haproxy.org/*", "plain"), null);

    assertThat(settings.allows(key)).isEqualTo(allowed);
  }

  @ParameterizedTest
  @CsvSource({
    "lab.example.org, /, , http://lab.example.org/",
    "Lab.Example.org, /a, , http://lab.example.org/a",
    "lab.example.org, /a/, tls, https://lab.example.org/a/",
  })
  void theUrlIsHttpsWithATlsSecret(String host, String path, String secret, String url) {
    assertThat(RouteUrl.of(access(host, path, secret, Map.of()))).isEqualTo(url);
    assertThat(RouteUrl.host(url)).isEqualTo("lab.example.org");
  }

  private static String yaml(HasMetadata object) {
    return Serialization.asYaml(object);
  }

  private static String golden(String name) throws IOException {
    try (InputStream in = RouteObjectsTest.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), UTF_8);
    }
  }
}
