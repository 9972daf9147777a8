package dev.crowdlab.api;

import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Categories;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Kind;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Singular;
import io.fabric8.kubernetes.model.annotation.Version;

/** One isolated exercise environment for one student or group. Its status is never null. */
@Group(Names.GROUP)
@Version(Names.VERSION)
@Kind("LabTeam")
@Singular("labteam")
@Plural("labteams")
@ShortNames("lt")
@Categories(Names.CATEGORY)
public final class LabTeam extends CustomResource<LabTeamSpec, LabTeamStatus>
    implements Namespaced {
  private static final long serialVersionUID = 1L;

  @Override
  protected LabTeamStatus initStatus() {
    return LabTeamStatus.EMPTY;
  }
}
