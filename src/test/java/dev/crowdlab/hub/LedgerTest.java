package dev.crowdlab.hub;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.protocol.FromAgent.Prepared;
import dev.crowdlab.protocol.FromAgent.TeamGone;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.FromAgent.TeamReport.State;
import dev.crowdlab.protocol.Protocol;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.protocol.ToAgent.Prepare;
import dev.crowdlab.protocol.ToAgent.Run;
import dev.crowdlab.protocol.ToAgent.Stop;
import dev.crowdlab.protocol.ToAgent.VmLimits;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LedgerTest {

  private static final TeamRef TEAM = new TeamRef("lab", "team-7", "uid-7");

  private final Ledger ledger = new Ledger();

  static Run run(TeamRef team, long epoch) {
    return new Run(
        team.uid(),
        team.namespace(),
        team.name(),
        epoch,
        null,
        List.of(),
        false,
        List.of(),
        List.of(),
        null,
        new VmLimits(4, 0, 0));
  }

  static TeamReport report(TeamRef team, long epoch, State state) {
    return new TeamReport(
        team.uid(), team.namespace(), team.name(), epoch, state, null, null, List.of());
  }

  private static Stop stop(long epoch) {
    return new Stop(TEAM.uid(), TEAM.namespace(), TEAM.name(), epoch, Ledger.GRACE_MILLIS);
  }

  private static TeamGone gone(long epoch) {
    return new TeamGone(TEAM.uid(), TEAM.namespace(), TEAM.name(), epoch);
  }

  private void up(TeamReport... running) {
    assertThat(ledger.up(new Reports(List.of(running)), Protocol.VERSION)).isEmpty();
  }

  @Test
  void aRunIsSentOncePerSessionAndDoneWhenHealthyAtItsEpoch() {
    up();

    assertThat(ledger.run(run(TEAM, 3)).send()).isEqualTo(run(TEAM, 3));
    assertThat(ledger.run(run(TEAM, 3)).send()).isNull();
    assertThat(ledger.run(run(TEAM, 3)).outcome()).isInstanceOf(Outcome.InProgress.class);

    assertThat(ledger.reported(report(TEAM, 2, State.HEALTHY))).isTrue();
    assertThat(ledger.run(run(TEAM, 3)).outcome()).isInstanceOf(Outcome.InProgress.class);

    ledger.reported(report(TEAM, 3, State.HEALTHY));
    assertThat(ledger.run(run(TEAM, 3)).outcome())
        .isEqualTo(Outcome.done(report(TEAM, 3, State.HEALTHY)));
  }

  private static Prepare prepare(long epoch) {
    return Prepare.of(run(TEAM, epoch));
  }

  private static Prepared prepared(long epoch, @Nullable RunFailure failure) {
    return new Prepared(
        TEAM.uid(), "lab", "team-7", epoch, failure == null ? null : failure.name(), null);
  }

  @Test
  void whatIsToBeMadeAheadIsSentOncePerSessionAndDoneWhenItIsMade() {
    up();
    assertThat(ledger.prepare(prepare(3)).send()).isEqualTo(prepare(3));
    assertThat(ledger.prepare(prepare(3)).send()).isNull();
    assertThat(ledger.prepare(prepare(3)).outcome()).isInstanceOf(Outcome.InProgress.class);

    assertThat(ledger.prepared(prepared(3, null))).contains(TEAM);

    assertThat(ledger.prepare(prepare(3)).outcome()).isEqualTo(Outcome.done());
    ledger.down();
    assertThat(ledger.up(new Reports(List.of()), Protocol.VERSION))
        .as("nobody relies on it but who asks")
        .isEmpty();
    assertThat(ledger.prepare(prepare(3)).send()).isNotNull();
  }

  @Test
  void whatCouldNotBeMadeAheadIsToldAndSentWhenItIsAskedForAgain() {
    up();
    ledger.prepare(prepare(3));
    ledger.prepared(prepared(3, RunFailure.IMAGE_MISSING));

    Ledger.Order<Void> told = ledger.prepare(prepare(3));

    assertThat(failure(told.outcome())).isEqualTo(Reason.IMAGE_PULL_FAILED);
    assertThat(told.send()).isNull();
    assertThat(ledger.prepare(prepare(3)).send()).isNotNull();
  }

  @Test
  void whatCannotBeMadeAheadYetIsNoNewsAndSentAgainWhenItIsAskedForAgain() {
    up();
    ledger.prepare(prepare(3));

    assertThat(
            ledger.prepared(
                new Prepared(TEAM.uid(), "lab", "team-7", 3, Prepared.BUSY, "an earlier run")))
        .as("who asks again at once would be told the same at once, for ever")
        .isEmpty();

    Ledger.Order<Void> again = ledger.prepare(prepare(3));
    assertThat(again.send()).isEqualTo(prepare(3));
    assertThat(again.outcome()).isInstanceOf(Outcome.InProgress.class);
    assertThat(ledger.prepare(prepare(3)).send()).as("once").isNull();
    assertThat(ledger.prepared(prepared(3, null))).contains(TEAM);
  }

  @Test
  void aWordAboutAnEpochThatNobodyAskedForChangesNothing() {
    up();
    ledger.prepare(prepare(3));

    assertThat(ledger.prepared(prepared(2, null))).isEmpty();

    assertThat(ledger.prepare(prepare(3)).outcome()).isInstanceOf(Outcome.InProgress.class);
  }

  @Test
  void aWordAboutWhatIsMadeAheadIsNoNewsOnceItsRunIsOrdered() {
    up();
    ledger.prepare(prepare(3));
    ledger.run(run(TEAM, 3));

    assertThat(ledger.prepared(prepared(3, RunFailure.IMAGE_MISSING))).isEmpty();
  }

  @Test
  void whatWasMadeAheadAndStoppedIsStoppedAgainTheNextTime() {
    up();
    ledger.prepare(prepare(3));
    assertThat(ledger.stop(TEAM, 3).send()).isEqualTo(stop(3));
    ledger.gone(gone(3));
    assertThat(ledger.prepare(prepare(3)).send()).isNotNull();

    assertThat(ledger.stop(TEAM, 3).send()).isEqualTo(stop(3));
  }

  @Test
  void aRunThatHasStoppedIsStillToBeRemoved() {
    up();
    ledger.run(run(TEAM, 3));
    ledger.stop(TEAM, 3);

    assertThat(ledger.reported(report(TEAM, 3, State.STOPPED))).isTrue();

    assertThat(ledger.stop(TEAM, 3).outcome()).isInstanceOf(Outcome.InProgress.class);
  }

  @Test
  void aRunOrderedWhileNobodyIsThereIsSentToTheNextSession() {
    assertThat(failure(ledger.run(run(TEAM, 1)).outcome())).isEqualTo(Reason.AGENT_NOT_CONNECTED);

    assertThat(ledger.up(new Reports(List.of()), Protocol.VERSION)).containsExactly(run(TEAM, 1));
    ledger.down();
    assertThat(ledger.up(new Reports(List.of()), Protocol.VERSION)).containsExactly(run(TEAM, 1));
  }

  @Test
  void aLostVmThatComesBackIsToldOnlyWhatIsOrderedAnew() {
    up();
    ledger.run(run(TEAM, 1));
    ledger.down();
    ledger.lost();

    assertThat(ledger.up(new Reports(List.of()), Protocol.VERSION)).isEmpty();
    assertThat(ledger.run(run(TEAM, 1)).send()).isEqualTo(run(TEAM, 1));
  }

  @Test
  void aRunElsewhereAtAHigherEpochEndsTheWishForTheOlder() {
    ledger.run(run(TEAM, 1));
    ledger.supersede(TEAM.uid(), 1);
    assertThat(ledger.wanted()).containsExactly(run(TEAM, 1));

    ledger.supersede(TEAM.uid(), 2);

    assertThat(ledger.wanted()).isEmpty();
  }

  @Test
  void aLowerEpochNeverReplacesAHigherOne() {
    up();
    ledger.run(run(TEAM, 5));

    assertThat(ledger.run(run(TEAM, 4)).outcome()).isInstanceOf(Outcome.Failed.class);
    assertThat(ledger.wanted()).containsExactly(run(TEAM, 5));
  }

  @Test
  void aFailedReportFailsTheRunWithItsReason() {
    up();
    ledger.run(run(TEAM, 1));
    ledger.reported(
        new TeamReport(
            TEAM.uid(),
            "lab",
            "team-7",
            1,
            State.FAILED,
            RunFailure.IMAGE_MISSING.name(),
            "no such image",
            List.of()));

    assertThat(failure(ledger.run(run(TEAM, 1)).outcome())).isEqualTo(Reason.IMAGE_PULL_FAILED);
  }

  @Test
  void aStopIsSentOncePerSessionAndDoneWhenTheAgentSaysSo() {
    up(report(TEAM, 2, State.HEALTHY));

    assertThat(ledger.stop(TEAM, 2).send()).isEqualTo(stop(2));
    assertThat(ledger.stop(TEAM, 2).send()).isNull();
    assertThat(ledger.gone(gone(1))).contains(TEAM);
    assertThat(ledger.stop(TEAM, 2).outcome()).isInstanceOf(Outcome.InProgress.class);

    ledger.gone(gone(2));

    assertThat(ledger.stop(TEAM, 2).outcome()).isInstanceOf(Outcome.Done.class);
    assertThat(ledger.report(TEAM.uid())).isEmpty();
  }

  @Test
  void aStopThatWasNotAnsweredIsSentAgainToTheNextSession() {
    up();
    ledger.stop(TEAM, 2);
    ledger.down();

    assertThat(failure(ledger.stop(TEAM, 2).outcome())).isEqualTo(Reason.AGENT_NOT_CONNECTED);
    assertThat(ledger.up(new Reports(List.of()), Protocol.VERSION)).containsExactly(stop(2));
  }

  @Test
  void aStopIsAskedAgainWhenTheVmShowsTheTeamAfterItSaidItWasGone() {
    up();
    ledger.stop(TEAM, 2);
    ledger.gone(gone(2));
    ledger.down();
    up(report(TEAM, 2, State.HEALTHY));

    assertThat(ledger.stop(TEAM, 2).send()).isEqualTo(stop(2));
  }

  @Test
  void aTeamThatWasStoppedCanRunAgainAndBeStoppedAgain() {
    up();
    ledger.stop(TEAM, 2);
    ledger.gone(gone(2));
    assertThat(ledger.run(run(TEAM, 2)).send()).isEqualTo(run(TEAM, 2));

    assertThat(ledger.stop(TEAM, 2).send()).isEqualTo(stop(2));
    assertThat(ledger.wanted()).isEmpty();
  }

  @Test
  void aStopOfAnOlderEpochLeavesTheNewerRun() {
    up();
    ledger.run(run(TEAM, 3));

    ledger.stop(TEAM, 2);

    assertThat(ledger.wanted()).containsExactly(run(TEAM, 3));
  }

  @Test
  void inAConflictNobodyGetsAnythingNew() {
    up();
    ledger.conflict();

    assertThat(ledger.run(run(TEAM, 1)).send()).isNull();
    assertThat(failure(ledger.stop(TEAM, 1).outcome())).isEqualTo(Reason.IDENTITY_CONFLICT);
  }

  @Test
  void whatAVmSaysOfTeamsThatWereNotOrderedThereConcernsNobody() {
    up();

    assertThat(ledger.reported(report(TEAM, 9, State.HEALTHY))).isTrue();
    assertThat(ledger.ordered(TEAM.uid())).isEmpty();
    assertThat(ledger.gone(gone(Long.MAX_VALUE))).isEmpty();
    assertThat(ledger.stop(TEAM, 1).send()).isEqualTo(stop(1));
  }

  @Test
  void aVmCannotFillTheHubWithTeams() {
    up();

    IntStream.range(0, 2 * Reports.MAX_TEAMS)
        .mapToObj(i -> report(new TeamRef("lab", "t" + i, "u" + i), 1, State.HEALTHY))
        .forEach(ledger::reported);

    assertThat(ledger.reports()).hasSize(Reports.MAX_TEAMS);
  }

  private static Reason failure(Outcome<?> outcome) {
    assertThat(outcome).isInstanceOf(Outcome.Failed.class);
    return ((Outcome.Failed<?>) outcome).failure().reason();
  }
}
