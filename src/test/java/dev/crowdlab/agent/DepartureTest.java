package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.agent.Commands.Result;
import dev.crowdlab.protocol.FromAgent.Cleared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DepartureTest {

  private static final String CLEAR = "--but-agent";
  private static final String GO = "--detach";

  @TempDir Path stateDir;

  private final FakeCommands commands = new FakeCommands();
  private final Deque<Runnable> tasks = new ArrayDeque<>();
  private final List<String> happened = new ArrayList<>();
  private final List<Cleared> told = new ArrayList<>();
  private boolean connected = true;

  @Test
  void theTeamsGoThenTheRestThenTheHubIsToldThenTheAgentGoes() {
    clears("found=1\nkept=sshfs\n");

    leave(departure("uid-1"));

    assertThat(happened).containsExactly("teams", CLEAR, "told", GO);
    assertThat(told).containsExactly(new Cleared(List.of("sshfs"), List.of()));
  }

  @Test
  void whileSomethingIsLeftTheAgentStaysAndSaysSo() {
    clears("found=1\nleft=packages that apt could not remove\n");
    Departure departure = departure("uid-1");

    leave(departure);

    assertThat(told)
        .containsExactly(new Cleared(List.of(), List.of("packages that apt could not remove")));
    assertThat(happened).doesNotContain(GO);

    clears("found=1\n");
    leave(departure);

    assertThat(happened).endsWith("teams", CLEAR, "told", GO);
  }

  @Test
  void aScriptThatFailsLeavesSomething() {
    commands.answer(CLEAR, 1, "", "no such file");

    leave(departure("uid-1"));

    assertThat(told.getFirst().left()).singleElement().asString().contains("no such file");
    assertThat(happened).doesNotContain(GO);
  }

  @Test
  void anAgentThatStartsAgainOnTheWayGoesOnEvenWithoutTheHub() throws IOException {
    commands.answer(CLEAR, 1, "", "the power failed");
    leave(departure("uid-1"));
    clears("found=1\n");
    connected = false;

    departure("uid-1").resume();
    work();

    assertThat(happened).endsWith("teams", CLEAR, "told", GO);
  }

  @Test
  void aDiskThatTakesNothingKeepsNobodyHere() throws IOException {
    stateDir = Files.createFile(stateDir.resolve("nothing can be written below this"));
    clears("found=1\n");

    leave(departure("uid-1"));

    assertThat(happened).containsExactly("teams", CLEAR, "told", GO);
  }

  @Test
  void theMarkOfAnotherContributionMeansNothing() throws IOException {
    Files.writeString(stateDir.resolve("leaving"), "uid-1");

    departure("uid-2").resume();

    assertThat(tasks).isEmpty();
  }

  @Test
  void anOrderThatIsRepeatedOnTheWayStartsNothingTwice() {
    clears("found=1\n");
    Departure departure = departure("uid-1");

    departure.begin();
    departure.begin();

    assertThat(tasks).hasSize(1);
  }

  private Departure departure(String vmUid) {
    return new Departure(
        commands,
        tasks::add,
        Path.of("/opt/crowdlab/uninstall"),
        stateDir,
        vmUid,
        () -> {
          happened.add("teams");
          return CompletableFuture.completedFuture(null);
        },
        (cleared, atMost) -> {
          happened.add("told");
          told.add(cleared);
          return connected;
        });
  }

  private void leave(Departure departure) {
    departure.begin();
    work();
  }

  private void work() {
    while (!tasks.isEmpty()) {
      tasks.poll().run();
    }
  }

  private void clears(String out) {
    commands.answer(
        CLEAR,
        command -> {
          happened.add(CLEAR);
          return new Result(0, out, "");
        });
    commands.answer(
        GO,
        command -> {
          happened.add(GO);
          return new Result(0, "", "");
        });
  }
}
