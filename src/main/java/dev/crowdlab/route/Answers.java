package dev.crowdlab.route;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * The waiting room's own answers: a page for a browser, a problem (RFC 9457) for every other
 * client. Nothing of the request is repeated in them.
 */
final class Answers {

  /** Tells the page's script that it still speaks with the waiting room, and what has changed. */
  static final String NOTICE_HEADER = "X-CrowdLab-Notice";

  /** A page that promises nothing is not loaded anew under its reader's eyes all the time. */
  private static final int SECONDS_FOR_STRANGERS = 30;

  private final Map<Notice, byte[]> pages = new EnumMap<>(Notice.class);
  private final Map<Notice, byte[]> problems = new EnumMap<>(Notice.class);
  private final HttpField contentSecurityPolicy;

  Answers() {
    String template = resource("waiting.html");
    contentSecurityPolicy =
        new HttpField(
            "Content-Security-Policy",
            "default-src 'none'; base-uri 'none'; form-action 'none'; connect-src 'self'; style-src"
                + " "
                + hash(template, "style")
                + "; script-src "
                + hash(template, "script"));
    ObjectMapper json = new ObjectMapper();
    for (Notice notice : Notice.values()) {
      pages.put(notice, page(template, notice).getBytes(UTF_8));
      problems.put(notice, problem(json, notice));
    }
  }

  /**
   * Answers with a notice; the connection is closed after it, so that the next one may find the new
   * route.
   */
  void send(Notice notice, Request request, Response response, Callback callback) {
    boolean page = wantsPage(request);
    byte[] body = (page ? pages : problems).getOrDefault(notice, new byte[0]);
    response.setStatus(notice.status());
    HttpFields.Mutable headers = response.getHeaders();
    headers.clear();
    headers.put(HttpFields.CONNECTION_CLOSE);
    headers.put(
        HttpHeader.CONTENT_TYPE, page ? "text/html; charset=utf-8" : "application/problem+json");
    headers.put(HttpHeader.CONTENT_LENGTH, body.length);
    headers.put(HttpHeader.CACHE_CONTROL, "no-store");
    headers.put(NOTICE_HEADER, notice.word());
    if (notice.retryAfterSeconds() > 0) {
      headers.put(HttpHeader.RETRY_AFTER, notice.retryAfterSeconds());
    }
    if (page) {
      headers.put(contentSecurityPolicy);
      headers.put("X-Content-Type-Options", "nosniff");
      headers.put("Referrer-Policy", "no-referrer");
    }
    boolean head = HttpMethod.HEAD.is(request.getMethod());
    ByteBuffer content = head ? ByteBuffer.allocate(0) : ByteBuffer.wrap(body);
    response.write(
        true, content, Callback.from(() -> Leftovers.drain(request, callback), callback::failed));
  }

  /** A person looks at a page when they read, in a program that says it shows HTML. */
  private static boolean wantsPage(Request request) {
    boolean reads =
        HttpMethod.GET.is(request.getMethod()) || HttpMethod.HEAD.is(request.getMethod());
    return reads
        && request.getHeaders().getQualityCSV(HttpHeader.ACCEPT).stream()
            .anyMatch(type -> type.equals("text/html") || type.startsWith("text/html;"));
  }

  private static String page(String template, Notice notice) {
    boolean returns = notice != Notice.UNKNOWN;
    return template
        .replace("{{notice}}", notice.word())
        .replace("{{title}}", notice.title())
        .replace("{{text}}", notice.text())
        .replace("{{then}}", returns ? "This page returns to the exercise by itself." : "")
        .replace(
            "{{seconds}}",
            Integer.toString(returns ? notice.retryAfterSeconds() : SECONDS_FOR_STRANGERS));
  }

  private static byte[] problem(ObjectMapper json, Notice notice) {
    Map<String, Object> problem = new LinkedHashMap<>();
    problem.put("type", "about:blank");
    problem.put("title", notice.title());
    problem.put("status", notice.status());
    problem.put("detail", notice.text());
    problem.put("notice", notice.word());
    try {
      return json.writeValueAsBytes(problem);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a map of strings and numbers is always JSON", e);
    }
  }

  private static String hash(String template, String element) {
    int start = template.indexOf("<" + element + ">") + element.length() + 2;
    String text = template.substring(start, template.indexOf("</" + element + ">", start));
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
      return "'sha256-" + Base64.getEncoder().encodeToString(digest) + "'";
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  private static String resource(String name) {
    try (InputStream in = Answers.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("the jar lacks " + name);
      }
      return new String(in.readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
