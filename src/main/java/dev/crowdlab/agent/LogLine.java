package dev.crowdlab.agent;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.logging.ConsoleHandler;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** One line to standard error for each record, without a time: the journal knows it. */
final class LogLine extends Formatter {

  @Override
  public String format(LogRecord entry) {
    String line = entry.getLevel() + " " + formatMessage(entry) + "\n";
    Throwable thrown = entry.getThrown();
    if (thrown == null) {
      return line;
    }
    StringWriter trace = new StringWriter();
    thrown.printStackTrace(new PrintWriter(trace));
    return line + trace;
  }

  /** Makes all loggers write so. */
  static void install(Level level) {
    Logger root = Logger.getLogger("");
    for (Handler handler : root.getHandlers()) {
      root.removeHandler(handler);
    }
    ConsoleHandler console = new ConsoleHandler();
    console.setFormatter(new LogLine());
    console.setLevel(level);
    root.addHandler(console);
    Logger.getLogger("dev.crowdlab").setLevel(level);
  }
}
