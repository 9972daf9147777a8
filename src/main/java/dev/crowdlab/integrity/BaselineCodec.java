package dev.crowdlab.integrity;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.NavigableMap;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * The one form of a baseline: JSON whose fields and keys are in alphabetical order and whose empty
 * parts are left out, so that neither the order in our source nor a part that a later version adds
 * changes the digest of a state. Stored compressed.
 */
public final class BaselineCodec {

  /**
   * The most bytes of a stored baseline. Kubernetes takes objects up to 1 MiB; 2,000 files, the
   * most that a probe reports, take about 100 KiB.
   */
  public static final int MAX_BYTES = 512 * 1024;

  private static final int MAX_JSON_BYTES = 16 * 1024 * 1024;

  /** A part that is empty is left out. */
  private static final JsonInclude.Value NON_EMPTY =
      JsonInclude.Value.construct(JsonInclude.Include.NON_EMPTY, JsonInclude.Include.ALWAYS);

  private final ObjectMapper json =
      JsonMapper.builder(
              JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
          .enable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
          .disable(MapperFeature.SORT_CREATOR_PROPERTIES_FIRST)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .defaultPropertyInclusion(
              JsonInclude.Value.construct(JsonInclude.Include.NON_NULL, JsonInclude.Include.ALWAYS))
          .withConfigOverride(List.class, override -> override.setInclude(NON_EMPTY))
          .withConfigOverride(NavigableMap.class, override -> override.setInclude(NON_EMPTY))
          .build();

  /** What was stored is no baseline that this version can read. */
  public static final class UnreadableException extends Exception {
    private static final long serialVersionUID = 1L;

    UnreadableException(String message) {
      super(message);
    }

    UnreadableException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** SHA-256 of the canonical form, in hex. */
  public String digest(Baseline baseline) {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(canonical(baseline)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java runtime has SHA-256", e);
    }
  }

  /** The stored form; may be larger than {@link #MAX_BYTES}. */
  public byte[] encode(Baseline baseline) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream packed = new GZIPOutputStream(bytes)) {
      packed.write(canonical(baseline));
    } catch (IOException e) {
      throw new UncheckedIOException("memory can be written to", e);
    }
    return bytes.toByteArray();
  }

  /**
   * Reads what {@link #encode} wrote.
   *
   * @throws UnreadableException for anything else
   */
  public Baseline decode(byte[] stored) throws UnreadableException {
    try (GZIPInputStream unpacked = new GZIPInputStream(new ByteArrayInputStream(stored))) {
      byte[] bytes = unpacked.readNBytes(MAX_JSON_BYTES + 1);
      if (bytes.length > MAX_JSON_BYTES) {
        throw new UnreadableException("it is too large");
      }
      Baseline baseline = json.readValue(bytes, Baseline.class);
      if (baseline == null || baseline.machineId() == null) {
        throw new UnreadableException("it lacks a machine-id");
      }
      return baseline;
    } catch (IOException e) {
      throw new UnreadableException("it is not of the expected form", e);
    }
  }

  private byte[] canonical(Baseline baseline) {
    try {
      return json.writeValueAsBytes(baseline);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a baseline can be written as JSON", e);
    }
  }
}
