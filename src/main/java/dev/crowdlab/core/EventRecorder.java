package dev.crowdlab.core;

import dev.crowdlab.api.Reason;
import io.fabric8.kubernetes.api.model.HasMetadata;

/**
 * Tells people of a transition by an event of {@code events.k8s.io}. Never blocks and never fails:
 * an event that cannot be written is lost, nothing waits for it. The same event about the same
 * object is not repeated within a while, so that a caller may record at every pass.
 */
public interface EventRecorder {

  /** Whether a person should be glad or alarmed. */
  enum Type {
    NORMAL,
    WARNING
  }

  /**
   * Records a transition.
   *
   * @param about the object, with its name and UID
   * @param note a sentence for a person, without secrets; what makes this transition another one
   *     than the last (a name, an epoch) belongs in it
   */
  void record(HasMetadata about, Type type, Reason reason, String note);

  /** Records a transition that went as it should. */
  default void normal(HasMetadata about, Reason reason, String note) {
    record(about, Type.NORMAL, reason, note);
  }

  /** Records a transition that a person may have to look at. */
  default void warning(HasMetadata about, Reason reason, String note) {
    record(about, Type.WARNING, reason, note);
  }
}
