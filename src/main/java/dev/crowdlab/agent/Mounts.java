package dev.crowdlab.agent;

import dev.crowdlab.protocol.ToAgent;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;

/** Workspaces on this VM. */
interface Mounts {

  /** An epoch's workspace. */
  record Place(String teamUid, long epoch) {}

  /** How an attempt to attach or to log in came out. */
  sealed interface Attach {

    /** The workspace is there. */
    record Attached() implements Attach {}

    /** The file server refused the key: the epoch is over. Not worth another try. */
    record Refused(String why) implements Attach {}

    /** The file server was not reached, or did not serve; it may later. */
    record Unreachable(String why) implements Attach {}

    /** Something answered as the file server that is not it. Not worth another try for now. */
    record Distrusted(String why) implements Attach {}

    /** This VM lacks what it takes. */
    record Unfit(String why) implements Attach {}
  }

  /** What is known of a mount, at once. */
  enum Health {
    ALIVE,
    /** Alive, and the file system has no room left. */
    FULL,
    /** The file server has not answered yet. */
    SLOW,
    /** The file server has not answered for so long that nobody should wait for it. */
    HUNG,
    /** It cannot come back. */
    DEAD
  }

  /**
   * Makes the folder where the workspace will appear, and returns it: the path to give to
   * containers. It is there until {@link #detach}.
   */
  Path prepare(Place place) throws IOException;

  /** One attempt; done at once for a workspace that is attached and alive. */
  Attach attach(Place place, ToAgent.Mount mount, CompletableFuture<Void> cancel);

  /** Whether the file server still accepts this epoch, without attaching anything. */
  Attach login(Place place, ToAgent.Mount mount, CompletableFuture<Void> cancel);

  /** Never blocks for more than about a second, whatever the mount does. */
  Health health(Place place);

  /** Makes everything that waits for the mount fail; it is dead afterwards. */
  void abort(Place place);

  /**
   * Unmounts a workspace that is alive and that nobody uses any more, after the file server has
   * answered a question that follows all that was written there: then all of it is on the file
   * server. To be followed by {@link #detach}, however it ends.
   *
   * @return false when it was not alive, or did not end in time: then nothing is known
   */
  boolean settle(Place place);

  /**
   * Unmounts: flushing when it is alive, by force when not; never lazily.
   *
   * @return whether nothing of it is left
   */
  boolean detach(Place place);
}
