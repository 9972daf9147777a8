package dev.crowdlab.hub;

import java.nio.ByteBuffer;
import java.time.Duration;
import org.eclipse.jetty.websocket.api.Callback;
import org.eclipse.jetty.websocket.api.Session;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Joins one WebSocket of Jetty's to the hub. Frames are demanded one by one. */
public final class JettyAgentSocket extends Session.Listener.Abstract implements AgentSocket {

  /** How long the agent has to answer our goodbye. */
  private static final Duration GOODBYE = Duration.ofSeconds(2);

  /** A close frame has room for 123 bytes; our reasons are ASCII. */
  private static final int MAX_REASON = 120;

  private static final Logger log = LoggerFactory.getLogger(JettyAgentSocket.class);

  private final HubAgents agents;
  private final Tokens.Accepted token;
  private final Timers timers;
  private volatile @Nullable AgentSession agent;

  JettyAgentSocket(HubAgents agents, Tokens.Accepted token, Timers timers) {
    this.agents = agents;
    this.token = token;
    this.timers = timers;
  }

  @Override
  public void onWebSocketOpen(Session session) {
    super.onWebSocketOpen(session);
    agent = agents.opened(token, this).orElse(null);
    session.demand();
  }

  @Override
  public void onWebSocketText(String message) {
    AgentSession from = agent;
    if (from != null) {
      agents.frame(from, message);
    }
    more();
  }

  @Override
  public void onWebSocketBinary(ByteBuffer payload, Callback callback) {
    callback.succeed();
    AgentSession from = agent;
    if (from != null) {
      agents.broken(from, "binary frame");
    }
    more();
  }

  @Override
  public void onWebSocketPing(ByteBuffer payload) {
    if (counts(payload)) {
      getSession().sendPong(payload, Callback.NOOP);
    }
    more();
  }

  @Override
  public void onWebSocketPong(ByteBuffer payload) {
    boolean _ = counts(payload);
    more();
  }

  private boolean counts(ByteBuffer payload) {
    AgentSession from = agent;
    return from != null && agents.control(from, payload.remaining());
  }

  private void more() {
    if (isOpen()) {
      getSession().demand();
    }
  }

  @Override
  public void onWebSocketError(Throwable cause) {
    log.debug("{}: socket failed", token.vm(), cause);
  }

  @Override
  public void onWebSocketClose(int statusCode, @Nullable String reason, Callback callback) {
    callback.succeed();
    AgentSession from = agent;
    if (from != null) {
      agents.closed(from);
    }
  }

  @Override
  public void send(String frame, Runnable sent, Runnable failed) {
    getSession().sendText(frame, Callback.from(sent, failure -> failed.run()));
  }

  @Override
  public void close(int code, String reason) {
    Session session = getSession();
    session.close(code, reason.substring(0, Math.min(reason.length(), MAX_REASON)), Callback.NOOP);
    timers.after(GOODBYE, session::disconnect);
  }

  @Override
  public void disconnect() {
    getSession().disconnect();
  }
}
