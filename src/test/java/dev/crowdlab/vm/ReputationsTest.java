package dev.crowdlab.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.Fault;
import dev.crowdlab.api.FaultCause;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.Reputation;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.core.Times;
import dev.crowdlab.hub.Agents.Session;
import dev.crowdlab.hub.VmHealth.VmFault;
import dev.crowdlab.protocol.FromAgent.DiskState;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A machine that comes and goes, and what its status says of that. */
class ReputationsTest {

  private final VmBench bench = new VmBench();

  private Reputation reputation() {
    Reputation reputation = bench.status().reputation();
    assertThat(reputation).isNotNull();
    return reputation;
  }

  private void lost(VmFault fault, Duration time) {
    bench.agents.lose(bench.ref(), fault);
    bench.pass();
    bench.clock.advance(time);
  }

  private void back(String bootId) {
    Instant now = bench.clock.instant();
    bench.agents.connect(
        new Session(
            bench.ref(),
            FakeVmAccess.AGENT_VERSION,
            bootId,
            "machine",
            "ssh-ed25519 AAAA",
            now,
            now),
        List.of());
    bench.pass();
  }

  private boolean ready() {
    return Conditions.holds(bench.status().conditions(), ConditionType.READY);
  }

  private void wellFor(Duration time) {
    bench.clock.advance(time);
    bench.pass();
  }

  @Test
  void aMachineThatWasNeverLostHasACleanSheet() {
    bench.ready();
    wellFor(Duration.ofDays(1));

    assertThat(reputation().uptime()).isEqualTo("100.0%");
    assertThat(reputation().faults()).isEmpty();
    assertThat(reputation().losses()).isNull();
    assertThat(ready()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    // while it lasts, the boot id it comes back with: what it was
    "SILENT, another, PowerCut",
    "SILENT, boot,    Partition",
    "HUNG,   boot,    VmHung",
    "HUNG,   another, VmHung",
  })
  void itsReturnTellsWhatHadHappened(VmFault fault, String bootId, String cause) {
    bench.ready();

    lost(fault, Duration.ofSeconds(30));
    assertThat(reputation().faults().getFirst().cause())
        .isEqualTo(fault == VmFault.SILENT ? FaultCause.VM_LOST : FaultCause.VM_HUNG);
    assertThat(reputation().faults().getFirst().over()).isNull();
    back(bootId);

    assertThat(reputation().faults())
        .extracting(each -> each.cause().toString())
        .containsExactly(cause);
    assertThat(reputation().faults().getFirst().over()).isNotNull();
    assertThat(reputation().losses()).isEqualTo(1);
    assertThat(reputation().lostFor()).isEqualTo("30.000s");
  }

  @Test
  void eachLossDoublesTheTimeForWhichItMustStay() {
    bench.ready();
    Duration expected = bench.settings.returning().stable();
    for (int i = 0; i < 4; i++) {
      lost(VmFault.SILENT, Duration.ofSeconds(5));
      back("boot");

      wellFor(expected.minusMillis(1));
      assertThat(
              Conditions.hasReason(
                  bench.status().conditions(), ConditionType.READY, Reason.STABILISING))
          .as("loss %d", i)
          .isTrue();
      wellFor(Duration.ofMillis(1));
      assertThat(ready()).as("loss %d", i).isTrue();
      assertThat(reputation().stableFrom()).isNull();
      expected = expected.multipliedBy(2);
    }
  }

  @Test
  void theTimeIsBoundedHoweverOftenItWasLost() {
    bench.ready();
    for (int i = 0; i < 40; i++) {
      lost(VmFault.SILENT, Duration.ofSeconds(5));
      back("boot");
    }

    wellFor(bench.settings.returning().longest());

    assertThat(ready()).isTrue();
    assertThat(reputation().faults()).hasSize(5);
    assertThat(reputation().losses()).isEqualTo(40);
  }

  @Test
  void lossesAreForgivenHourByHour() {
    bench.ready();
    for (int i = 0; i < 4; i++) {
      lost(VmFault.SILENT, Duration.ofSeconds(5));
      back("boot");
    }
    assertThat(reputation().flaps()).isEqualTo(4);
    wellFor(Duration.ofHours(2));

    lost(VmFault.SILENT, Duration.ofSeconds(5));
    assertThat(reputation().flaps()).isEqualTo(3);
    back("boot");
    wellFor(Duration.ofDays(30));
    lost(VmFault.SILENT, Duration.ofSeconds(5));

    assertThat(reputation().flaps()).isEqualTo(1);
  }

  @Test
  void aConnectionThatBreaksMeanwhileBeginsTheTimeAnew() {
    bench.ready();
    lost(VmFault.SILENT, Duration.ofSeconds(5));
    back("boot");
    wellFor(Duration.ofSeconds(9));
    bench.agents.disconnect(bench.ref());
    back("boot");

    wellFor(Duration.ofSeconds(9));
    assertThat(ready()).isFalse();
    wellFor(Duration.ofSeconds(1));
    assertThat(ready()).isTrue();
  }

  @Test
  void aClockThatJumpsBackHoldsNobodyForLonger() {
    bench.ready();
    lost(VmFault.SILENT, Duration.ofSeconds(5));
    back("boot");
    bench.clock.advance(Duration.ofHours(-2));
    bench.pass();

    wellFor(bench.settings.returning().stable());

    assertThat(ready()).isTrue();
  }

  @Test
  void aCrashOfTheAgentIsNoLoss() {
    bench.ready();
    bench.agents.agentDies(bench.ref());
    bench.pass();
    bench.clock.advance(Duration.ofSeconds(20));
    back("boot");

    assertThat(reputation().agentFaults()).isEqualTo(1);
    assertThat(reputation().losses()).isNull();
    assertThat(reputation().faults())
        .extracting(Fault::cause)
        .containsExactly(FaultCause.AGENT_CRASHED);
    assertThat(reputation().uptime()).isEqualTo("100.0%");
    assertThat(ready()).isTrue();
  }

  @Test
  void aMachineThatDiesAfterItsAgentHasTwoFaults() {
    bench.ready();
    bench.agents.agentHangs(bench.ref());
    bench.pass();
    bench.clock.advance(Duration.ofSeconds(20));
    lost(VmFault.SILENT, Duration.ofSeconds(10));

    assertThat(reputation().faults())
        .extracting(Fault::cause)
        .containsExactly(FaultCause.VM_LOST, FaultCause.AGENT_HUNG);
    assertThat(reputation().faults().getLast().over())
        .isEqualTo(reputation().faults().getFirst().at());
  }

  private void disk(DiskState state) {
    bench.agents.disk(bench.ref(), state);
    bench.pass();
  }

  @ParameterizedTest
  @CsvSource({"FULL, DiskFull", "READ_ONLY, DiskReadOnly"})
  void aDiskThatCannotBeWrittenIsAFaultOfItsOwnUntilItCan(DiskState state, String cause) {
    bench.ready();
    disk(DiskState.WRITABLE);
    assertThat(reputation().faults()).isEmpty();

    disk(state);
    String since = Times.format(bench.clock.instant());
    wellFor(Duration.ofMinutes(1));
    disk(state);
    Fault fault = reputation().faults().getFirst();
    assertThat(fault.cause().toString()).isEqualTo(cause);
    assertThat(fault.at()).isEqualTo(since);
    assertThat(fault.over()).isNull();
    assertThat(ready()).isFalse();

    disk(DiskState.WRITABLE);
    assertThat(reputation().faults())
        .containsExactly(new Fault(fault.cause(), since, Times.format(bench.clock.instant())));
    assertThat(ready()).as("nothing to wait for").isTrue();
    assertThat(reputation().losses()).isNull();
    assertThat(reputation().agentFaults()).isNull();
    assertThat(reputation().uptime()).isEqualTo("100.0%");
  }

  @Test
  void aFullDiskThatTurnsReadOnlyIsTwoFaultsOneAfterTheOther() {
    bench.ready();
    disk(DiskState.FULL);
    bench.clock.advance(Duration.ofSeconds(5));

    disk(DiskState.READ_ONLY);

    assertThat(reputation().faults())
        .extracting(Fault::cause)
        .containsExactly(FaultCause.DISK_READ_ONLY, FaultCause.DISK_FULL);
    assertThat(reputation().faults().getFirst().over()).isNull();
    assertThat(reputation().faults().getLast().over())
        .isEqualTo(reputation().faults().getFirst().at());
  }

  @Test
  void aFaultOfTheDiskGoesOnBesideOneOfTheAgentUntilAnAgentSaysThatItIsMended() {
    bench.ready();
    disk(DiskState.FULL);
    bench.agents.agentHangs(bench.ref());
    bench.pass();
    bench.clock.advance(Duration.ofSeconds(20));

    // The next agent does not know yet.
    back("boot");
    assertThat(reputation().faults())
        .extracting(Fault::cause)
        .containsExactly(FaultCause.AGENT_HUNG, FaultCause.DISK_FULL);
    assertThat(reputation().faults().getFirst().over()).isNotNull();
    assertThat(reputation().faults().getLast().over()).isNull();
    assertThat(
            Conditions.hasReason(
                bench.status().conditions(), ConditionType.READY, Reason.DISK_FULL))
        .isTrue();

    disk(DiskState.WRITABLE);
    assertThat(reputation().faults()).allMatch(fault -> fault.over() != null);
    assertThat(ready()).isTrue();
  }

  @Test
  void aMachineThatWasLostWithAFullDiskTellsByItsReturnWhyItWasLost() {
    bench.ready();
    disk(DiskState.FULL);
    lost(VmFault.SILENT, Duration.ofSeconds(30));
    assertThat(
            Conditions.hasReason(bench.status().conditions(), ConditionType.READY, Reason.VM_LOST))
        .isTrue();

    back("another");
    disk(DiskState.WRITABLE);

    assertThat(reputation().faults())
        .extracting(Fault::cause)
        .containsExactly(FaultCause.POWER_CUT, FaultCause.DISK_FULL);
    assertThat(reputation().faults()).allMatch(fault -> fault.over() != null);
    assertThat(reputation().lostFor()).isEqualTo("30.000s");
  }

  @Test
  void aFaultThatLastsIsKeptHoweverManyCameSince() {
    bench.ready();
    disk(DiskState.FULL);
    for (int i = 0; i < 8; i++) {
      bench.agents.agentDies(bench.ref());
      bench.pass();
      bench.clock.advance(Duration.ofMinutes(2));
      back("boot");
    }

    assertThat(reputation().faults()).hasSize(5);
    assertThat(reputation().faults().getLast().cause()).isEqualTo(FaultCause.DISK_FULL);
    assertThat(reputation().faults().getLast().over()).isNull();
  }

  @Test
  void theLastLossIsKeptHoweverOftenTheDiskWasFullSince() {
    bench.ready();
    lost(VmFault.SILENT, Duration.ofMinutes(1));
    back("boot");

    for (int i = 0; i < 8; i++) {
      disk(DiskState.FULL);
      bench.clock.advance(Duration.ofMinutes(2));
      disk(DiskState.WRITABLE);
      bench.clock.advance(Duration.ofMinutes(2));
    }

    assertThat(reputation().faults())
        .hasSize(5)
        .last()
        .satisfies(fault -> assertThat(fault.cause().isLoss()).isTrue());
  }

  @Test
  void whatAnEarlierOperatorWroteIsGoneOnWith() {
    bench.ready();
    lost(VmFault.SILENT, Duration.ofMinutes(1));
    // A new process comes to the same verdict at another time.
    bench.agents.connect(bench.ref());
    bench.agents.lose(bench.ref());
    bench.pass();

    assertThat(reputation().losses()).isEqualTo(1);
  }

  @Test
  void whateverHappensTheNumbersAddUp() {
    for (long seed = 0; seed < 30; seed++) {
      Random random = new Random(seed);
      VmBench some = new VmBench().ready();
      Instant first = some.clock.instant();
      for (int i = 0; i < 60; i++) {
        some.clock.advance(Duration.ofSeconds(1 + random.nextInt(600)));
        switch (random.nextInt(6)) {
          case 0 -> some.agents.lose(some.ref());
          case 1 -> some.agents.agentDies(some.ref());
          case 2, 3 ->
              some.agents.disk(
                  some.ref(), DiskState.values()[random.nextInt(DiskState.values().length)]);
          default -> some.connect();
        }
        some.pass();
        Reputation now = some.status().reputation();
        assertThat(now).isNotNull();
        assertThat(now.faults()).hasSizeLessThanOrEqualTo(5);
        List<Fault> last = now.faults().stream().filter(fault -> fault.over() == null).toList();
        assertThat(last.stream().filter(fault -> fault.cause().isDisk()).count()).isBetween(0L, 1L);
        assertThat(last.stream().filter(fault -> !fault.cause().isDisk()).count())
            .isBetween(0L, 1L);
        assertThat(now.since()).isEqualTo(Times.format(first));
        String lostFor = now.lostFor() == null ? "0.000s" : now.lostFor();
        assertThat(Times.parseSeconds(lostFor))
            .isLessThanOrEqualTo(Duration.between(first, some.clock.instant()));
        assertThat(now.uptime()).matches("(100|[0-9]{1,2})\\.[0-9]%");
      }
    }
  }
}
