package dev.crowdlab.agent;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.Predicate;

/** Programs that answer as a test says, and remember what they were asked. */
final class FakeCommands implements Commands {

  private record Answer(Predicate<String> to, Function<Command, Result> with) {}

  private final List<Command> asked = new CopyOnWriteArrayList<>();
  private final List<Answer> answers = new ArrayList<>();

  /** Later answers come before earlier ones. */
  FakeCommands answer(String wordsContain, Function<Command, Result> with) {
    answers.addFirst(new Answer(line -> line.contains(wordsContain), with));
    return this;
  }

  FakeCommands answer(String wordsContain, int exit, String out, String err) {
    return answer(wordsContain, command -> new Result(exit, out, err));
  }

  @Override
  public Result run(Command command) {
    asked.add(command);
    String line = String.join(" ", command.words());
    return answers.stream()
        .filter(answer -> answer.to().test(line))
        .findFirst()
        .map(answer -> answer.with().apply(command))
        .orElse(new Result(0, "", ""));
  }

  List<String> lines() {
    return asked.stream().map(command -> String.join(" ", command.words())).toList();
  }

  List<Command> asked() {
    return asked;
  }
}
