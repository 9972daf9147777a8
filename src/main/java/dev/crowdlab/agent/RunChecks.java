package dev.crowdlab.agent;

import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.protocol.ToAgent;
import java.net.InetAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What a run must hold before any of it reaches a program's arguments. The hub has checked it too;
 * the agent runs as root and takes nobody's word.
 */
final class RunChecks {

  private static final Pattern UID = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9-]{0,62}[A-Za-z0-9])?");
  private static final Pattern NAME = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
  private static final Pattern IMAGE = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._/:@-]{0,511}");
  private static final Pattern ENV_NAME = Pattern.compile("[A-Za-z_.-][A-Za-z0-9_.-]{0,252}");
  private static final Pattern MOUNT_PATH = Pattern.compile("/[^:,\\p{Cntrl}]{0,1023}");
  private static final Pattern LOGIN = Pattern.compile("[a-z0-9_][a-z0-9_.-]{0,63}");
  private static final Pattern DATA_PATH = Pattern.compile("/?[A-Za-z0-9_][A-Za-z0-9._/-]{0,254}");
  private static final Pattern HOST_KEY =
      Pattern.compile("[a-z0-9@.-]{1,64} [A-Za-z0-9+/]{16,2000}={0,3}");

  private RunChecks() {}

  static void check(ToAgent.Run run) throws RunException {
    checkAhead(run);
    ToAgent.Mount mount = run.mount();
    require(
        mount != null
            || run.containers().stream().allMatch(c -> c.workspaceMountPath() == null),
        "a container asks for a workspace; the run has none");
    if (mount != null) {
      checkMount(mount);
    }
  }

  /** What can be said before the workspace is known. */
  static void checkAhead(ToAgent.Run run) throws RunException {
    Set<String> names = new HashSet<>();
    require(!run.containers().isEmpty(), "a run needs a container");
    for (ToAgent.Container container : run.containers()) {
      require(NAME.matcher(container.name()).matches(), "a container's name is a DNS label");
      require(!container.name().equals("infra"), "a container may not be named infra");
      require(names.add(container.name()), "two containers have one name");
      require(IMAGE.matcher(container.image()).matches(), "an image's name has no such form");
      checkEnv(container);
      String path = container.workspaceMountPath();
      require(
          path == null
              || (MOUNT_PATH.matcher(path).matches()
                  && !List.of(path.split("/", -1)).contains("..")),
          "a workspace's mount path is absolute, without '..', ':' and ','");
    }
    Set<Integer> ports = new HashSet<>();
    for (ToAgent.PublishedPort port : run.ports()) {
      require(names.contains(port.container()), "a port names no container");
      require(ports.add(port.hostPort()), "two ports are published as one");
    }
    for (String source : run.sources()) {
      try {
        Cidr.parse(source);
      } catch (IllegalArgumentException e) {
        throw new RunException(RunFailure.CONTAINER_REFUSED, "a source is no address block");
      }
    }
  }

  private static void checkEnv(ToAgent.Container container) throws RunException {
    for (Map.Entry<String, String> variable : container.env().entrySet()) {
      require(ENV_NAME.matcher(variable.getKey()).matches(), "a variable's name has no such form");
      require(
          variable.getValue().indexOf('\n') < 0 && variable.getValue().indexOf('\0') < 0,
          "variable " + variable.getKey() + " has several lines, which podman cannot pass on");
    }
  }

  private static void checkMount(ToAgent.Mount mount) throws RunException {
    try {
      InetAddress.ofLiteral(mount.address());
    } catch (IllegalArgumentException e) {
      throw new RunException(RunFailure.MOUNT_FAILED, "the file server's address is no literal");
    }
    require(LOGIN.matcher(mount.login()).matches(), "the mount's login has no such form");
    require(
        DATA_PATH.matcher(mount.path()).matches() && !mount.path().contains(".."),
        "the mount's path has no such form");
    require(HOST_KEY.matcher(mount.hostKey()).matches(), "the file server's key has no such form");
  }

  static boolean isUid(String text) {
    return UID.matcher(text).matches();
  }

  /** The text of a file for podman's {@code --env-file}: a line each, taken literally. */
  static String envFile(ToAgent.Container container) {
    StringBuilder lines = new StringBuilder();
    container
        .env()
        .forEach((name, value) -> lines.append(name).append('=').append(value).append('\n'));
    return lines.toString();
  }

  private static void require(boolean holds, String what) throws RunException {
    if (!holds) {
      throw new RunException(RunFailure.CONTAINER_REFUSED, what);
    }
  }
}
