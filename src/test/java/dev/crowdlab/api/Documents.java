package dev.crowdlab.api;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.utils.Serialization;

/** The two documents that users begin with, and a way to change them in one place. */
public final class Documents {
  /** Where nothing is ever kept: a test that makes these objects takes a namespace of its own. */
  static final String NAMESPACE = "api-it";

  static final String FINGERPRINT = "SHA256:uNiVztksCsDhcc0u9e8BrrJXVGDCDpHQ0CRxPl9Jf8w";

  static final String VM =
      """
      apiVersion: crowdlab.dev/v1alpha1
      kind: ContributedVM
      metadata: {name: alice-1, namespace: api-it, labels: {crowdlab.dev/location: potsdam}}
      spec:
        contributor: {name: Alice, contact: alice@example.org}
        ssh: {host: 10.77.1.2, port: 22, user: root, hostKey: "%s", credentialsSecretRef: {name: alice-1-ssh}}
        capacity: {teams: 4, cpu: "2", memory: 4Gi}
      """
          .formatted(FINGERPRINT);

  public static final String TEAM =
      """
      apiVersion: crowdlab.dev/v1alpha1
      kind: LabTeam
      metadata: {name: team-7, namespace: api-it}
      spec:
        members: [bob]
        exercise:
          containers:
          - {name: web, image: localhost/exercise:1, ports: [{name: http, containerPort: 8080}], workspaceMountPath: /work}
          - {name: victim, image: localhost/exercise:1, command: [/bin/httpd, -f, -p, "9090"]}
        workspace: {size: 1Gi}
        access: {host: team-7.lab.example.org, path: /, ingressClassName: contour, port: http}
      """;

  private Documents() {}

  /** Installs the definitions and makes the namespace. */
  static void prepare(KubernetesClient client) {
    prepare(client, NAMESPACE);
  }

  /** Installs the definitions and makes a namespace. */
  static void prepare(KubernetesClient client, String namespace) {
    Crds.install(client);
    client
        .resource(
            new NamespaceBuilder().withNewMetadata().withName(namespace).endMetadata().build())
        .serverSideApply();
  }

  /** One of the documents above, in another namespace. */
  static String in(String namespace, String document) {
    return document.replace("namespace: " + NAMESPACE, "namespace: " + namespace);
  }

  static ObjectNode parse(String yaml) {
    return Serialization.unmarshal(yaml, ObjectNode.class);
  }

  /**
   * Sets one place of a document; what does not exist on the way is made.
   *
   * @param pointer a JSON pointer; {@code -} as the last part appends to a list
   * @param value YAML, or null to remove the place
   */
  static ObjectNode with(ObjectNode document, String pointer, String value) {
    ObjectNode copy = document.deepCopy();
    JsonPointer place = JsonPointer.compile(pointer);
    JsonNode parent = copy.at(place.head());
    if (parent.isMissingNode()) {
      parent = copy.withObject(place.head());
    }
    String last = place.last().getMatchingProperty();
    JsonNode node = value == null ? null : Serialization.unmarshal("---\n" + value, JsonNode.class);
    switch (parent) {
      case ArrayNode list when last.equals("-") -> list.add(node);
      case ArrayNode list -> list.set(Integer.parseInt(last), node);
      case ObjectNode object when node == null -> object.remove(last);
      case ObjectNode object -> object.set(last, node);
      default -> throw new IllegalArgumentException(pointer);
    }
    return copy;
  }
}
