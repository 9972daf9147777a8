package dev.crowdlab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.SecretStore.SecretStoreException;
import dev.crowdlab.hub.Tokens.Accepted;
import dev.crowdlab.hub.Tokens.Issued;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TokensTest {

  private static final VmRef VM = new VmRef("lab", "alice-1", "uid-alice-1");
  private static final VmRef OTHER = new VmRef("lab", "bob-1", "uid-bob-1");

  private final ManualTime time = new ManualTime();
  private final FakeSecrets secrets = new FakeSecrets();
  private Tokens tokens = started();

  /** What a new operator process knows. */
  private Tokens started() {
    Tokens started = new Tokens(secrets, time.clock(), new SecureRandom());
    started.load();
    return started;
  }

  private boolean works(String token) {
    return tokens.verify(VM.uid(), token).isPresent();
  }

  private String idOf(String token) {
    return tokens.verify(VM.uid(), token).map(Accepted::tokenId).orElseThrow();
  }

  @Test
  void aTokenOpensItsOwnVmOnly() {
    String token = tokens.issue(VM);
    tokens.issue(OTHER);

    assertThat(tokens.verify(VM.uid(), token).map(Accepted::vm)).contains(VM);
    assertThat(tokens.verify(OTHER.uid(), token)).isEmpty();
    assertThat(works(token + "x")).isFalse();
    assertThat(tokens.verify("uid-nobody", token)).isEmpty();
  }

  @Test
  void aVmThatWasRevokedGetsNoTokenBesideTheOnesThatItHad() {
    assertThat(tokens.addTo(VM)).isEmpty();
    tokens.issue(VM);
    Issued offered = tokens.addTo(VM).orElseThrow();
    assertThat(works(offered.token())).isTrue();

    secrets.beforeNextWrite(() -> tokens.revoke(VM));
    assertThat(tokens.addTo(VM)).isEmpty();

    assertThat(secrets.list(Tokens.COMPONENT, Tokens.AGENT_TOKEN)).isEmpty();
    assertThat(tokens.known(VM)).isFalse();
  }

  @Test
  void aVmThatIsRefusedIsNotKnownAgainThroughAnOfferThatCameLate() {
    tokens.issue(VM);

    secrets.beforeNextWrite(() -> tokens.block(VM));

    assertThat(tokens.addTo(VM)).isEmpty();
    assertThat(tokens.known(VM)).isFalse();
  }

  @Test
  void theTokenIsNowhereInTheSecretAndHas256Bits() {
    String token = tokens.issue(VM);

    String stored = secrets.list(Tokens.COMPONENT, Tokens.AGENT_TOKEN).getFirst().data().toString();
    assertThat(stored).doesNotContain(token).contains(Tokens.sha256(token));
    assertThat(token).hasSize(43);
  }

  @Test
  void anUnknownVmCostsNoQuestionToTheApiServer() {
    int before = secrets.reads();

    tokens.verify("uid-guessed", "token");

    assertThat(secrets.reads()).isEqualTo(before);
  }

  @Test
  void guessingCostsTheApiServerAtMostAQuestionASecond() {
    tokens.issue(VM);
    time.pass(Duration.ofSeconds(2));
    int before = secrets.reads();

    IntStream.range(0, 1_000).forEach(i -> works("guess-" + i));

    assertThat(secrets.reads() - before).isEqualTo(1);
  }

  @Test
  void everyTokenWorksUntilTheVmShowsALaterOne() {
    String first = tokens.issue(VM);
    String second = tokens.issue(VM);
    assertThat(works(first)).isTrue();
    assertThat(works(second)).isTrue();

    tokens.confirm(VM, idOf(second));

    assertThat(works(first)).isFalse();
    assertThat(works(second)).isTrue();
  }

  @Test
  void aTokenOnItsWayToTheMachineOutlivesTheShowingOfAnEarlierOne() {
    String first = tokens.issue(VM);
    String second = tokens.issue(VM);

    tokens.confirm(VM, idOf(first));

    assertThat(works(second)).isTrue();
  }

  @Test
  void aCrashBetweenAnyTwoStepsOfARotationLeavesTheVmWithATokenThatWorks() {
    String old = tokens.issue(VM);
    tokens.confirm(VM, idOf(old));

    // the new one was stored by us, and we died before the VM got it
    Issued lost = tokens.add(VM);
    tokens = started();
    assertThat(works(old)).isTrue();

    // the VM got one and stored it, and we died before it could say so
    Issued kept = tokens.add(VM);
    tokens = started();
    assertThat(works(old)).isTrue();
    assertThat(works(kept.token())).isTrue();

    // the VM said so, and we die right after
    tokens.confirm(VM, kept.tokenId());
    tokens = started();
    assertThat(works(kept.token())).isTrue();
    assertThat(works(old)).isFalse();
    assertThat(works(lost.token())).isFalse();
  }

  @Test
  void aVmIsNeverLockedOutByRotationsThatDoNotReachIt() {
    String held = tokens.issue(VM);
    tokens.confirm(VM, idOf(held));

    IntStream.range(0, 3 * TokenSet.MAX).forEach(i -> tokens.add(VM));

    assertThat(works(held)).isTrue();
  }

  @Test
  void confirmingTheHeldTokenAgainWritesNothing() {
    String token = tokens.issue(VM);
    tokens.confirm(VM, idOf(token));
    String version = secrets.list(Tokens.COMPONENT, Tokens.AGENT_TOKEN).getFirst().version();

    tokens.confirm(VM, idOf(token));

    assertThat(secrets.list(Tokens.COMPONENT, Tokens.AGENT_TOKEN).getFirst().version())
        .isEqualTo(version);
  }

  @Test
  void aVmThatIsRefusedIsNotAcceptedBecauseItsSecretIsStillThere() {
    String token = tokens.issue(VM);
    String sha256 = Tokens.sha256(token);
    assertThat(tokens.accepts(VM, sha256)).isTrue();

    tokens.block(VM);

    assertThat(tokens.accepts(VM, sha256)).isFalse();
    assertThat(works(token)).isFalse();
  }

  @Test
  void whatWasRefusedIsRevokedUnlessAnotherTokenWasIssuedSince() {
    tokens.issue(VM);
    tokens.block(VM);
    String fresh = tokens.issue(VM);

    tokens.revokeBlocked(VM);
    assertThat(works(fresh)).isTrue();

    tokens.block(VM);
    tokens.revokeBlocked(VM);
    assertThat(works(fresh)).isFalse();
    assertThat(secrets.list(Tokens.COMPONENT, Tokens.AGENT_TOKEN)).isEmpty();
  }

  @Test
  void aRevokedVmIsRefusedAtOnceAndAfterARestart() {
    String token = tokens.issue(VM);

    tokens.revoke(VM);

    assertThat(works(token)).isFalse();
    tokens = started();
    assertThat(works(token)).isFalse();
    assertThat(secrets.list(Tokens.COMPONENT, Tokens.AGENT_TOKEN)).isEmpty();
  }

  @Test
  void aSecretDeletedByHandStopsToWorkWithinAMinute() {
    String token = tokens.issue(VM);
    secrets.delete(TokenSet.secretName(VM.uid()));

    time.pass(Duration.ofSeconds(61));

    assertThat(works(token)).isFalse();
  }

  @Test
  void anApiServerThatIsAwayLocksNobodyOut() {
    String token = tokens.issue(VM);
    secrets.away(true);
    time.pass(Duration.ofHours(1));

    assertThat(works(token)).isTrue();
    assertThatThrownBy(() -> tokens.issue(VM)).isInstanceOf(SecretStoreException.class);
  }

  @Test
  void twoReplicasThatWriteAtOnceLoseNoToken() {
    tokens.issue(VM);
    Tokens replica = started();
    String[] theirs = new String[1];
    secrets.beforeNextWrite(() -> theirs[0] = replica.issue(VM));

    String ours = tokens.issue(VM);

    tokens = started();
    assertThat(works(ours)).isTrue();
    assertThat(works(theirs[0])).isTrue();
  }

  @Test
  void theMachinesTokenIsComparedByItsHash() {
    String token = tokens.issue(VM);

    assertThat(tokens.accepts(VM, Tokens.sha256(token))).isTrue();
    assertThat(tokens.accepts(VM, Tokens.sha256("another"))).isFalse();
    assertThat(tokens.accepts(OTHER, Tokens.sha256(token))).isFalse();
  }

  @Test
  void theTokensOfVmsThatAreNoMoreGo() {
    String token = tokens.issue(VM);
    tokens.issue(OTHER);

    tokens.retain(Set.of(VM.uid()));

    assertThat(works(token)).isTrue();
    assertThat(secrets.list(Tokens.COMPONENT, Tokens.AGENT_TOKEN)).hasSize(1);
  }

  @Test
  void aSecretSpoiltByHandIsReplacedByTheNextToken() {
    tokens.issue(VM);
    SecretStore.Stored stored = secrets.get(TokenSet.secretName(VM.uid())).orElseThrow();
    secrets.replace(stored, Map.of("tokens", "not json"));
    tokens = started();

    String token = tokens.issue(VM);

    assertThat(works(token)).isTrue();
  }

  @Test
  void noSecretIsInWhatIsLogged() {
    Issued issued = tokens.add(VM);
    Optional<SecretStore.Stored> stored = secrets.get(TokenSet.secretName(VM.uid()));

    assertThat(List.of(issued.toString(), stored.orElseThrow().toString()))
        .noneMatch(
            text -> text.contains(issued.token()) || text.contains(Tokens.sha256(issued.token())));
  }
}
