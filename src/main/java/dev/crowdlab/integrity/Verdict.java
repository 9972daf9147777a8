package dev.crowdlab.integrity;

import dev.crowdlab.api.Finding;
import java.util.List;

/** What a policy makes of a measurement. */
public sealed interface Verdict {

  /** What was found, the gravest first; all of it, unbounded. */
  List<Finding> findings();

  /**
   * No finding violates the policy.
   *
   * @param baseline what the machine is compared with from now on
   */
  record Accepted(List<Finding> findings, Baseline baseline) implements Verdict {
    public Accepted {
      findings = List.copyOf(findings);
    }
  }

  /** At least one finding violates the policy. */
  record Violated(List<Finding> findings) implements Verdict {
    public Violated {
      findings = List.copyOf(findings);
    }
  }
}
