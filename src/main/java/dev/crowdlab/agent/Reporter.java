package dev.crowdlab.agent;

import dev.crowdlab.protocol.FromAgent;

/** Where a team's news go. Never blocks, and never fails: without a session, Hello tells later. */
interface Reporter {

  void report(FromAgent.TeamReport report);

  void gone(FromAgent.TeamGone gone);

  void prepared(FromAgent.Prepared prepared);
}
