package dev.crowdlab.integrity;

import static dev.crowdlab.api.FindingKind.AUTHORIZED_KEY_ADDED;
import static dev.crowdlab.api.FindingKind.BASELINE_LOST;
import static dev.crowdlab.api.FindingKind.CAPACITY_TOO_SMALL;
import static dev.crowdlab.api.FindingKind.CLOCK_SKEWED;
import static dev.crowdlab.api.FindingKind.DISTRIBUTION_NOT_ALLOWED;
import static dev.crowdlab.api.FindingKind.KERNEL_TAINTED;
import static dev.crowdlab.api.FindingKind.KERNEL_TOO_OLD;
import static dev.crowdlab.api.FindingKind.LISTENER_ADDED;
import static dev.crowdlab.api.FindingKind.MACHINE_ID_CHANGED;
import static dev.crowdlab.api.FindingKind.MACHINE_ID_DUPLICATE;
import static dev.crowdlab.api.FindingKind.PACKAGE_FILE_MISSING;
import static dev.crowdlab.api.FindingKind.PACKAGE_FILE_MODIFIED;
import static dev.crowdlab.api.FindingKind.PROTECTED_PATH_CHANGED;
import static dev.crowdlab.api.FindingKind.PROTECTED_PATH_MISSING;
import static dev.crowdlab.api.FindingKind.UID_ZERO_ACCOUNT;
import static dev.crowdlab.api.FindingKind.UNMEASURABLE;
import static dev.crowdlab.integrity.SampleFacts.NEW;
import static dev.crowdlab.integrity.SampleFacts.OLD;
import static dev.crowdlab.integrity.SampleFacts.SSHD;
import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.Capacity;
import dev.crowdlab.api.Finding;
import dev.crowdlab.api.FindingKind;
import dev.crowdlab.api.IntegrityPolicy;
import dev.crowdlab.api.IntegritySpec;
import dev.crowdlab.api.OnViolation;
import dev.crowdlab.integrity.Facts.AuthorizedKey;
import dev.crowdlab.integrity.Facts.Listener;
import io.fabric8.kubernetes.api.model.Quantity;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class PolicyTest {

  private static final Ours OURS = new Ours(20_000, 29_999);
  private static final Capacity CAPACITY = new Capacity(4, new Quantity("2"), new Quantity("4Gi"));

  private IntegritySpec spec = IntegritySpec.DEFAULT;
  private Duration skew = Duration.ZERO;
  private boolean sharesMachineId;

  /** What changed on a machine that was accepted, and what is made of it. */
  static Stream<Arguments> changesSinceAcceptance() {
    return Stream.of(
        row("nothing", f -> {}, null, false),
        row("sshd replaced", f -> f.file(SSHD, 'e', "755:0:0", OLD), PROTECTED_PATH_CHANGED, true),
        row("sshd updated", f -> f.file(SSHD, 'e', "755:0:0", NEW), null, false),
        row(
            "sshd updated, then replaced",
            f -> f.file(SSHD, 'e', "755:0:0", NEW).verified(SSHD, false, false),
            PROTECTED_PATH_CHANGED,
            true),
        row(
            "sshd updated and made setuid",
            f -> f.file(SSHD, 'e', "4755:0:0", NEW),
            PROTECTED_PATH_CHANGED,
            true),
        row(
            "sshd updated and writable for everybody",
            f -> f.file(SSHD, 'e', "757:0:0", NEW),
            PROTECTED_PATH_CHANGED,
            true),
        row(
            "sshd taken from its package",
            f -> f.file(SSHD, 'e', "755:0:0", null),
            PROTECTED_PATH_CHANGED,
            true),
        row(
            "sshd updated while packages cannot be verified",
            f -> {
              f.file(SSHD, 'e', "755:0:0", NEW);
              f.unmeasured.add("packages");
            },
            PROTECTED_PATH_CHANGED,
            false),
        row("mode changed", f -> f.file(SSHD, 'a', "775:0:0", OLD), PROTECTED_PATH_CHANGED, true),
        row("owner changed", f -> f.file(SSHD, 'a', "755:7:0", OLD), PROTECTED_PATH_CHANGED, true),
        row(
            "a setting edited that no package owns",
            f -> f.file("/etc/ssh/sshd_config", 'e', "644:0:0", null),
            PROTECTED_PATH_CHANGED,
            true),
        row("sshd gone", f -> f.files.remove(SSHD), PROTECTED_PATH_MISSING, true),
        row(
            "sshd gone, its package updated",
            f -> {
              f.files.remove(SSHD);
              f.file("/usr/lib/openssh/sshd-session", 'e', "755:0:0", NEW);
            },
            null,
            false),
        row(
            "a file gone where not all could be listed",
            f -> {
              f.files.remove(SSHD);
              f.unmeasured.add("files");
            },
            UNMEASURABLE,
            false),
        row(
            "a preload appeared",
            f -> f.file("/etc/ld.so.preload", 'e', "644:0:0", null),
            PROTECTED_PATH_CHANGED,
            true),
        row(
            "a package installed a PAM module",
            f ->
                f.file(
                    "/usr/lib/x86_64-linux-gnu/security/pam_x.so",
                    'e',
                    "644:0:0",
                    "libpam-x=1.0-1"),
            null,
            false),
        row(
            "a PAM module appeared that is not as its package installed it",
            f ->
                f.file(
                        "/usr/lib/x86_64-linux-gnu/security/pam_x.so",
                        'e',
                        "644:0:0",
                        "libpam-x=1.0-1")
                    .verified("/usr/lib/x86_64-linux-gnu/security/pam_x.so", false, true),
            PROTECTED_PATH_CHANGED,
            true),
        row(
            "a key added",
            f -> f.keys.add(new AuthorizedKey("root", SampleFacts.hex('5'))),
            AUTHORIZED_KEY_ADDED,
            true),
        row("a key removed", f -> f.keys.clear(), null, false),
        row(
            "a listener added",
            f -> f.listeners.add(new Listener("tcp", "0.0.0.0", 8080)),
            LISTENER_ADDED,
            false),
        row(
            "an exercise listens",
            f -> f.listeners.add(new Listener("tcp", "0.0.0.0", 20_001)),
            null,
            false),
        row("a listener gone", f -> f.listeners.clear(), null, false),
        row("another machine", f -> f.machineId = SampleFacts.hex('2'), MACHINE_ID_CHANGED, true),
        row("booted anew", f -> f.bootId = "ffffffff-0d4c-4c3f-9a57-4b2f1c8f3d10", null, false),
        row("kernel updated", f -> f.kernel = "6.1.0-25-amd64", null, false));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("changesSinceAcceptance")
  void judgesWhatChangedSinceAcceptance(
      String what, Consumer<SampleFacts> change, FindingKind kind, boolean violation) {
    Verdict verdict = judge(changed(change), new Past.Known(accepted()));

    assertFinding(verdict, kind, violation);
  }

  /** What is judged without a past. */
  static Stream<Arguments> firstSight() {
    return Stream.of(
        row("a healthy machine", f -> {}, null, false),
        row("a second root", f -> f.uidZero.add("toor"), UID_ZERO_ACCOUNT, true),
        row(
            "a changed program",
            f -> f.verified("/usr/bin/ls", false, false),
            PACKAGE_FILE_MODIFIED,
            true),
        row(
            "an edited setting",
            f -> f.verified("/etc/nftables.conf", false, true),
            PACKAGE_FILE_MODIFIED,
            false),
        row(
            "a removed setting",
            f -> f.verified("/etc/debuginfod/elfutils.urls", true, true),
            PACKAGE_FILE_MISSING,
            false),
        row(
            "a missing program",
            f -> f.verified("/usr/bin/ls", true, false),
            PACKAGE_FILE_MISSING,
            true),
        row(
            "documentation left out",
            f -> f.verified("/usr/share/doc/x/copyright", true, false),
            PACKAGE_FILE_MISSING,
            false),
        row(
            "cleaned up below /var",
            f -> f.verified("/var/lib/apt/lists/partial", true, false),
            PACKAGE_FILE_MISSING,
            false),
        row("something of ours", f -> f.verified("/opt/crowdlab/x", false, false), null, false),
        row("a tainted kernel", f -> f.taint = 12_288, KERNEL_TAINTED, false),
        row("an unmeasured part", f -> f.unmeasured.add("listeners"), UNMEASURABLE, false),
        row("too few processors", f -> f.cpus = 1, CAPACITY_TOO_SMALL, false),
        row("too little memory", f -> f.memoryBytes = 2L << 30, CAPACITY_TOO_SMALL, false),
        row("Ubuntu", f -> f.os = "ubuntu", null, false),
        row("Fedora", f -> f.os = "fedora", DISTRIBUTION_NOT_ALLOWED, true));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("firstSight")
  void judgesAtFirstSight(
      String what, Consumer<SampleFacts> change, FindingKind kind, boolean violation) {
    assertFinding(judge(changed(change), new Past.Nothing()), kind, violation);
  }

  @ParameterizedTest(name = "Strict: {0}")
  @MethodSource({"firstSight"})
  void underStrictEveryFindingIsAViolation(
      String what, Consumer<SampleFacts> change, FindingKind kind, boolean violation) {
    spec = spec(IntegrityPolicy.STRICT, List.of(), List.of(), null, List.of());

    assertFinding(judge(changed(change), new Past.Nothing()), kind, kind != null);
  }

  @Test
  void aForbiddenFindingIsAViolation() {
    spec = spec(IntegrityPolicy.STANDARD, List.of(), List.of(), null, List.of(LISTENER_ADDED));

    Verdict verdict =
        judge(
            changed(f -> f.listeners.add(new Listener("tcp", "::", 8080))),
            new Past.Known(accepted()));

    assertFinding(verdict, LISTENER_ADDED, true);
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        "debian, debian, 12, true",
        "debian:12, debian, 12, true",
        "debian:12, debian, 13, false",
        "debian:1, debian, 12, false",
        "ubuntu, debian, 12, false",
        "fedora, fedora, 41, true",
      })
  void acceptsTheDistributionsThatTheSpecNames(
      String allowed, String os, String version, boolean accepted) {
    spec = spec(IntegrityPolicy.STANDARD, List.of(), List.of(allowed), null, List.of());

    Verdict verdict =
        judge(
            changed(
                f -> {
                  f.os = os;
                  f.osVersion = version;
                }),
            new Past.Nothing());

    assertFinding(verdict, accepted ? null : DISTRIBUTION_NOT_ALLOWED, !accepted);
  }

  @ParameterizedTest
  @CsvSource({"5.10.0-21-amd64, 5.9, true", "5.9.0, 5.10, false", "strange, 5.10, false"})
  void acceptsKernelsFromTheMinimumOn(String kernel, String minimum, boolean accepted) {
    spec = spec(IntegrityPolicy.STANDARD, List.of(), List.of(), minimum, List.of());

    Verdict verdict = judge(changed(f -> f.kernel = kernel), new Past.Nothing());

    assertFinding(verdict, accepted ? null : KERNEL_TOO_OLD, !accepted);
  }

  @ParameterizedTest
  @CsvSource({"30, false", "-30, false", "33, true", "-33, true", "31, false"})
  void notesAClockThatIsFarOffForSure(long seconds, boolean noted) {
    skew = Duration.ofSeconds(seconds);

    assertFinding(judge(new SampleFacts(), new Past.Nothing()), noted ? CLOCK_SKEWED : null, false);
  }

  @Test
  void notesAMachineIdThatAnotherVmHas() {
    sharesMachineId = true;

    assertFinding(judge(new SampleFacts(), new Past.Nothing()), MACHINE_ID_DUPLICATE, false);
  }

  @Test
  void anUpdateMovesTheBaselineOnAndNothingElseDoes() {
    Baseline before = accepted();
    SampleFacts updated =
        changed(
            f -> {
              f.file(SSHD, 'e', "755:0:0", NEW);
              f.listeners.add(new Listener("tcp", "0.0.0.0", 8080));
            });

    Baseline after = acceptedBaseline(judge(updated, new Past.Known(before)));

    assertThat(after.files().get(SSHD).digest()).isEqualTo(SampleFacts.hex('e'));
    assertThat(after.listeners()).isEqualTo(before.listeners());
    assertFinding(judge(updated, new Past.Known(after)), LISTENER_ADDED, false);
  }

  @Test
  void whatCouldNotBeVerifiedIsJudgedAgain() {
    SampleFacts unverified =
        changed(
            f -> {
              f.file(SSHD, 'e', "755:0:0", NEW);
              f.unmeasured.add("packages");
            });
    Baseline next = acceptedBaseline(judge(unverified, new Past.Known(accepted())));

    Verdict verdict =
        judge(
            changed(f -> f.file(SSHD, 'e', "755:0:0", NEW).verified(SSHD, false, false)),
            new Past.Known(next));

    assertFinding(verdict, PROTECTED_PATH_CHANGED, true);
  }

  @Test
  void aPathThatTheSpecAddsLaterIsKnownFromThenOn() {
    SampleFacts site = changed(f -> f.file("/srv/site/index.html", 'd', "644:0:0", null));
    Baseline before = acceptedBaseline(judge(site, new Past.Nothing()));
    spec = spec(IntegrityPolicy.STANDARD, List.of("/srv//site/"), List.of(), null, List.of());

    Verdict added = judge(site, new Past.Known(before));
    assertFinding(added, null, false);

    SampleFacts edited = changed(f -> f.file("/srv/site/index.html", 'e', "644:0:0", null));
    assertFinding(
        judge(edited, new Past.Known(acceptedBaseline(added))), PROTECTED_PATH_CHANGED, true);
  }

  @Test
  void aPathThatTheSpecDropsIsNotMissing() {
    spec = spec(IntegrityPolicy.STANDARD, List.of("/srv/site"), List.of(), null, List.of());
    SampleFacts site = changed(f -> f.file("/srv/site/index.html", 'd', "644:0:0", null));
    Baseline before = acceptedBaseline(judge(site, new Past.Nothing()));
    spec = IntegritySpec.DEFAULT;

    assertFinding(judge(new SampleFacts(), new Past.Known(before)), null, false);
  }

  @Test
  void ourOwnConfigurationIsNoChange() {
    spec =
        spec(
            IntegrityPolicy.STRICT,
            List.of("/etc/passwd", "/etc/systemd/system", "/usr/local/bin"),
            List.of(),
            null,
            List.of());
    Baseline before =
        acceptedBaseline(
            judge(changed(f -> f.file("/etc/passwd", 'p', "644:0:0", null)), new Past.Nothing()));
    Consumer<SampleFacts> configured =
        f -> {
          f.agentVersion = SampleFacts.hex('9');
          f.file("/etc/passwd", 'q', "644:0:0", null);
          f.file("/etc/systemd/system/crowdlab-agent.service", 'e', "644:0:0", null);
          f.link("/usr/local/bin/crowdlab-agent", "/opt/crowdlab/current/bin/crowdlab-agent");
          f.link(
              "/etc/systemd/system/sockets.target.wants/podman.socket",
              "/lib/systemd/system/podman.socket");
          f.file("/usr/bin/podman", 'e', "755:0:0", "podman=4.3.1+ds1-8+b1");
          f.listeners.add(new Listener("tcp", "::", 20_000));
        };

    Verdict first = judge(changed(configured), new Past.Known(before));
    assertFinding(first, null, false);

    // Only once: what changes later is not ours.
    SampleFacts later =
        changed(configured.andThen(f -> f.file("/etc/passwd", 'r', "644:0:0", null)));
    assertFinding(
        judge(later, new Past.Known(acceptedBaseline(first))), PROTECTED_PATH_CHANGED, true);
  }

  @Test
  void ourConfigurationDoesNotExplainAUnitOfTheContributors() {
    spec =
        spec(IntegrityPolicy.STANDARD, List.of("/etc/systemd/system"), List.of(), null, List.of());
    Baseline before = acceptedBaseline(judge(new SampleFacts(), new Past.Nothing()));

    Verdict verdict =
        judge(
            changed(
                f -> {
                  f.agentVersion = SampleFacts.hex('9');
                  f.file("/etc/systemd/system/miner.service", 'e', "644:0:0", null);
                }),
            new Past.Known(before));

    assertFinding(verdict, PROTECTED_PATH_CHANGED, true);
  }

  @Test
  void aPartThatWasNotKnownIsKnownOnceItIsMeasured() {
    Baseline before =
        acceptedBaseline(
            judge(
                changed(
                    f -> {
                      f.keys.clear();
                      f.unmeasured.add("authorizedKeys");
                    }),
                new Past.Nothing()));

    Verdict measured = judge(new SampleFacts(), new Past.Known(before));
    assertFinding(measured, null, false);

    Verdict later =
        judge(
            changed(f -> f.keys.add(new AuthorizedKey("root", SampleFacts.hex('5')))),
            new Past.Known(acceptedBaseline(measured)));
    assertFinding(later, AUTHORIZED_KEY_ADDED, true);
  }

  @Test
  void aLostBaselineIsAViolationOfItsOwn() {
    assertFinding(judge(new SampleFacts(), new Past.Lost()), BASELINE_LOST, true);
  }

  @Test
  void aReleaseAcceptsThePresentStateAndNoMore() {
    Consumer<SampleFacts> seen =
        f -> {
          f.uidZero.add("toor");
          f.verified("/usr/bin/ls", false, false);
          f.keys.add(new AuthorizedKey("root", SampleFacts.hex('5')));
        };

    Verdict released = judge(changed(seen), new Past.Released());
    Baseline baseline = acceptedBaseline(released);

    assertThat(released.findings())
        .extracting(Finding::kind, Finding::violation)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(UID_ZERO_ACCOUNT, false),
            org.assertj.core.groups.Tuple.tuple(PACKAGE_FILE_MODIFIED, false));
    assertThat(judge(changed(seen), new Past.Known(baseline))).isInstanceOf(Verdict.Accepted.class);
    assertThat(judge(changed(seen.andThen(f -> f.uidZero.add("other"))), new Past.Known(baseline)))
        .isInstanceOf(Verdict.Violated.class);
  }

  @Test
  void aReleaseDoesNotOverruleTheSpec() {
    assertFinding(
        judge(changed(f -> f.os = "fedora"), new Past.Released()), DISTRIBUTION_NOT_ALLOWED, true);
  }

  @Test
  void theGravestFindingsComeFirst() {
    Verdict verdict =
        judge(
            changed(
                f -> {
                  f.listeners.add(new Listener("tcp", "0.0.0.0", 8080));
                  f.cpus = 1;
                  f.file(SSHD, 'e', "755:0:0", OLD);
                  f.uidZero.add("toor");
                  f.verified("/etc/nftables.conf", false, true);
                  f.machineId = SampleFacts.hex('2');
                }),
            new Past.Known(accepted()));

    assertThat(verdict.findings())
        .extracting(Finding::kind)
        .containsExactly(
            MACHINE_ID_CHANGED,
            UID_ZERO_ACCOUNT,
            PROTECTED_PATH_CHANGED,
            PACKAGE_FILE_MODIFIED,
            LISTENER_ADDED,
            CAPACITY_TOO_SMALL);
  }

  @ParameterizedTest
  @EnumSource(OnViolation.class)
  void theInstallationsFloorQuarantinesWhateverTheSpecSays(OnViolation onViolation) {
    IntegritySpec asked =
        new IntegritySpec(
            IntegrityPolicy.STANDARD, List.of(), List.of(), null, List.of(), onViolation);

    assertThat(new Policy(asked, true, OURS).quarantines()).isTrue();
    assertThat(new Policy(asked, false, OURS).quarantines())
        .isEqualTo(onViolation == OnViolation.QUARANTINE);
  }

  private Baseline accepted() {
    return acceptedBaseline(judge(new SampleFacts(), new Past.Nothing()));
  }

  private Verdict judge(SampleFacts facts, Past past) {
    return new Policy(spec, false, OURS)
        .judge(
            new Measurement(facts.facts(), skew, Duration.ofSeconds(2), sharesMachineId, CAPACITY),
            past);
  }

  private static Baseline acceptedBaseline(Verdict verdict) {
    assertThat(verdict).isInstanceOf(Verdict.Accepted.class);
    return ((Verdict.Accepted) verdict).baseline();
  }

  /** The one finding that is expected among what may be found besides (a part not measured). */
  private static void assertFinding(Verdict verdict, FindingKind kind, boolean violation) {
    assertThat(verdict)
        .as("%s", verdict.findings())
        .isInstanceOf(violation ? Verdict.Violated.class : Verdict.Accepted.class);
    if (kind == null) {
      assertThat(verdict.findings()).isEmpty();
      return;
    }
    assertThat(verdict.findings())
        .filteredOn(finding -> finding.kind() == kind)
        .singleElement()
        .extracting(Finding::violation)
        .isEqualTo(violation);
  }

  private static IntegritySpec spec(
      IntegrityPolicy policy,
      List<String> paths,
      List<String> distributions,
      String kernel,
      List<FindingKind> forbidden) {
    return new IntegritySpec(
        policy, paths, distributions, kernel, forbidden, OnViolation.QUARANTINE);
  }

  private static SampleFacts changed(Consumer<SampleFacts> change) {
    SampleFacts facts = new SampleFacts();
    change.accept(facts);
    return facts;
  }

  private static Arguments row(
      String what, Consumer<SampleFacts> change, FindingKind kind, boolean violation) {
    return Arguments.of(what, change, kind, violation);
  }
}
