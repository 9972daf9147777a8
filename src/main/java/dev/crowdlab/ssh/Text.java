package dev.crowdlab.ssh;

/** Texts from a machine, made fit for people. */
public final class Text {

  private Text() {}

  /**
   * The text without control and formatting characters, cut to a length: what a stranger's machine
   * wrote must not paint on an operator's terminal.
   */
  public static String printable(String text, int maxLength) {
    StringBuilder kept = new StringBuilder();
    text.codePoints()
        .limit(maxLength)
        .map(
            c ->
                switch (Character.getType(c)) {
                  case Character.CONTROL,
                      Character.FORMAT,
                      Character.LINE_SEPARATOR,
                      Character.PARAGRAPH_SEPARATOR,
                      Character.SURROGATE,
                      Character.PRIVATE_USE,
                      Character.UNASSIGNED ->
                      ' ';
                  default -> c;
                })
        .forEach(kept::appendCodePoint);
    return kept.toString().strip();
  }
}
