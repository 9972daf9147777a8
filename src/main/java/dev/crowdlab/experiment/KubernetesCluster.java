package dev.crowdlab.experiment;

import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.core.Deadline;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientTimeoutException;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** A real one. It waits on watches, so that nothing is seen later than the API server tells it. */
public final class KubernetesCluster implements Cluster {

  private final KubernetesClient client;
  private final String namespace;
  private final LabTeam template;

  /**
   * A cluster, seen through one namespace of it.
   *
   * @param template what every team is like; each gets a name of its own
   */
  public KubernetesCluster(KubernetesClient client, String namespace, LabTeam template) {
    this.client = client;
    this.namespace = namespace;
    this.template = template;
  }

  @Override
  public String namespace() {
    return namespace;
  }

  @Override
  public void create(String name) {
    LabTeam team = new LabTeam();
    team.setMetadata(
        new ObjectMetaBuilder()
            .withName(name)
            .withNamespace(namespace)
            .withLabels(template.getMetadata().getLabels())
            .withAnnotations(template.getMetadata().getAnnotations())
            .build());
    team.setSpec(template.getSpec());
    client.resource(team).create();
  }

  @Override
  public LabTeam await(String name, String what, Predicate<LabTeam> wanted, Duration bound)
      throws TimeoutException {
    return await(LabTeam.class, name, what, wanted, bound);
  }

  @Override
  public Set<String> readyMachines() {
    Set<String> names = new TreeSet<>();
    client.resources(ContributedVM.class).inNamespace(namespace).list().getItems().stream()
        .filter(KubernetesCluster::isReady)
        .forEach(vm -> names.add(vm.getMetadata().getName()));
    return names;
  }

  @Override
  public void awaitMachines(Set<String> names, Duration bound) throws TimeoutException {
    Deadline deadline = Deadline.in(bound);
    for (String name : names) {
      await(
          ContributedVM.class,
          name,
          "Ready",
          KubernetesCluster::isReady,
          deadline.leftOrThrow("the machines are not Ready again"));
    }
  }

  @Override
  public void delete(String name, Duration bound) throws TimeoutException {
    client.resources(LabTeam.class).inNamespace(namespace).withName(name).delete();
    waitUntil(LabTeam.class, name, "gone", Objects::isNull, bound);
  }

  private static boolean isReady(ContributedVM vm) {
    return Conditions.holds(vm.getStatus().conditions(), ConditionType.READY);
  }

  private <T extends HasMetadata> T await(
      Class<T> kind, String name, String what, Predicate<T> wanted, Duration bound)
      throws TimeoutException {
    return Objects.requireNonNull(
        waitUntil(kind, name, what, object -> object != null && wanted.test(object), bound));
  }

  private <T extends HasMetadata> @Nullable T waitUntil(
      Class<T> kind, String name, String what, Predicate<@Nullable T> wanted, Duration bound)
      throws TimeoutException {
    try {
      return client
          .resources(kind)
          .inNamespace(namespace)
          .withName(name)
          .waitUntilCondition(wanted, bound.toMillis(), TimeUnit.MILLISECONDS);
    } catch (KubernetesClientTimeoutException e) {
      TimeoutException timeout =
          new TimeoutException(
              "%s %s/%s is not %s after %d s"
                  .formatted(kind.getSimpleName(), namespace, name, what, bound.toSeconds()));
      timeout.initCause(e);
      throw timeout;
    }
  }
}
