package dev.crowdlab.hub;

/** One open connection of an agent. No call blocks. */
interface AgentSocket {

  /** Sends a frame; one of the two is called when it is out, or cannot be. */
  void send(String frame, Runnable sent, Runnable failed);

  /** Says goodbye: a code of RFC 6455 and a reason of at most 120 characters. */
  void close(int code, String reason);

  /** Ends the connection without a word. */
  void disconnect();
}
