package dev.crowdlab.route;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.core.Times;
import dev.crowdlab.route.Routes.Why;
import dev.crowdlab.testbed.Chromium;
import dev.crowdlab.testbed.Relay;
import dev.crowdlab.testbed.TestBed;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.awaitility.core.ConditionTimeoutException;

/**
 * The waiting room's page in a real browser: takes its picture, reads it as people do, and sees
 * that it returns to the exercise by itself, with and without scripts. Ends with 1 when something
 * is not as it should be. The waiting room is the real one; a relay plays the ingress.
 */
public final class WaitingPage {

  private static final TeamRef TEAM = new TeamRef("lab", "team-7", "uid-7");
  private static final String HOST = "team-7.lab.example.org";
  private static final String URL = "http://" + HOST + "/";
  private static final String EXERCISE = "The exercise of team-7";
  private static final String OK =
      "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close";
  private static final byte[] PAGE =
      ("<!DOCTYPE html><html lang=\"en\"><title>" + EXERCISE + "</title><p>Work.").getBytes(UTF_8);

  /** Only a browser that runs no scripts takes what stands in noscript for elements. */
  private static final String REFRESHES =
      "document.querySelector('meta[http-equiv=refresh]') !== null";

  private static final Duration HOLD = Duration.ofMillis(300);
  private static final Duration BOUND = Duration.ofSeconds(20);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final PrintStream out = System.out;
  private final List<String> problems = new ArrayList<>();
  private final String script;
  private final WaitingRoom room;
  private final RawBackend exercise;
  private final Relay ingress;
  private final Chromium browser;

  private WaitingPage(
      String script, WaitingRoom room, RawBackend exercise, Relay ingress, Chromium browser) {
    this.script = script;
    this.room = room;
    this.exercise = exercise;
    this.ingress = ingress;
    this.browser = browser;
  }

  /** The argument is where the picture goes. */
  public static void main(String[] args) throws IOException {
    String words = String.join(" ", args).strip();
    Path picture = Path.of(words.isEmpty() ? "target/waiting-page.png" : words);
    TestBed bed = TestBed.ready();
    InetSocketAddress free = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    List<String> problems;
    try (WaitingRoom room =
            new WaitingRoom(
                WaitingRoomSettings.of(free, HOLD, 100),
                InstantSource.system(),
                new SimpleMeterRegistry());
        RawBackend exercise = new RawBackend((request, out) -> RawBackend.respond(out, OK, PAGE))) {
      room.start();
      try (Relay ingress = new Relay(free, at(room.port()));
          Chromium browser = Chromium.start(bed, HOST, ingress.address())) {
        problems = new WaitingPage(script(), room, exercise, ingress, browser).look(picture);
      }
    }
    problems.forEach(problem -> System.out.println("FAILED: " + problem));
    System.exit(problems.isEmpty() ? 0 : 1);
  }

  private List<String> look(Path picture) throws IOException {
    readable();
    takePicture(picture);
    returns(true, "the route leads to the exercise", this::moveTheRoute);
    browser.withoutScripts();
    returns(false, "the route lags, the waiting room passes it on", this::beReady);
    return problems;
  }

  /** Every page, in light and dark, in a wide window and in a telephone's. */
  private void readable() throws JsonProcessingException {
    for (Why why : Why.values()) {
      room.waiting(TEAM, HOST, "/", why);
      openThePage(Notice.of(why));
      for (String scheme : List.of("light", "dark")) {
        for (int width : List.of(800, 320)) {
          browser.prefer(scheme, "reduce");
          browser.resize(width, 600);
          String name = "%s, %s, %d px".formatted(Notice.of(why).word(), scheme, width);
          PageFacts page = JSON.treeToValue(browser.evaluate(script), PageFacts.class);
          page.problems().forEach(problem -> problems.add(name + ": " + problem));
          out.printf(
              "%s: %d problems, contrast %.1f%n", name, page.problems().size(), page.contrast());
        }
      }
    }
  }

  private void takePicture(Path picture) throws IOException {
    room.waiting(TEAM, HOST, "/", Why.RECOVERING);
    browser.prefer("light", "no-preference");
    browser.resize(800, 600);
    openThePage(Notice.RECOVERING);
    byte[] png = browser.screenshot();
    Files.write(picture, png);
    out.printf("%s: %d bytes%n", picture, png.length);
  }

  /** Nobody touches the browser between the page and the exercise. */
  private void returns(boolean scripts, String way, Runnable move) {
    String how = scripts ? "with scripts" : "without scripts";
    ingress.leadTo(at(room.port()));
    room.waiting(TEAM, HOST, "/", Why.RECOVERING);
    openThePage(Notice.RECOVERING);
    if (browser.evaluate(REFRESHES).asBoolean() == scripts) {
      problems.add(how + " the page's refresh is not what it should be");
    }
    Instant moved = Instant.now();
    move.run();
    try {
      await().atMost(BOUND).ignoreExceptions().until(() -> title().equals(EXERCISE));
      out.printf(
          "%s it is back after %s (%s)%n",
          how, Times.formatDuration(Duration.between(moved, Instant.now())), way);
    } catch (ConditionTimeoutException e) {
      problems.add("%s it is not back after %s (%s)".formatted(how, BOUND, way));
    }
  }

  private void moveTheRoute() {
    ingress.leadTo(at(exercise.endpoint().port()));
    beReady();
  }

  private void beReady() {
    room.ready(TEAM, HOST, "/", exercise.endpoint());
  }

  private void openThePage(Notice notice) {
    browser.open(URL);
    await().atMost(BOUND).ignoreExceptions().until(() -> title().equals(notice.title()));
  }

  private String title() {
    return browser.evaluate("document.readyState === 'complete' ? document.title : ''").asText();
  }

  private static InetSocketAddress at(int port) {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }

  private static String script() throws IOException {
    try (InputStream in = WaitingPage.class.getResourceAsStream("page-facts.js")) {
      return new String(Objects.requireNonNull(in).readAllBytes(), UTF_8);
    }
  }
}
