package dev.crowdlab.protocol;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * Messages to and from text frames, as strictly for the hub as for the agent: what is unknown,
 * doubled, missing, of another type, too long or too deep is refused. Thread-safe.
 */
public final class Frames {

  private static final int MAX_DEPTH = 16;
  private static final int MAX_NUMBER_LENGTH = 32;

  private final ObjectMapper mapper = mapper();
  private final ObjectWriter toAgentWriter = mapper.writerFor(ToAgent.class);
  private final ObjectWriter fromAgentWriter = mapper.writerFor(FromAgent.class);

  /**
   * A mapper with these strict settings, for a side's own files.
   *
   * @return a new mapper: mappers can be changed, so none is shared
   */
  public static ObjectMapper mapper() {
    return JsonMapper.builder(
            new JsonFactoryBuilder()
                .streamReadConstraints(
                    StreamReadConstraints.builder()
                        .maxNestingDepth(MAX_DEPTH)
                        .maxNumberLength(MAX_NUMBER_LENGTH)
                        .maxStringLength(Protocol.MAX_FRAME_BYTES)
                        .maxDocumentLength(Protocol.MAX_FRAME_BYTES)
                        .build())
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                .build())
        .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
        .enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
        .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
        .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
        .defaultPropertyInclusion(
            JsonInclude.Value.construct(JsonInclude.Include.NON_NULL, JsonInclude.Include.ALWAYS))
        .build();
  }

  public String write(ToAgent message) {
    return write(toAgentWriter, message);
  }

  public String write(FromAgent message) {
    return write(fromAgentWriter, message);
  }

  public ToAgent readToAgent(String frame) throws BadFrameException {
    return read(ToAgent.class, frame);
  }

  public FromAgent readFromAgent(String frame) throws BadFrameException {
    return read(FromAgent.class, frame);
  }

  private static String write(ObjectWriter writer, Object message) {
    try {
      return writer.writeValueAsString(message);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException("a message of ours cannot be written", e);
    }
  }

  private <T> T read(Class<T> type, String frame) throws BadFrameException {
    // A character is at least one byte: the cheap test comes first.
    if (frame.length() > Protocol.MAX_FRAME_BYTES
        || frame.getBytes(StandardCharsets.UTF_8).length > Protocol.MAX_FRAME_BYTES) {
      throw new BadFrameException("longer than " + Protocol.MAX_FRAME_BYTES + " bytes");
    }
    try {
      T message = mapper.readValue(frame, type);
      if (message == null) {
        throw new BadFrameException("null");
      }
      return message;
    } catch (JsonProcessingException e) {
      throw new BadFrameException(describe(e));
    }
  }

  /** Says what is wrong in words of ours: the parser's own may quote a secret of the frame. */
  private static String describe(JsonProcessingException e) {
    return switch (e) {
      case UnrecognizedPropertyException u -> "an unknown field";
      case ValueInstantiationException v when v.getCause() instanceof IllegalArgumentException i ->
          String.valueOf(i.getMessage());
      case JsonMappingException m -> "a field of another type, or an unknown message type";
      default -> "not JSON, or beyond its bounds";
    };
  }

  /** A frame that breaks the protocol; the message quotes nothing of it. */
  public static final class BadFrameException extends Exception {
    private static final long serialVersionUID = 1L;

    BadFrameException(String message) {
      super(message);
    }
  }
}
