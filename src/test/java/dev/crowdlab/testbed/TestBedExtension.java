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
      return cluster(context).controlPlane();
    }
    if (type == IngressBed.class) {
      return cluster(context).ingress();
    }
    return bed(context);
  }

  private static TestBed bed(ExtensionContext context) {
    return once(context.getRoot(), TestBed.class, TestBed::ready);
  }

  /** Of all classes, of this one, or this one's for now. */
  private static Cluster cluster(ExtensionContext context) {
    Optional<RequiresTestBed> asked = asked(context);
    if (asked.map(RequiresTestBed::handsClusterOn).orElse(false)) {
      Clusters clusters = once(context.getRoot(), Clusters.class, () -> new Clusters(bed(context)));
      return once(ofClass(context), Clusters.Lent.class, clusters::lend).cluster();
    }
    boolean own = asked.map(RequiresTestBed::ownCluster).orElse(false);
    return once(
        own ? ofClass(context) : context.getRoot(), Cluster.class, () -> new Cluster(bed(context)));
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
