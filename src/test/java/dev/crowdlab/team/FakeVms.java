package dev.crowdlab.team;

import dev.crowdlab.api.ContributedVM;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Machines in memory. */
final class FakeVms implements Vms {

  private final Map<String, VmView> views = new TreeMap<>();

  synchronized void put(ContributedVM vm) {
    views.put(vm.getMetadata().getName(), VmView.of(vm));
  }

  synchronized void remove(String name) {
    views.remove(name);
  }

  @Override
  public synchronized Optional<VmView> get(String namespace, String name) {
    return Optional.ofNullable(views.get(name));
  }

  @Override
  public synchronized List<VmView> in(String namespace) {
    return List.copyOf(views.values());
  }
}
