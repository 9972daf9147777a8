package dev.crowdlab.team;

import static dev.crowdlab.api.ConditionType.DRAINED;
import static dev.crowdlab.api.ConditionType.QUARANTINED;
import static dev.crowdlab.api.ConditionType.REACHABLE;
import static dev.crowdlab.api.ConditionType.READY;
import static dev.crowdlab.api.ConditionType.VERIFIED;
import static dev.crowdlab.team.EditLab.T;
import static dev.crowdlab.team.Samples.vm;
import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.DocumentedEdits;
import dev.crowdlab.api.DocumentedEdits.Row;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Names;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.RecoveryCause;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.integrity.Facts;
import dev.crowdlab.protocol.FromAgent.Notice;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.route.Routes.Target;
import dev.crowdlab.ssh.SshCredentials;
import dev.crowdlab.ssh.SshTarget;
import dev.crowdlab.team.EditExercises.Exercise;
import dev.crowdlab.team.EditLab.World;
import dev.crowdlab.vm.FakeVmAccess;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Makes the edit of each row of docs/edits.md that is about a ContributedVM, on one that is Ready
 * and carries a team, and holds what happens to both against the row's effect: that it is there,
 * and that nothing else is touched.
 */
class DocumentedVmEditsTest {

  private static final Failure BROKEN =
      new Failure(Failure.Kind.TRANSIENT, Reason.UNREACHABLE, "the connection broke");

  private static final Map<String, Exercise<EditLab>> ROWS =
      Map.ofEntries(
          Map.entry(
              "spec.contributor.name",
              set("spec.contributor.name", "Aaron")
                  .exactly(DocumentedVmEditsTest::theNextTeamIsSpreadByTheNewName)),
          Map.entry("spec.contributor.contact", set("spec.contributor.contact", "new@example.org")),
          Map.entry(
              "spec.ssh.host",
              set("spec.ssh.host", "new.example.org")
                  .after(lab -> lab.alice.access.alias("new.example.org", lab.alice.machine()))
                  .exactly(DocumentedVmEditsTest::studentsFollowTheMachineToItsNewAddress)),
          Map.entry("spec.ssh.port", set("spec.ssh.port", "2222")),
          Map.entry("spec.ssh.user", set("spec.ssh.user", "lab")),
          Map.entry("spec.ssh.sudo", set("spec.ssh.sudo", "true")),
          Map.entry(
              "spec.ssh.hostKey", set("spec.ssh.hostKey", FakeVmAccess.ED25519.fingerprint())),
          Map.entry(
              "spec.ssh.credentialsSecretRef",
              doing(
                      lab -> {
                        lab.edit("spec.ssh.credentialsSecretRef", "{name: other-ssh}");
                        secret(lab, "other-ssh", "1");
                      })
                  .exactly(
                      lab -> reconnect(lab, doing(other -> secret(other, "alice-1-ssh", "2"))))),
          Map.entry(
              "spec.capacity.teams",
              set("spec.capacity.teams", "0").back(lab -> lab.edit("spec.capacity.teams", "2"))),
          Map.entry(
              "spec.capacity.cpu",
              set("spec.capacity.cpu", "100m").back(lab -> lab.edit("spec.capacity.cpu", "1"))),
          Map.entry(
              "spec.capacity.memory",
              set("spec.capacity.memory", "1Mi")
                  .back(lab -> lab.edit("spec.capacity.memory", "1Gi"))),
          Map.entry(
              "spec.schedulable",
              set("spec.schedulable", "false").back(lab -> lab.edit("spec.schedulable", "true"))),
          Map.entry(
              "spec.drain", set("spec.drain", "true").back(lab -> lab.edit("spec.drain", "false"))),
          Map.entry(
              "spec.integrity",
              set("spec.integrity.minimumKernel", "'5.10'")
                  .exactly(DocumentedVmEditsTest::everyPartOfThePolicyIsJudgedBy)),
          Map.entry(
              "spec.availability",
              set("spec.availability", "[{from: '20:00', to: '21:00'}]")
                  .back(lab -> lab.edit("spec.availability", null))
                  .exactly(DocumentedVmEditsTest::teamsLeaveWhenTheWindowEnds)),
          Map.entry(
              Names.APPROVE_HOST_KEY,
              doing(
                      lab -> {
                        anotherKeyIsPresented(lab);
                        lab.alice.annotate(
                            Names.APPROVE_HOST_KEY, FakeVmAccess.OTHER_ED25519.fingerprint());
                      })
                  .exactly(DocumentedVmEditsTest::anApprovalAnswersThePresentedKeyOnly)),
          Map.entry(
              Names.RELEASE,
              doing(lab -> lab.alice.annotate(Names.RELEASE, lab.alice.status().quarantine().id()))
                  .after(DocumentedVmEditsTest::isQuarantined)
                  .exactly(DocumentedVmEditsTest::aReleaseAnswersItsOwnQuarantineOnly)),
          Map.entry(
              Names.REJOIN,
              doing(lab -> lab.alice.annotate(Names.REJOIN, lab.alice.status().voice().id()))
                  .after(DocumentedVmEditsTest::hasLeft)
                  .exactly(DocumentedVmEditsTest::aRejoinAnswersItsOwnLeavingOnly)),
          Map.entry(
              Names.PAUSED,
              annotation(Names.PAUSED, Names.TRUE)
                  .back(lab -> lab.alice.annotate(Names.PAUSED, null))
                  .exactly(
                      lab -> {
                        lab.alice.annotate(Names.PAUSED, "yes");
                        lab.edit("spec.drain", "true");
                        lab.settle();
                        assertThat(lab.vmOf(T)).isEqualTo("bob-1");
                      })),
          Map.entry(
              Names.FORCE_DELETE,
              annotation(Names.FORCE_DELETE, Names.TRUE)
                  .exactly(
                      lab -> {
                        lab.alice.annotate(Names.FORCE_DELETE, "yes");
                        delete(lab);
                        assertThat(lab.alice.cleanup()).as("it waits for its team").isPresent();
                        lab.bed.change(lab.alice.vm);
                        lab.bed.settle(T);
                        lab.alice.teams = lab.bed.teams.cached("lab");
                        assertThat(lab.alice.cleanup()).isEmpty();
                        assertThat(lab.alice.machine().configuration()).isNull();
                      })),
          Map.entry(
              "metadata.labels",
              doing(lab -> lab.alice.vm.getMetadata().setLabels(Map.of("room", "b")))
                  .exactly(DocumentedVmEditsTest::theNextTeamIsPlacedByTheNewLabels)));

  private static final Map<String, BiConsumer<EditLab, Exercise<EditLab>>> EFFECTS =
      Map.ofEntries(
          Map.entry("nothing", DocumentedVmEditsTest::nothing),
          Map.entry("later", DocumentedVmEditsTest::nothing),
          Map.entry("reconnect", DocumentedVmEditsTest::reconnect),
          Map.entry("reverify", DocumentedVmEditsTest::reverify),
          Map.entry("take-in", DocumentedVmEditsTest::takeIn),
          Map.entry("capacity", DocumentedVmEditsTest::capacity),
          Map.entry("cordon", DocumentedVmEditsTest::cordon),
          Map.entry("drain", DocumentedVmEditsTest::drain),
          Map.entry("pause", DocumentedVmEditsTest::pause),
          Map.entry("let-go", DocumentedVmEditsTest::letGo));

  private static final EditExercises<EditLab> EDITS =
      new EditExercises<>("ContributedVM", EditLab::ready, ROWS, EFFECTS);

  static Stream<Row> rows() {
    return EDITS.documented();
  }

  static Stream<Row> rowsThatSayMore() {
    return EDITS.documentedBeyondTheirEffect();
  }

  @ParameterizedTest
  @MethodSource("rows")
  void anEditHasItsEffectAndNoOther(Row row) {
    EDITS.showEffect(row);
  }

  @ParameterizedTest
  @MethodSource("rowsThatSayMore")
  void whatTheRowSaysBeyondItsEffectIsTrue(Row row) {
    EDITS.showExactly(row);
  }

  @Test
  void everyExerciseHasItsRow() {
    EDITS.assertNoneIsWithoutItsRow();
  }

  // ---- the effects

  private static void nothing(EditLab lab, Exercise<EditLab> exercise) {
    World before = lab.world();

    exercise.edit().accept(lab);
    lab.settle();

    assertThat(lab.world()).isEqualTo(before);
    lab.assertObserved();
  }

  private static void reconnect(EditLab lab, Exercise<EditLab> exercise) {
    World before = isVerifiedAnew(lab, exercise);
    assertThat(lab.world().conditions()).isEqualTo(before.conditions());
    assertConnectedAsTheSpecSays(lab);

    EditLab broken = EditLab.ready();
    exercise.before().accept(broken);
    broken.alice.machine().failNext("probe", BROKEN);
    exercise.edit().accept(broken);
    broken.settle();
    World failed = broken.world();
    assertThat(failed.calls())
        .as("it is not dialled again before its time")
        .isEqualTo(and(before.calls(), "probe"));
    assertThat(broken.condition(REACHABLE)).isEqualTo("False:Unreachable");
    assertThat(broken.condition(READY)).isEqualTo("False:Unreachable");
    broken.assertObserved();
    assertThat(failed.team()).isEqualTo(before.team());
    assertThat(failed.watched()).as("it is watched where it was found").isEqualTo(before.watched());
    broken.clock.advance(Duration.ofSeconds(10));
    broken.settle();
    assertThat(broken.world().conditions()).isEqualTo(before.conditions());
    assertThat(broken.world().team()).isEqualTo(before.team());
    assertConnectedAsTheSpecSays(broken);

    EditLab changed = EditLab.ready();
    exercise.before().accept(changed);
    changed.alice.machine().facts(DocumentedVmEditsTest::withAnotherRoot);
    exercise.edit().accept(changed);
    changed.settle();
    assertThat(changed.condition(VERIFIED)).isEqualTo("False:PolicyViolated");
  }

  private static void reverify(EditLab lab, Exercise<EditLab> exercise) {
    isVerifiedAnew(lab, exercise);
    assertThat(lab.condition(VERIFIED)).isEqualTo("True:Verified");
    assertThat(lab.condition(READY)).isEqualTo("True:Ready");

    EditLab violating = EditLab.ready();
    exercise.before().accept(violating);
    violating.alice.machine().facts(facts -> withOs(facts, "slackware"));
    exercise.edit().accept(violating);
    violating.settle();
    assertThat(violating.condition(QUARANTINED)).isEqualTo("True:PolicyViolated");
    assertThat(violating.vmOf(T)).isEqualTo("bob-1");
  }

  private static void takeIn(EditLab lab, Exercise<EditLab> exercise) {
    exercise.before().accept(lab);
    World left = lab.world();

    exercise.edit().accept(lab);
    lab.settle();
    lab.alice.connect();
    lab.alice.says(Notice.Kind.RESUME);
    lab.settle();

    assertThat(lab.world().calls()).isEqualTo(and(left.calls(), "probe", "configure"));
    assertThat(lab.condition(READY)).isEqualTo("True:Ready");
    assertThat(lab.world().team()).as("none returns by itself").isEqualTo(left.team());
    lab.assertObserved();
    bobHasNoRoom(lab);
    lab.create("t2");
    assertThat(lab.vmOf("t2")).as("teams may come").isEqualTo("alice-1");
  }

  private static void capacity(EditLab lab, Exercise<EditLab> exercise) {
    bobHasNoRoom(lab);
    World before = lab.world();

    exercise.edit().accept(lab);
    lab.settle();
    assertThat(lab.world()).isEqualTo(before);
    lab.assertObserved();
    lab.create("t2");
    assertThat(lab.vmOf("t2")).as("nothing new comes").isEmpty();

    exercise.back().accept(lab);
    lab.settle();
    assertThat(lab.vmOf("t2")).as("until there is room").isEqualTo("alice-1");
  }

  private static void cordon(EditLab lab, Exercise<EditLab> exercise) {
    bobHasNoRoom(lab);
    World before = lab.world();

    exercise.edit().accept(lab);
    lab.settle();
    assertThat(lab.world())
        .isEqualTo(before.withConditions(instead(before.conditions(), "True:Cordoned")));
    lab.assertObserved();
    lab.create("t2");
    assertThat(lab.vmOf("t2")).as("new teams are kept away").isEmpty();

    exercise.back().accept(lab);
    lab.settle();
    assertThat(lab.vmOf("t2")).as("and let in again").isEqualTo("alice-1");
    assertThat(lab.world().conditions()).isEqualTo(before.conditions());
  }

  private static void drain(EditLab lab, Exercise<EditLab> exercise) {
    World before = lab.world();
    lab.agents.obedient(false);

    exercise.edit().accept(lab);
    lab.settle();
    assertThat(lab.agents.sent(lab.alice.ref()))
        .as("it serves until the other machine is ready for it")
        .noneMatch(ToAgent.Stop.class::isInstance);
    assertThat(lab.condition(DRAINED)).isEqualTo("False:Draining");
    lab.agents.prepared(EditLab.BOB, TeamBed.ref(T), null);
    lab.settle();
    assertThat(lab.agents.sent(lab.alice.ref())).last().isInstanceOf(ToAgent.Stop.class);
    assertThat(lab.condition(DRAINED)).isEqualTo("False:Draining");
    assertThat(lab.world().team().fences()).isEqualTo(before.team().fences());

    lab.agents.gone(lab.alice.ref(), TeamBed.ref(T), 1);
    lab.agents.obedient(true);
    lab.settle();
    assertThat(lab.vmOf(T)).isEqualTo("bob-1");
    assertThat(lab.bed.condition(T, READY)).isEqualTo("True:Ready");
    assertThat(lab.bed.status(T).recoveries().getFirst().cause())
        .isEqualTo(RecoveryCause.VM_DRAINED);
    assertThat(lab.condition(DRAINED)).startsWith("True:");
    assertThat(lab.world().calls()).as("the machine itself").isEqualTo(before.calls());
    lab.assertObserved();

    World drained = lab.world();
    exercise.back().accept(lab);
    lab.settle();
    assertThat(lab.world().team()).as("none returns by itself").isEqualTo(drained.team());
    assertThat(lab.condition(READY)).isEqualTo("True:Ready");
    bobHasNoRoom(lab);
    lab.create("t2");
    assertThat(lab.vmOf("t2")).as("teams may come").isEqualTo("alice-1");
  }

  private static void pause(EditLab lab, Exercise<EditLab> exercise) {
    lab.alice.access.alias("new.example.org", lab.alice.machine());
    World before = lab.world();

    exercise.edit().accept(lab);
    lab.settle();
    lab.edit("spec.ssh.host", "new.example.org");
    lab.edit("spec.integrity.minimumKernel", "'5.10'");
    lab.edit("spec.capacity.teams", "3");
    lab.edit("spec.drain", "true");
    lab.alice.annotate(Names.APPROVE_HOST_KEY, FakeVmAccess.OTHER_ED25519.fingerprint());
    lab.clock.advance(Duration.ofHours(2));
    lab.settle();
    assertThat(lab.world())
        .isEqualTo(before.withConditions(instead(before.conditions(), "True:Paused")));
    long behind = lab.alice.status().observedGeneration();
    assertThat(behind).isLessThan(lab.alice.vm.getMetadata().getGeneration());
    assertThat(lab.alice.status().conditions())
        .allSatisfy(condition -> assertThat(condition.getObservedGeneration()).isEqualTo(behind));
    bobHasNoRoom(lab);
    lab.create("t2");
    assertThat(lab.vmOf("t2")).as("nor does anything new come").isEmpty();
    lab.bed.machine("bob-1", "Bob", 4);

    exercise.back().accept(lab);
    lab.settle();
    assertThat(lab.vmOf(T)).isEqualTo("bob-1");
    assertThat(lab.condition(DRAINED)).isEqualTo("True:Drained");
    assertConnectedAsTheSpecSays(lab);
    lab.assertObserved();
  }

  private static void letGo(EditLab lab, Exercise<EditLab> exercise) {
    nothing(lab, exercise);

    World before = lab.world();
    delete(lab);
    assertThat(lab.alice.cleanup()).isEmpty();
    assertThat(lab.world())
        .as("nobody asks the machine")
        .isEqualTo(
            new World(
                before.calls(),
                before.changes(),
                before.agentStarts(),
                before.configured(),
                Optional.empty(),
                before.conditions(),
                lab.world().team()));
  }

  /** A connection, a verdict, and nothing that had to be changed; what was before is given back. */
  private static World isVerifiedAnew(EditLab lab, Exercise<EditLab> exercise) {
    exercise.before().accept(lab);
    World before = lab.world();

    exercise.edit().accept(lab);
    lab.settle();

    World after = lab.world();
    assertThat(after.team()).isEqualTo(before.team());
    assertThat(after.calls()).isEqualTo(and(before.calls(), "probe", "configure"));
    assertThat(after.changes()).isEqualTo(before.changes());
    assertThat(after.agentStarts()).isEqualTo(before.agentStarts());
    lab.assertObserved();
    return before;
  }

  // ---- what the rows say beyond their effects

  private static void theNextTeamIsSpreadByTheNewName(EditLab unedited) {
    unedited.bed.machine("aaron-1", "Aaron", 4);
    unedited.create("t2");
    assertThat(unedited.vmOf("t2")).isEqualTo("aaron-1");

    EditLab lab = EditLab.ready();
    lab.bed.machine("aaron-1", "Aaron", 4);
    lab.edit("spec.contributor.name", "Aaron");
    lab.settle();
    lab.create("t2");
    assertThat(lab.vmOf("t2")).as("Aaron carries one already").isEqualTo("bob-1");
  }

  private static void theNextTeamIsPlacedByTheNewLabels(EditLab lab) {
    lab.alice.vm.getMetadata().setLabels(Map.of("room", "a"));
    String selector = "{matchLabels: {room: a}}";
    lab.bed.teams.edit(
        T,
        team ->
            team.setSpec(
                DocumentedEdits.edited(team.getSpec(), "spec.placement.vmSelector", selector)));
    lab.settle();
    World before = lab.world();

    lab.alice.vm.getMetadata().setLabels(Map.of("room", "b"));
    lab.settle();
    assertThat(lab.world()).isEqualTo(before);

    createWithSelector(lab, "t2", selector);
    createWithSelector(lab, "t3", "{matchLabels: {room: b}}");
    assertThat(lab.bed.condition("t2", READY)).isEqualTo("False:NoMatchingVm");
    assertThat(lab.vmOf("t3")).isEqualTo("alice-1");
  }

  private static void studentsFollowTheMachineToItsNewAddress(EditLab lab) {
    FakeVmAccess.Machine stranger = lab.alice.access.machine("new.example.org");
    stranger.address("10.77.9.9").hostKey(FakeVmAccess.OTHER_ED25519);
    World before = lab.world();
    lab.edit("spec.ssh.host", "new.example.org");
    lab.settle();
    assertThat(lab.condition(REACHABLE)).isEqualTo("False:HostKeyChanged");
    assertThat(stranger.calls()).isEmpty();
    assertThat(lab.world().team()).isEqualTo(before.team());
    assertThat(lab.world().watched()).isEqualTo(before.watched());

    lab.alice.machine().address("10.77.8.8");
    lab.alice.access.alias("newer.example.org", lab.alice.machine());
    lab.edit("spec.ssh.host", "newer.example.org");
    lab.settle();
    int port = lab.bed.status(T).binding().port();
    lab.bed.assertRouted(T, new Target.Exercise("10.77.8.8", port));
    assertThat(lab.world().watched().orElseThrow().getAddress().getHostAddress())
        .isEqualTo("10.77.8.8");
    assertThat(lab.bed.status(T).binding().epoch()).isEqualTo(1);
    assertThat(lab.world().team().told()).isEqualTo(before.team().told());
    assertThat(lab.bed.condition(T, READY)).isEqualTo("True:Ready");
  }

  private static void everyPartOfThePolicyIsJudgedBy(EditLab quarantined) {
    Map<String, String> harmless =
        Map.of(
            "policy", "Strict",
            "protectedPaths", "[/etc/motd]",
            "allowedDistributions", "[debian]",
            "minimumKernel", "'5.10'",
            "forbiddenFindings", "[ListenerAdded]",
            "onViolation", "Report");
    assertThat(harmless.keySet())
        .isEqualTo(DocumentedEdits.parts("ContributedVM", "spec.integrity"));
    harmless.forEach(
        (part, value) -> {
          EditLab lab = EditLab.ready();
          World before = lab.world();
          lab.edit("spec.integrity." + part, value);
          lab.settle();
          assertThat(lab.world())
              .as(part)
              .isEqualTo(before.withCalls(and(before.calls(), "probe", "configure")));
        });

    quarantined.edit("spec.integrity.allowedDistributions", "[ubuntu]");
    quarantined.settle();
    assertThat(quarantined.condition(QUARANTINED)).isEqualTo("True:PolicyViolated");
    quarantined.edit("spec.integrity.allowedDistributions", "[debian]");
    quarantined.edit("spec.integrity.onViolation", "Report");
    quarantined.settle();
    assertThat(quarantined.condition(VERIFIED)).isEqualTo("True:Verified");
    assertThat(quarantined.condition(READY)).isEqualTo("False:Quarantined");
    quarantined.alice.annotate(Names.RELEASE, quarantined.alice.status().quarantine().id());
    quarantined.settle();
    assertThat(quarantined.condition(READY)).isEqualTo("True:Ready");
  }

  private static void teamsLeaveWhenTheWindowEnds(EditLab lab) {
    World before = lab.world();
    lab.edit("spec.availability", "[{from: '02:00', to: '04:00'}]");
    lab.settle();
    assertThat(lab.world()).isEqualTo(before);
    lab.clock.advance(Duration.ofMinutes(59).plusSeconds(30));
    lab.settle();
    assertThat(lab.vmOf(T)).isEqualTo("alice-1");
    Duration again = lab.alice.pass();
    assertThat(again).isLessThanOrEqualTo(Duration.ofSeconds(31));

    lab.clock.advance(again);
    lab.settle();

    assertThat(lab.vmOf(T)).isEqualTo("bob-1");
    assertThat(lab.condition(READY)).isEqualTo("True:OutsideWindow");
  }

  private static void anApprovalAnswersThePresentedKeyOnly(EditLab lab) {
    World before = lab.world();
    lab.alice.annotate(Names.APPROVE_HOST_KEY, FakeVmAccess.OTHER_ED25519.fingerprint());
    lab.settle();
    assertThat(lab.world()).as("not the one in status.hostKey").isEqualTo(before);

    lab.alice.annotate(Names.APPROVE_HOST_KEY, FakeVmAccess.ED25519.fingerprint());
    anotherKeyIsPresented(lab);
    World refused = lab.world();
    lab.settle();
    assertThat(lab.world()).as("the old answer").isEqualTo(refused);

    lab.edit("spec.ssh.hostKey", FakeVmAccess.ED25519.fingerprint());
    lab.alice.annotate(Names.APPROVE_HOST_KEY, FakeVmAccess.OTHER_ED25519.fingerprint());
    lab.settle();
    assertThat(lab.condition(REACHABLE))
        .as("what the spec pins counts alone")
        .isEqualTo("False:HostKeyChanged");
    assertThat(lab.alice.status().approvedHostKey()).isEqualTo(FakeVmAccess.ED25519.fingerprint());
  }

  private static void aReleaseAnswersItsOwnQuarantineOnly(EditLab lab) {
    isQuarantined(lab);
    World before = lab.world();

    lab.alice.annotate(Names.RELEASE, "q-of-another-time");
    lab.settle();

    assertThat(lab.world()).isEqualTo(before);
    assertThat(lab.condition(READY)).isEqualTo("False:Quarantined");
  }

  private static void aRejoinAnswersItsOwnLeavingOnly(EditLab lab) {
    hasLeft(lab);
    World before = lab.world();

    lab.alice.annotate(Names.REJOIN, "l-of-another-time");
    lab.settle();

    assertThat(lab.world()).isEqualTo(before);
    assertThat(lab.condition(READY)).isEqualTo("False:Left");
  }

  // ---- helpers

  /** Its contributor has it back; the team has left. */
  private static void hasLeft(EditLab lab) {
    lab.alice.says(Notice.Kind.LEAVE);
    lab.settle();
    assertThat(lab.vmOf(T)).isEqualTo("bob-1");
    assertThat(lab.alice.leave()).isEmpty();
    lab.settle();
    assertThat(lab.condition(READY)).isEqualTo("False:Left");
  }

  private static void anotherKeyIsPresented(EditLab lab) {
    lab.alice.machine().hostKey(FakeVmAccess.OTHER_ED25519);
    lab.clock.advance(Duration.ofHours(2));
    lab.settle();
    assertThat(lab.condition(REACHABLE)).isEqualTo("False:HostKeyChanged");
  }

  /** A second root was found; the team has left. */
  private static void isQuarantined(EditLab lab) {
    lab.alice.machine().facts(DocumentedVmEditsTest::withAnotherRoot);
    lab.clock.advance(Duration.ofHours(2));
    lab.settle();
    assertThat(lab.condition(READY)).isEqualTo("False:Quarantined");
    assertThat(lab.vmOf(T)).isEqualTo("bob-1");
  }

  private static void bobHasNoRoom(EditLab lab) {
    lab.bed.change(vm("bob-1", "Bob", 0));
  }

  private static void createWithSelector(EditLab lab, String name, String selector) {
    LabTeam team = Samples.team(name);
    team.setSpec(DocumentedEdits.edited(team.getSpec(), "spec.placement.vmSelector", selector));
    lab.bed.teams.create(team);
    lab.bed.settle(name);
  }

  private static void secret(EditLab lab, String name, String version) {
    lab.alice.secret =
        Optional.of(
            new SecretBuilder(lab.alice.secret.orElseThrow())
                .editMetadata()
                .withName(name)
                .withResourceVersion(version)
                .endMetadata()
                .addToData("password", "bmV3")
                .build());
    lab.alice.machine().accepts(SshCredentials.password("new"));
  }

  private static void delete(EditLab lab) {
    lab.alice.vm.getMetadata().setDeletionTimestamp(lab.clock.instant().toString());
  }

  private static void assertConnectedAsTheSpecSays(EditLab lab) {
    var ssh = lab.alice.vm.getSpec().ssh();
    SshTarget target = lab.alice.machine().lastTarget();
    assertThat(target.host()).isEqualTo(ssh.host());
    assertThat(target.port()).isEqualTo(ssh.port());
    assertThat(target.user()).isEqualTo(ssh.user());
    assertThat(target.sudo()).isEqualTo(ssh.usesSudo());
    assertThat(lab.agents.watched(lab.alice.ref()).orElseThrow().getPort()).isEqualTo(ssh.port());
  }

  private static List<String> and(List<String> calls, String... more) {
    List<String> all = new ArrayList<>(calls);
    all.addAll(List.of(more));
    return all;
  }

  /** The conditions of a machine that is Ready, with another word for it. */
  private static List<String> instead(List<String> conditions, String ready) {
    return conditions.stream().map(c -> c.replace("Ready=True:Ready", "Ready=" + ready)).toList();
  }

  private static Facts withAnotherRoot(Facts facts) {
    return changed(facts, facts.os(), List.of("root", "toor"));
  }

  private static Facts withOs(Facts facts, String os) {
    return changed(facts, os, facts.uidZero());
  }

  private static Facts changed(Facts facts, String os, List<String> uidZero) {
    return new Facts(
        os,
        facts.osVersion(),
        facts.osName(),
        facts.kernel(),
        facts.arch(),
        facts.cpus(),
        facts.memoryBytes(),
        facts.diskFreeBytes(),
        facts.machineIdHash(),
        facts.bootId(),
        facts.taint(),
        facts.packageManager(),
        facts.init(),
        facts.agentVersion(),
        facts.tools(),
        facts.verification(),
        facts.files(),
        uidZero,
        facts.authorizedKeys(),
        facts.listeners(),
        facts.unmeasured());
  }

  private static Exercise<EditLab> doing(Consumer<EditLab> edit) {
    return Exercise.of(edit);
  }

  private static Exercise<EditLab> set(String place, String value) {
    return doing(lab -> lab.edit(place, value));
  }

  private static Exercise<EditLab> annotation(String key, String value) {
    return doing(lab -> lab.alice.annotate(key, value));
  }
}
