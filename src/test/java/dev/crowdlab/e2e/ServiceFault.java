package dev.crowdlab.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.experiment.Expectation;
import java.time.Duration;
import java.util.Optional;

/** Faults of what all machines depend on: the file server, the operator, the API server. */
enum ServiceFault implements LabFault {

  /** The file server's power fails and it boots at once. */
  FILES_RESTART(STAYS) {
    @Override
    public void inject(Scene scene) {
      scene.bed().lab().fileServer().powerCut();
      scene.bed().lab().fileServer().start();
    }
  },

  /** The file server is away. */
  FILES_DOWN(STAYS) {
    @Override
    public void inject(Scene scene) {
      scene.bed().lab().fileServer().powerCut();
    }

    @Override
    public void meanwhile(Scene scene) throws InterruptedException {
      Bed.pass(scene.lengths().filesOutage);
      scene.bed().lab().fileServer().start();
    }
  },

  /** kill -9 of the operator, which is started again. */
  OPERATOR_KILL(UNNOTICED) {
    @Override
    public void inject(Scene scene) {
      scene.bed().lab().killOperator();
    }

    @Override
    public void meanwhile(Scene scene) throws InterruptedException {
      scene.bed().lab().startOperator();
      awaitConnected(scene);
      scene.hold();
    }
  },

  /** The operator is away. */
  OPERATOR_DOWN(UNNOTICED) {
    @Override
    public Optional<String> onlyLong() {
      return Optional.of("operator-kill is its short form");
    }

    @Override
    public void inject(Scene scene) throws InterruptedException {
      OPERATOR_KILL.inject(scene);
    }

    @Override
    public void meanwhile(Scene scene) throws InterruptedException {
      Bed.pass(scene.lengths().outage);
      OPERATOR_KILL.meanwhile(scene);
    }
  },

  /** The operator stands still, and goes on. */
  OPERATOR_STOP(UNNOTICED) {
    @Override
    public void inject(Scene scene) {
      scene.bed().lab().pauseOperator();
    }

    @Override
    public void meanwhile(Scene scene) throws InterruptedException {
      Bed.pass(PAUSE);
      scene.bed().lab().resumeOperator();
      scene.hold();
      // It knows that it was not the machines.
      assertThat(scene.bed().lab().metrics())
          .containsPattern("crowdlab_hub_pauses_seconds_count [1-9]");
    }

    @Override
    public void undo(Scene scene) {
      scene.bed().lab().resumeOperator();
    }
  },

  /** Each way between agents and hub takes 300 ms, from one moment to the next. */
  DELAY(UNNOTICED) {
    @Override
    public void inject(Scene scene) {
      scene.bed().lab().relay().delay(Duration.ofMillis(300));
    }

    @Override
    public void meanwhile(Scene scene) throws InterruptedException {
      scene.hold();
    }

    @Override
    public void undo(Scene scene) {
      scene.bed().lab().relay().delay(Duration.ZERO);
    }
  },

  /** The API server is away. */
  API_SERVER_DOWN(UNNOTICED) {
    @Override
    public void inject(Scene scene) {
      scene.bed().controlPlane().stopApiServer();
    }

    @Override
    public void meanwhile(Scene scene) throws InterruptedException {
      Bed.pass(scene.lengths().outage);
      scene.bed().controlPlane().startApiServer(Bed.BOUND);
      scene.hold();
    }
  };

  /** As the experiment asks. */
  private static final Duration PAUSE = Duration.ofSeconds(10);

  private final Expectation expectation;

  ServiceFault(Expectation expectation) {
    this.expectation = expectation;
  }

  @Override
  public Expectation expectation() {
    return expectation;
  }

  private static void awaitConnected(Scene scene) {
    scene
        .bed()
        .lab()
        .awaitConnected(
            scene.bed().machines().stream().map(machine -> machine.name()).toList(), Bed.BOUND);
  }
}
