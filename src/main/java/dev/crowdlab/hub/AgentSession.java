package dev.crowdlab.hub;

import dev.crowdlab.core.VmRef;
import dev.crowdlab.protocol.FromAgent;
import dev.crowdlab.protocol.FromAgent.Hello;
import dev.crowdlab.protocol.Protocol;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One connection of an agent whose token was accepted. Guarded by its {@link VmDesk}. */
final class AgentSession {

  final VmRef vm;
  final VmDesk desk;
  final Tokens.Accepted token;
  final AgentSocket socket;
  final Outbox outbox;
  final RateLimit rate;
  final Instant connectedSince;

  @Nullable Hello hello;
  Reports reports = new Reports(List.of());
  Instant lastSeen;
  long heardAt;

  /** The nonce that it has not answered yet. */
  @Nullable String challenge;

  /** The time between heartbeats that it was told; null until it was welcomed. */
  @Nullable Duration toldBeat;

  /** What the machine's owner wants. */
  final Word<FromAgent.Notice.Kind> voice = new Word<>();

  /** Whether the machine's disk takes what is written. */
  final Word<FromAgent.DiskState> disk = new Word<>();

  private Instant tokenIssuedAt;
  @Nullable String offeredTokenId;
  long offeredAt;
  private boolean ended;

  AgentSession(VmDesk desk, Tokens.Accepted token, AgentSocket socket, HubClock clock) {
    this.desk = desk;
    this.vm = token.vm();
    this.token = token;
    this.socket = socket;
    this.outbox = new Outbox(socket, clock);
    this.heardAt = clock.nano();
    this.rate = new RateLimit(heardAt);
    this.connectedSince = clock.now();
    this.lastSeen = connectedSince;
    this.tokenIssuedAt = connectedSince.minusSeconds(token.ageSeconds());
  }

  boolean ended() {
    return ended;
  }

  /** The protocol that the agent speaks; the oldest until it has said which. */
  int protocol() {
    return hello == null ? Protocol.OLDEST : hello.protocol();
  }

  /** Ends it; false when it had ended before. */
  boolean end() {
    boolean first = !ended;
    ended = true;
    outbox.close();
    return first;
  }

  /** The agent has the token that it was offered. */
  void tokenStored(Instant now) {
    tokenIssuedAt = now;
    offeredTokenId = null;
  }

  /** How old the token is that the agent has. */
  Duration tokenAge(Instant now) {
    return Duration.between(tokenIssuedAt, now);
  }
}
