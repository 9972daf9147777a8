package dev.crowdlab.e2e;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.experiment.Cluster;
import dev.crowdlab.experiment.KubernetesCluster;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.HostOptions;
import dev.crowdlab.testbed.IngressBed;
import dev.crowdlab.testbed.LabHost;
import dev.crowdlab.testbed.LabNetwork;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** A lab in which faults are injected: what they may be injected into, and who watches. */
final class Bed implements AutoCloseable {

  static final Duration BOUND = Duration.ofSeconds(120);

  private static final Executor THREADS = Thread::startVirtualThread;

  private final ControlPlane controlPlane;
  private final IngressBed ingress;
  private final Lab lab;
  private final Collector collector;
  private final Map<String, LabHost> machines = new TreeMap<>();

  /** Which machines the teams' machines are chosen from, as YAML: all of them, or a lane's. */
  private final String selector;

  private Bed(
      ControlPlane controlPlane,
      IngressBed ingress,
      Lab lab,
      Collector collector,
      String selector) {
    this.controlPlane = controlPlane;
    this.ingress = ingress;
    this.collector = collector;
    this.lab = lab;
    this.selector = selector;
  }

  /**
   * Starts everything; the machines are Ready.
   *
   * @param stable how long a machine that was lost proves itself, however often it was
   */
  static Bed start(
      ControlPlane controlPlane,
      LabNetwork network,
      IngressBed ingress,
      String namespace,
      List<String> machines,
      Duration stable) {
    Collector collector = Collector.at(network.internet());
    Bed bed =
        new Bed(
            controlPlane,
            ingress,
            Lab.startRelayed(
                controlPlane,
                network,
                namespace,
                "returning: {stable: %1$ds, longest: %1$ds}\n".formatted(stable.toSeconds())),
            collector,
            "{}");
    try {
      for (String name : machines) {
        // A disk of its own: one that can be full.
        HostOptions options = HostOptions.full().image().disk("512M");
        // One is lent by a user who is not root.
        LabHost machine =
            Lab.machine(
                network,
                name,
                bed.machines.size() == 1 ? options.sudoUser("lender").sshPort(2200) : options);
        bed.machines.put(name, machine);
        bed.lab.contribute(machine, name, 4);
      }
      machines.forEach(name -> bed.lab.awaitVmReady(name, BOUND));
      return bed;
    } catch (RuntimeException | Error e) {
      bed.close();
      throw e;
    }
  }

  /** A part of it with some of its machines, where teams of its own stay; nothing to close. */
  Bed lane(String name, List<String> its) {
    Bed lane =
        new Bed(
            controlPlane,
            ingress,
            lab,
            collector,
            "{matchLabels: {example.org/lane: " + name + "}}");
    for (String machine : its) {
      lane.machines.put(machine, machines.get(machine));
      lab.patchVm(machine, "{\"metadata\":{\"labels\":{\"example.org/lane\":\"" + name + "\"}}}");
    }
    return lane;
  }

  ControlPlane controlPlane() {
    return controlPlane;
  }

  IngressBed ingress() {
    return ingress;
  }

  Lab lab() {
    return lab;
  }

  Collector collector() {
    return collector;
  }

  LabHost machine(String name) {
    return machines.get(name);
  }

  List<LabHost> machines() {
    return List.copyOf(machines.values());
  }

  List<LabHost> machinesBut(LabHost one) {
    return machines.values().stream().filter(machine -> machine != one).toList();
  }

  /**
   * The cluster, whose teams have an exercise that the oracle can watch.
   *
   * @param host what their host's name begins with
   */
  Cluster cluster(String host) {
    return new KubernetesCluster(
        lab.client(),
        lab.namespace(),
        lab.client().getKubernetesSerialization().unmarshal(teamYaml(host), LabTeam.class));
  }

  /** The YAML of a team whose exercise the oracle can watch. */
  private String teamYaml(String name) {
    return """
    apiVersion: crowdlab.dev/v1alpha1
    kind: LabTeam
    metadata: {name: %s, namespace: %s}
    spec:
      members: [bob]
      exercise:
        egress: Internet
        containers:
        - {name: web, image: 'localhost/exercise:1',
           # As process 1 nc itself would not end when it is told to.
           command: [/bin/sh, -c, 'nc -ll -p 8080 -e /bin/front & trap "kill $!" TERM; wait $!'],
           ports: [{name: http, containerPort: 8080}], workspaceMountPath: /work}
        - {name: writer, image: 'localhost/exercise:1', command: [/bin/marked-lines, /work/lines, "%s", "%d"],
           workspaceMountPath: /work}
      workspace: {size: 64Mi}
      placement: {vmSelector: %s}
      access: {host: %s.%s.example.org, path: /, ingressClassName: contour, port: http,
               annotations: {projectcontour.io/websocket-routes: /}}
    """
        .formatted(
            name,
            lab.namespace(),
            collector.address(),
            collector.port(),
            selector,
            name,
            lab.namespace());
  }

  /** Keeps new teams away from machines, or lets them in again. */
  void cordon(List<LabHost> which, boolean cordoned) {
    for (LabHost machine : which) {
      lab.patchVm(machine.name(), "{\"spec\":{\"schedulable\":" + !cordoned + "}}");
    }
    for (LabHost machine : which) {
      lab.awaitVm(
          machine.name(),
          cordoned ? "cordoned" : "open to teams",
          vm -> vm.getMetadata().getGeneration().equals(vm.getStatus().observedGeneration()),
          BOUND);
    }
  }

  /** Does the same to several machines at once. */
  void atOnce(List<LabHost> which, Consumer<LabHost> what) {
    List<CompletableFuture<Void>> all = new ArrayList<>();
    for (LabHost machine : which) {
      all.add(CompletableFuture.runAsync(() -> what.accept(machine), THREADS));
    }
    CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).join();
  }

  /** Lets time pass. */
  static void pass(Duration time) throws InterruptedException {
    var _ = new CountDownLatch(1).await(time.toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  public void close() {
    collector.close();
    lab.close();
  }
}
