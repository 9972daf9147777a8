package dev.crowdlab.team;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.DocumentedEdits;
import dev.crowdlab.api.DocumentedEdits.Row;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The rows of docs/edits.md about one kind, each with its exercise, and each effect with the way to
 * show it.
 *
 * @param ready makes a world with an object that is Ready
 * @param rows by place
 * @param effects by name; they get a world that is Ready
 */
record EditExercises<W>(
    String kind,
    Supplier<W> ready,
    Map<String, Exercise<W>> rows,
    Map<String, BiConsumer<W, Exercise<W>>> effects) {

  /**
   * How a row is exercised.
   *
   * @param before what the edit needs
   * @param edit makes the row's edit
   * @param back takes it back; null where no effect asks for that
   * @param exactly shows, in another world that is Ready, what the row says beyond its effect; null
   *     when it says nothing
   */
  record Exercise<W>(Consumer<W> before, Consumer<W> edit, Consumer<W> back, Consumer<W> exactly) {

    static <W> Exercise<W> of(Consumer<W> edit) {
      return new Exercise<>(world -> {}, edit, null, null);
    }

    Exercise<W> after(Consumer<W> what) {
      return new Exercise<>(what, edit, back, exactly);
    }

    Exercise<W> back(Consumer<W> how) {
      return new Exercise<>(before, edit, how, exactly);
    }

    Exercise<W> exactly(Consumer<W> how) {
      return new Exercise<>(before, edit, back, how);
    }
  }

  Stream<Row> documented() {
    return DocumentedEdits.of(kind).stream();
  }

  /** What is to be seen later is no part of the effect. */
  Stream<Row> documentedBeyondTheirEffect() {
    return documented().filter(row -> row.effect().equals("later") || !row.exactly().isBlank());
  }

  void showEffect(Row row) {
    Objects.requireNonNull(effects.get(row.effect()), "no way to show " + row)
        .accept(ready.get(), exercise(row));
  }

  void showExactly(Row row) {
    Objects.requireNonNull(exercise(row).exactly(), "nothing shows what exactly " + row)
        .accept(ready.get());
  }

  void assertNoneIsWithoutItsRow() {
    assertThat(documented().map(Row::place)).containsExactlyInAnyOrderElementsOf(rows.keySet());
    assertThat(documented().map(Row::effect)).containsAll(effects.keySet());
  }

  private Exercise<W> exercise(Row row) {
    return Objects.requireNonNull(rows.get(row.place()), "no exercise of " + row);
  }
}
