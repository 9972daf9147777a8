package dev.crowdlab.route;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.core.TeamRef;
import dev.crowdlab.route.RawClient.Answer;
import dev.crowdlab.route.Routes.Why;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.CRC32;
import java.util.zip.CheckedOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class WaitingRoomTest {

  private static final TeamRef TEAM = new TeamRef("lab", "team-7", "uid-7");
  private static final String HOST = "team-7.lab.example.org";
  private static final Duration HOLD = Duration.ofSeconds(15);

  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2026-01-01T00:00:00Z"));
  private final InstantSource clock = now::get;
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final List<AutoCloseable> closing = new ArrayList<>();
  private WaitingRoom room;

  @BeforeEach
  void openTheRoom() throws IOException {
    room = open(HOLD, 50, 20);
    now.set(now.get().plusSeconds(60));
  }

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable each : closing.reversed()) {
      each.close();
    }
  }

  // Holding and passing on

  @Test
  void aPostIsHeldUnreadThenAnsweredByTheNewMachineByteForByte() throws Exception {
    RawBackend backend =
        backend(
            (request, out) ->
                RawBackend.respond(
                    out,
                    "HTTP/1.1 201 Made\r\nX-Saved: yes\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2",
                    request.body()));
    room.waiting(TEAM, HOST, "/", Why.RECOVERING);
    byte[] body = random(100_000);

    RawClient client = client();
    client.send(
        "POST /save?x=1&y=%20z HTTP/1.1\r\nHost: "
            + HOST
            + "\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nCookie: s=1\r\n"
            + "Content-Type: application/octet-stream\r\nContent-Length: 100000\r\n\r\n");
    client.send(body);
    awaitHeld(1);
    assertThat(backend.received()).isEmpty();
    room.ready(TEAM, HOST, "/", backend.endpoint());
    Answer answer = client.answer();

    assertThat(answer.status()).isEqualTo(201);
    assertThat(answer.body()).isEqualTo(body);
    assertThat(answer.header("x-saved")).isEqualTo("yes");
    assertThat(answer.headers()).contains("Set-Cookie: a=1", "Set-Cookie: b=2");
    assertThat(answer.header("connection")).isEqualTo("close");
    assertThat(client.ended()).isTrue();
    RawBackend.Received seen = backend.received().getFirst();
    assertThat(seen.requestLine()).isEqualTo("POST /save?x=1&y=%20z HTTP/1.1");
    assertThat(seen.headers())
        .containsExactlyInAnyOrder(
            "Host: " + HOST,
            "X-Forwarded-For: 203.0.113.9",
            "X-Forwarded-Proto: https",
            "Cookie: s=1",
            "Content-Type: application/octet-stream",
            "Content-Length: 100000",
            "Connection: close");
    awaitEmpty();
    assertThat(counted("proxied")).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "PUT", "DELETE", "PATCH", "OPTIONS", "REPORT"})
  void everyMethodIsPassedOn(String method) throws Exception {
    RawBackend backend =
        backend(
            (request, out) ->
                RawBackend.respond(out, "HTTP/1.1 200 OK", request.requestLine().getBytes(UTF_8)));
    room.waiting(TEAM, HOST, "/", Why.CREATING);

    RawClient client = client();
    client.send(method + " /a HTTP/1.1\r\nHost: " + HOST + "\r\n\r\n");
    awaitHeld(1);
    room.ready(TEAM, HOST, "/", backend.endpoint());

    assertThat(client.answer().text()).isEqualTo(method + " /a HTTP/1.1");
  }

  @Test
  void aHeadIsAnsweredWithoutABody() throws Exception {
    RawBackend backend =
        backend((request, out) -> write(out, "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n"));
    room.ready(TEAM, HOST, "/", backend.endpoint());

    RawClient client = client();
    client.send("HEAD / HTTP/1.1\r\nHost: " + HOST + "\r\n\r\n");
    Answer answer = client.answer(true);

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.header("content-length")).isEqualTo("12345");
    assertThat(client.ended()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"204 No Content", "304 Not Modified"})
  void anAnswerWithoutABodyStaysOne(String status) throws Exception {
    RawBackend backend =
        backend((request, out) -> write(out, "HTTP/1.1 " + status + "\r\nETag: x\r\n\r\n"));
    room.ready(TEAM, HOST, "/", backend.endpoint());

    RawClient client = client();
    client.send("GET / HTTP/1.1\r\nHost: " + HOST + "\r\n\r\n");

    assertThat(client.answer().header("etag")).isEqualTo("x");
    assertThat(client.ended()).isTrue();
  }

  @Test
  void fiftyMegabytesStreamBothWaysWithoutBeingKept() throws Exception {
    long size = 50L << 20;
    RawBackend backend =
        backend(
            (request, out) -> {
              CheckedOutputStream sum =
                  new CheckedOutputStream(OutputStream.nullOutputStream(), new CRC32());
              request.bodyTo(sum);
              write(
                  out,
                  "HTTP/1.1 200 OK\r\nX-Sum: "
                      + sum.getChecksum().getValue()
                      + "\r\nContent-Length: "
                      + size
                      + "\r\n\r\n");
              stream(out, size);
            });
    room.waiting(TEAM, HOST, "/", Why.RECOVERING);

    RawClient client = client();
    CompletableFuture<Void> upload =
        onItsOwnThread(
            () ->
                unchecked(
                    () -> {
                      client.send(
                          "PUT /big HTTP/1.1\r\nHost: "
                              + HOST
                              + "\r\nContent-Length: "
                              + size
                              + "\r\n\r\n");
                      stream(sink(client), size);
                    }));
    awaitHeld(1);
    // What does not fit into the kernel's buffers stays with the client.
    assertThat(upload).isNotDone();
    room.ready(TEAM, HOST, "/", backend.endpoint());
    Answer answer = client.answer();
    upload.join();

    assertThat(answer.header("x-sum")).isEqualTo(Long.toString(sumOf(size)));
    assertThat(answer.complete()).isTrue();
    CRC32 back = new CRC32();
    back.update(answer.body());
    assertThat(back.getValue()).isEqualTo(sumOf(size));
  }

  @Test
  void aChunkedBodyAndAChunkedAnswerGoThrough() throws Exception {
    RawBackend backend =
        backend(
            (request, out) -> {
              byte[] body = request.body();
              write(out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
              write(out, Integer.toHexString(body.length) + "\r\n");
              out.write(body);
              write(out, "\r\n5\r\n done\r\n0\r\n\r\n");
            });
    room.waiting(TEAM, HOST, "/", Why.RECOVERING);

    RawClient client = client();
    client.send(
        "POST / HTTP/1.1\r\nHost: " + HOST + "\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    awaitHeld(1);
    room.ready(TEAM, HOST, "/", backend.endpoint());
    client.send("3\r\ndef\r\n0\r\n\r\n");
    Answer answer = client.answer();

    assertThat(answer.text()).isEqualTo("abcdef done");
    assertThat(answer.complete()).isTrue();
  }

  @Test
  void aClientThatExpectsContinueIsAskedForItsBodyOnlyWhenTheExerciseTakesIt() throws Exception {
    RawBackend backend =
        backend((request, out) -> RawBackend.respond(out, "HTTP/1.1 200 OK", request.body()));
    room.waiting(TEAM, HOST, "/", Why.RECOVERING);

    RawClient client = client();
    client.send(
        "POST / HTTP/1.1\r\nHost: "
            + HOST
            + "\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    awaitHeld(1);
    room.ready(TEAM, HOST, "/", backend.endpoint());
    assertThat(client.answer().status()).isEqualTo(100);
    client.send("hello");

    assertThat(client.answer().text()).isEqualTo("hello");
    assertThat(backend.received().getFirst().header("expect")).isEmpty();
  }

  @Test
  void aClientThatExpectsContinueAndIsTurnedAwayIsNotAskedForItsBody() throws Exception {
    room.waiting(TEAM, HOST, "/", Why.SUSPENDED);

    Answer answer =
        ask(
            "POST / HTTP/1.1\r\nHost: "
                + HOST
                + "\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");

    assertThat(answer.status()).isEqualTo(503);
  }

  @Test
  void aSlowClientIsServedAtItsOwnPace() throws Exception {
    RawBackend backend =
        backend((request, out) -> RawBackend.respond(out, "HTTP/1.1 200 OK", request.body()));
    room.waiting(TEAM, HOST, "/", Why.RECOVERING);

    RawClient client = client();
    client.send("POST / HTTP/1.1\r\nHost: " + HOST + "\r\nContent-Length: 5\r\n\r\n");
    awaitHeld(1);
    room.ready(TEAM, HOST, "/", backend.endpoint());
    for (char c : "hello".toCharArray()) {
      await().until(() -> backend.received().size() == 1);
      client.send(String.valueOf(c));
    }

    assertThat(client.answer().text()).isEqualTo("hello");
  }

  @Test
  void aStreamArrivesAsItIsWritten() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    RawBackend backend =
        backend(
            (request, out) -> {
              write(
                  out,
                  lines(
                      "HTTP/1.1 200 OK",
                      "Content-Type: text/event-stream",
                      "Transfer-Encoding: chunked",
                      "",
                      "6",
                      "first\n",
                      ""));
              out.flush();
              uninterruptibly(go);
              write(out, "7\r\nsecond\n\r\n0\r\n\r\n");
            });
    room.ready(TEAM, HOST, "/", backend.endpoint());

    RawClient client = client();
    client.send("GET / HTTP/1.1\r\nHost: " + HOST + "\r\n\r\n");
    String line = client.line();
    while (!line.equals("first")) {
      line = client.line();
    }
    go.countDown();
    while (!line.equals("second")) {
      line = client.line();
    }
    assertThat(line).isEqualTo("second");
  }

  @Test
  void aBackendThatEndsItsAnswerByClosingIsUnderstood() throws Exception {
    RawBackend backend = backend((request, out) -> write(out, "HTTP/1.0 200 OK\r\n\r\nall of it"));
    room.ready(TEAM, HOST, "/", backend.endpoint());

    Answer answer = ask("GET / HTTP/1.1\r\nHost: " + HOST + "\r\n\r\n");

    assertThat(answer.text()).isEqualTo("all of it");
    assertThat(answer.complete()).isTrue();
  }

  @Test
  void anOldClientGetsAnAnswerItUnderstands() throws Exception {
    RawBackend backend =
        backend(
            (request, out) ->
                write(
                    out,
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"));
    room.ready(TEAM, HOST, "/", backend.endpoint());

    Answer answer = ask("GET / HTTP/1.0\r\nHost: " + HOST + "\r\n\r\n");

    assertThat(answer.text()).isEqualTo("ok");
    assertThat(answer.header("transfer-encoding")).isEmpty();
  }

  @Test
  void theAnswerIsNeitherDecodedNorFollowed() throws Exception {
    byte[] notReallyGzip = {1, 2, 3};
    RawBackend backend =
        backend(
            (request, out) ->
                RawBackend.respond(
                    out,
                    lines(
                        "HTTP/1.1 302 Found",
                        "Location: http://elsewhere/",
                        "Content-Encoding: gzip",
                        "WWW-Authenticate: Basic"),
                    notReallyGzip));
    room.ready(TEAM, HOST, "/", backend.endpoint());

    Answer answer = ask("GET / HTTP/1.1\r\nHost: " + HOST + "\r\nAccept-Encoding: br\r\n\r\n");

    assertThat(answer.status()).isEqualTo(302);
    assertThat(answer.header("location")).isEqualTo("http://elsewhere/");
    assertThat(answer.body()).isEqualTo(notReallyGzip);
    assertThat(backend.received().getFirst().all("accept-encoding")).containsExactly("br");
    assertThat(backend.received().getFirst().all("user-agent")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/a%2Fb",
        "/a//b",
        "//a",
        "/a;x=1/b",
        "/a/%2e%2e/b",
        "/a?q=a|b",
        "/?q=a=b=c&",
        "/a%25b",
        "/?"
      })
  void theTargetGoesOutAsItCame(String target) throws Exception {
    RawBackend backend =
        backend((request, out) -> RawBackend.respond(out, "HTTP/1.1 200 OK", new byte[0]));
    room.ready(TEAM, HOST, "/", backend.endpoint());

    Answer answer = ask("GET " + target + " HTTP/1.1\r\nHost: " + HOST + "\r\n\r\n");

    assertThat(answer.status()).isEqualTo(200);
    assertThat(backend.received().getFirst().requestLine())
        .isEqualTo("GET " + target + " HTTP/1.1");
  }

  @Test
  void aStrayPercentSignInAQueryComesToMeanItself() throws Exception {
    RawBackend backend =
        backend((request, out) -> RawBackend.respond(out, "HTTP/1.1 200 OK", new byte[0]));
    room.ready(TEAM, HOST, "/", backend.endpoint());

    Answer answer = ask("GET /?q=100%&r=%41 HTTP/1.1\r\nHost: " + HOST + "\r\n\r\n");

    assertThat(answer.status()).isEqualTo(200);
    assertThat(backend.received().getFirst().requestLine())
        .isEqualTo("GET /?q=100%25&r=%41 HTTP/1.1");
  }

  @Test
  void headersOfTheHopStayAndOthersCanNotBeTakenAway() throws Exception {
    RawBackend backend =
        backend(
            (request, out) ->
                RawBackend.respond(
                    out,
                    lines(
                        "HTTP/1.1 200 OK",
                        "Keep-Alive: timeout=5",
                        "Connection: keep-alive, X-Hop",
                        "X-Hop: 1",
                        "X-End: 1"),
                    new byte[0]));
    room.ready(TEAM, HOST, "/", backend.endpoint());

    Answer answer =
        ask(
            "POST / HTTP/1.1\r\nHost: "
                + HOST
                + "\r\n"
                + "Connection: keep-alive, X-Mine, X-Forwarded-For, Content-Length, Host,"
                + " Cookie\r\n"
                + "Keep-Alive: 1\r\n"
                + "TE: trailers\r\n"
                + "Proxy-Authorization: x\r\n"
                + "X-Mine: 1\r\n"
                + "X-Forwarded-For: 203.0.113.9\r\n"
                + "Cookie: c\r\n"
                + "Content-Length: 2\r\n\r\n"
                + "ok");

    assertThat(backend.received().getFirst().headers())
        .containsExactlyInAnyOrder(
            "Host: " + HOST,
            "X-Forwarded-For: 203.0.113.9",
            "Cookie: c",
            "Content-Length: 2",
            "Connection: close");
    assertThat(answer.headers())
        .containsExactlyInAnyOrder("X-End: 1", "Content-Length: 0", "Connection: close");
  }

  // What goes wrong

  @Test
  void whenNobodyListensThereTheClientMayTryAgain() throws Exception {
    RawBackend backend = backend((request, out) -> {});
    Endpoint nobody = backend.endpoint();
    backend.close();
    room.ready(TEAM, HOST, "/", nobody);

    Answer answer = ask("POST / HTTP/1.1\r\nHost: " + HOST + "\r\nContent-Length: 2\r\n\r\nok");

    assertThat(answer.status()).isEqualTo(503);
    assertThat(answer.header("retry-after")).isEqualTo("1");
    assertThat(answer.text()).contains("\"notice\":\"unreachable\"");
    awaitEmpty();
  }

  @Test
  void aMachineThatDiesBeforeItsAnswerIsABadGateway() throws Exception {
    RawBackend backend = backend((request, out) -> request.body());
    room.ready(TEAM, HOST, "/", backend.endpoint());

    Answer answer = ask("POST / HTTP/1.1\r\nHost: " + HOST + "\r\nContent-Length: 2\r\n\r\nok");

    assertThat(answer.status()).isEqualTo(502);
    assertThat(backend.received()).hasSize(1);
    awaitEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"Content-Length: 1000", "Transfer-Encoding: chunked"})
  void aMachineThatDiesInItsAnswerLeavesAnIncompleteOne(String framing) throws Exception {
    RawBackend backend =
        backend(
            (request, out) ->
                write(
                    out,
                    "HTTP/1.1 200 OK\r\n"
                        + framing
                        + "\r\n\r\n"
                        + (framing.startsWith("T") ? "4\r\npart\r\n" : "part")));
    room.ready(TEAM, HOST, "/", backend.endpoint());

    Answer answer = ask("GET / HTTP/1.1\r\nHost: " + HOST + "\r\n\r\n");

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.complete()).isFalse();
    awaitEmpty();
    assertThat(counted("broken")).isEqualTo(1);
  }

  @Test
  void nonsenseFromTheMachineIsABadGateway() throws Exception {
    RawBackend backend = backend((request, out) -> write(out, "SSH-2.0-OpenSSH_9.2\r\n"));
    room.ready(TEAM, HOST, "/", backend.endpoint());

    assertThat(ask("GET / HTTP/1.1\r\nHost: " + HOST + "\r\n\r\n").status()).isEqualTo(502);
    awaitEmpty();
  }

  @Test
  void anAnswerThatDoesNotWaitForTheBodyReachesTheClient() throws Exception {
    CountDownLatch answered = new CountDownLatch(1);
    RawBackend backend =
        backend(
            (request, out) -> {
              RawBackend.respond(out, "HTTP/1.1 413 Too Large", "too large".getBytes(UTF_8));
              uninterruptibly(answered);
            });
    room.ready(TEAM, HOST, "/", backend.endpoint());

    RawClient client = client();
    client.send(
        "POST / HTTP/1.1\r\nHost: " + HOST + "\r\nContent-Length: " + (10 << 20) + "\r\n\r\n");
    CompletableFuture<Void> upload =
        onItsOwnThread(() -> unchecked(() -> stream(sink(client), 10 << 20)));
    Answer answer = client.answer();
    answered.countDown();
    upload.handle((_, _) -> null).join();

    assertThat(answer.status()).isEqualTo(413);
    assertThat(answer.text()).isEqualTo("too large");
    awaitEmpty();
  }

  /** The exercise's side still waits for the client's body when what is left of it is read away. */
  @Test
  void aConnectionIsClosedAfterAnAnswerThatCameBeforeTheBody() throws Exception {
    RawBackend backend =
        backend((request, out) -> RawBackend.respond(out, "HTTP/1.1 413 Too Large", new byte[0]));
    room.ready(TEAM, HOST, "/", backend.endpoint());

    try (RawClient client = client()) {
      client.send("POST / HTTP/1.1\r\nHost: " + HOST + "\r\nContent-Length: 20\r\n\r\nbegin");
      assertThat(client.answer().status()).isEqualTo(413);

      client.send("the rest of it.");

      // A connection that is only half closed would take whatever comes.
      await()
          .atMost(Duration.ofSeconds(20))
          .until(
              () -> {
                try {
                  client.send("?");
                  return false;
                } catch (SocketException e) {
                  return true;
                }
              });
    }
    awaitEmpty();
  }

  @Test
  void aClientThatLeavesWhileHeldTakesNobodyWithIt() throws Exception {
    RawBackend backend =
        backend((request, out) -> RawBackend.respond(out, "HTTP/1.1 200 OK", request.body()));
    room.waiting(TEAM, HOST, "/", Why.RECOVERING);
    RawClient leaving = client();
    leaving.send("POST / HTTP/1.1\r\nHost: " + HOST + "\r\nContent-Length: 10\r\n\r\nhalf");
    RawClient staying = client();
    staying.send("POST / HTTP/1.1\r\nHost: " + HOST + "\r\nContent-Length: 4\r\n\r\nfull");
    awaitHeld(2);

    leaving.close();
    room.ready(TEAM, HOST, "/", backend.endpoint());

    assertThat(staying.answer().text()).isEqualTo("full");
    awaitEmpty();
  }

  @Test
  void aClientThatLeavesInTheAnswerFreesItsSeat() throws Exception {
    RawBackend backend =
        backend(
            (request, out) -> {
              write(out, "HTTP/1.1 200 OK\r\nContent-Length: " + (1L << 40) + "\r\n\r\n");
              stream(out, 1L << 40);
            });
    room.ready(TEAM, HOST, "/", backend.endpoint());

    RawClient client = client();
    client.send("GET / HTTP/1.1\r\nHost: " + HOST + "\r\n\r\n");
    await().until(() -> room.reception().seats() == 1);
    client.line();
    client.close();

    awaitEmpty();
  }

  // Turned away

  @Test
  void whenItTakesLongerABrowserGetsAPageAndOthersAProblem() throws Exception {
    WaitingRoom quick = open(Duration.ofMillis(200), 50, 20);
    now.set(now.get().plusSeconds(60));
    quick.waiting(TEAM, HOST, "/", Why.RECOVERING);

    Answer page =
        RawClient.ask(
            quick.port(),
            "GET / HTTP/1.1\r\nHost: " + HOST + "\r\nAccept: text/html,*/*;q=0.8\r\n\r\n");
    Answer problem =
        RawClient.ask(quick.port(), "GET / HTTP/1.1\r\nHost: " + HOST + "\r\nAccept: */*\r\n\r\n");
    Answer post =
        RawClient.ask(
            quick.port(),
            "POST / HTTP/1.1\r\nHost: "
                + HOST
                + "\r\nAccept: text/html\r\nContent-Length: 2\r\n\r\nok");

    assertThat(page.status()).isEqualTo(503);
    assertThat(page.header("content-type")).isEqualTo("text/html; charset=utf-8");
    assertThat(page.header("retry-after")).isEqualTo("2");
    assertThat(page.header("cache-control")).isEqualTo("no-store");
    assertThat(page.text()).contains("moving to another machine");
    for (Answer answer : List.of(problem, post)) {
      assertThat(answer.status()).isEqualTo(503);
      assertThat(answer.header("content-type")).isEqualTo("application/problem+json");
      assertThat(answer.header("retry-after")).isEqualTo("2");
      assertThat(answer.text()).contains("\"status\":503", "\"notice\":\"recovering\"");
    }
    assertThat(quick.reception().seats()).isZero();
  }

  @Test
  void aLargeUploadThatIsTurnedAwayStillSeesWhy() throws Exception {
    room.waiting(TEAM, HOST, "/", Why.STALLED);

    RawClient client = client();
    client.send(
        "POST / HTTP/1.1\r\nHost: " + HOST + "\r\nContent-Length: " + (10 << 20) + "\r\n\r\n");
    stream(sink(client), 10 << 20);

    assertThat(client.answer().text()).contains("stalled");
  }

  @ParameterizedTest
  @CsvSource({"SUSPENDED, suspended", "STALLED, by itself"})
  void whatOnlyAPersonCanChangeIsSaidAtOnce(Why why, String words) throws Exception {
    room.waiting(TEAM, HOST, "/", why);

    Answer answer = ask("GET / HTTP/1.1\r\nHost: " + HOST + "\r\nAccept: text/html\r\n\r\n");

    assertThat(answer.text()).contains(words);
    assertThat(answer.header("retry-after")).isEqualTo("30");
  }

  @Test
  void aHeldRequestHearsOfASuspension() throws Exception {
    room.waiting(TEAM, HOST, "/", Why.RECOVERING);
    RawClient client = client();
    client.send("GET / HTTP/1.1\r\nHost: " + HOST + "\r\nAccept: text/html\r\n\r\n");
    awaitHeld(1);

    room.waiting(TEAM, HOST, "/", Why.SUSPENDED);

    assertThat(client.answer().text()).contains("suspended");
    awaitEmpty();
  }

  @Test
  void aHeldRequestOfADeletedTeamHearsThatThereIsNone() throws Exception {
    room.waiting(TEAM, HOST, "/", Why.RECOVERING);
    RawClient client = client();
    client.send("GET / HTTP/1.1\r\nHost: " + HOST + "\r\n\r\n");
    awaitHeld(1);

    room.gone(TEAM);

    assertThat(client.answer().status()).isEqualTo(404);
    awaitEmpty();
  }

  @Test
  void aWebSocketIsToldToTryAgainAlsoWhenTheExerciseIsReady() throws Exception {
    RawBackend backend =
        backend((request, out) -> RawBackend.respond(out, "HTTP/1.1 200 OK", new byte[0]));
    String upgrade =
        "GET /ws HTTP/1.1\r\nHost: "
            + HOST
            + "\r\n"
            + "Connection: Upgrade\r\n"
            + "Upgrade: websocket\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            + "Sec-WebSocket-Version: 13\r\n\r\n";

    room.waiting(TEAM, HOST, "/", Why.RECOVERING);
    Answer waiting = ask(upgrade);
    room.ready(TEAM, HOST, "/", backend.endpoint());
    Answer ready = ask(upgrade);

    assertThat(List.of(waiting.status(), ready.status())).containsOnly(503);
    assertThat(waiting.header("retry-after")).isEqualTo("2");
    assertThat(ready.header("retry-after")).isEqualTo("1");
    assertThat(backend.received()).isEmpty();
  }

  @Test
  void aReadyTeamIsPassedOnForAMinuteAndThenToldToTakeItsRoute() throws Exception {
    RawBackend backend =
        backend((request, out) -> RawBackend.respond(out, "HTTP/1.1 200 OK", new byte[0]));
    room.ready(TEAM, HOST, "/", backend.endpoint());

    now.set(now.get().plusSeconds(59));
    Answer soon = ask("GET / HTTP/1.1\r\nHost: " + HOST + "\r\n\r\n");
    room.ready(TEAM, HOST, "/", backend.endpoint());
    now.set(now.get().plusSeconds(2));
    Answer late = ask("GET / HTTP/1.1\r\nHost: " + HOST + "\r\n\r\n");

    assertThat(soon.status()).isEqualTo(200);
    assertThat(late.status()).isEqualTo(503);
    assertThat(late.header("retry-after")).isEqualTo("1");
  }

  @Test
  void thePagesOwnScriptHearsAtOnceWhatHasChanged() throws Exception {
    RawBackend backend =
        backend((request, out) -> RawBackend.respond(out, "HTTP/1.1 200 OK", new byte[0]));
    String poll = "HEAD / HTTP/1.1\r\nHost: " + HOST + "\r\nX-CrowdLab-Poll: 1\r\n\r\n";

    room.waiting(TEAM, HOST, "/", Why.CREATING);
    assertThat(ask(poll).header("x-crowdlab-notice")).isEqualTo("creating");
    room.ready(TEAM, HOST, "/", backend.endpoint());
    assertThat(ask(poll).header("x-crowdlab-notice")).isEqualTo("moved");
    assertThat(backend.received()).isEmpty();
  }

  @Test
  void aHostOfNoTeamIsNotFound() throws Exception {
    room.waiting(TEAM, HOST, "/x", Why.RECOVERING);

    assertThat(ask("GET / HTTP/1.1\r\nHost: elsewhere.example.org\r\n\r\n").status())
        .isEqualTo(404);
    assertThat(ask("GET /xy HTTP/1.1\r\nHost: " + HOST + "\r\n\r\n").status()).isEqualTo(404);
    assertThat(ask("GET / HTTP/1.0\r\n\r\n").status()).isEqualTo(404);
    assertThat(counted("unknown")).isEqualTo(3);
  }

  @Test
  void justAfterItsStartItDoesNotSayThatATeamIsNotThere() throws Exception {
    WaitingRoom fresh = open(HOLD, 50, 20);

    Answer answer = RawClient.ask(fresh.port(), "GET / HTTP/1.1\r\nHost: " + HOST + "\r\n\r\n");

    assertThat(answer.status()).isEqualTo(503);
    assertThat(answer.header("x-crowdlab-notice")).isEqualTo("starting");
  }

  @Test
  void thePageIsOneDocumentOfItsOwnThatPeopleCanRead() throws Exception {
    room.waiting(TEAM, HOST, "/", Why.SUSPENDED);

    Answer answer =
        ask("GET /?alert(1) HTTP/1.1\r\nHost: " + HOST + "\r\nAccept: text/html\r\n\r\n");
    String page = answer.text();

    assertThat(page)
        .startsWith("<!DOCTYPE html>")
        .contains("<html lang=\"en\"", "<meta charset=\"utf-8\">", "name=\"viewport\"")
        .contains("<title>Your exercise is suspended</title>", "<h1>", "role=\"status\"")
        .contains("<noscript><meta http-equiv=\"refresh\" content=\"30\"></noscript>")
        .doesNotContain("{{", "alert(1)", "http://", "https://", "src=", "@import", "url(");
    assertThat(answer.header("content-security-policy"))
        .contains(
            "default-src 'none'", "connect-src 'self'", "script-src 'sha256-", "style-src 'sha256-")
        .doesNotContain("unsafe");
  }

  @Test
  void thePageOfAHostWithoutATeamPromisesNothingAndSeldomAsksAgain() throws Exception {
    Answer answer = ask("GET / HTTP/1.1\r\nHost: " + HOST + "\r\nAccept: text/html\r\n\r\n");

    assertThat(answer.status()).isEqualTo(404);
    assertThat(answer.text())
        .contains("<title>There is no exercise here</title>")
        .contains("<meta http-equiv=\"refresh\" content=\"30\">", "data-seconds=\"30\"")
        .doesNotContain("by itself");
  }

  // Bounds

  @Test
  void overItsTeamsBoundARequestIsRefusedAtOnceAndOtherTeamsAreNot() throws Exception {
    WaitingRoom small = open(HOLD, 3, 2);
    now.set(now.get().plusSeconds(60));
    small.waiting(TEAM, HOST, "/", Why.RECOVERING);
    small.waiting(new TeamRef("lab", "b", "b"), "b", "/", Why.RECOVERING);
    small.waiting(new TeamRef("lab", "c", "c"), "c", "/", Why.RECOVERING);

    hold(small, HOST, 1);
    hold(small, HOST, 2);
    Answer overTeam = RawClient.ask(small.port(), "GET / HTTP/1.1\r\nHost: " + HOST + "\r\n\r\n");
    hold(small, "b", 3);
    Answer overAll = RawClient.ask(small.port(), "GET / HTTP/1.1\r\nHost: c\r\n\r\n");

    for (Answer answer : List.of(overTeam, overAll)) {
      assertThat(answer.status()).isEqualTo(503);
      assertThat(answer.header("x-crowdlab-notice")).isEqualTo("full");
      assertThat(answer.header("retry-after")).isEqualTo("3");
    }
    assertThat(small.reception().waiting()).isEqualTo(3);
  }

  // Hostile requests

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5, 6",
        "Content-Length: +5",
        "Content-Length: -1",
        "Content-Length : 5",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "X: a\r\n folded",
        "X\u0000: a",
        "Host: other",
      })
  void aRequestThatTwoServersCouldReadDifferentlyIsRefused(String headers) throws Exception {
    RawBackend backend =
        backend((request, out) -> RawBackend.respond(out, "HTTP/1.1 200 OK", new byte[0]));
    room.ready(TEAM, HOST, "/", backend.endpoint());

    RawClient client = client();
    client.send(
        "POST / HTTP/1.1\r\nHost: "
            + HOST
            + "\r\n"
            + headers
            + "\r\n\r\n0\r\n\r\nGET /admin HTTP/1.1\r\nHost: x\r\n\r\n");
    Answer answer = client.answer();

    assertThat(answer.status()).isBetween(400, 501);
    assertThat(answer.text()).doesNotContain("Jetty");
    assertThat(client.ended()).isTrue();
    assertThat(backend.received()).isEmpty();
  }

  @Test
  void aSecondRequestOnTheSameConnectionIsNotAnswered() throws Exception {
    RawBackend backend =
        backend((request, out) -> RawBackend.respond(out, "HTTP/1.1 200 OK", request.body()));
    room.ready(TEAM, HOST, "/", backend.endpoint());

    RawClient client = client();
    client.send(
        "POST / HTTP/1.1\r\nHost: "
            + HOST
            + "\r\nContent-Length: 2\r\n\r\nokGET /smuggled HTTP/1.1\r\nHost: "
            + HOST
            + "\r\n\r\n");

    assertThat(client.answer().text()).isEqualTo("ok");
    assertThat(client.ended()).isTrue();
    assertThat(backend.received()).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "CONNECT team-7.lab.example.org:80 HTTP/1.1\r\nHost: team-7.lab.example.org:80",
        "TRACE / HTTP/1.1\r\nHost: team-7.lab.example.org",
        "GET http://elsewhere.example.org/ HTTP/1.1\r\nHost: team-7.lab.example.org",
        "GET http://elsewhere.example.org/ HTTP/1.1\r\nHost: elsewhere.example.org",
        "GET / HTTP/1.1\r\nHost: team-7.lab.example.org@elsewhere",
        "GET / HTTP/1.1\r\nHost: team-7.lab.example.org, elsewhere",
        "GET / HTTP/1.1",
        "GET / HTTP/0.9",
        "PRI * HTTP/2.0",
      })
  void itIsNoOpenProxy(String head) throws Exception {
    RawBackend backend =
        backend((request, out) -> RawBackend.respond(out, "HTTP/1.1 200 OK", new byte[0]));
    room.ready(TEAM, HOST, "/", backend.endpoint());

    Answer answer = ask(head + "\r\n\r\n");

    assertThat(answer.status()).isBetween(400, 505);
    assertThat(backend.received()).isEmpty();
  }

  @Test
  void headersBeyondTheirBoundAreRefused() throws Exception {
    room.waiting(TEAM, HOST, "/", Why.RECOVERING);

    Answer answer =
        ask("GET / HTTP/1.1\r\nHost: " + HOST + "\r\nX: " + "a".repeat(40_000) + "\r\n\r\n");

    assertThat(answer.status()).isEqualTo(431);
  }

  @Test
  void hostsAreFoundWhateverTheirCaseAndPort() throws Exception {
    RawBackend backend =
        backend((request, out) -> RawBackend.respond(out, "HTTP/1.1 200 OK", new byte[0]));
    room.ready(TEAM, HOST, "/", backend.endpoint());

    assertThat(ask("GET / HTTP/1.1\r\nHost: Team-7.Lab.Example.org:8080\r\n\r\n").status())
        .isEqualTo(200);
    assertThat(backend.received().getFirst().header("host"))
        .isEqualTo("Team-7.Lab.Example.org:8080");
  }

  private WaitingRoom open(Duration hold, int max, int maxPerTeam) throws IOException {
    WaitingRoom opened =
        new WaitingRoom(
            new WaitingRoomSettings(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                hold,
                Duration.ofMinutes(1),
                max,
                maxPerTeam),
            clock,
            meters);
    closing.add(opened);
    opened.start();
    return opened;
  }

  private RawBackend backend(RawBackend.Script script) throws IOException {
    RawBackend backend = new RawBackend(script);
    closing.add(backend);
    return backend;
  }

  private RawClient client() throws IOException {
    RawClient client = new RawClient(room.port());
    closing.add(client);
    return client;
  }

  private Answer ask(String request) throws IOException {
    return RawClient.ask(room.port(), request);
  }

  private void hold(WaitingRoom where, String host, int expected) throws IOException {
    RawClient client = new RawClient(where.port());
    closing.add(client);
    client.send("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    await().until(() -> where.reception().waiting() == expected);
  }

  private void awaitHeld(int count) {
    await().until(() -> room.reception().waiting() == count);
  }

  private void awaitEmpty() {
    await().until(() -> room.reception().seats() == 0);
  }

  private double counted(String outcome) {
    return meters.get("crowdlab.waiting.room.requests").tag("outcome", outcome).counter().count();
  }

  private static void write(OutputStream out, String text) throws IOException {
    out.write(text.getBytes(ISO_8859_1));
  }

  private static String lines(String... lines) {
    return String.join("\r\n", lines);
  }

  private static byte[] random(int size) {
    byte[] bytes = new byte[size];
    new Random(42).nextBytes(bytes);
    return bytes;
  }

  private static void stream(OutputStream out, long size) throws IOException {
    byte[] block = random(1 << 16);
    for (long left = size; left > 0; left -= block.length) {
      out.write(block, 0, (int) Math.min(block.length, left));
    }
  }

  private static long sumOf(long size) throws IOException {
    CheckedOutputStream sum = new CheckedOutputStream(OutputStream.nullOutputStream(), new CRC32());
    stream(sum, size);
    return sum.getChecksum().getValue();
  }

  private static OutputStream sink(RawClient client) {
    return new OutputStream() {
      @Override
      public void write(int b) throws IOException {
        client.send(new byte[] {(byte) b});
      }

      @Override
      public void write(byte[] bytes, int from, int length) throws IOException {
        client.send(Arrays.copyOfRange(bytes, from, from + length));
      }
    };
  }

  private interface Action {
    void run() throws IOException;
  }

  /**
   * Not in the common pool: there is little of it, every HttpClient of this JVM lives by it, and
   * what writes here blocks for as long as nobody reads.
   */
  private static CompletableFuture<Void> onItsOwnThread(Runnable task) {
    return CompletableFuture.runAsync(task, run -> Thread.ofVirtual().name("upload").start(run));
  }

  private static void unchecked(Action action) {
    try {
      action.run();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static void uninterruptibly(CountDownLatch latch) throws IOException {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }
}
