package dev.crowdlab.team;

import static dev.crowdlab.api.ConditionType.PLACED;
import static dev.crowdlab.api.ConditionType.READY;
import static dev.crowdlab.api.ConditionType.WORKSPACE_ATTACHED;
import static dev.crowdlab.team.Samples.vm;
import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.DocumentedEdits;
import dev.crowdlab.api.DocumentedEdits.Row;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.Names;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.RecoveryCause;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.protocol.ToAgent.PublishedPort;
import dev.crowdlab.protocol.ToAgent.RegistryAuth;
import dev.crowdlab.protocol.ToAgent.Run;
import dev.crowdlab.protocol.ToAgent.Stop;
import dev.crowdlab.route.Routes.Target;
import dev.crowdlab.route.Routes.Why;
import dev.crowdlab.storage.Workspaces.AdvanceRequest;
import dev.crowdlab.team.EditExercises.Exercise;
import java.time.Duration;
import java.util.HashMap;
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
 * Makes the edit of each row of docs/edits.md that is about a LabTeam, on one that is Ready, and
 * holds what happens against the row's effect: that it is there, and that nothing else is touched.
 */
class DocumentedTeamEditsTest {

  private static final String T = "t1";
  private static final TeamRef TEAM = TeamBed.ref(T);
  private static final VmRef ALICE = new VmRef("lab", "alice-1", "uid-alice-1");
  private static final VmRef BOB = new VmRef("lab", "bob-1", "uid-bob-1");
  private static final Failure AWAY =
      new Failure(Failure.Kind.TRANSIENT, Reason.FILE_SERVER_UNAVAILABLE, "away");

  private static final Map<String, Exercise<TeamBed>> ROWS =
      Map.ofEntries(
          Map.entry("spec.members", set("spec.members", "[bob, carol]")),
          Map.entry(
              "spec.exercise.containers",
              set("spec.exercise.containers.0.image", "another:2")
                  .exactly(bed -> anyPartOfAContainerRestarts())),
          Map.entry("spec.exercise.egress", set("spec.exercise.egress", "Internet")),
          Map.entry(
              "spec.exercise.imagePullSecretRef",
              set("spec.exercise.imagePullSecretRef", "{name: pull}")
                  .exactly(DocumentedTeamEditsTest::aNewPullSecretCountsWhenAnImageIsWaitedFor)),
          Map.entry(
              "spec.workspace.size",
              set("spec.workspace.size", "5Gi")
                  .exactly(DocumentedTeamEditsTest::aSizeBelowWhatIsUsedOnlyEndsWriting)),
          Map.entry(
              "spec.workspace.writes",
              set("spec.workspace.writes", "Synchronous")
                  .exactly(DocumentedTeamEditsTest::otherWritesAreMountedInPlace)),
          Map.entry("spec.access.host", set("spec.access.host", "new.lab.example.org")),
          Map.entry("spec.access.path", set("spec.access.path", "/new")),
          Map.entry(
              "spec.access.port",
              set("spec.access.port", "admin")
                  .exactly(DocumentedTeamEditsTest::anotherPortIsOpened)),
          Map.entry("spec.access.ingressClassName", set("spec.access.ingressClassName", "nginx")),
          Map.entry("spec.access.tlsSecretName", set("spec.access.tlsSecretName", "tls")),
          Map.entry(
              "spec.access.annotations",
              set("spec.access.annotations", "{cert-manager.io/issuer: ca}")),
          Map.entry(
              "spec.placement.vmSelector",
              set("spec.placement.vmSelector", "{matchLabels: {crowdlab.dev/name: carol-1}}")
                  .exactly(DocumentedTeamEditsTest::aNewSelectorCountsAtTheNextPlacement)),
          Map.entry(
              "spec.placement.spread",
              set("spec.placement.spread", "None")
                  .exactly(DocumentedTeamEditsTest::aNewSpreadCountsAtTheNextPlacement)),
          Map.entry(
              "spec.recovery.policy",
              set("spec.recovery.policy", "Manual")
                  .exactly(DocumentedTeamEditsTest::aNewPolicyCountsAtTheNextFault)),
          Map.entry(
              "spec.suspended",
              set("spec.suspended", "true").back(bed -> edit(bed, "spec.suspended", "false"))),
          Map.entry(
              "spec.expiresAfter",
              doing(
                      bed -> {
                        bed.clock.advance(Duration.ofHours(2));
                        edit(bed, "spec.expiresAfter", "1h");
                      })
                  .back(bed -> edit(bed, "spec.expiresAfter", null))
                  .exactly(DocumentedTeamEditsTest::theTimeIsCountedFromTheCreation)),
          Map.entry(
              Names.REBIND,
              annotation(Names.REBIND, "1")
                  .exactly(DocumentedTeamEditsTest::aRebindAnswersItsOwnEpochOnly)),
          Map.entry(
              Names.PAUSED,
              annotation(Names.PAUSED, Names.TRUE)
                  .back(bed -> annotate(bed, Names.PAUSED, null))
                  .exactly(
                      bed -> {
                        annotate(bed, Names.PAUSED, "yes");
                        edit(bed, "spec.exercise.egress", "Internet");
                        bed.settle(T);
                        assertThat(bed.status(T).binding().epoch()).isEqualTo(2);
                      })),
          Map.entry(
              Names.FORCE_DELETE,
              annotation(Names.FORCE_DELETE, Names.TRUE)
                  .exactly(
                      bed -> {
                        bed.workspaces.failWith(AWAY);
                        annotate(bed, Names.FORCE_DELETE, "yes");
                        delete(bed);
                        bed.settle(T);
                        assertThat(bed.teams.exists(T)).isTrue();
                      })));

  private static final Map<String, BiConsumer<TeamBed, Exercise<TeamBed>>> EFFECTS =
      Map.ofEntries(
          Map.entry("nothing", DocumentedTeamEditsTest::nothing),
          Map.entry("later", DocumentedTeamEditsTest::nothing),
          Map.entry("reroute", DocumentedTeamEditsTest::reroute),
          Map.entry("resize", DocumentedTeamEditsTest::resize),
          Map.entry("restart", DocumentedTeamEditsTest::restart),
          Map.entry("move", DocumentedTeamEditsTest::move),
          Map.entry("suspend", DocumentedTeamEditsTest::suspend),
          Map.entry("pause", DocumentedTeamEditsTest::pause),
          Map.entry("let-go", DocumentedTeamEditsTest::letGo));

  private static final EditExercises<TeamBed> EDITS =
      new EditExercises<>("LabTeam", DocumentedTeamEditsTest::ready, ROWS, EFFECTS);

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

  private static void nothing(TeamBed bed, Exercise<TeamBed> exercise) {
    TeamWorld before = world(bed);

    exercise.edit().accept(bed);
    bed.settle(T);

    assertThat(world(bed)).isEqualTo(before);
    assertObserved(bed);
  }

  private static void reroute(TeamBed bed, Exercise<TeamBed> exercise) {
    TeamWorld before = world(bed);

    exercise.edit().accept(bed);
    bed.settle(T);

    var access = bed.teams.get(T).getSpec().access();
    assertThat(before.access()).isPresent().get().isNotEqualTo(access);
    String scheme = access.tlsSecretName() == null ? "http" : "https";
    assertThat(world(bed))
        .isEqualTo(before.withAccess(access, scheme + "://" + access.host() + access.path()));
    assertObserved(bed);
  }

  private static void resize(TeamBed bed, Exercise<TeamBed> exercise) {
    TeamWorld before = world(bed);

    exercise.edit().accept(bed);
    bed.settle(T);

    long size = Demand.bytes(bed.teams.get(T).getSpec().workspace().size());
    assertThat(size).isNotEqualTo(before.limit());
    assertThat(world(bed)).isEqualTo(before.withLimit(size));
    assertObserved(bed);

    TeamBed missed = ready();
    missed.workspaces.failWith(AWAY);
    exercise.edit().accept(missed);
    missed.settle(T);
    missed.workspaces.heal();
    TeamLoop.Turn turn = missed.settle(T);
    assertThat(turn)
        .as("the file server was away: it is asked again")
        .isInstanceOfSatisfying(
            TeamLoop.Turn.After.class,
            after -> {
              assertThat(after.delay()).isLessThanOrEqualTo(Duration.ofSeconds(30));
              missed.clock.advance(after.delay());
            });
    missed.settle(T);
    assertThat(world(missed)).isEqualTo(before.withLimit(size));
  }

  private static void restart(TeamBed bed, Exercise<TeamBed> exercise) {
    Run first = lastRun(bed, ALICE);
    stopsInOrderThenStartsOn(ALICE, bed, exercise);
    assertThat(bed.agents.sent(BOB)).isEmpty();
    assertThat(asIfOf(first, lastRun(bed, ALICE)))
        .as("what runs now is the new spec")
        .isNotEqualTo(first);
    assertRecovered(bed, RecoveryCause.SPEC_CHANGED, "alice-1");

    TeamBed full = ready();
    full.change(vm("alice-1", "Alice", 0));
    stopsInOrderThenStartsOn(BOB, full, exercise);
  }

  private static void move(TeamBed bed, Exercise<TeamBed> exercise) {
    stopsInOrderThenStartsOn(BOB, bed, exercise);
    assertThat(asIfOf(lastRun(bed, ALICE), lastRun(bed, BOB))).isEqualTo(lastRun(bed, ALICE));
    assertRecovered(bed, RecoveryCause.REQUESTED, "bob-1");

    TeamBed alone = ready();
    alone.change(vm("bob-1", "Bob", 0));
    stopsInOrderThenStartsOn(ALICE, alone, exercise);
  }

  private static void suspend(TeamBed bed, Exercise<TeamBed> exercise) {
    bed.agents.obedient(false);
    exercise.edit().accept(bed);
    bed.settle(T);
    assertThat(bed.agents.sent(ALICE)).last().isEqualTo(stop(1));
    bed.assertRouted(T, new Target.WaitingRoom(Why.SUSPENDED));

    bed.agents.gone(ALICE, TEAM, 1);
    bed.settle(T);
    assertThat(bed.status(T).binding()).isNull();
    assertThat(bed.condition(T, READY)).startsWith("True:").isNotEqualTo("True:Ready");
    assertThat(bed.agents.wanted(ALICE)).isEmpty();
    assertThat(bed.agents.sent(BOB)).isEmpty();
    AdvanceRequest sealed = bed.workspaces.standing(bed.workspace(T)).orElseThrow();
    assertThat(sealed.key()).as("who may write to what is kept").isNull();
    assertThat(sealed.epoch()).isEqualTo(2);
    assertObserved(bed);

    bed.agents.obedient(true);
    exercise.back().accept(bed);
    bed.settle(T);
    assertThat(bed.condition(T, READY)).isEqualTo("True:Ready");
    AdvanceRequest again = bed.workspaces.standing(bed.workspace(T)).orElseThrow();
    assertThat(again.epoch()).isEqualTo(3);
    assertThat(again.id()).isEqualTo(sealed.id());
    bed.assertRouted(T, bed.exercise(T));
    assertThat(bed.status(T).recoveries()).isEmpty();
  }

  private static void pause(TeamBed bed, Exercise<TeamBed> exercise) {
    TeamWorld before = world(bed);

    exercise.edit().accept(bed);
    bed.settle(T);
    edit(bed, "spec.exercise.containers.0.image", "another:2");
    edit(bed, "spec.access.path", "/new");
    edit(bed, "spec.workspace.size", "5Gi");
    annotate(bed, Names.REBIND, "1");
    bed.settle(T);
    bed.change(Samples.withSpec(vm("alice-1", "Alice", 4), true, true));
    bed.settle(T);
    bed.agents.lose(ALICE);
    bed.settle(T);

    List<String> paused =
        before.conditions().stream().map(c -> c.replace("True:Ready", "True:Paused")).toList();
    assertThat(world(bed)).isEqualTo(before.withConditions(paused));
    assertThat(bed.status(T).observedGeneration()).isEqualTo(1);
    assertThat(bed.status(T).conditions())
        .allSatisfy(condition -> assertThat(condition.getObservedGeneration()).isEqualTo(1));

    exercise.back().accept(bed);
    bed.settle(T);
    assertThat(bed.condition(T, READY)).isEqualTo("True:Ready");
    assertThat(bed.status(T).binding().vm()).isEqualTo("bob-1");
    assertThat(lastRun(bed, BOB).containers().getFirst().image()).isEqualTo("another:2");
    assertThat(bed.status(T).url()).endsWith("/new");
    assertThat(world(bed).limit()).isEqualTo(5L << 30);
    assertObserved(bed);
  }

  private static void letGo(TeamBed bed, Exercise<TeamBed> exercise) {
    nothing(bed, exercise);

    bed.workspaces.failWith(AWAY);
    bed.agents.obedient(false);
    delete(bed);
    bed.reconcile(T);

    assertThat(bed.teams.exists(T)).isFalse();
  }

  // ---- what the rows say beyond their effects

  private static void anyPartOfAContainerRestarts() {
    Map<String, String> parts =
        Map.of(
            "name", "server",
            "image", "another:2",
            "command", "[/bin/httpd]",
            "args", "[-f]",
            "env", "[{name: LEVEL, value: hard}]",
            "ports", "[{name: http, containerPort: 8081}]",
            "resources", "{limits: {cpu: '1'}}",
            "workspaceMountPath", "/home/student");
    assertThat(parts.keySet())
        .isEqualTo(DocumentedEdits.parts("LabTeam", "spec.exercise.containers"));

    parts.forEach(
        (part, value) -> restart(ready(), set("spec.exercise.containers.0." + part, value)));
  }

  private static void aNewPullSecretCountsWhenAnImageIsWaitedFor(TeamBed bed) {
    bed.agents.obedient(false);
    edit(bed, "spec.exercise.containers.0.image", "registry.example.org/web:1");
    bed.settle(T);
    bed.agents.gone(ALICE, TEAM, 1);
    bed.settle(T);
    bed.agents.fail(ALICE, TEAM, RunFailure.IMAGE_MISSING, "no such image");
    bed.settle(T);
    assertThat(bed.condition(T, READY)).isEqualTo("False:ImagePullFailed");

    bed.agents.obedient(true);
    bed.pullSecret = Outcome.done(Optional.of(new RegistryAuth("{}")));
    edit(bed, "spec.exercise.imagePullSecretRef", "{name: pull}");
    bed.settle(T);

    assertThat(bed.condition(T, READY)).isEqualTo("True:Ready");
    assertThat(lastRun(bed, ALICE).registryAuth()).isEqualTo(new RegistryAuth("{}"));
  }

  private static void aSizeBelowWhatIsUsedOnlyEndsWriting(TeamBed bed) {
    TeamWorld before = world(bed);
    bed.workspaces.use(bed.workspace(T), 800L << 20);

    edit(bed, "spec.workspace.size", "500Mi");
    bed.settle(T);
    bed.quotas.look(team -> {});
    bed.settle(T);

    assertThat(bed.condition(T, READY)).isEqualTo("True:WorkspaceFull");
    assertThat(bed.condition(T, WORKSPACE_ATTACHED)).isEqualTo("True:WorkspaceFull");
    assertThat(world(bed).told()).isEqualTo(before.told());
    bed.workspaces.use(bed.workspace(T), 100L << 20);
    bed.quotas.look(team -> {});
    bed.settle(T);
    assertThat(world(bed)).isEqualTo(before.withLimit(500L << 20));
  }

  private static void otherWritesAreMountedInPlace(TeamBed bed) {
    assertThat(lastRun(bed, ALICE).mount().synchronous()).isFalse();

    edit(bed, "spec.workspace.writes", "Synchronous");
    bed.settle(T);
    assertThat(bed.status(T).binding().epoch()).isEqualTo(2);
    assertThat(lastRun(bed, ALICE).mount().synchronous()).isTrue();

    edit(bed, "spec.workspace.writes", null);
    bed.settle(T);
    assertThat(bed.status(T).binding().epoch()).isEqualTo(3);
    assertThat(lastRun(bed, ALICE).mount().synchronous()).isFalse();
  }

  private static void anotherPortIsOpened(TeamBed bed) {
    int port = bed.status(T).binding().port();

    edit(bed, "spec.access.port", "admin");
    bed.settle(T);

    Binding binding = bed.status(T).binding();
    assertThat(binding.port()).isNotEqualTo(port);
    assertThat(lastRun(bed, ALICE).ports())
        .containsExactly(new PublishedPort("web", "admin", 9090, binding.port()));
    bed.assertRouted(T, bed.exercise(T));
  }

  private static void aNewSelectorCountsAtTheNextPlacement(TeamBed bed) {
    VmRef carol = bed.machine("carol-1", "Carol", 4);
    edit(bed, "spec.placement.vmSelector", "{matchLabels: {crowdlab.dev/name: carol-1}}");
    bed.settle(T);
    assertThat(bed.status(T).binding().vmUid()).isEqualTo(ALICE.uid());

    bed.agents.lose(ALICE);
    bed.settle(T);
    assertThat(bed.status(T).binding().vmUid()).isEqualTo(carol.uid());
  }

  private static void aNewSpreadCountsAtTheNextPlacement(TeamBed bed) {
    VmRef carol = bed.machine("carol-1", "Carol", 4);
    bed.create("t2");
    bed.settle("t2");
    assertThat(bed.status("t2").binding().vmUid()).isEqualTo(BOB.uid());
    edit(bed, "spec.placement.spread", "None");
    bed.settle(T);

    bed.agents.lose(ALICE);
    bed.settle(T);

    assertThat(bed.status(T).binding().vmUid())
        .as("the machine that carries another already, not " + carol)
        .isEqualTo(BOB.uid());
  }

  private static void aNewPolicyCountsAtTheNextFault(TeamBed bed) {
    edit(bed, "spec.recovery.policy", "Manual");
    bed.settle(T);
    bed.agents.lose(ALICE);
    bed.settle(T);
    assertThat(bed.condition(T, PLACED)).isEqualTo("False:RecoveryAwaitsApproval");
    assertThat(bed.status(T).binding().epoch()).isEqualTo(1);

    edit(bed, "spec.recovery.policy", "Automatic");
    bed.settle(T);
    assertThat(bed.condition(T, READY)).isEqualTo("True:Ready");
    assertThat(bed.status(T).binding().vm()).isEqualTo("bob-1");
  }

  private static void theTimeIsCountedFromTheCreation(TeamBed bed) {
    bed.clock.advance(Duration.ofHours(2));
    edit(bed, "spec.expiresAfter", "3h");
    assertThat(bed.settle(T)).isEqualTo(new TeamLoop.Turn.After(Duration.ofHours(1)));
    assertThat(bed.condition(T, READY)).isEqualTo("True:Ready");
    bed.clock.advance(Duration.ofHours(1));
    bed.settle(T);
    assertThat(bed.condition(T, READY)).isEqualTo("True:Expired");

    edit(bed, "spec.expiresAfter", "4h");
    bed.settle(T);
    assertThat(bed.condition(T, READY)).isEqualTo("True:Ready");
  }

  private static void aRebindAnswersItsOwnEpochOnly(TeamBed bed) {
    TeamWorld before = world(bed);
    annotate(bed, Names.REBIND, "7");
    bed.settle(T);
    assertThat(world(bed)).isEqualTo(before);

    edit(bed, "spec.recovery.policy", "Manual");
    annotate(bed, Names.REBIND, "1");
    bed.settle(T);
    assertThat(bed.status(T).binding().vm()).isEqualTo("bob-1");
    assertThat(bed.status(T).binding().epoch()).isEqualTo(2);
    TeamWorld moved = world(bed);
    bed.settle(T);
    assertThat(world(bed)).as("it stands there still").isEqualTo(moved);
  }

  // ---- the ways of a restart

  private static void stopsInOrderThenStartsOn(VmRef vm, TeamBed bed, Exercise<TeamBed> exercise) {
    stopsInOrder(bed, exercise);
    bed.agents.gone(ALICE, TEAM, 1);
    bed.settle(T);
    startsAgainOn(bed, vm, 2);
  }

  /** The old run is told to stop; before it has, nothing else happens but that students wait. */
  private static void stopsInOrder(TeamBed bed, Exercise<TeamBed> exercise) {
    TeamWorld before = world(bed);
    bed.agents.obedient(false);

    exercise.edit().accept(bed);
    bed.settle(T);
    if (!bed.agents.sent(BOB).isEmpty()) {
      // Where it goes to another machine, it serves until that one is ready.
      assertThat(bed.agents.sent(ALICE)).doesNotContain(stop(1));
      bed.agents.prepared(BOB, TEAM, null);
      bed.settle(T);
    }

    assertThat(bed.agents.sent(ALICE)).last().isEqualTo(stop(1));
    assertThat(bed.agents.sent(BOB)).noneMatch(Run.class::isInstance);
    bed.assertRouted(T, new Target.WaitingRoom(Why.RECOVERING));
    assertThat(world(bed).binding()).isEqualTo(before.binding());
    assertThat(world(bed).fences()).isEqualTo(before.fences());
  }

  /** Another epoch is fenced, with the same workspace, then run; students get there. */
  private static void startsAgainOn(TeamBed bed, VmRef vm, long epoch) {
    LabTeamStatus status = bed.status(T);
    assertThat(status.binding().vmUid()).isEqualTo(vm.uid());
    assertThat(status.binding().epoch()).isEqualTo(epoch);
    AdvanceRequest standing = bed.workspaces.standing(bed.workspace(T)).orElseThrow();
    assertThat(standing.epoch()).isEqualTo(epoch);
    assertThat(standing.vm()).isEqualTo(vm.uid());
    Run run = lastRun(bed, vm);
    assertThat(run.epoch()).isEqualTo(epoch);
    assertThat(bed.workspaces.mayWrite(run.mount().login())).isTrue();

    bed.agents.healthy(vm, TEAM);
    bed.settle(T);
    assertThat(bed.condition(T, READY)).isEqualTo("True:Ready");
    bed.assertRouted(T, bed.exercise(T));
    assertObserved(bed);
  }

  private static void assertRecovered(TeamBed bed, RecoveryCause cause, String to) {
    assertThat(bed.status(T).recoveries())
        .singleElement()
        .satisfies(
            recovery -> {
              assertThat(recovery.cause()).isEqualTo(cause);
              assertThat(recovery.from()).isEqualTo("alice-1");
              assertThat(recovery.to()).isEqualTo(to);
            });
  }

  // ---- helpers

  /** A team that is Ready on alice-1, beside which bob-1 would do as well. */
  private static TeamBed ready() {
    TeamBed bed = new TeamBed();
    bed.machine("alice-1", "Alice", 4);
    bed.machine("bob-1", "Bob", 4);
    LabTeam team = Samples.team(T);
    team.setSpec(
        DocumentedEdits.edited(
            team.getSpec(),
            "spec.exercise.containers.0.ports",
            "[{name: http, containerPort: 8080}, {name: admin, containerPort: 9090}]"));
    bed.teams.create(team);
    bed.settle(T);
    assertThat(bed.condition(T, READY)).isEqualTo("True:Ready");
    assertThat(bed.status(T).binding().vmUid()).isEqualTo(ALICE.uid());
    return bed;
  }

  private static TeamWorld world(TeamBed bed) {
    return TeamWorld.of(bed, T, List.of(ALICE, BOB));
  }

  private static void assertObserved(TeamBed bed) {
    assertThat(bed.status(T).observedGeneration())
        .isEqualTo(bed.teams.get(T).getMetadata().getGeneration());
  }

  private static Stop stop(long epoch) {
    return new Stop(TEAM.uid(), TEAM.namespace(), TEAM.name(), epoch, 5_000);
  }

  private static Run lastRun(TeamBed bed, VmRef vm) {
    List<ToAgent> runs = bed.agents.sent(vm).stream().filter(Run.class::isInstance).toList();
    return (Run) runs.getLast();
  }

  /** A run with what every new epoch has anew taken from another. */
  private static Run asIfOf(Run other, Run run) {
    boolean samePorts =
        run.ports().stream()
            .map(port -> port.container() + port.name() + port.containerPort())
            .toList()
            .equals(
                other.ports().stream()
                    .map(port -> port.container() + port.name() + port.containerPort())
                    .toList());
    return new Run(
        run.teamUid(),
        run.namespace(),
        run.name(),
        other.epoch(),
        other.mount().withSynchronous(run.mount().synchronous()),
        run.containers(),
        run.internet(),
        samePorts ? other.ports() : run.ports(),
        run.sources(),
        run.registryAuth(),
        run.limits());
  }

  private static Exercise<TeamBed> doing(Consumer<TeamBed> edit) {
    return Exercise.of(edit);
  }

  private static Exercise<TeamBed> set(String place, String value) {
    return doing(bed -> edit(bed, place, value));
  }

  private static Exercise<TeamBed> annotation(String key, String value) {
    return doing(bed -> annotate(bed, key, value));
  }

  private static void edit(TeamBed bed, String place, String value) {
    bed.teams.edit(T, team -> team.setSpec(DocumentedEdits.edited(team.getSpec(), place, value)));
  }

  private static void annotate(TeamBed bed, String key, String value) {
    bed.teams.edit(
        T,
        team -> {
          Map<String, String> annotations =
              new HashMap<>(
                  Optional.ofNullable(team.getMetadata().getAnnotations()).orElse(Map.of()));
          if (value == null) {
            annotations.remove(key);
          } else {
            annotations.put(key, value);
          }
          team.getMetadata().setAnnotations(annotations);
        });
  }

  private static void delete(TeamBed bed) {
    bed.teams.edit(
        T, team -> team.getMetadata().setDeletionTimestamp(bed.clock.instant().toString()));
  }
}
