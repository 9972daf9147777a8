package dev.crowdlab.team;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.crowdlab.api.Backoff;
import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.protocol.ToAgent.RegistryAuth;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Ends a backoff when what the team waits for was corrected outside its spec: its pull Secret, the
 * file server, or who has its host. News of a Secret says nothing of its content; only another
 * content than was tried is worth another attempt.
 */
final class Corrections {

  private final PullSecrets secrets;
  private final InstantSource clock;

  Corrections(PullSecrets secrets, InstantSource clock) {
    this.secrets = secrets;
    this.clock = clock;
  }

  /** Something was corrected: when it is what the team waits for, the next attempt is due. */
  void apply(Pass pass) {
    pass.memory(Memory::shunningNone);
    Backoff backoff = pass.status().backoff();
    if (backoff == null || backoff.nextAttempt() == null) {
      return;
    }
    boolean mended =
        failed(pass, ConditionType.WORKSPACE_ATTACHED, Reason.FILE_SERVER_UNAVAILABLE)
            || failed(pass, ConditionType.ROUTED, Reason.HOST_TAKEN)
            || (failed(
                    pass,
                    ConditionType.EXERCISE_RUNNING,
                    Reason.SECRET_NOT_FOUND,
                    Reason.SECRET_INVALID,
                    Reason.IMAGE_PULL_FAILED)
                && isSecretOther(pass));
    if (mended) {
      pass.status(status -> Retry.atOnce(status, backoff.generation(), clock.instant()));
    }
  }

  /** Whether the team's pull Secret says anything else than when it was last tried. */
  boolean isSecretOther(Pass pass) {
    return pass.team().getSpec().exercise().imagePullSecretRef() != null
        && !digest(secrets.of(pass.team())).equals(pass.memory().tried());
  }

  private static boolean failed(Pass pass, String type, Reason... reasons) {
    return Stream.of(reasons)
        .anyMatch(reason -> Conditions.hasReason(pass.status().conditions(), type, reason));
  }

  /** Of what a look at the Secret gave. */
  static String digest(Outcome<Optional<RegistryAuth>> secret) {
    String text =
        switch (secret) {
          case Outcome.Done<Optional<RegistryAuth>>(Optional<RegistryAuth> auth) ->
              auth.map(RegistryAuth::authFile).orElse("");
          case Outcome.InProgress<Optional<RegistryAuth>>(Duration _, String what) -> what;
          case Outcome.Failed<Optional<RegistryAuth>>(Failure failure) ->
              failure.reason() + " " + failure.message();
        };
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java runtime has SHA-256", e);
    }
  }
}
