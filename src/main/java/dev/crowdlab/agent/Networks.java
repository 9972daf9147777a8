package dev.crowdlab.agent;

import dev.crowdlab.agent.Pods.Pod;
import java.nio.file.Path;
import java.util.List;

/** Private networks of teams on this VM: each is one team's, and gone with it. */
interface Networks {

  /**
   * A team's network: a namespace that its containers share, and a link from the VM to it.
   *
   * @param name of the namespace, and of the VM's end of the link
   * @param address of the containers' end
   */
  record Network(String name, String address) {

    /** The file that stands for the namespace. */
    Path namespace() {
      return NAMESPACES.resolve(name);
    }
  }

  /** Where the machine keeps network namespaces by name. */
  Path NAMESPACES = Path.of("/run/netns");

  /** A new network for this team; the same one when asked again. */
  Network take(Pod pod) throws RunException;

  /**
   * The network of a pod that an earlier agent made.
   *
   * @param name as the pod's label has it; empty when it has none
   * @throws RunException when there is none of this name
   */
  void adopt(Pod pod, String name) throws RunException;

  /** Removes the pod's network, once nothing uses it any more. */
  void release(Pod pod);

  /** Removes what an earlier agent left, but for what was adopted. */
  void removeOthers();

  /** The VM's ends of all teams' links. */
  List<String> devices();
}
