package dev.crowdlab.experiment;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A fault that programs of the user inject and undo. They are run as they are, without a shell; the
 * machine's name takes the place of <code>{vm}</code> and the fault's that of <code>{fault}</code>
 * in each word, and is the last word where <code>{vm}</code> stands in none.
 *
 * @param inject a program and its arguments
 * @param undo likewise; empty when nothing is to be undone
 * @param bound how long each may take; then it is killed, and the experiment ends
 */
public record CommandFault(
    String name, Expectation expectation, List<String> inject, List<String> undo, Duration bound)
    implements Fault {

  private static final String VM = "{vm}";

  public CommandFault {
    inject = List.copyOf(inject);
    undo = List.copyOf(undo);
  }

  @Override
  public void inject(Target target) throws FaultException, InterruptedException {
    run(words(inject, target));
  }

  @Override
  public void undo(Target target) throws FaultException, InterruptedException {
    if (!undo.isEmpty()) {
      run(words(undo, target));
    }
  }

  List<String> words(List<String> command, Target target) {
    List<String> words = new ArrayList<>();
    for (String word : command) {
      words.add(word.replace(VM, target.vm()).replace("{fault}", name));
    }
    if (command.stream().noneMatch(word -> word.contains(VM))) {
      words.add(target.vm());
    }
    return words;
  }

  /** What it says goes where ours goes. */
  private void run(List<String> words) throws FaultException, InterruptedException {
    Process process;
    try {
      process =
          new ProcessBuilder(words)
              .redirectOutput(ProcessBuilder.Redirect.INHERIT)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      process.getOutputStream().close();
    } catch (IOException e) {
      throw new FaultException(words.getFirst() + " cannot be run: " + e.getMessage(), e);
    }
    try {
      if (!process.waitFor(bound.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new FaultException(
            words.getFirst() + " is not done after " + bound.toSeconds() + " s");
      }
    } finally {
      process.destroyForcibly();
    }
    if (process.exitValue() != 0) {
      throw new FaultException(words.getFirst() + " ended with " + process.exitValue());
    }
  }
}
