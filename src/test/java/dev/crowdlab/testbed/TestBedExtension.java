package dev.crowdlab.testbed;

import java.util.Optional;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.platform.commons.support.AnnotationSupport;

/** Starts what a test asks for; JUnit's stores close it. */
final class TestBedExtension implements ExecutionCondition, ParameterResolver {
  private static final ExtensionContext.Namespace NAMESPACE =
      ExtensionContext.Namespace.create(TestBedExtension.class);

  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    boolean labHosts = asked(context).map(RequiresTestBed::labHosts).orElse(true);
    Optional<String> missing =
        labHosts ? TestBed.missingForLabHosts() : TestBed.missingForControlPlane();
    return judged(missing, "true".equals(System.getenv("CI")));
  }

  static ConditionEvaluationResult judged(Optional<String> missing, boolean ci) {
    if (missing.isPresent() && ci) {
      throw new IllegalStateException("in CI nothing is skipped: " + missing.get());
    }
    return missing
        .map(ConditionEvaluationResult::disabled)
        .orElseGet(() -> ConditionEvaluationResult.enabled("the test bed can run here"));
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    return type == TestBed.class
        || type == ControlPlane.class
        || type == LabNetwork.class
        || type == IngressBed.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    if (type == LabNetwork.class) {
      return once(ofClass(context), LabNetwork.class, () -> LabNetwork.create(bed(context)));
    }
    if (type == ControlPlane.class) {
      return controlPlane(context);
    }
    if (type == IngressBed.class) {
      return isHandedOn(context)
          ? lent(context).ingress()
          : once(
              cluster(context),
              IngressBed.class,
              () -> IngressBed.start(bed(context), controlPlane(context)));
    }
    return bed(context);
  }

  private static TestBed bed(ExtensionContext context) {
    return once(context.getRoot(), TestBed.class, TestBed::ready);
  }

  private static ControlPlane controlPlane(ExtensionContext context) {
    return isHandedOn(context)
        ? lent(context).controlPlane()
        : once(cluster(context), ControlPlane.class, () -> ControlPlane.start(bed(context)));
  }

  private static boolean isHandedOn(ExtensionContext context) {
    return asked(context).map(RequiresTestBed::handsClusterOn).orElse(false);
  }

  private static Clusters.Lent lent(ExtensionContext context) {
    Clusters clusters = once(context.getRoot(), Clusters.class, () -> new Clusters(bed(context)));
    return once(ofClass(context), Clusters.Lent.class, clusters::lend);
  }

  /** Whose the control plane and the ingress are. */
  private static ExtensionContext cluster(ExtensionContext context) {
    return asked(context).map(RequiresTestBed::ownCluster).orElse(false)
        ? ofClass(context)
        : context.getRoot();
  }

  private static Optional<RequiresTestBed> asked(ExtensionContext context) {
    return AnnotationSupport.findAnnotation(context.getTestClass(), RequiresTestBed.class);
  }

  private static <T> T once(ExtensionContext context, Class<T> type, Supplier<T> start) {
    // The key names whose it is: a store also finds what its ancestors' stores hold.
    String key = type.getName() + " of " + context.getUniqueId();
    return context.getStore(NAMESPACE).computeIfAbsent(key, ignored -> start.get(), type);
  }

  private static ExtensionContext ofClass(ExtensionContext context) {
    ExtensionContext found = context;
    while (found.getTestMethod().isPresent()) {
      found = found.getParent().orElseThrow();
    }
    return found;
  }
}
