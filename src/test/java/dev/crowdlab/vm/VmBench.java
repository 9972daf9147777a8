package dev.crowdlab.vm;

import dev.crowdlab.api.Capacity;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.ContributedVMSpec;
import dev.crowdlab.api.ContributedVMStatus;
import dev.crowdlab.api.Contributor;
import dev.crowdlab.api.Finding;
import dev.crowdlab.api.FindingKind;
import dev.crowdlab.api.IntegrityStatus;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.SecretRef;
import dev.crowdlab.api.SshSpec;
import dev.crowdlab.core.EventRecorder;
import dev.crowdlab.core.ManualClock;
import dev.crowdlab.core.StepListener;
import dev.crowdlab.core.Times;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.Agents.Session;
import dev.crowdlab.hub.FakeAgents;
import dev.crowdlab.protocol.FromAgent.Notice;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * One ContributedVM, its machine and its reconciler, all in memory; a test turns the screws and
 * calls {@link #pass}.
 */
public final class VmBench {

  static final String HOST = "alice.example.org";
  static final Secret SECRET =
      new SecretBuilder()
          .withNewMetadata()
          .withName("alice-1-ssh")
          .withNamespace("lab")
          .withUid("secret-1")
          .withResourceVersion("1")
          .endMetadata()
          .withType("kubernetes.io/ssh-auth")
          .addToData("password", "c2VjcmV0")
          .build();

  public final FakeVmAccess access;
  final ManualClock clock;
  final FakeAgents agents;
  final List<String> events = new ArrayList<>();
  final List<ContributedVMStatus> written = new ArrayList<>();
  final VmSettings settings = VmSettings.defaults();
  final TestEnrolment enrolment = new TestEnrolment();
  final TestJudge judge = new TestJudge();
  final List<String> steps = new ArrayList<>();

  /** Where the operator dies; it does nothing any more then. */
  StepListener crash = StepListener.NONE;

  public ContributedVM vm = vm("alice-1", "uid-1", "2026-01-01T00:00:00Z");
  public Optional<Secret> secret = Optional.of(SECRET);
  List<ContributedVM> others = new ArrayList<>();
  public List<LabTeam> teams = new ArrayList<>();

  private final VmLifecycle lifecycle;
  private VmRelease release;
  private final Supplier<VmRelease> newRelease;

  VmBench() {
    this(new ManualClock(Instant.parse("2026-06-01T10:00:00Z")));
  }

  private VmBench(ManualClock clock) {
    this(clock, new FakeAgents(clock).obedient(true), Optional.empty());
  }

  /**
   * A bench that shares its time and its agents with another.
   *
   * @param otherJudge who judges instead of {@link #judge}
   */
  public VmBench(ManualClock clock, FakeAgents agents, Optional<Judge> otherJudge) {
    this.clock = clock;
    this.agents = agents;
    this.access = new FakeVmAccess(clock);
    access.machine(HOST);
    Judge judge = otherJudge.orElse(this.judge);
    StepListener listener =
        (step, of) -> {
          steps.add(step);
          crash.reached(step, of);
        };
    VmObserver observer = new VmObserver(agents, enrolment, clock);
    Integration integration =
        new Integration(access, enrolment, judge, listener, clock, new Random(7), settings);
    EventRecorder recorder =
        (HasMetadata about, EventRecorder.Type type, Reason reason, String note) ->
            events.add(type + " " + reason + " " + note);
    lifecycle =
        new VmLifecycle(observer, integration, agents, judge, recorder, listener, clock, settings);
    newRelease =
        () ->
            new VmRelease(
                observer, lifecycle, access, agents, enrolment, judge, recorder, listener, clock,
                settings);
    release = newRelease.get();
  }

  /** The next process takes over; of releases it knows what the status says. */
  VmBench operatorRestarts() {
    release = newRelease.get();
    return this;
  }

  static ContributedVM vm(String name, String uid, String created) {
    ContributedVM vm = new ContributedVM();
    vm.setMetadata(
        new ObjectMetaBuilder()
            .withName(name)
            .withNamespace("lab")
            .withUid(uid)
            .withGeneration(1L)
            .withCreationTimestamp(created)
            .build());
    vm.setSpec(
        new ContributedVMSpec(
            new Contributor("Alice", null),
            new SshSpec(
                HOST,
                22,
                "root",
                null,
                FakeVmAccess.ED25519.fingerprint(),
                new SecretRef("alice-1-ssh")),
            new Capacity(4, new Quantity("2"), new Quantity("4Gi")),
            null,
            null,
            null,
            null));
    return vm;
  }

  public VmRef ref() {
    return VmView.ref(vm);
  }

  public FakeVmAccess.Machine machine() {
    return access.machine(HOST);
  }

  public ContributedVMStatus status() {
    return vm.getStatus();
  }

  public VmBench spec(UnaryOperator<ContributedVMSpec> change) {
    vm.setSpec(change.apply(vm.getSpec()));
    vm.getMetadata().setGeneration(vm.getMetadata().getGeneration() + 1);
    return this;
  }

  /** Sets an annotation; null takes it away. */
  public VmBench annotate(String key, String value) {
    Map<String, String> annotations = new HashMap<>(VmView.annotations(vm));
    if (value == null) {
      annotations.remove(key);
    } else {
      annotations.put(key, value);
    }
    vm.getMetadata().setAnnotations(annotations);
    return this;
  }

  /** One pass of the reconciler; gives back when it wants to look again. */
  public Duration pass() {
    return lifecycle.pass(vm, surroundings(), this::write);
  }

  /** A pass that throws. */
  void fail() {
    vm = VmObserver.withStatus(vm, lifecycle.internalError(vm));
  }

  /**
   * One pass of the clean-up, and the one that it asks for at once; empty when the object may go.
   */
  public Optional<Duration> cleanup() {
    Optional<Duration> again = release.pass(vm, surroundings(), this::write);
    return again.equals(Optional.of(VmRelease.AT_ONCE))
        ? release.pass(vm, surroundings(), this::write)
        : again;
  }

  /** Until Ready: integrated, and its agent connected. */
  public VmBench ready() {
    pass();
    connect();
    pass();
    return this;
  }

  /** The machine's owner, or its shutdown, speaks through the agent. */
  public VmBench says(Notice.Kind kind) {
    agents.notice(ref(), kind);
    return this;
  }

  /** One pass over a machine that may be on its way to leaving. */
  public Optional<Duration> leave() {
    return release.leave(vm, surroundings(), this::write);
  }

  public void connect() {
    Instant now = clock.instant();
    agents.connect(
        new Session(
            ref(), FakeVmAccess.AGENT_VERSION, "boot", "machine", "ssh-ed25519 AAAA", now, now),
        List.of());
  }

  private VmSurroundings surroundings() {
    List<ContributedVM> all = new ArrayList<>(others);
    all.add(vm);
    return new VmSurroundings(all, secret, teams);
  }

  private ContributedVM write(ContributedVM object, ContributedVMStatus status) {
    written.add(status);
    vm = VmObserver.withStatus(object, status);
    return vm;
  }

  /** Accepts what it issued, and the machine's hash of it. */
  static final class TestEnrolment implements Enrolment {
    final Set<VmRef> revoked = new HashSet<>();
    private final Set<String> accepted = new HashSet<>();
    private int issued;

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public String hubUrl() {
      return "wss://10.77.0.1:8443/agent/v1";
    }

    @Override
    public String caPem() {
      return "-----BEGIN CERTIFICATE-----";
    }

    @Override
    public String agentVersion() {
      return FakeVmAccess.AGENT_VERSION;
    }

    @Override
    public String issueToken(VmRef vm) {
      String token = "token-" + ++issued;
      accepted.add(FakeVmAccess.sha256(token));
      return token;
    }

    int issued() {
      return issued;
    }

    void forgetAll() {
      accepted.clear();
    }

    @Override
    public boolean acceptsToken(VmRef vm, String sha256) {
      return accepted.contains(sha256);
    }

    @Override
    public void revoke(VmRef vm) {
      revoked.add(vm);
    }
  }

  /** Says what the test wants it to say. */
  final class TestJudge implements Judge {
    boolean violation;
    boolean quarantines = true;
    int forgotten;
    int released;

    @Override
    public Judgement judge(ContributedVM vm, VmAccess.Probed probed, boolean sharesMachineId) {
      List<Finding> findings =
          violation
              ? List.of(
                  new Finding(FindingKind.PROTECTED_PATH_CHANGED, "/usr/sbin/sshd", null, true))
              : List.of();
      return new Judgement(
          !violation,
          violation && quarantines,
          new IntegrityStatus("digest", Times.format(clock.instant()), findings));
    }

    @Override
    public void release(ContributedVM vm) {
      released++;
    }

    @Override
    public void forget(ContributedVM vm) {
      forgotten++;
    }
  }
}
