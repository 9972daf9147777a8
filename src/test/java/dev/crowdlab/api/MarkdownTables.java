package dev.crowdlab.api;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads the tables of a page in {@code docs/}, so that tests can hold the program to them. */
public final class MarkdownTables {
  private MarkdownTables() {}

  /**
   * The first table below a heading, as one map per row from column to cell; backticks around a
   * whole cell are dropped.
   */
  public static List<Map<String, String>> below(String page, String heading) {
    List<String> lines = lines(page);
    int start = lines.indexOf("## " + heading);
    if (start < 0) {
      throw new IllegalArgumentException("no heading " + heading + " in " + page);
    }
    List<List<String>> cells = new ArrayList<>();
    for (String line : lines.subList(start + 1, lines.size())) {
      if (line.startsWith("|")) {
        cells.add(cells(line));
      } else if (!cells.isEmpty() || line.startsWith("## ")) {
        break;
      }
    }
    return rows(page, cells);
  }

  private static List<Map<String, String>> rows(String page, List<List<String>> cells) {
    List<Map<String, String>> rows = new ArrayList<>();
    List<String> header = cells.getFirst();
    for (List<String> row : cells.subList(2, cells.size())) {
      if (row.size() != header.size()) {
        throw new IllegalArgumentException("a row of " + page + " has other columns: " + row);
      }
      Map<String, String> map = new LinkedHashMap<>();
      for (int i = 0; i < row.size(); i++) {
        map.put(header.get(i), row.get(i).replaceFirst("^`([^`]*)`$", "$1"));
      }
      rows.add(map);
    }
    return rows;
  }

  private static List<String> cells(String line) {
    List<String> cells = new ArrayList<>();
    for (String cell : line.substring(1, line.lastIndexOf('|')).split("\\|", -1)) {
      cells.add(cell.strip());
    }
    return cells;
  }

  private static List<String> lines(String page) {
    try {
      return Files.readAllLines(Path.of("docs", page));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
