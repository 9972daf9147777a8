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

/** A virtual machine that a contributor lends. Its status is never null. */
@Group(Names.GROUP)
@Version(Names.VERSION)
@Kind("ContributedVM")
@Singular("contributedvm")
@Plural("contributedvms")
@ShortNames("cvm")
@Categories(Names.CATEGORY)
public final class ContributedVM extends CustomResource<ContributedVMSpec, ContributedVMStatus>
    implements Namespaced {
  private static final long serialVersionUID = 1L;

  @Override
  protected ContributedVMStatus initStatus() {
    return ContributedVMStatus.EMPTY;
  }
}
