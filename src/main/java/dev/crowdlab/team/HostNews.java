package dev.crowdlab.team;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.api.AccessSpec;
import dev.crowdlab.api.LabTeam;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import java.util.function.Consumer;

/**
 * Tells which hosts a team let go, of whatever namespace: it was deleted, its URL was withdrawn, or
 * it has another host or path now. Belongs to the informer that answers who uses a host, so that
 * what is looked at then knows it.
 */
public final class HostNews implements ResourceEventHandler<LabTeam> {

  private final Consumer<String> freed;

  /**
   * @param freed hears of each host that may be free; must not block
   */
  public HostNews(Consumer<String> freed) {
    this.freed = requireNonNull(freed, "freed");
  }

  @Override
  public void onAdd(LabTeam team) {
    // Nobody gets a host because of one more who wants it.
  }

  @Override
  public void onUpdate(LabTeam before, LabTeam now) {
    AccessSpec had = before.getSpec().access();
    AccessSpec has = now.getSpec().access();
    boolean keeps =
        had.host().equalsIgnoreCase(has.host())
            && had.path().equals(has.path())
            && (before.getStatus().url() == null || now.getStatus().url() != null);
    if (!keeps) {
      freed.accept(had.host());
    }
  }

  @Override
  public void onDelete(LabTeam team, boolean finalStateUnknown) {
    freed.accept(team.getSpec().access().host());
  }
}
