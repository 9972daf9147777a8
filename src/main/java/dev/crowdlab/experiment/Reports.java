package dev.crowdlab.experiment;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Prints the results, and writes them into a folder: CSV, JSON, Markdown and a picture. */
public final class Reports {

  private Reports() {}

  /**
   * Writes {@code samples.csv}, {@code results.json}, {@code results.md} and {@code steps.png};
   * files of these names are replaced.
   */
  public static void write(Results results, Path folder, PrintWriter out) throws IOException {
    out.println(TextReport.of(results));
    keep(results, folder);
    if (!results.samples().isEmpty()) {
      Plot.write(results.comparison(), folder.resolve("steps.png"));
    }
    out.println("written to " + folder);
    out.flush();
  }

  /** As {@link #write}, without the picture and in silence: what there is so far. */
  public static void keep(Results results, Path folder) throws IOException {
    Files.createDirectories(folder);
    replace(folder.resolve("samples.csv"), CsvReport.of(results.samples()));
    replace(folder.resolve("results.json"), JsonReport.of(results));
    replace(folder.resolve("results.md"), TextReport.of(results));
  }

  /** Whoever is killed meanwhile leaves the old file whole, or the new one. */
  private static void replace(Path file, String text) throws IOException {
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    Files.writeString(fresh, text);
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
