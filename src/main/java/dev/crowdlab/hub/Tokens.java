package dev.crowdlab.hub;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.SecretStore.SecretStoreException;
import dev.crowdlab.hub.SecretStore.Stored;
import dev.crowdlab.hub.TokenSet.StoredToken;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agents' tokens: 256 random bits for each VM, of which only the SHA-256 is kept (a slow hash
 * would add nothing to 256 random bits), in one Secret per VM of the operator's namespace.
 *
 * <p>A VM may have several tokens at a time, of which one is confirmed. One that was issued is
 * accepted at once, beside all before it; when the VM shows that it has it (it connects with it, or
 * says that it stored it), it becomes the confirmed one and all before it go. So a crash at any
 * point leaves the VM with a token that is accepted.
 *
 * <p>The leader alone writes; {@link #load} after winning leadership fills the cache, and what is
 * not in it is refused without asking the API server.
 */
public final class Tokens {

  static final String COMPONENT = "app.kubernetes.io/component";
  static final String AGENT_TOKEN = "crowdlab-agent-token";

  private static final Map<String, String> LABELS =
      Map.of(COMPONENT, AGENT_TOKEN, "app.kubernetes.io/managed-by", "crowdlab");

  /** After this a cached Secret is read again, so that one deleted by hand stops working. */
  private static final Duration FRESH = Duration.ofMinutes(1);

  /** Between two reads that a wrong token causes. */
  private static final Duration REREAD = Duration.ofSeconds(1);

  private static final int MAX_READS = 16;
  private static final int LOCKS = 64;
  private static final int MAX_ATTEMPTS = 5;

  private static final Logger log = LoggerFactory.getLogger(Tokens.class);

  private final SecretStore secrets;
  private final HubClock clock;
  private final SecureRandom random;
  private final Map<String, Cached> cache = new ConcurrentHashMap<>();
  private final Semaphore reads = new Semaphore(MAX_READS);

  /** UIDs of the VMs that are refused and whose Secret may still be there. */
  private final Set<String> blocked = ConcurrentHashMap.newKeySet();

  /** So that a Secret is never removed while another thread makes one of its name. */
  private final List<Object> locks = Stream.generate(Object::new).limit(LOCKS).toList();

  private record Cached(TokenSet tokens, long readAt) {}

  /**
   * A token that was accepted.
   *
   * @param confirmed whether the VM had shown before that it has it
   * @param ageSeconds since it was issued
   */
  record Accepted(VmRef vm, String tokenId, boolean confirmed, long ageSeconds) {}

  /** A new token in plain text: it is nowhere else. */
  record Issued(String tokenId, String token) {
    @Override
    public String toString() {
      return "Issued[" + tokenId + "]";
    }
  }

  public Tokens(SecretStore secrets, HubClock clock, SecureRandom random) {
    this.secrets = requireNonNull(secrets, "secrets");
    this.clock = requireNonNull(clock, "clock");
    this.random = requireNonNull(random, "random");
  }

  /**
   * Reads all that is stored.
   *
   * @throws SecretStoreException when it cannot; nothing changed then
   */
  public void load() {
    long now = clock.nano();
    Map<String, Cached> read = new ConcurrentHashMap<>();
    for (Stored stored : secrets.list(COMPONENT, AGENT_TOKEN)) {
      TokenSet.of(stored).ifPresent(set -> read.put(set.vm().uid(), new Cached(set, now)));
    }
    blocked.clear();
    cache.keySet().retainAll(read.keySet());
    cache.putAll(read);
  }

  /**
   * A new token for the VM, in plain text for this once: give it to the machine. Earlier ones are
   * accepted until the VM shows that it has a newer.
   *
   * @throws SecretStoreException when it cannot be stored
   */
  public String issue(VmRef vm) {
    return add(vm).token();
  }

  /** As {@link #issue}, with the id under which the VM will say that it stored it. */
  Issued add(VmRef vm) {
    return add(vm, true).orElseThrow();
  }

  /**
   * As {@link #add(VmRef)}, for a VM that has a token; empty when it was revoked meanwhile, and
   * then nothing is stored: a VM that was forgotten stays so.
   */
  Optional<Issued> addTo(VmRef vm) {
    return add(vm, false);
  }

  private Optional<Issued> add(VmRef vm, boolean make) {
    byte[] id = new byte[8];
    byte[] secret = new byte[32];
    random.nextBytes(id);
    random.nextBytes(secret);
    String token = Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
    StoredToken stored =
        new StoredToken(
            HexFormat.of().formatHex(id), sha256(token), clock.now().getEpochSecond(), false);
    synchronized (lock(vm)) {
      return change(vm, make, set -> set.plus(stored))
          ? Optional.of(new Issued(stored.id(), token))
          : Optional.empty();
    }
  }

  private Object lock(VmRef vm) {
    return locks.get(Math.floorMod(vm.uid().hashCode(), LOCKS));
  }

  /**
   * Whether a machine's token is one that the hub accepts.
   *
   * @param sha256 the SHA-256 of the token on the machine, in hex
   * @throws SecretStoreException when it cannot be read
   */
  public boolean accepts(VmRef vm, String sha256) {
    Cached cached = cache.get(vm.uid());
    if (cached == null) {
      cached = read(vm.uid());
    }
    return cached != null && cached.tokens().find(sha256).isPresent();
  }

  /**
   * Checks what an agent shows, in a time that tells nothing of how much was right. Blocks for at
   * most one read of a Secret; without an answer of the API server the last one counts.
   */
  Optional<Accepted> verify(String uid, String token) {
    String sha256 = sha256(token);
    Cached cached = cache.get(uid);
    if (cached == null) {
      return Optional.empty();
    }
    Optional<StoredToken> match = cached.tokens().find(sha256);
    Duration age = clock.since(cached.readAt());
    if (age.compareTo(match.isPresent() ? FRESH : REREAD) > 0 && reads.tryAcquire()) {
      try {
        cached = read(uid);
        match = cached == null ? Optional.empty() : cached.tokens().find(sha256);
      } catch (SecretStoreException e) {
        log.warn("{}; the last known tokens count", e.getMessage());
      } finally {
        reads.release();
      }
    }
    if (cached == null) {
      return Optional.empty();
    }
    VmRef vm = cached.tokens().vm();
    long now = clock.now().getEpochSecond();
    return match.map(t -> new Accepted(vm, t.id(), t.confirmed(), now - t.issuedAt()));
  }

  private @Nullable Cached read(String uid) {
    if (blocked.contains(uid)) {
      return null;
    }
    Optional<TokenSet> set =
        secrets
            .get(TokenSet.secretName(uid))
            .flatMap(TokenSet::of)
            .filter(read -> read.vm().uid().equals(uid));
    if (set.isEmpty()) {
      cache.remove(uid);
      return null;
    }
    Cached cached = new Cached(set.get(), clock.nano());
    cache.put(uid, cached);
    return cached;
  }

  /**
   * The VM has this token: it is the confirmed one from now on, and none before it is accepted.
   * Nothing happens for an unknown id.
   *
   * @throws SecretStoreException when it cannot be stored
   */
  void confirm(VmRef vm, String tokenId) {
    boolean _ = change(vm, false, set -> set.confirmed(tokenId));
  }

  /**
   * No token of the VM is accepted any more.
   *
   * @throws SecretStoreException when the Secret cannot be removed; the hub refuses the VM all the
   *     same until it loads again
   */
  public void revoke(VmRef vm) {
    synchronized (lock(vm)) {
      block(vm);
      secrets.delete(TokenSet.secretName(vm.uid()));
      blocked.remove(vm.uid());
    }
  }

  /** Whether the VM has any token. */
  boolean known(VmRef vm) {
    return cache.containsKey(vm.uid());
  }

  /** Refuses the VM at once; {@link #revokeBlocked} makes it last. */
  void block(VmRef vm) {
    blocked.add(vm.uid());
    cache.remove(vm.uid());
  }

  /**
   * As {@link #revoke}, for a VM that is refused since {@link #block}. Nothing happens when it was
   * issued a token since: a VM that comes back keeps its UID.
   *
   * @throws SecretStoreException as {@link #revoke} does
   */
  void revokeBlocked(VmRef vm) {
    synchronized (lock(vm)) {
      if (blocked.contains(vm.uid())) {
        revoke(vm);
      }
    }
  }

  /**
   * Removes the tokens of VMs that are no more: what a crash between a VM's end and {@link #revoke}
   * left.
   *
   * @param uids the UIDs of all ContributedVMs, from a list made after {@link #load}
   * @throws SecretStoreException when one cannot be removed
   */
  public void retain(Set<String> uids) {
    for (Cached cached : cache.values()) {
      VmRef vm = cached.tokens().vm();
      if (!uids.contains(vm.uid())) {
        log.info("{}: the VM is gone, its token goes", vm);
        revoke(vm);
      }
    }
  }

  /** Whether the change stands; it does not only where there is nothing and nothing is made. */
  private boolean change(VmRef vm, boolean make, UnaryOperator<TokenSet> change) {
    String name = TokenSet.secretName(vm.uid());
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      Optional<Stored> stored = secrets.get(name);
      boolean refused = blocked.contains(vm.uid());
      if ((stored.isEmpty() || refused) && !make) {
        return false;
      }
      // What a VM was refused with does not count again because it is given something new.
      TokenSet before =
          stored.filter(_ -> !refused).flatMap(TokenSet::of).orElse(TokenSet.none(vm));
      TokenSet after = change.apply(before);
      if (after.equals(before)) {
        return true;
      }
      Optional<Stored> written =
          stored.isPresent()
              ? secrets.replace(stored.get(), after.data())
              : secrets.create(name, LABELS, after.data());
      if (written.isPresent()) {
        Cached now = new Cached(after, clock.nano());
        if (make) {
          blocked.remove(vm.uid());
          cache.put(vm.uid(), now);
          return true;
        }
        // One that was refused meanwhile must not be accepted again.
        return cache.computeIfPresent(vm.uid(), (uid, old) -> now) != null;
      }
    }
    throw new SecretStoreException(
        "cannot store the token of " + vm,
        new IllegalStateException("changed by somebody else " + MAX_ATTEMPTS + " times"));
  }

  /** In hex. */
  static String sha256(String text) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
