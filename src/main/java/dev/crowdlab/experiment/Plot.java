package dev.crowdlab.experiment;

import dev.crowdlab.experiment.Comparison.Series;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.style.Styler.ChartTheme;
import org.knowm.xchart.style.Styler.LegendPosition;

/** The comparison as a picture: a bar for the creation and for each fault, stacked by steps. */
final class Plot {

  private static final int DOTS_PER_INCH = 144;

  private Plot() {}

  /** Writes a PNG. It needs a font on this machine, and no screen. */
  static void write(Comparison comparison, Path file) throws IOException {
    System.setProperty("java.awt.headless", "true");
    BitmapEncoder.saveBitmapWithDPI(
        chart(comparison), file.toString(), BitmapEncoder.BitmapFormat.PNG, DOTS_PER_INCH);
  }

  static CategoryChart chart(Comparison comparison) {
    CategoryChart chart =
        new CategoryChartBuilder()
            .title("Creation, and recovery from the injection of a fault: median of each step")
            .xAxisTitle("a creation, or the recovery from this fault")
            .yAxisTitle("seconds")
            .width(Math.max(700, 260 + 90 * comparison.series().size()))
            .height(480)
            .theme(ChartTheme.XChart)
            .build();
    chart.getStyler().setStacked(true);
    chart.getStyler().setChartBackgroundColor(Color.WHITE);
    chart.getStyler().setAvailableSpaceFill(0.6);
    chart.getStyler().setYAxisMin(0.0);
    chart.getStyler().setLegendPosition(LegendPosition.OutsideE);
    chart.getStyler().setXAxisLabelRotation(comparison.series().size() > 5 ? 45 : 0);
    List<String> names = comparison.series().stream().map(Series::name).toList();
    Set<String> steps = new LinkedHashSet<>();
    // The detection lies at the bottom: a creation has none.
    steps.add(Sample.DETECTED);
    comparison.series().forEach(series -> steps.addAll(series.steps().keySet()));
    for (String step : steps) {
      chart.addSeries(
          step,
          names,
          comparison.series().stream()
              .map(series -> series.steps().get(step))
              .<Number>map(sum -> sum == null ? 0 : sum.p50().toMillis() / 1000.0)
              .toList());
    }
    return chart;
  }
}
