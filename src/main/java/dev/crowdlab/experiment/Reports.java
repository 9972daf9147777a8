package dev.crowdlab.experiment;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;

/** Prints the results, and writes them into a folder: CSV, JSON, Markdown and a picture. */
public final class Reports {

  private Reports() {}

  /**
   * Writes {@code samples.csv}, {@code results.json}, {@code results.md} and {@code steps.png};
   * files of these names are replaced.
   */
  public static void write(Results results, Path folder, PrintWriter out) throws IOException {
    String text = TextReport.of(results);
    out.println(text);
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("samples.csv"), CsvReport.of(results.samples()));
    Files.writeString(folder.resolve("results.json"), JsonReport.of(results));
    Files.writeString(folder.resolve("results.md"), text);
    if (!results.samples().isEmpty()) {
      Plot.write(results.comparison(), folder.resolve("steps.png"));
    }
    out.println("written to " + folder);
    out.flush();
  }
}
