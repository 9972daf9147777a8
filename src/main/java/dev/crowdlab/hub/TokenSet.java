package dev.crowdlab.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.SecretStore.Stored;
import dev.crowdlab.protocol.Frames;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tokens of one VM, as its Secret holds them.
 *
 * @param tokens oldest first, at most {@link #MAX}
 */
record TokenSet(VmRef vm, List<StoredToken> tokens) {

  /**
   * More than a machine can have been given before it connected once; the oldest unconfirmed goes
   * first.
   */
  static final int MAX = 8;

  private static final String VM_NAMESPACE = "vm-namespace";
  private static final String VM_NAME = "vm-name";
  private static final String VM_UID = "vm-uid";
  private static final String TOKENS = "tokens";

  private static final Logger log = LoggerFactory.getLogger(TokenSet.class);
  private static final ObjectMapper MAPPER = Frames.mapper();

  /**
   * One token.
   *
   * @param id random, tells nothing of the token
   * @param sha256 in hex
   * @param issuedAt seconds since the epoch
   * @param confirmed whether the VM showed that it has it
   */
  record StoredToken(String id, String sha256, long issuedAt, boolean confirmed) {}

  TokenSet {
    tokens = List.copyOf(tokens);
  }

  static TokenSet none(VmRef vm) {
    return new TokenSet(vm, List.of());
  }

  /** A name that any UID fits in. */
  static String secretName(String uid) {
    return "crowdlab-agent-" + Tokens.sha256(uid).substring(0, 40);
  }

  /** What a Secret holds; empty when it is none of ours, or was spoilt by hand. */
  static Optional<TokenSet> of(Stored stored) {
    Map<String, String> data = stored.data();
    String namespace = data.get(VM_NAMESPACE);
    String name = data.get(VM_NAME);
    String uid = data.get(VM_UID);
    String tokens = data.get(TOKENS);
    if (namespace == null || name == null || uid == null || tokens == null) {
      log.warn("Secret {} lacks a key and counts as empty", stored.name());
      return Optional.empty();
    }
    try {
      return Optional.of(
          new TokenSet(
              new VmRef(namespace, name, uid),
              MAPPER.readValue(tokens, new TypeReference<List<StoredToken>>() {})));
    } catch (JsonProcessingException e) {
      log.warn("Secret {} cannot be read and counts as empty", stored.name());
      return Optional.empty();
    }
  }

  Map<String, String> data() {
    try {
      return Map.of(
          VM_NAMESPACE,
          vm.namespace(),
          VM_NAME,
          vm.name(),
          VM_UID,
          vm.uid(),
          TOKENS,
          MAPPER.writeValueAsString(tokens));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  TokenSet plus(StoredToken token) {
    List<StoredToken> all = new ArrayList<>(tokens);
    while (all.size() >= MAX) {
      all.remove(all.stream().filter(t -> !t.confirmed()).findFirst().orElse(all.getFirst()));
    }
    all.add(token);
    return new TokenSet(vm, all);
  }

  /**
   * The VM has this one: what was issued before it goes. What was issued after it stays, for it may
   * be on its way to the machine.
   */
  TokenSet confirmed(String id) {
    for (int i = 0; i < tokens.size(); i++) {
      StoredToken token = tokens.get(i);
      if (token.id().equals(id)) {
        List<StoredToken> kept = new ArrayList<>(tokens.subList(i, tokens.size()));
        kept.set(0, new StoredToken(id, token.sha256(), token.issuedAt(), true));
        return new TokenSet(vm, kept);
      }
    }
    return this;
  }

  /** Looks at every token in full, whichever matches. */
  Optional<StoredToken> find(String sha256) {
    byte[] shown = sha256.getBytes(StandardCharsets.US_ASCII);
    Optional<StoredToken> found = Optional.empty();
    for (StoredToken token : tokens) {
      if (MessageDigest.isEqual(token.sha256().getBytes(StandardCharsets.US_ASCII), shown)) {
        found = Optional.of(token);
      }
    }
    return found;
  }
}
