package dev.crowdlab.operator;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.ser.std.StdScalarSerializer;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.crowdlab.core.Times;
import dev.crowdlab.hub.DetectorSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@link Config} from a YAML file and says in one sentence what is wrong with it. In a value
 * {@code $(NAME)} stands for an environment variable, as in a pod's arguments: a pod's own address
 * is known only to the pod.
 */
public final class ConfigFile {

  private static final YAMLMapper MAPPER =
      YAMLMapper.builder()
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .addModule(
              new SimpleModule()
                  .addDeserializer(Duration.class, new Durations())
                  .addSerializer(Duration.class, new WrittenDurations()))
          .build();

  /** Sections that are made of defaults when the file leaves them out. */
  private static final List<String> SECTIONS =
      List.of(
          "hub",
          "route",
          "waitingRoom",
          "network",
          "integrity",
          "returning",
          "release",
          "leaderElection",
          "management");

  private static final Pattern REFERENCE = Pattern.compile("\\$\\(([A-Z][A-Z0-9_]*)\\)");

  private ConfigFile() {}

  /**
   * Reads and checks a file.
   *
   * @throws InvalidConfigException when it cannot be read, or with the field, the value and the
   *     remedy when it is not valid
   */
  public static Config read(Path file) throws InvalidConfigException {
    try {
      return parse(Files.readString(file), System.getenv());
    } catch (IOException e) {
      throw new InvalidConfigException("cannot read " + file + ": " + e.getMessage(), e);
    } catch (InvalidConfigException e) {
      throw new InvalidConfigException(file + ": " + e.getMessage(), e);
    }
  }

  static Config parse(String yaml) throws InvalidConfigException {
    return parse(yaml, Map.of());
  }

  static Config parse(String yaml, Map<String, String> environment) throws InvalidConfigException {
    try {
      JsonNode root = expanded(MAPPER.readTree(yaml), environment);
      ObjectNode sections = root instanceof ObjectNode object ? object : MAPPER.createObjectNode();
      for (String section : SECTIONS) {
        if (sections.path(section).isMissingNode() || sections.path(section).isNull()) {
          sections.putObject(section);
        }
      }
      sections.set("detection", completed(sections.path("detection"), DetectorSettings.defaults()));
      return MAPPER.treeToValue(sections, Config.class);
    } catch (ValueInstantiationException e) {
      throw new InvalidConfigException(root(e).getMessage(), e);
    } catch (UnrecognizedPropertyException e) {
      throw new InvalidConfigException(
          "there is no field "
              + field(e)
              + "; the fields there are "
              + e.getKnownPropertyIds().stream().map(String::valueOf).sorted().toList(),
          e);
    } catch (JsonMappingException e) {
      throw new InvalidConfigException(field(e) + ": " + e.getOriginalMessage(), e);
    } catch (JacksonException e) {
      throw new InvalidConfigException("not YAML: " + e.getOriginalMessage(), e);
    }
  }

  /** What is given, and of the defaults what is not. */
  private static JsonNode completed(JsonNode given, Object defaults) throws JacksonException {
    JsonNode all = MAPPER.valueToTree(defaults);
    return given.isMissingNode() || given.isNull() ? all : MAPPER.updateValue(all, given);
  }

  private static JsonNode expanded(JsonNode node, Map<String, String> environment)
      throws InvalidConfigException {
    if (node instanceof ObjectNode object) {
      for (Map.Entry<String, JsonNode> field : object.properties()) {
        field.setValue(expanded(field.getValue(), environment));
      }
    } else if (node instanceof ArrayNode list) {
      for (int i = 0; i < list.size(); i++) {
        list.set(i, expanded(list.get(i), environment));
      }
    } else if (node.isTextual()) {
      Matcher references = REFERENCE.matcher(node.textValue());
      StringBuilder text = new StringBuilder();
      while (references.find()) {
        String value = environment.get(references.group(1));
        if (value == null) {
          throw new InvalidConfigException(
              "the environment has no variable " + references.group(1), null);
        }
        references.appendReplacement(text, Matcher.quoteReplacement(value));
      }
      return MAPPER.getNodeFactory().textNode(references.appendTail(text).toString());
    }
    return node;
  }

  private static Throwable root(Throwable e) {
    Throwable cause = e.getCause();
    return cause == null ? e : root(cause);
  }

  private static String field(JsonMappingException e) {
    return String.join(
        ".",
        e.getPath().stream()
            .map(step -> step.getFieldName() == null ? "" + step.getIndex() : step.getFieldName())
            .toList());
  }

  private static final class WrittenDurations extends StdScalarSerializer<Duration> {
    private static final long serialVersionUID = 1L;

    WrittenDurations() {
      super(Duration.class);
    }

    @Override
    public void serialize(Duration value, JsonGenerator to, SerializerProvider provider)
        throws IOException {
      to.writeString(value.toMillis() + "ms");
    }
  }

  private static final class Durations extends StdScalarDeserializer<Duration> {
    private static final long serialVersionUID = 1L;

    Durations() {
      super(Duration.class);
    }

    @Override
    public Duration deserialize(JsonParser parser, DeserializationContext context)
        throws IOException {
      try {
        return Times.parseDuration(parser.getText());
      } catch (IllegalArgumentException e) {
        throw new JsonMappingException(parser, String.valueOf(e.getMessage()), e);
      }
    }
  }

  /** The configuration is not valid; the message is for the person who wrote it. */
  public static final class InvalidConfigException extends Exception {
    private static final long serialVersionUID = 1L;

    InvalidConfigException(@Nullable String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }
}
