package dev.crowdlab.route;

import java.util.Locale;
import org.eclipse.jetty.http.HttpStatus;

/** What a request that can't be answered by the exercise is told. */
enum Notice {
  /** The operator has just started and does not know its teams yet. */
  STARTING("The laboratory is starting", "It will be there in a moment.", 1),
  CREATING("Your exercise is being prepared", "It starts in a moment, for the first time.", 2),
  RECOVERING(
      "Your exercise is moving to another machine",
      "Its machine failed. What you saved is safe, and the exercise is back in a moment.",
      2),
  SUSPENDED(
      "Your exercise is suspended",
      "What you saved is safe. Whoever runs the laboratory can start it again.",
      30),
  STALLED(
      "Your exercise can't go on by itself",
      "What you saved is safe. Whoever runs the laboratory has to look after it.",
      30),
  /** The route leads elsewhere by now: the next request finds it. */
  MOVED("Your exercise is ready", "It opens in a moment.", 1),
  /** Too many requests wait. */
  FULL("Many are waiting", "Please wait a moment.", 3),
  /** The exercise could not be reached although it was healthy. */
  UNREACHABLE("Your exercise does not answer yet", "It will be there in a moment.", 1),
  /** It may have done what the request asked for: only the client knows whether to try again. */
  BROKEN(
      HttpStatus.BAD_GATEWAY_502,
      "Your exercise broke off",
      "It took the request and gave no answer.",
      1),
  UNKNOWN(
      HttpStatus.NOT_FOUND_404,
      "There is no exercise here",
      "Please check the address: no team has this host and path.",
      0);

  private final int status;
  private final String title;
  private final String text;
  private final int retryAfterSeconds;

  Notice(String title, String text, int retryAfterSeconds) {
    this(HttpStatus.SERVICE_UNAVAILABLE_503, title, text, retryAfterSeconds);
  }

  Notice(int status, String title, String text, int retryAfterSeconds) {
    this.status = status;
    this.title = title;
    this.text = text;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  static Notice of(Routes.Why why) {
    return switch (why) {
      case CREATING -> CREATING;
      case RECOVERING -> RECOVERING;
      case SUSPENDED -> SUSPENDED;
      case STALLED -> STALLED;
    };
  }

  int status() {
    return status;
  }

  String title() {
    return title;
  }

  String text() {
    return text;
  }

  /** The header Retry-After, in seconds; 0 for none. */
  int retryAfterSeconds() {
    return retryAfterSeconds;
  }

  /** The form in headers and JSON. */
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
