package dev.crowdlab.agent;

import dev.crowdlab.protocol.ToAgent;
import java.util.List;
import java.util.Map;

/** Runs to begin with. */
final class Runs {

  static final ToAgent.Mount MOUNT =
      new ToAgent.Mount(
          "10.77.1.9",
          2222,
          "e3",
          "/data",
          "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJYl5yQvCEBLSc0VQ0gRUlYzJVYDlb0ZLPWW1oDZBWqG",
          false);

  private Runs() {}

  static ToAgent.Container container(String name, Map<String, String> env) {
    return new ToAgent.Container(
        name, "localhost/exercise:1", List.of(), List.of(), env, 0, 0, null);
  }

  static ToAgent.Container web() {
    return new ToAgent.Container(
        "web",
        "localhost/exercise:1",
        List.of(),
        List.of(),
        Map.of("SECRET", "hunter2"),
        500,
        64L << 20,
        "/work");
  }

  /** One container with a workspace and a port. */
  static ToAgent.Run run(long epoch) {
    return of(epoch, List.of(web()), List.of(port(30_001)), new ToAgent.VmLimits(4, 0, 0));
  }

  static ToAgent.PublishedPort port(int hostPort) {
    return new ToAgent.PublishedPort("web", "http", 8080, hostPort);
  }

  static ToAgent.Run of(
      long epoch,
      List<ToAgent.Container> containers,
      List<ToAgent.PublishedPort> ports,
      ToAgent.VmLimits limits) {
    return new ToAgent.Run(
        "uid-1",
        "lab",
        "team-7",
        epoch,
        MOUNT,
        containers,
        false,
        ports,
        List.of("10.77.0.0/16"),
        null,
        limits);
  }

  static ToAgent.Run ofTeam(String uid, ToAgent.VmLimits limits) {
    ToAgent.Run run = run(1);
    return new ToAgent.Run(
        uid,
        run.namespace(),
        uid,
        1,
        run.mount(),
        run.containers(),
        run.internet(),
        List.of(),
        run.sources(),
        null,
        limits);
  }
}
