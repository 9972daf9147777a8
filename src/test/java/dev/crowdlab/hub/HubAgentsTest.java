package dev.crowdlab.hub;

import static dev.crowdlab.hub.LedgerTest.report;
import static dev.crowdlab.hub.LedgerTest.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.protocol.Frames;
import dev.crowdlab.protocol.FromAgent;
import dev.crowdlab.protocol.FromAgent.TeamReport.State;
import dev.crowdlab.protocol.Protocol;
import dev.crowdlab.protocol.ToAgent;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The hub without sockets: the test plays the machines, the network and the time. */
class HubAgentsTest {

  private static final VmRef VM = new VmRef("lab", "alice-1", "uid-alice-1");
  private static final VmRef OTHER = new VmRef("lab", "bob-1", "uid-bob-1");
  private static final TeamRef TEAM = new TeamRef("lab", "team-7", "uid-7");
  private static final InetSocketAddress SSHD =
      new InetSocketAddress(InetAddress.ofLiteral("10.77.1.2"), 22);
  private static final InetSocketAddress WITNESS =
      new InetSocketAddress(InetAddress.ofLiteral("10.77.1.9"), 22);
  private static final Duration ROUND_TRIP = Duration.ofMillis(1);
  private static final Duration MINUTE = Duration.ofMinutes(1);

  private final DetectorSettings settings = DetectorSettings.defaults();
  private final ManualTime time = new ManualTime();
  private final FakeSecrets secrets = new FakeSecrets();
  private final Tokens tokens = new Tokens(secrets, time.clock(), new SecureRandom());
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Dispatcher news = new Dispatcher();
  private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
  private final Frames frames = new Frames();
  private final AtomicInteger nonces = new AtomicInteger();
  private ProbeResult sshd = ProbeResult.BANNER;
  private ProbeResult witness = ProbeResult.BANNER;
  private boolean login = true;
  private int probes;
  private int probesUnderWay;
  private int mostUnderWay;
  private int logins;
  private final HubMetrics metrics = new HubMetrics(registry);
  private final HubContext context =
      HubContext.of(
          settings,
          List.of(WITNESS),
          time.clock(),
          time,
          this::probe,
          this::ask,
          news,
          metrics,
          () -> "nonce-" + nonces.incrementAndGet());
  private final HubAgents agents =
      new HubAgents(context, tokens, Duration.ofDays(7), Runnable::run);

  /** One agent's connection. */
  private final class Agent {
    final FakeSocket socket = new FakeSocket();
    final AgentSession session;
    private long sequence;

    Agent(VmRef vm) {
      String token = tokens.issue(vm);
      session = agents.opened(tokens.verify(vm.uid(), token).orElseThrow(), socket).orElseThrow();
    }

    Agent hello(FromAgent.TeamReport... teams) {
      return hello(null, teams);
    }

    Agent hello(FromAgent.@Nullable DiskState disk, FromAgent.TeamReport... teams) {
      return says(
          new FromAgent.Hello(
              Protocol.VERSION,
              "sha",
              "boot-1",
              "machine-1",
              "ssh-ed25519 AAAA",
              List.of(teams),
              disk));
    }

    Agent says(FromAgent message) {
      agents.frame(session, frames.write(message));
      return this;
    }

    Agent beat() {
      return says(new FromAgent.Heartbeat(sequence++, 1));
    }

    /** The network closes the connection. */
    void drops() {
      agents.closed(session);
    }
  }

  /** What a network and a machine make of a probe, as the test wants it. */
  private void probe(
      InetSocketAddress address, Duration connect, Duration banner, Prober.Heard heard) {
    boolean ofWitness = address.equals(WITNESS);
    probes += ofWitness ? 0 : 1;
    probesUnderWay += ofWitness ? 0 : 1;
    mostUnderWay = Math.max(mostUnderWay, probesUnderWay);
    ProbeResult found = ofWitness ? witness : sshd;
    boolean connects = found.costs();
    if (connects) {
      time.after(ROUND_TRIP, () -> heard.connected(ROUND_TRIP));
    }
    Duration until =
        switch (found) {
          case BANNER, OTHER -> ROUND_TRIP.multipliedBy(2);
          case MUTE -> banner;
          case REFUSED -> ROUND_TRIP;
          case NOTHING -> connect;
          case UNABLE -> Duration.ZERO;
        };
    time.after(
        until,
        () -> {
          probesUnderWay -= ofWitness ? 0 : 1;
          heard.found(found);
        });
  }

  private void ask(BooleanSupplier question, Consumer<Boolean> answer) {
    logins++;
    boolean answers = question.getAsBoolean();
    time.after(
        answers ? ROUND_TRIP.multipliedBy(5) : settings.probes().login(),
        () -> answer.accept(answers));
  }

  private void watch(VmRef vm, boolean carriesTeams) {
    agents.watch(vm, SSHD, carriesTeams, within -> login);
  }

  @BeforeEach
  void open() {
    agents.listen(
        new AgentListener() {
          @Override
          public void sessionChanged(VmRef vm) {
            heard.add("session " + vm.name());
          }

          @Override
          public void healthChanged(VmRef vm, VmHealth health) {
            heard.add("health " + vm.name() + " " + health.getClass().getSimpleName());
          }

          @Override
          public void teamChanged(VmRef vm, String namespace, String name) {
            heard.add("team " + vm.name() + " " + namespace + "/" + name);
          }

          @Override
          public void notice(VmRef vm, FromAgent.Notice.Kind kind) {
            heard.add("notice " + vm.name() + " " + kind);
          }

          @Override
          public void diskChanged(VmRef vm) {
            heard.add(
                "disk " + vm.name() + " " + agents.disk(vm).map(Enum::name).orElse("unknown"));
          }
        });
    agents.opened();
    tick();
  }

  @AfterEach
  void close() {
    agents.close();
    news.close();
  }

  private void tick() {
    time.after(
        settings.self().tick(),
        () -> {
          agents.tick();
          tick();
        });
  }

  private void pass(long millis) {
    time.pass(Duration.ofMillis(millis));
  }

  private Agent connected() {
    return new Agent(VM).hello();
  }

  private Agent watched(boolean carriesTeams) {
    Agent agent = connected();
    watch(VM, carriesTeams);
    for (int i = 0; i < 10; i++) {
      agent.beat();
      pass(200);
    }
    probes = 0;
    agent.beat();
    return agent;
  }

  private void hears(String expected) throws InterruptedException {
    List<String> before = new ArrayList<>();
    for (String event = next(); event != null; event = next()) {
      if (event.equals(expected)) {
        return;
      }
      before.add(event);
    }
    throw new AssertionError("did not hear '" + expected + "' but " + before);
  }

  private String next() throws InterruptedException {
    return heard.poll(5, TimeUnit.SECONDS);
  }

  private Class<? extends VmHealth> health() {
    return agents.health(VM).getClass();
  }

  private double count(String name, String... tags) {
    return registry.get(name).tags(tags).counter().count();
  }

  // ---- sessions

  @Test
  void anAgentThatSaysHelloIsWelcomedAndKnown() throws Exception {
    Agent agent = connected();

    assertThat(agent.socket.received()).containsExactly(new ToAgent.Welcome(5_000));
    assertThat(agents.session(VM).map(Agents.Session::machineId)).contains("machine-1");
    hears("session alice-1");
  }

  @Test
  void beforeHelloNobodySpeaksForTheVm() {
    Agent agent = new Agent(VM);

    assertThat(agents.session(VM)).isEmpty();

    agent.beat();
    assertThat(agent.socket.closed()).isTrue();
  }

  @Test
  void anAgentThatSaysNothingIsClosed() {
    Agent agent = new Agent(VM);

    pass(5_100);

    assertThat(agent.socket.closed()).isTrue();
  }

  @Test
  void anotherProtocolIsRefused() {
    Agent agent = new Agent(VM);

    agent.says(new FromAgent.Hello(99, "sha", "boot", "machine", "key", List.of(), null));

    assertThat(agent.socket.closed()).isTrue();
    assertThat(agents.session(VM)).isEmpty();
  }

  @Test
  void anAgentOfTheFirstProtocolIsWelcomeAndNotWaitedForWhenItMakesSomethingAhead() {
    Agent agent = new Agent(VM);
    agent.says(
        new FromAgent.Hello(1, "old", "boot-1", "machine-1", "ssh-ed25519 AAAA", List.of(), null));
    ToAgent.Prepare ahead = ToAgent.Prepare.of(run(TEAM, 1));

    assertThat(agents.prepare(VM, ahead)).isInstanceOf(Outcome.Done.class);
    assertThat(agents.prepare(VM, ahead)).isInstanceOf(Outcome.Done.class);

    assertThat(agent.socket.received(ToAgent.Prepare.class)).containsExactly(ahead);
    assertThat(agents.session(VM)).as("and told which agent it is").isPresent();

    agent.drops();
    new Agent(VM).hello();
    assertThat(agents.prepare(VM, ahead)).isInstanceOf(Outcome.InProgress.class);
  }

  @Test
  void garbageEndsTheSession() {
    Agent agent = connected();

    agents.frame(
        agent.session, "{\"type\":\"heartbeat\",\"sequence\":1,\"uptimeMillis\":1,\"x\":1}");

    assertThat(agent.socket.closed()).isTrue();
    assertThat(agents.session(VM)).isEmpty();
  }

  @Test
  void aFloodEndsTheSession() {
    Agent agent = connected();

    for (int i = 0; i < RateLimit.BURST_FRAMES + 1; i++) {
      agent.beat();
    }

    assertThat(agent.socket.closed()).isTrue();
    assertThat(count("crowdlab.hub.session.ends", "cause", "flood")).isEqualTo(1);
  }

  @Test
  void anAgentAtItsFastestCadenceIsNoFlood() {
    Agent agent = connected();

    for (int i = 0; i < 5_000; i++) {
      pass(50);
      agent.beat();
    }

    assertThat(agent.socket.closed()).isFalse();
  }

  @Test
  void whatAClosedSessionStillSaysIsIgnored() {
    Agent agent = connected();
    agents.run(VM, run(TEAM, 1));
    agent.drops();
    Agent young = new Agent(VM).hello();

    agent.says(report(TEAM, 1, State.HEALTHY));

    assertThat(agents.report(VM, TEAM)).isEmpty();
    assertThat(young.socket.closed()).isFalse();
  }

  @Test
  void anAgentThatDoesNotReadIsCutOffBeforeItFillsTheHub() {
    Agent agent = connected();
    agent.socket.stopReading();

    for (int i = 0; i < Outbox.MAX_FRAMES + 2; i++) {
      agents.prepare(VM, new ToAgent.Prepare("uid-" + i, List.of(), null));
    }

    assertThat(agent.socket.closed()).isTrue();
    assertThat(agents.session(VM)).isEmpty();
    assertThat(count("crowdlab.hub.send.overflows")).isEqualTo(1);
  }

  @Test
  void anAgentThatBeatsButDoesNotReadIsCutOff() {
    Agent agent = connected();
    agent.socket.stopReading();
    agents.prepare(VM, new ToAgent.Prepare("uid-1", List.of(), null));

    for (int i = 0; i < 11; i++) {
      pass(1_000);
      agent.beat();
    }

    assertThat(agent.socket.closed()).isTrue();
  }

  // ---- orders

  @Test
  void aRunIsSentOnceAndAgainAfterAReconnect() throws Exception {
    Agent agent = connected();

    assertThat(agents.run(VM, run(TEAM, 1))).isInstanceOf(Outcome.InProgress.class);
    agents.run(VM, run(TEAM, 1));
    assertThat(agent.socket.received(ToAgent.Run.class)).containsExactly(run(TEAM, 1));

    agent.drops();
    Agent again = new Agent(VM).hello();
    assertThat(again.socket.received(ToAgent.Run.class)).containsExactly(run(TEAM, 1));

    again.says(report(TEAM, 1, State.HEALTHY));
    hears("team alice-1 lab/team-7");
    assertThat(agents.run(VM, run(TEAM, 1))).isInstanceOf(Outcome.Done.class);
  }

  @Test
  void anUninstallIsDoneWhenTheAgentSaidThatNothingIsLeftAndHungUp() throws Exception {
    Agent agent = connected();

    assertThat(agents.uninstall(VM)).isInstanceOf(Outcome.InProgress.class);
    agents.uninstall(VM);
    assertThat(agent.socket.received(ToAgent.Uninstall.class)).hasSize(1);

    agent.says(new FromAgent.Leaving());
    agent.says(new FromAgent.Cleared(List.of("ssh\u001b[31mfs"), List.of()));
    hears("session alice-1");
    assertThat(agents.uninstall(VM)).isInstanceOf(Outcome.InProgress.class);

    agent.drops();
    assertThat(agents.uninstall(VM))
        .isEqualTo(Outcome.done(new Agents.Uninstalled(List.of("ssh\uFFFD[31mfs"))));
  }

  @Test
  void anAgentThatVanishesOnItsWayOutIsNotTakenForGone() {
    Agent agent = connected();
    agents.uninstall(VM);
    agent.says(new FromAgent.Leaving());
    agent.drops();

    assertThat(agents.uninstall(VM))
        .isEqualTo(
            Outcome.later(
                Reason.AGENT_NOT_CONNECTED,
                "the agent began to take everything away and was not heard of again"));

    Agent again = new Agent(VM).hello();
    assertThat(agents.uninstall(VM)).isInstanceOf(Outcome.InProgress.class);
    assertThat(again.socket.received(ToAgent.Uninstall.class)).hasSize(1);
  }

  @Test
  void whatAnAgentCouldNotTakeAwayIsSaidAndTriedAgain() {
    Agent agent = connected();
    agents.uninstall(VM);
    agent.says(new FromAgent.Cleared(List.of(), List.of("a workspace that is still in use")));

    assertThat(agents.uninstall(VM))
        .isEqualTo(
            Outcome.later(
                Reason.CONFIGURATION_FAILED,
                "the machine still has a workspace that is still in use"));
    assertThat(agents.uninstall(VM)).isInstanceOf(Outcome.InProgress.class);
    assertThat(agent.socket.received(ToAgent.Uninstall.class)).hasSize(2);
  }

  @Test
  void nobodyIsToldToUninstallWhoIsNotThereOrWhoMayBeAnother() {
    assertThat(agents.uninstall(VM))
        .isEqualTo(
            Outcome.later(Reason.AGENT_NOT_CONNECTED, "the machine's agent is not connected"));

    Agent first = connected();
    Agent second = new Agent(VM).hello();

    assertThat(agents.uninstall(VM)).isInstanceOf(Outcome.Failed.class);
    assertThat(first.socket.received(ToAgent.Uninstall.class)).isEmpty();
    assertThat(second.socket.received(ToAgent.Uninstall.class)).isEmpty();
  }

  @Test
  void aStopIsAnsweredByGone() throws Exception {
    Agent agent = connected();

    assertThat(agents.stop(VM, TEAM, 3)).isInstanceOf(Outcome.InProgress.class);
    agent.says(new FromAgent.TeamGone(TEAM.uid(), "lab", "team-7", 3));

    hears("team alice-1 lab/team-7");
    assertThat(agents.stop(VM, TEAM, 3)).isInstanceOf(Outcome.Done.class);
  }

  @Test
  void withoutASessionAStopFailsForNow() {
    tokens.issue(VM);
    assertThat(agents.stop(VM, TEAM, 3))
        .isInstanceOfSatisfying(
            Outcome.Failed.class,
            failed -> assertThat(failed.failure().reason()).isEqualTo(Reason.AGENT_NOT_CONNECTED));
  }

  @Test
  void aRunElsewhereMeansThatTheFormerVmIsNotToldToRunItWhenItComesBack() {
    connected().drops();
    agents.run(VM, run(TEAM, 1));
    new Agent(OTHER).hello();

    agents.run(OTHER, run(TEAM, 2));

    Agent back = new Agent(VM).hello();
    assertThat(back.socket.received(ToAgent.Run.class)).isEmpty();
    assertThat(agents.run(VM, run(TEAM, 1))).isInstanceOf(Outcome.Failed.class);
  }

  @Test
  void forAVmThatNeverHadATokenNothingIsKept() {
    assertThat(agents.stop(OTHER, TEAM, 3)).isInstanceOf(Outcome.Failed.class);
    assertThat(agents.run(OTHER, run(TEAM, 4))).isInstanceOf(Outcome.Failed.class);

    assertThat(new Agent(OTHER).hello().socket.received())
        .containsExactly(new ToAgent.Welcome(5_000));
  }

  @Test
  void aRunThatNoFrameCanCarryIsRefusedForGood() {
    connected();
    Map<String, String> env = new HashMap<>();
    IntStream.range(0, 20).forEach(i -> env.put("V" + i, "x".repeat(20_000)));
    ToAgent.Container huge =
        new ToAgent.Container("web", "image", List.of(), List.of(), env, 0, 0, null);
    ToAgent.Run run =
        new ToAgent.Run(
            TEAM.uid(),
            "lab",
            "team-7",
            1,
            null,
            List.of(huge),
            false,
            List.of(),
            List.of(),
            null,
            new ToAgent.VmLimits(1, 0, 0));

    assertThat(agents.run(VM, run))
        .isInstanceOfSatisfying(
            Outcome.Failed.class,
            failed -> assertThat(failed.failure().kind()).isEqualTo(Outcome.Failure.Kind.TERMINAL));
  }

  @Test
  void aVmSpeaksOnlyForTheTeamsThatWereOrderedThere() {
    Agent liar = connected();
    new Agent(OTHER).hello();
    agents.run(OTHER, run(TEAM, 1));

    heard.clear();
    liar.says(report(TEAM, 1, State.HEALTHY));

    assertThat(agents.run(OTHER, run(TEAM, 1))).isInstanceOf(Outcome.InProgress.class);
    assertThat(agents.report(OTHER, TEAM)).isEmpty();
    await("the machine is looked at").until(() -> heard.contains("session alice-1"));
    assertThat(heard)
        .as("not the team that it names")
        .noneMatch(event -> event.startsWith("team alice-1"));
  }

  @Test
  void whatAVmSaysIsCleanedOfControlCharacters() {
    Agent agent = connected();
    agents.run(VM, run(TEAM, 1));

    agent.says(
        new FromAgent.TeamReport(
            TEAM.uid(),
            "lab",
            "team-7",
            1,
            State.FAILED,
            "CONTAINER_EXITED",
            "\u001b[31mred\u202eder\nline",
            List.of()));

    assertThat(agents.report(VM, TEAM).map(FromAgent.TeamReport::message))
        .contains("\uFFFD[31mred\uFFFDder\nline");
  }

  @Test
  void aNoticeReachesTheListeners() throws Exception {
    connected().says(new FromAgent.Notice(FromAgent.Notice.Kind.PAUSE));

    hears("notice alice-1 PAUSE");
  }

  @Test
  void whatTheOwnerWantsIsWhatThePresentSessionSaid() {
    assertThat(agents.voice(VM)).isEmpty();
    Agent first = connected();
    assertThat(agents.voice(VM)).as("a session that has not said it yet").isEmpty();

    first.says(new FromAgent.Notice(FromAgent.Notice.Kind.PAUSE));
    assertThat(agents.voice(VM)).contains(FromAgent.Notice.Kind.PAUSE);

    first.drops();
    assertThat(agents.voice(VM)).as("only a farewell outlives its session").isEmpty();
  }

  @Test
  void aVoiceThatChangesAllTheTimeCountsNowAndThenAndTheLastWordWins() throws Exception {
    // given: somebody who says PAUSE and RESUME in turn, 20 times a second, for 10 s
    Agent agent = connected();
    hears("session alice-1");
    for (int i = 0; i < 100; i++) {
      agent.says(new FromAgent.Notice(FromAgent.Notice.Kind.PAUSE));
      pass(50);
      agent.says(new FromAgent.Notice(FromAgent.Notice.Kind.RESUME));
      pass(50);
    }

    // when
    agent.says(new FromAgent.Notice(FromAgent.Notice.Kind.LEAVE));
    pass(3_100);

    // then
    assertThat(agents.voice(VM)).contains(FromAgent.Notice.Kind.LEAVE);
    int notices = 0;
    for (String event = next(); !"notice alice-1 LEAVE".equals(event); event = next()) {
      assertThat(event).startsWith("notice alice-1 ");
      notices++;
    }
    assertThat(notices).isBetween(1, 6);
  }

  @Test
  void aChangeOfTheVoiceAfterAQuietTimeCountsAtOnceAndTheNextOneSoon() {
    Agent agent = connected().says(new FromAgent.Notice(FromAgent.Notice.Kind.RESUME));
    pass(VmDesk.WORD_AT_MOST_EVERY.toMillis());

    agent.says(new FromAgent.Notice(FromAgent.Notice.Kind.PAUSE));
    assertThat(agents.voice(VM)).contains(FromAgent.Notice.Kind.PAUSE);

    agent.says(new FromAgent.Notice(FromAgent.Notice.Kind.STOPPING));
    assertThat(agents.voice(VM)).contains(FromAgent.Notice.Kind.PAUSE);

    pass(VmDesk.WORD_AT_MOST_EVERY.plus(settings.self().tick()).toMillis());
    assertThat(agents.voice(VM)).contains(FromAgent.Notice.Kind.STOPPING);
  }

  @Test
  void aFarewellJustAfterAnotherWordIsNotLost() {
    Agent agent = connected().says(new FromAgent.Notice(FromAgent.Notice.Kind.RESUME));

    agent.says(new FromAgent.Notice(FromAgent.Notice.Kind.STOPPING)).drops();

    assertThat(agents.voice(VM)).contains(FromAgent.Notice.Kind.STOPPING);
  }

  @Test
  void toSayTheSameAgainIsNoNews() throws Exception {
    Agent agent = connected();
    for (int i = 0; i < 10; i++) {
      agent.says(new FromAgent.Notice(FromAgent.Notice.Kind.PAUSE));
      pass(VmDesk.WORD_AT_MOST_EVERY.toMillis());
    }
    agent.says(new FromAgent.Notice(FromAgent.Notice.Kind.RESUME));

    hears("notice alice-1 PAUSE");
    assertThat(next()).isEqualTo("notice alice-1 RESUME");
  }

  @Test
  void aFarewellOutlivesItsSessionUntilTheNext() {
    Agent first = connected();
    first.says(new FromAgent.Notice(FromAgent.Notice.Kind.STOPPING));
    first.drops();
    assertThat(agents.voice(VM)).contains(FromAgent.Notice.Kind.STOPPING);

    connected();

    assertThat(agents.voice(VM)).isEmpty();
  }

  // ---- the machine's disk

  @Test
  void whatASessionBeginsWithIsKnownWithIt() throws Exception {
    assertThat(agents.disk(VM)).isEmpty();

    Agent agent = new Agent(VM).hello(FromAgent.DiskState.FULL);
    assertThat(agents.disk(VM)).contains(FromAgent.DiskState.FULL);
    hears("session alice-1");

    agent.drops();
    assertThat(agents.disk(VM)).as("a machine that nobody speaks for").isEmpty();
    new Agent(VM).hello();
    assertThat(agents.disk(VM)).as("a session that does not know it yet").isEmpty();
  }

  @Test
  void aChangeOfTheDiskIsHeardAndToSayTheSameAgainIsNoNews() throws Exception {
    Agent agent = new Agent(VM).hello(FromAgent.DiskState.WRITABLE);
    for (int i = 0; i < 10; i++) {
      agent.says(new FromAgent.Disk(FromAgent.DiskState.READ_ONLY));
      pass(VmDesk.WORD_AT_MOST_EVERY.toMillis());
    }
    hears("disk alice-1 READ_ONLY");

    agent.says(new FromAgent.Disk(FromAgent.DiskState.WRITABLE));
    assertThat(next()).isEqualTo("disk alice-1 WRITABLE");
    assertThat(agents.disk(VM)).contains(FromAgent.DiskState.WRITABLE);
  }

  @Test
  void aDiskThatFlapsCountsNowAndThenAndTheLastWordWins() throws Exception {
    // given: an agent that says FULL and WRITABLE in turn, 20 times a second, for 10 s
    Agent agent = new Agent(VM).hello(FromAgent.DiskState.WRITABLE);
    hears("session alice-1");
    for (int i = 0; i < 100; i++) {
      agent.says(new FromAgent.Disk(FromAgent.DiskState.FULL));
      pass(50);
      agent.says(new FromAgent.Disk(FromAgent.DiskState.WRITABLE));
      pass(50);
    }

    // when
    agent.says(new FromAgent.Disk(FromAgent.DiskState.READ_ONLY));
    pass(3_100);

    // then
    assertThat(agents.disk(VM)).contains(FromAgent.DiskState.READ_ONLY);
    int changes = 0;
    for (String event = next(); !"disk alice-1 READ_ONLY".equals(event); event = next()) {
      assertThat(event).startsWith("disk alice-1 ");
      changes++;
    }
    // Fewer are told when the listeners' thread is late: then the last word stands for them.
    assertThat(changes).isLessThanOrEqualTo(6);
  }

  @Test
  void whatIsSaidOfTheDiskHoldsUpNoWordOfTheOwner() {
    Agent agent = new Agent(VM).hello(FromAgent.DiskState.WRITABLE);
    agent.says(new FromAgent.Disk(FromAgent.DiskState.FULL));

    agent.says(new FromAgent.Notice(FromAgent.Notice.Kind.PAUSE));

    assertThat(agents.voice(VM)).contains(FromAgent.Notice.Kind.PAUSE);
    assertThat(agents.disk(VM)).contains(FromAgent.DiskState.FULL);
  }

  @Test
  void ofTwoThatAnswerForOneMachineNoneIsBelievedOfItsDisk() {
    Agent first = connected();
    Agent second = new Agent(VM).hello(FromAgent.DiskState.FULL);
    first.says(new FromAgent.ChallengeAnswer("nonce-1"));

    second.says(new FromAgent.Disk(FromAgent.DiskState.READ_ONLY));
    assertThat(agents.disk(VM)).isEmpty();

    first.drops();
    assertThat(agents.disk(VM)).contains(FromAgent.DiskState.READ_ONLY);
  }

  // ---- two sessions with one identity

  @Test
  void aSecondSessionReplacesAFirstThatDoesNotAnswer() {
    Agent first = connected();
    agents.run(VM, run(TEAM, 1));
    Agent second = new Agent(VM).hello();

    assertThat(first.socket.received(ToAgent.Challenge.class)).hasSize(1);
    assertThat(second.socket.received()).as("nothing until it is clear").isEmpty();
    assertThat(agents.run(VM, run(TEAM, 2))).isInstanceOf(Outcome.InProgress.class);
    assertThat(first.socket.received(ToAgent.Run.class)).containsExactly(run(TEAM, 1));

    pass(1_050);

    assertThat(first.socket.closed()).isTrue();
    assertThat(second.socket.received()).containsExactly(new ToAgent.Welcome(5_000), run(TEAM, 2));
    assertThat(agents.session(VM)).isPresent();
  }

  @Test
  void twoSessionsThatBothAnswerAreAConflictAndGetNothingNew() throws Exception {
    Agent first = watched(true);
    Agent second = new Agent(VM).hello();
    answer(first);

    hears("health alice-1 Conflict");
    assertThat(health()).isEqualTo(VmHealth.Conflict.class);
    assertThat(agents.session(VM)).isEmpty();
    agents.run(VM, run(TEAM, 1));
    assertThat(first.socket.received(ToAgent.Run.class)).isEmpty();
    assertThat(second.socket.received(ToAgent.Run.class)).isEmpty();
    assertThat(first.socket.closed()).isFalse();
    assertThat(second.socket.closed()).isFalse();
  }

  @Test
  void anAnswerOnTheWrongSocketCountsNothing() {
    Agent first = connected();
    Agent second = new Agent(VM).hello();
    String nonce = first.socket.received(ToAgent.Challenge.class).getFirst().nonce();

    second.says(new FromAgent.ChallengeAnswer(nonce));
    pass(1_050);

    assertThat(first.socket.closed()).isTrue();
    assertThat(agents.session(VM)).isPresent();
  }

  @Test
  void aConflictHealsWhenTheFirstGoes() {
    Agent first = watched(true);
    Agent second = new Agent(VM).hello();
    answer(first);
    agents.run(VM, run(TEAM, 1));

    first.drops();

    assertThat(health()).isEqualTo(VmHealth.Alive.class);
    assertThat(second.socket.received(ToAgent.Run.class)).containsExactly(run(TEAM, 1));
    assertThat(agents.session(VM)).isPresent();
  }

  @Test
  void aConflictHealsWhenTheSecondGoesAndWhatTheFirstSaidMeanwhileCounts() {
    Agent first = watched(true);
    agents.run(VM, run(TEAM, 1));
    Agent second = new Agent(VM).hello();
    answer(first);
    first.says(report(TEAM, 1, State.HEALTHY));
    agents.run(VM, run(TEAM, 1));

    second.drops();

    assertThat(health()).isEqualTo(VmHealth.Alive.class);
    assertThat(agents.run(VM, run(TEAM, 1))).isInstanceOf(Outcome.Done.class);
    assertThat(first.socket.received(ToAgent.Run.class)).as("told once").hasSize(1);
  }

  @Test
  void aConflictHealsWhenOneFallsSilent() {
    Agent first = watched(false);
    new Agent(VM).hello();
    answer(first);

    for (int i = 0; i < 14; i++) {
      pass(1_000);
      first.beat();
    }

    assertThat(health()).isEqualTo(VmHealth.Alive.class);
    assertThat(agents.session(VM)).isPresent();
    assertThat(first.socket.closed()).isFalse();
  }

  @Test
  void aThirdSessionIsSentAway() {
    Agent first = connected();
    new Agent(VM).hello();
    answer(first);

    Agent third = new Agent(VM).hello();

    assertThat(third.socket.closed()).isTrue();
  }

  private static void answer(Agent agent) {
    String nonce = agent.socket.received(ToAgent.Challenge.class).getLast().nonce();
    agent.says(new FromAgent.ChallengeAnswer(nonce));
  }

  // ---- tokens

  @Test
  void aTokenIsConfirmedByTheConnectionThatUsesIt() {
    String old = tokens.issue(VM);
    connected();

    assertThat(tokens.verify(VM.uid(), old)).isEmpty();
  }

  @Test
  void anOldTokenIsRotatedAndDroppedOnlyWhenTheNewOneIsStored() {
    Agent agent = connected();
    agents.rotate();
    assertThat(agent.socket.received(ToAgent.NewToken.class)).isEmpty();

    for (int i = 0; i < 7 * 24 * 60; i++) {
      time.sleepThrough(MINUTE);
      agent.beat();
    }
    agents.rotate();
    agents.rotate();
    ToAgent.NewToken offered = agent.socket.received(ToAgent.NewToken.class).getFirst();
    assertThat(agent.socket.received(ToAgent.NewToken.class)).hasSize(1);
    assertThat(tokens.verify(VM.uid(), offered.token())).isPresent();

    agent.says(new FromAgent.TokenStored("something else"));
    assertThat(tokens.verify(VM.uid(), offered.token()).orElseThrow().confirmed()).isFalse();

    agent.says(new FromAgent.TokenStored(offered.tokenId()));
    assertThat(tokens.verify(VM.uid(), offered.token()).orElseThrow().confirmed()).isTrue();

    time.sleepThrough(Duration.ofHours(2));
    agent.beat();
    agents.rotate();
    assertThat(agent.socket.received(ToAgent.NewToken.class)).as("it is young again").hasSize(1);
  }

  @Test
  void aVmThatIsRevokedDuringARotationGetsNoSecretAnew() {
    Agent agent = connected();
    for (int i = 0; i < 7 * 24 * 60; i++) {
      time.sleepThrough(MINUTE);
      agent.beat();
    }
    tokens.revoke(VM);

    agents.rotate();

    assertThat(agent.socket.received(ToAgent.NewToken.class)).isEmpty();
    assertThat(secrets.list(Tokens.COMPONENT, Tokens.AGENT_TOKEN)).isEmpty();
  }

  @Test
  void theOrdersOfTeamsThatAreNoMoreAreForgotten() {
    connected();
    TeamRef other = new TeamRef("lab", "team-8", "uid-8");
    agents.run(VM, run(TEAM, 3));
    agents.run(VM, run(other, 1));
    assertThat(agents.orderedTeams()).containsExactlyInAnyOrder("uid-7", "uid-8");

    agents.forgetTeams(Set.of("uid-7"));

    assertThat(agents.orderedTeams()).containsExactly("uid-8");
  }

  @Test
  void aForgottenVmLosesItsSessionAndItsToken() {
    Agent agent = connected();
    String token = tokens.issue(VM);

    agents.forget(VM);

    assertThat(agent.socket.closed()).isTrue();
    assertThat(agents.session(VM)).isEmpty();
    assertThat(health()).isEqualTo(VmHealth.Unwatched.class);
    assertThat(tokens.verify(VM.uid(), token)).isEmpty();
    assertThat(secrets.list(Tokens.COMPONENT, Tokens.AGENT_TOKEN)).isEmpty();
  }

  @Test
  void aForgottenVmIsRefusedAlsoWhileTheApiServerIsAwayAndItsSecretGoesLater() {
    connected();
    String token = tokens.issue(VM);
    secrets.away(true);
    agents.forget(VM);
    assertThat(tokens.verify(VM.uid(), token)).isEmpty();

    secrets.away(false);
    time.pass(MINUTE);

    assertThat(secrets.list(Tokens.COMPONENT, Tokens.AGENT_TOKEN)).isEmpty();
  }

  @Test
  void aVmThatComesBackBeforeItsOldTokenIsGoneKeepsItsNewOneAndNotTheOld() {
    connected();
    String old = tokens.issue(VM);
    secrets.away(true);
    agents.forget(VM);
    secrets.away(false);

    String fresh = tokens.issue(VM);
    time.pass(MINUTE.multipliedBy(10));

    assertThat(tokens.verify(VM.uid(), fresh)).isPresent();
    assertThat(tokens.verify(VM.uid(), old)).isEmpty();
  }

  // ---- the watch

  @Test
  void aVmThatCarriesTeamsIsToldTheFastCadence() {
    Agent agent = connected();

    watch(VM, true);
    watch(VM, true);
    watch(VM, false);

    assertThat(agent.socket.received(ToAgent.Cadence.class))
        .containsExactly(new ToAgent.Cadence(200), new ToAgent.Cadence(5_000));
  }

  @Test
  void aMachineThatFallsSilentIsLostAboutASecondLater() throws Exception {
    watched(true);
    sshd = ProbeResult.NOTHING;

    pass(440);
    assertThat(health()).isEqualTo(VmHealth.Alive.class);
    pass(110);
    assertThat(health()).isEqualTo(VmHealth.Suspect.class);
    hears("health alice-1 Suspect");
    pass(400);
    assertThat(health()).isEqualTo(VmHealth.Suspect.class);
    pass(150);

    assertThat(health()).isEqualTo(VmHealth.Lost.class);
    assertThat(probes).isEqualTo(settings.probes().count());
    hears("health alice-1 Lost");
  }

  @Test
  void noSshdHasMoreProbesToAnswerAtATimeThanItForgives() {
    watched(true);
    sshd = ProbeResult.NOTHING;

    pass(60_000);

    assertThat(health()).isEqualTo(VmHealth.Lost.class);
    assertThat(mostUnderWay).isLessThanOrEqualTo(ProbeBudget.MOST);
  }

  @Test
  void aLostMachineIsAskedEverMoreRarely() {
    watched(true);
    sshd = ProbeResult.NOTHING;
    pass(60_000);
    int before = probes;

    time.pass(Duration.ofMinutes(10));

    assertThat((probes - before) / settings.probes().count()).isBetween(5, 8);
  }

  @Test
  void aSocketThatClosesIsSuspectedAtOnceAndTheMachineLostWhenNoProbeAnswers() {
    Agent agent = watched(false);
    sshd = ProbeResult.NOTHING;

    agent.drops();
    assertThat(health()).isEqualTo(VmHealth.Suspect.class);
    pass(700);

    assertThat(health()).isEqualTo(VmHealth.Lost.class);
  }

  @Test
  void anAgentThatComesBackInTimeIsNoFault() throws Exception {
    Agent agent = watched(true);
    agent.drops();
    hears("health alice-1 Suspect");
    pass(1_000);

    new Agent(VM).hello();

    assertThat(health()).isEqualTo(VmHealth.Alive.class);
    hears("health alice-1 Alive");
    assertThat(heard).noneMatch(event -> event.contains("AgentDown"));
  }

  @Test
  void aSocketThatIsGoneOnAMachineThatAnswersMeansThatTheAgentCrashed() {
    Agent agent = watched(true);
    agent.drops();

    pass(3_100);

    assertThat(agents.health(VM))
        .isInstanceOfSatisfying(
            VmHealth.AgentDown.class,
            down -> assertThat(down.fault()).isEqualTo(VmHealth.AgentFault.CRASHED));
    assertThat(probes).as("the first answer is enough").isEqualTo(1);
  }

  @Test
  void aRefusedConnectionIsLifeToo() {
    watched(true);
    sshd = ProbeResult.REFUSED;

    pass(120_000);

    assertThat(health()).isEqualTo(VmHealth.AgentDown.class);
  }

  @Test
  void oneAnswerAmongLostProbesIsLife() {
    watched(true);
    sshd = ProbeResult.NOTHING;
    pass(750);
    sshd = ProbeResult.BANNER;
    pass(1_200);

    assertThat(health()).isEqualTo(VmHealth.Suspect.class);
  }

  @Test
  void anAgentThatHangsIsLeftAloneForAWhile() {
    Agent agent = watched(true);

    pass(15_000);
    assertThat(health()).isEqualTo(VmHealth.Suspect.class);
    assertThat(agent.socket.closed()).isFalse();

    pass(1_000);
    assertThat(agents.health(VM))
        .isInstanceOfSatisfying(
            VmHealth.AgentDown.class,
            down -> assertThat(down.fault()).isEqualTo(VmHealth.AgentFault.HUNG));
    assertThat(agent.socket.closed()).isTrue();

    pass(60_000);
    assertThat(agents.health(VM))
        .as("its cause stays")
        .isInstanceOfSatisfying(
            VmHealth.AgentDown.class,
            down -> assertThat(down.fault()).isEqualTo(VmHealth.AgentFault.HUNG));
  }

  @Test
  void aMachineWhoseKernelAloneAnswersHangs() {
    Agent agent = watched(true);
    sshd = ProbeResult.MUTE;
    login = false;

    pass(8_000);
    assertThat(health()).isEqualTo(VmHealth.Suspect.class);
    pass(1_000);

    assertThat(agents.health(VM))
        .isInstanceOfSatisfying(
            VmHealth.Lost.class, lost -> assertThat(lost.fault()).isEqualTo(VmHealth.VmFault.HUNG));
    assertThat(agent.socket.closed()).isTrue();
    assertThat(logins).isEqualTo(1);
  }

  @Test
  void anSshdThatIsSlowToSayWhoItIsAndLetsUsInMeansThatOnlyTheAgentHangs() {
    watched(true);
    sshd = ProbeResult.MUTE;

    pass(14_000);
    assertThat(health()).isEqualTo(VmHealth.Suspect.class);
    assertThat(logins).isPositive();
    pass(3_000);

    assertThat(health()).isEqualTo(VmHealth.AgentDown.class);
  }

  @Test
  void aHungMachineIsNotAskedSoOftenThatItLocksUsOutWhenItGoesOn() {
    watched(true);
    sshd = ProbeResult.MUTE;
    login = false;

    time.pass(Duration.ofHours(3));

    assertThat(health()).isEqualTo(VmHealth.Lost.class);
    assertThat(logins).as("each costs when it goes on").isEqualTo(1);
    assertThat(probes).as("and it is still asked now and then").isBetween(100, 200);
  }

  @Test
  void heartbeatsThatComeAgainEndTheSuspicion() {
    Agent agent = watched(true);
    sshd = ProbeResult.NOTHING;
    pass(700);
    assertThat(health()).isEqualTo(VmHealth.Suspect.class);

    agent.beat();
    assertThat(health()).isEqualTo(VmHealth.Alive.class);
    pass(400);

    assertThat(health()).as("the old probes count nothing").isEqualTo(VmHealth.Alive.class);
  }

  @Test
  void aMachineThatDiesAfterItsAgentIsLost() {
    watched(true).drops();
    pass(4_000);
    assertThat(health()).isEqualTo(VmHealth.AgentDown.class);

    sshd = ProbeResult.NOTHING;
    pass(7_000);

    assertThat(health()).isEqualTo(VmHealth.Lost.class);
  }

  @Test
  void aLostMachineWhoseSshdAnswersAgainHasItsAgentDown() {
    Agent agent = watched(true);
    sshd = ProbeResult.NOTHING;
    agent.drops();
    pass(2_000);
    assertThat(health()).isEqualTo(VmHealth.Lost.class);

    sshd = ProbeResult.BANNER;
    pass(10_000);

    assertThat(health()).isEqualTo(VmHealth.AgentDown.class);
  }

  @Test
  void aLostMachineThatComesBackIsAliveAndToldOnlyWhatIsOrderedAnew() {
    watched(true);
    agents.run(VM, run(TEAM, 1));
    sshd = ProbeResult.NOTHING;
    pass(2_500);
    assertThat(health()).isEqualTo(VmHealth.Lost.class);
    agents.run(VM, run(TEAM, 1));

    Agent back = new Agent(VM).hello(report(TEAM, 1, State.HEALTHY));

    assertThat(health()).isEqualTo(VmHealth.Alive.class);
    assertThat(back.socket.received(ToAgent.Run.class)).isEmpty();
    assertThat(agents.reports(VM)).containsExactly(report(TEAM, 1, State.HEALTHY));
    agents.stop(VM, TEAM, 1);
    assertThat(back.socket.received(ToAgent.Stop.class)).hasSize(1);
  }

  @Test
  void whatALostMachineSaysOnItsOldSocketCountsNothing() {
    Agent agent = watched(true);
    sshd = ProbeResult.NOTHING;
    pass(2_500);

    agent.beat();

    assertThat(agent.socket.closed()).isTrue();
    assertThat(health()).isEqualTo(VmHealth.Lost.class);
  }

  @Test
  void afterTheOperatorsStartAMachineHasItsGraceAndThenTheProbesDecide() {
    watch(VM, true);
    sshd = ProbeResult.NOTHING;

    pass(9_900);
    assertThat(health()).isEqualTo(VmHealth.Awaited.class);
    assertThat(probes).as("nobody is probed without a suspicion").isZero();
    pass(1_400);

    assertThat(health()).isEqualTo(VmHealth.Lost.class);
  }

  @Test
  void afterTheOperatorsStartAMachineThatAnswersIsNeverLost() {
    watch(VM, true);

    pass(11_500);

    assertThat(health()).isEqualTo(VmHealth.AgentDown.class);
  }

  // ---- sshd by itself

  @Test
  void anSshdThatDiesWhileTheAgentIsWellIsSaidAndNoFault() throws Exception {
    Agent agent = watched(true);
    sshd = ProbeResult.REFUSED;

    beats(agent, Duration.ofMinutes(6));

    assertThat(agents.health(VM))
        .isInstanceOfSatisfying(
            VmHealth.Alive.class, alive -> assertThat(alive.sshdAnswers()).isFalse());
    hears("health alice-1 Alive");

    sshd = ProbeResult.BANNER;
    beats(agent, Duration.ofMinutes(6));
    assertThat(agents.health(VM))
        .isInstanceOfSatisfying(
            VmHealth.Alive.class, alive -> assertThat(alive.sshdAnswers()).isTrue());
  }

  @Test
  void whereSshdNeverAnswersItsSilenceAloneLosesNoMachine() {
    Agent agent = watched(true);
    sshd = ProbeResult.NOTHING;
    beats(agent, Duration.ofMinutes(6));

    agent.drops();
    pass(12_000);
    assertThat(health()).isEqualTo(VmHealth.Suspect.class);
    pass(5_000);

    assertThat(health()).isEqualTo(VmHealth.Lost.class);
  }

  private void beats(Agent agent, Duration time) {
    for (long i = 0; i < time.toMillis() / 200; i++) {
      pass(200);
      agent.beat();
    }
  }

  // ---- doubting ourselves

  @Test
  void aStallOfOurOwnIsHeldAgainstNobody() {
    Agent agent = watched(true);
    sshd = ProbeResult.NOTHING;

    time.sleepThrough(Duration.ofSeconds(30));
    pass(100);
    assertThat(health()).isEqualTo(VmHealth.Alive.class);
    pass(300);
    agent.beat();

    assertThat(health()).isEqualTo(VmHealth.Alive.class);
    assertThat(registry.get("crowdlab.hub.pauses").timer().count()).isEqualTo(1);
    assertThat(probes).isZero();
  }

  @Test
  void aShortPauseOfOurOwnDoesNotCount() {
    Agent agent = watched(true);

    for (int i = 0; i < 50; i++) {
      time.sleepThrough(Duration.ofMillis(400));
      pass(150);
      agent.beat();
    }

    assertThat(probes).isZero();
    assertThat(health()).isEqualTo(VmHealth.Alive.class);
  }

  @Test
  void aMachineThatDiesWhileWePauseNowAndThenIsLostAllTheSame() {
    watched(true);
    sshd = ProbeResult.NOTHING;

    for (int i = 0; i < 6; i++) {
      time.sleepThrough(Duration.ofMillis(300));
      pass(300);
    }

    assertThat(health()).isEqualTo(VmHealth.Lost.class);
  }

  @Test
  void aStallInTheMiddleOfAProbingMakesItBeginAnew() {
    watched(true);
    sshd = ProbeResult.NOTHING;
    pass(700);
    assertThat(health()).isEqualTo(VmHealth.Suspect.class);
    time.sleepThrough(Duration.ofSeconds(30));

    pass(450);
    assertThat(health()).isNotEqualTo(VmHealth.Lost.class);
    pass(1_000);

    assertThat(health()).as("really dead").isEqualTo(VmHealth.Lost.class);
  }

  @Test
  void whatComesBackBeforeOurFirstLookAfterAStallDecidesNothing() {
    watched(true);
    sshd = ProbeResult.NOTHING;
    pass(990);
    assertThat(health()).isEqualTo(VmHealth.Suspect.class);
    time.sleepThrough(Duration.ofSeconds(10));

    // Everything that was under way ends now, and the look that would notice comes last.
    agents.watch(VM, SSHD, true, within -> login);

    assertThat(health()).isEqualTo(VmHealth.Suspect.class);
  }

  @Test
  void whoHearsNobodyElseEitherDoubtsHisOwnNetwork() throws Exception {
    Agent agent = watched(true);
    sshd = ProbeResult.NOTHING;
    witness = ProbeResult.NOTHING;

    pass(30_000);
    assertThat(health()).isEqualTo(VmHealth.Suspect.class);
    assertThat(agents.health(VM))
        .isInstanceOfSatisfying(
            VmHealth.Suspect.class,
            suspect -> assertThat(suspect.hold()).isEqualTo(VmHealth.Hold.DEAF));
    assertThat(count("crowdlab.hub.deaf")).isPositive();

    agent.beat();
    assertThat(health()).as("the network is back").isEqualTo(VmHealth.Alive.class);
  }

  @Test
  void aMachineThatIsDeadIsLostAsSoonAsTheWitnessAnswers() {
    watched(true);
    sshd = ProbeResult.NOTHING;
    witness = ProbeResult.NOTHING;
    pass(30_000);

    witness = ProbeResult.BANNER;
    pass(3_000);

    assertThat(health()).isEqualTo(VmHealth.Lost.class);
  }

  @Test
  void anotherAgentThatIsHeardIsWitnessEnough() {
    watched(true);
    Agent other = new Agent(OTHER).hello();
    agents.watch(OTHER, SSHD, true, within -> login);
    sshd = ProbeResult.NOTHING;
    witness = ProbeResult.NOTHING;

    for (int i = 0; i < 8; i++) {
      other.beat();
      pass(150);
    }

    assertThat(health()).isEqualTo(VmHealth.Lost.class);
  }

  @Test
  void anotherAgentThatWasHeardBeforeTheProbesIsNoWitnessAndDelaysNothing() {
    watched(true);
    Agent other = new Agent(OTHER).hello();
    agents.watch(OTHER, SSHD, false, within -> login);
    sshd = ProbeResult.NOTHING;

    pass(400);
    other.beat();
    pass(750);

    assertThat(health()).isEqualTo(VmHealth.Lost.class);
    assertThat(registry.find("crowdlab.hub.deaf").counter())
        .as("one round of probes was enough")
        .satisfiesAnyOf(
            counter -> assertThat(counter).isNull(),
            counter -> assertThat(counter.count()).isZero());
  }

  @Test
  void whenTooManyVanishAtOnceTheyAreConfirmedOneByOne() {
    List<VmRef> all = fleet(10);
    sshd = ProbeResult.NOTHING;

    pass(1_100);
    assertThat(lost(all)).as("doubted first").isZero();
    int before = 0;
    for (int i = 0; i < 20; i++) {
      pass(500);
      assertThat(lost(all) - before).as("a bounded rate").isLessThanOrEqualTo(1);
      before = lost(all);
    }

    pass(10_000);
    assertThat(lost(all)).as("recovery goes on").isEqualTo(all.size());
    assertThat(registry.get("crowdlab.hub.storms").functionCounter().count()).isEqualTo(1);
    assertThat(registry.get("crowdlab.hub.held").gauge().value()).isZero();
  }

  @Test
  void aStormThatPassesLosesNobody() throws Exception {
    List<VmRef> all = fleet(10);
    sshd = ProbeResult.NOTHING;
    pass(1_100);
    assertThat(registry.get("crowdlab.hub.held").gauge().value()).isEqualTo(10);
    hears("health vm-0 Suspect");

    sshd = ProbeResult.BANNER;
    pass(20_000);

    assertThat(lost(all)).isZero();
    assertThat(registry.get("crowdlab.hub.held").gauge().value()).isZero();
  }

  @Test
  void twoOfTenAreNoStorm() {
    List<VmRef> all = fleet(10);
    sshd = ProbeResult.NOTHING;

    for (int i = 0; i < 8; i++) {
      pass(150);
      fleetAgents.subList(2, 10).forEach(Agent::beat);
    }

    assertThat(lost(all)).isEqualTo(2);
  }

  private final List<Agent> fleetAgents = new ArrayList<>();

  /** Machines with teams that have been well for a while. */
  private List<VmRef> fleet(int size) {
    List<VmRef> all =
        IntStream.range(0, size).mapToObj(i -> new VmRef("lab", "vm-" + i, "uid-vm-" + i)).toList();
    for (VmRef vm : all) {
      fleetAgents.add(new Agent(vm).hello());
      agents.watch(vm, SSHD, true, within -> login);
    }
    for (int i = 0; i < 10; i++) {
      pass(200);
      fleetAgents.forEach(Agent::beat);
    }
    return all;
  }

  private int lost(List<VmRef> vms) {
    return (int) vms.stream().filter(vm -> agents.health(vm) instanceof VmHealth.Lost).count();
  }

  // ---- times and cadences

  @Test
  void aJumpOfTheWallsClockIsNoFault() {
    Agent agent = watched(true);

    time.jump(Duration.ofHours(2));
    pass(300);
    agent.beat();
    time.jump(Duration.ofHours(-5));
    pass(400);

    assertThat(health()).isEqualTo(VmHealth.Alive.class);
  }

  @Test
  void anAgentsClockCountsNothing() {
    Agent agent = watched(true);

    for (int i = 0; i < 50; i++) {
      pass(200);
      agent.says(new FromAgent.Heartbeat(i, i % 2 == 0 ? Long.MAX_VALUE : Long.MIN_VALUE));
    }

    assertThat(health()).isEqualTo(VmHealth.Alive.class);
    assertThat(probes).isZero();
  }

  @Test
  void anAgentThatHasNotHeardOfTheFastCadenceYetIsNotSuspectedByIt() {
    Agent agent = connected();
    agent.beat();
    watch(VM, true);

    pass(1_900);

    assertThat(health()).isEqualTo(VmHealth.Alive.class);
  }

  @Test
  void aMachineThatDiesBeforeItHearsOfTheFastCadenceIsLostAllTheSame() {
    Agent agent = watched(false);
    pass(3_000);
    agent.beat();
    sshd = ProbeResult.NOTHING;

    watch(VM, true);
    pass(3_000);

    assertThat(health()).isEqualTo(VmHealth.Lost.class);
  }

  @Test
  void anAgentOnALossyLinkIsSuspectedLessAndLess() {
    Agent agent = watched(true);
    int before = 0;
    int after = 0;
    for (int i = 0; i < 200; i++) {
      pass(i % 4 == 0 ? 800 : 200);
      if (health() == VmHealth.Suspect.class) {
        before += i < 20 ? 1 : 0;
        after += i >= 20 ? 1 : 0;
      }
      agent.beat();
    }

    assertThat(before).isPositive();
    assertThat(after).isZero();
  }

  @Test
  void manyAgentsAreToldToBeatMoreSlowly() {
    DetectorSettings.Heartbeats beats = settings.heartbeats();
    List<Agent> all =
        IntStream.range(0, 3_000)
            .mapToObj(i -> new Agent(new VmRef("lab", "n" + i, "uid-n" + i)).hello())
            .toList();

    pass(2_000);

    assertThat(all.getFirst().socket.received(ToAgent.Welcome.class))
        .containsExactly(new ToAgent.Welcome(5_000));
    assertThat(all.getFirst().socket.received(ToAgent.Cadence.class)).isEmpty();

    Map<VmRef, Agent> teams = new HashMap<>();
    for (int i = 0; i < 400; i++) {
      VmRef vm = new VmRef("lab", "t" + i, "uid-t" + i);
      teams.put(vm, new Agent(vm).hello());
      agents.watch(vm, SSHD, true, within -> login);
    }
    pass(2_000);

    int told = all.getFirst().socket.received(ToAgent.Cadence.class).getLast().heartbeatMillis();
    assertThat(told).isGreaterThan(5_000).isLessThanOrEqualTo((int) beats.slowest().toMillis());
    assertThat(context.pacer().coreShare()).isLessThanOrEqualTo(beats.coreShare());
  }

  @Test
  void aFlappingAgentIsNotProbedMoreThanSshdForgives() {
    Agent agent = watched(true);

    for (int i = 0; i < 60; i++) {
      agent.drops();
      pass(500);
      agent = new Agent(VM).hello();
      agent.beat();
      pass(500);
    }

    // One second of penalty each, running off in real time, must stay below fifteen.
    assertThat(probes).isLessThanOrEqualTo(ProbeBudget.MOST + 60 / 2 + 1);
  }

  @Test
  void anUnwatchedVmIsNeitherProbedNorJudged() {
    connected().drops();

    time.pass(MINUTE);

    assertThat(probes).isZero();
    assertThat(agents.health(VM)).isEqualTo(new VmHealth.Unwatched());
    assertThat(Optional.of(agents.health(OTHER))).contains(new VmHealth.Unwatched());
  }
}
