package dev.crowdlab.route;

import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;

/** Answers what is no HTTP by the book with a bare status: nothing is repeated or explained. */
final class PlainErrors extends ErrorHandler {

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    response.getHeaders().put(HttpFields.CONNECTION_CLOSE);
    response.getHeaders().put(HttpFields.CONTENT_LENGTH_0);
    response.write(true, BufferUtil.EMPTY_BUFFER, callback);
    return true;
  }
}
