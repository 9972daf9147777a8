package dev.crowdlab;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.GeneralCodingRules.NO_CLASSES_SHOULD_USE_JAVA_UTIL_LOGGING;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Dependencies point one way, and what only one package may know stays there. */
class ArchitectureTest {

  private static JavaClasses product;

  @BeforeAll
  static void read() {
    product =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.crowdlab");
  }

  @Test
  void dependenciesPointOneWay() {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .layer("cli")
        .definedBy("dev.crowdlab.cli..")
        .layer("operator")
        .definedBy("dev.crowdlab.operator..")
        .layer("vm")
        .definedBy("dev.crowdlab.vm..")
        .layer("team")
        .definedBy("dev.crowdlab.team..")
        .layer("services")
        .definedBy(
            "dev.crowdlab.integrity..",
            "dev.crowdlab.storage..",
            "dev.crowdlab.hub..",
            "dev.crowdlab.route..")
        .layer("ssh")
        .definedBy("dev.crowdlab.ssh..")
        .layer("words")
        .definedBy("dev.crowdlab.core..", "dev.crowdlab.protocol..", "dev.crowdlab.api..")
        .layer("agent")
        .definedBy("dev.crowdlab.agent..")
        .layer("experiment")
        .definedBy("dev.crowdlab.experiment..")
        .layer("oracle")
        .definedBy("dev.crowdlab.oracle..")
        .whereLayer("cli")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("operator")
        .mayOnlyBeAccessedByLayers("cli")
        .whereLayer("vm")
        .mayOnlyBeAccessedByLayers("operator")
        .whereLayer("team")
        .mayOnlyBeAccessedByLayers("operator")
        .whereLayer("services")
        .mayOnlyBeAccessedByLayers("vm", "team", "operator")
        .whereLayer("ssh")
        .mayOnlyBeAccessedByLayers("services", "vm", "operator")
        .whereLayer("agent")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("experiment")
        .mayOnlyBeAccessedByLayers("cli")
        .whereLayer("oracle")
        .mayOnlyBeAccessedByLayers("experiment")
        .check(product);
  }

  @Test
  void theExperimentSeesWhatUsersSeeAndNothingOfTheOperator() {
    noClasses()
        .that()
        .resideInAPackage("dev.crowdlab.experiment..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "dev.crowdlab.operator..",
            "dev.crowdlab.vm..",
            "dev.crowdlab.team..",
            "dev.crowdlab.integrity..",
            "dev.crowdlab.storage..",
            "dev.crowdlab.hub..",
            "dev.crowdlab.route..",
            "dev.crowdlab.ssh..",
            "dev.crowdlab.protocol..")
        .check(product);
  }

  @Test
  void theOracleKnowsNothingOfOurs() {
    classes()
        .that()
        .resideInAPackage("dev.crowdlab.oracle..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "dev.crowdlab.oracle..", "java..", "org.eclipse.jetty..", "org.jspecify..")
        .check(product);
  }

  @Test
  void onlyTheExperimentDraws() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.crowdlab.experiment..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.knowm..", "java.awt..")
        .check(product);
  }

  @Test
  void theServicesDoNotKnowEachOther() {
    for (String service : new String[] {"integrity", "storage", "hub", "route"}) {
      noClasses()
          .that()
          .resideInAPackage("dev.crowdlab." + service + "..")
          .should()
          .dependOnClassesThat(
              DescribedPredicate.describe(
                  "are of another service",
                  (JavaClass other) ->
                      other
                              .getPackageName()
                              .matches("dev\\.crowdlab\\.(integrity|storage|hub|route)")
                          && !other.getPackageName().equals("dev.crowdlab." + service)))
          .check(product);
    }
  }

  @Test
  void theApiHasNoLogicOfOthers() {
    noClasses()
        .that()
        .resideInAPackage("dev.crowdlab.api..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "dev.crowdlab.core..", "dev.crowdlab.protocol..", "io.fabric8.kubernetes.client.dsl..")
        .check(product);
  }

  @Test
  void theAgentKnowsTheProtocolJacksonAndTheJdk() {
    classes()
        .that()
        .resideInAPackage("dev.crowdlab.agent..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "dev.crowdlab.agent..",
            "dev.crowdlab.protocol..",
            "com.fasterxml.jackson..",
            "java..",
            "javax.net..",
            "javax.crypto..",
            "javax.security..",
            "org.jspecify..")
        .check(product);
  }

  @Test
  void theProtocolKnowsJacksonAndTheJdk() {
    classes()
        .that()
        .resideInAPackage("dev.crowdlab.protocol..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "dev.crowdlab.protocol..", "com.fasterxml.jackson..", "java..", "org.jspecify..")
        .check(product);
  }

  @Test
  void onlySshKnowsSshj() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.crowdlab.ssh..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("net.schmizz..", "com.hierynomus..")
        .check(product);
  }

  @Test
  void integrityIsPure() {
    noClasses()
        .that()
        .resideInAPackage("dev.crowdlab.integrity..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "java.net..",
            "java.nio.file..",
            "java.util.concurrent..",
            "io.fabric8.kubernetes.client..",
            "dev.crowdlab.ssh..")
        .check(product);
  }

  @Test
  void nobodySleeps() {
    noClasses().should().callMethod(Thread.class, "sleep", long.class).check(product);
    noClasses().should().callMethod(Thread.class, "sleep", java.time.Duration.class).check(product);
  }

  @Test
  void onlyTheAgentLogsWithTheJdk() {
    NO_CLASSES_SHOULD_USE_JAVA_UTIL_LOGGING.check(
        product.that(
            DescribedPredicate.describe(
                "outside the agent",
                (JavaClass type) -> !type.getPackageName().startsWith("dev.crowdlab.agent"))));
  }

  @Test
  void everyPackageIsNullMarked() {
    classes()
        .should(
            new ArchCondition<JavaClass>("be in a package that is marked") {
              @Override
              public void check(JavaClass type, ConditionEvents events) {
                boolean marked = type.getPackage().isAnnotatedWith(NullMarked.class);
                events.add(
                    new SimpleConditionEvent(
                        type, marked, type.getPackageName() + " has no @NullMarked package-info"));
              }
            })
        .check(product);
  }
}
