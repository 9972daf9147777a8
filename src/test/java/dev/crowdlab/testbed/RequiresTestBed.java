package dev.crowdlab.testbed;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test on real machines. Its constructor, {@code @BeforeAll} and test methods may take a {@link
 * TestBed}, a {@link ControlPlane} and an {@link IngressBed}, which all classes of a run share
 * unless they ask for their own, and a {@link LabNetwork}, which is the class's own. Where the test
 * bed cannot run the class is skipped and says why; in CI (environment {@code CI=true}) it fails.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(TestBedExtension.class)
public @interface RequiresTestBed {
  /** Whether a control plane is enough, which needs no root. */
  boolean labHosts() default true;

  /**
   * Whether the class has a control plane and an ingress to itself: an operator that it starts
   * looks after the whole cluster.
   */
  boolean ownCluster() default false;

  /**
   * Whether the class has a cluster to itself, and all that it makes there is in namespaces: then
   * the next class may have it. Instead of {@link #ownCluster}.
   */
  boolean handsClusterOn() default false;
}
