package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.agent.Commands.Command;
import dev.crowdlab.agent.Commands.Result;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessCommandsTest {

  private static final Duration LONG = Duration.ofSeconds(30);

  private final ExecutorService executor = Executors.newCachedThreadPool();
  private final ProcessCommands commands = new ProcessCommands(executor);

  @AfterEach
  void stop() {
    executor.shutdownNow();
  }

  private Result sh(String script) {
    return commands.run(Command.of(LONG, "sh", "-c", script));
  }

  @Test
  void outputAndExitStatusComeBack() {
    assertThat(sh("echo out; echo err >&2; exit 3")).isEqualTo(new Result(3, "out\n", "err\n"));
  }

  @Test
  void inputIsPassedOn() {
    assertThat(commands.run(Command.of(LONG, "cat").withInput("a\nb")).out()).isEqualTo("a\nb");
  }

  @Test
  void wordsAreNotTouchedByAnyShell() {
    assertThat(commands.run(Command.of(LONG, "echo", "$HOME; `id` 'x'")).out())
        .isEqualTo("$HOME; `id` 'x'\n");
  }

  @Test
  void theEnvironmentIsFixed() {
    assertThat(sh("env | cut -d= -f1 | sort").out().lines())
        .contains("HOME", "LC_ALL", "PATH")
        .isSubsetOf("HOME", "LC_ALL", "PATH", "PWD", "SHLVL", "_", "OLDPWD");
  }

  @Test
  void whatIsLateIsDestroyedWithItsChildren() {
    // when
    long began = System.nanoTime();
    Result result =
        commands.run(
            Command.of(Duration.ofMillis(200), "sh", "-c", "sleep 97.25 & sleep 97.25; true"));

    // then
    assertThat(result.timedOut()).isTrue();
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(10));
    assertThat(sh("pgrep -f 'sleep 97[.]25' || echo none").out()).isEqualTo("none\n");
  }

  @Test
  void aProgramThatLeavesAnotherBehindIsNotWaitedForLonger(@TempDir Path folder) {
    // when
    long began = System.nanoTime();
    Result result =
        commands.run(
            Command.of(LONG, "sh", "-c", "sleep 3 & echo done; echo well >&2")
                .sayingInto(folder.resolve("said")));

    // then it has waited for neither stream, a second each
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofMillis(1800));
    assertThat(result).isEqualTo(new Result(0, "", "done\nwell\n"));
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void whatIsCancelledIsDestroyed() {
    CompletableFuture<Void> cancel = new CompletableFuture<>();
    cancel.completeOnTimeout(null, 100, TimeUnit.MILLISECONDS);

    Result result = commands.run(Command.of(LONG, "sleep", "96.5").cancelledBy(cancel));

    assertThat(result.exit()).isEqualTo(Result.CANCELLED);
  }

  @Test
  void muchOutputIsBoundedAndBlocksNothing() {
    Result result = sh("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; echo end >&2");

    assertThat(result.exit()).isZero();
    assertThat(result.out()).hasSize(512 * 1024);
    assertThat(result.err()).hasSize(8 * 1024).endsWith("end\n");
  }

  @Test
  void aGrandchildThatKeepsThePipeOpenHoldsNobodyUp() {
    long began = System.nanoTime();

    Result result = sh("(sleep 5.5) & exit 0");

    assertThat(result.exit()).isZero();
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(5));
  }

  @Test
  void aProgramThatIsNotThereIsNoException() {
    assertThat(commands.run(Command.of(LONG, "/no/such/program")).exit())
        .isEqualTo(Result.NOT_STARTED);
  }
}
