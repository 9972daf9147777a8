package dev.crowdlab.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.AvailabilityWindow;
import dev.crowdlab.api.Binding;
import dev.crowdlab.api.ContributedVMSpec;
import dev.crowdlab.api.ContributedVMStatus;
import dev.crowdlab.api.DocumentedStates;
import dev.crowdlab.api.DocumentedStates.State;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.Names;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.SshSpec;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.core.Outcome.Failure.Kind;
import dev.crowdlab.hub.VmHealth.VmFault;
import dev.crowdlab.protocol.FromAgent.DiskState;
import dev.crowdlab.protocol.FromAgent.Notice;
import dev.crowdlab.ssh.SshCredentials;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Brings a machine into each state of docs/states.md and holds the status against the row. */
class DocumentedVmStatesTest {

  /** How each state comes about; the bench begins with a machine that nothing was done to. */
  private static final Map<String, Consumer<VmBench>> STATES =
      Map.ofEntries(
          Map.entry("connecting", bench -> firstWrite(bench, 0)),
          Map.entry(
              "verifying",
              bench -> {
                failing(bench, "probe", Kind.TRANSIENT, Reason.VERIFICATION_FAILED);
                bench.written.clear();
                bench.clock.advance(Duration.ofMinutes(1));
                firstWriteWhere(bench, "Verifying");
              }),
          Map.entry("configuring", bench -> firstWriteWhere(bench, "Configuring")),
          Map.entry("enrolling", VmBench::pass),
          Map.entry("ready", VmBench::ready),
          Map.entry("edited", bench -> bench.ready().spec(spec -> spec)),
          Map.entry("host-key-unapproved", bench -> bench.spec(spec -> ssh(spec, null)).pass()),
          Map.entry(
              "host-key-changed",
              bench -> {
                bench.machine().hostKey(FakeVmAccess.OTHER_ED25519);
                bench.pass();
              }),
          Map.entry(
              "secret-missing",
              bench -> {
                bench.secret = Optional.empty();
                bench.pass();
              }),
          Map.entry(
              "secret-invalid",
              bench -> {
                bench.secret =
                    Optional.of(new SecretBuilder(VmBench.SECRET).withType("Opaque").build());
                bench.pass();
              }),
          Map.entry(
              "passphrase-required",
              bench -> failing(bench, "probe", Kind.TERMINAL, Reason.PASSPHRASE_REQUIRED)),
          Map.entry(
              "authentication-failed",
              bench -> {
                bench.machine().accepts(SshCredentials.password("another"));
                bench.pass();
              }),
          Map.entry(
              "sudo-refused", bench -> failing(bench, "probe", Kind.TERMINAL, Reason.SUDO_REFUSED)),
          Map.entry(
              "address-not-allowed",
              bench -> failing(bench, "probe", Kind.TERMINAL, Reason.ADDRESS_NOT_ALLOWED)),
          Map.entry(
              "duplicate-machine",
              bench -> {
                bench.others.add(VmBench.vm("older", "uid-0", "2025-01-01T00:00:00Z"));
                bench.pass();
              }),
          Map.entry(
              "host-not-resolved",
              bench ->
                  bench
                      .spec(
                          spec ->
                              withSsh(
                                  spec,
                                  new SshSpec(
                                      "nowhere.example.org",
                                      22,
                                      "root",
                                      null,
                                      spec.ssh().hostKey(),
                                      spec.ssh().credentialsSecretRef())))
                      .pass()),
          Map.entry(
              "unreachable",
              bench -> {
                bench.machine().reachable(false);
                bench.pass();
              }),
          Map.entry(
              "lost",
              bench -> {
                bench.ready().agents.lose(bench.ref());
                bench.pass();
              }),
          Map.entry(
              "hung",
              bench -> {
                bench.ready().agents.lose(bench.ref(), VmFault.HUNG);
                bench.pass();
              }),
          Map.entry(
              "agent-hung",
              bench -> {
                bench.ready().agents.agentHangs(bench.ref());
                bench.pass();
              }),
          Map.entry(
              "sshd-silent",
              bench -> {
                bench.ready().agents.sshdDies(bench.ref());
                bench.pass();
              }),
          Map.entry(
              "disk-full",
              bench -> {
                bench.ready().agents.disk(bench.ref(), DiskState.FULL);
                bench.pass();
              }),
          Map.entry(
              "disk-read-only",
              bench -> {
                bench.ready().agents.disk(bench.ref(), DiskState.READ_ONLY);
                bench.pass();
              }),
          Map.entry(
              "stabilising",
              bench -> {
                bench.ready().agents.lose(bench.ref());
                bench.pass();
                bench.connect();
                bench.pass();
              }),
          Map.entry(
              "agent-lost",
              bench -> {
                bench.ready().agents.agentDies(bench.ref());
                bench.pass();
              }),
          Map.entry(
              "identity-conflict",
              bench -> {
                bench.ready().agents.conflict(bench.ref());
                bench.pass();
              }),
          Map.entry(
              "verification-failed",
              bench -> failing(bench, "probe", Kind.TRANSIENT, Reason.VERIFICATION_FAILED)),
          Map.entry(
              "violation-reported",
              bench -> {
                bench.judge.violation = true;
                bench.judge.quarantines = false;
                bench.ready();
              }),
          Map.entry(
              "quarantined",
              bench -> {
                bench.judge.violation = true;
                bench.pass();
              }),
          Map.entry(
              "unsupported-system",
              bench -> failing(bench, "configure", Kind.TERMINAL, Reason.UNSUPPORTED_SYSTEM)),
          Map.entry(
              "configuration-failed",
              bench -> failing(bench, "configure", Kind.TRANSIENT, Reason.CONFIGURATION_FAILED)),
          Map.entry(
              "cordoned", bench -> bench.ready().spec(spec -> use(spec, false, false)).pass()),
          Map.entry(
              "draining",
              bench -> {
                bench.teams.add(team(bench));
                bench.ready().spec(spec -> use(spec, true, true)).pass();
              }),
          Map.entry("drained", bench -> bench.ready().spec(spec -> use(spec, true, true)).pass()),
          Map.entry(
              "contributor-pausing",
              bench -> {
                bench.teams.add(team(bench));
                bench.ready().says(Notice.Kind.PAUSE).pass();
              }),
          Map.entry("contributor-paused", bench -> bench.ready().says(Notice.Kind.PAUSE).pass()),
          Map.entry(
              "contributor-leaving",
              bench -> {
                bench.teams.add(team(bench));
                bench.ready().says(Notice.Kind.LEAVE).pass();
                bench.leave();
              }),
          Map.entry(
              "leaving-unclean",
              bench -> {
                bench.ready().says(Notice.Kind.LEAVE).pass();
                bench.machine().reachable(false);
                bench.agents.lose(bench.ref());
                bench.leave();
                bench.clock.advance(bench.settings.cleanupBound());
                bench.leave();
                bench.pass();
              }),
          Map.entry(
              "left",
              bench -> {
                bench.ready().says(Notice.Kind.LEAVE).pass();
                bench.leave();
              }),
          Map.entry(
              "stopping",
              bench -> {
                bench.teams.add(team(bench));
                bench.ready().says(Notice.Kind.STOPPING).pass();
              }),
          Map.entry(
              "stopped",
              bench -> {
                bench.ready().says(Notice.Kind.STOPPING).agents.agentDies(bench.ref());
                bench.pass();
              }),
          Map.entry(
              "shut-down",
              bench -> {
                bench.ready().says(Notice.Kind.STOPPING).agents.lose(bench.ref());
                bench.pass();
              }),
          Map.entry(
              "outside-window",
              bench -> bench.ready().spec(spec -> available(spec, "20:00", "21:00", "UTC")).pass()),
          Map.entry(
              "invalid-time-zone",
              bench ->
                  bench
                      .ready()
                      .spec(spec -> available(spec, "20:00", "21:00", "Nowhere/At_All"))
                      .pass()),
          Map.entry("paused", bench -> bench.ready().annotate(Names.PAUSED, "true").pass()),
          Map.entry(
              "paused-unready",
              bench -> {
                bench.secret = Optional.empty();
                bench.pass();
                bench.annotate(Names.PAUSED, "true").pass();
              }),
          Map.entry(
              "paused-edited",
              bench -> bench.ready().annotate(Names.PAUSED, "true").spec(spec -> spec).pass()),
          Map.entry("internal-error", bench -> bench.fail()),
          Map.entry(
              "deleting",
              bench -> {
                bench.teams.add(team(bench));
                bench.ready().vm.getMetadata().setDeletionTimestamp("2026-06-01T10:00:00Z");
                bench.cleanup();
              }));

  /** The API server's default shows it: GoodInputIT. */
  private static final List<String> ELSEWHERE = List.of("unseen");

  @ParameterizedTest
  @MethodSource
  void theStatusIsWhatTheTableSays(State state) {
    VmBench bench = new VmBench();

    STATES.get(state.name()).accept(bench);

    state.check(bench.status().phase(), bench.status().conditions());
    long generation = bench.vm.getMetadata().getGeneration();
    switch (state.stage()) {
      case NEW, EDITED ->
          assertThat(bench.status().observedGeneration()).isNotNull().isLessThan(generation);
      case CURRENT, DELETED ->
          assertThat(bench.status().observedGeneration()).isEqualTo(generation);
    }
  }

  static Stream<State> theStatusIsWhatTheTableSays() {
    return DocumentedStates.of("ContributedVM").stream()
        .filter(state -> !ELSEWHERE.contains(state.name()));
  }

  @Test
  void everyStateIsBroughtAbout() {
    assertThat(DocumentedStates.of("ContributedVM"))
        .extracting(State::name)
        .containsExactlyInAnyOrderElementsOf(
            Stream.concat(STATES.keySet().stream(), ELSEWHERE.stream()).toList());
  }

  @Test
  void anEditOfAPausedMachineIsNotObserved() {
    VmBench bench = new VmBench().ready().annotate(Names.PAUSED, "true").spec(spec -> spec);

    bench.pass();

    assertThat(bench.status().observedGeneration()).isEqualTo(1L);
  }

  private static void firstWrite(VmBench bench, int index) {
    bench.pass();
    take(bench, bench.written.get(index));
  }

  private static void firstWriteWhere(VmBench bench, String phase) {
    bench.pass();
    take(
        bench,
        bench.written.stream()
            .filter(status -> phase.equalsIgnoreCase(String.valueOf(status.phase())))
            .findFirst()
            .orElseThrow(() -> new AssertionError("no " + phase + " in " + bench.written)));
  }

  private static void take(VmBench bench, ContributedVMStatus status) {
    bench.vm = VmObserver.withStatus(bench.vm, status);
  }

  private static void failing(VmBench bench, String verb, Kind kind, Reason reason) {
    bench.machine().failNext(verb, new Failure(kind, reason, "It did not work"));
    bench.pass();
  }

  static LabTeam team(VmBench bench) {
    LabTeam team = new LabTeam();
    team.setMetadata(
        new ObjectMetaBuilder().withNamespace("lab").withName("team-7").withUid("t7").build());
    team.setStatus(
        LabTeamStatus.EMPTY.toBuilder()
            .binding(
                new Binding(
                    "alice-1", bench.ref().uid(), 1, null, "10.77.1.2", 20_000, 1L, "digest"))
            .build());
    return team;
  }

  private static ContributedVMSpec ssh(ContributedVMSpec spec, String hostKey) {
    SshSpec ssh = spec.ssh();
    return withSsh(
        spec,
        new SshSpec(
            ssh.host(), ssh.port(), ssh.user(), ssh.sudo(), hostKey, ssh.credentialsSecretRef()));
  }

  private static ContributedVMSpec withSsh(ContributedVMSpec spec, SshSpec ssh) {
    return new ContributedVMSpec(
        spec.contributor(),
        ssh,
        spec.capacity(),
        spec.schedulable(),
        spec.drain(),
        spec.integrity(),
        spec.availability());
  }

  private static ContributedVMSpec use(ContributedVMSpec spec, boolean schedulable, boolean drain) {
    return new ContributedVMSpec(
        spec.contributor(),
        spec.ssh(),
        spec.capacity(),
        schedulable,
        drain,
        spec.integrity(),
        spec.availability());
  }

  private static ContributedVMSpec available(
      ContributedVMSpec spec, String from, String to, String zone) {
    return new ContributedVMSpec(
        spec.contributor(),
        spec.ssh(),
        spec.capacity(),
        spec.schedulable(),
        spec.drain(),
        spec.integrity(),
        List.of(new AvailabilityWindow(List.of(), from, to, zone)));
  }
}
