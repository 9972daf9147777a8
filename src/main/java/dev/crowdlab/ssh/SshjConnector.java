package dev.crowdlab.ssh;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.LimitedMap;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import net.schmizz.sshj.userauth.keyprovider.KeyProvider;
import org.jspecify.annotations.Nullable;

/** {@link SshConnector} with sshj. */
public final class SshjConnector implements SshConnector {

  /** How many hosts' key types are remembered. */
  private static final int REMEMBERED = 4096;

  private final SshSettings settings;
  private final AddressPolicy policy;
  private final Resolver resolver;
  private final Semaphore connecting;

  /** By pinned fingerprint: the type of the key that has it, so that it is found at once again. */
  private final Map<String, String> typeOfPin = LimitedMap.byUse(REMEMBERED);

  public SshjConnector(SshSettings settings, AddressPolicy policy, Resolver resolver) {
    this.settings = requireNonNull(settings, "settings");
    this.policy = requireNonNull(policy, "policy");
    this.resolver = requireNonNull(resolver, "resolver");
    this.connecting = new Semaphore(settings.maxConnecting(), true);
  }

  @Override
  public Connection connect(SshTarget target, Deadline deadline) {
    Attempt attempt = new Attempt(target, deadline);
    try {
      return new Connection.Connected(attempt.run());
    } catch (SshException e) {
      return new Connection.Refused(e.failure(), attempt.contact(false));
    }
  }

  /** One call of {@link #connect}. */
  private final class Attempt {

    private final SshTarget target;
    private final Deadline deadline;
    private final long started = System.nanoTime();
    private @Nullable String address;
    private @Nullable HostKey presented;

    private Attempt(SshTarget target, Deadline deadline) {
      this.target = target;
      this.deadline = deadline;
    }

    private Contact contact(boolean authenticated) {
      return new Contact(
          address, presented, authenticated, Duration.ofNanos(System.nanoTime() - started));
    }

    private SshSession run() throws SshException {
      String privateKey = target.credentials().privateKey();
      KeyProvider key =
          privateKey == null
              ? null
              : PrivateKeys.read(
                  Algorithms.config(), privateKey, target.credentials().passphrase());
      try {
        if (!connecting.tryAcquire(deadline.left().toNanos(), TimeUnit.NANOSECONDS)) {
          throw new SshException(new SshFailure.TimedOut("waiting for its turn to connect"));
        }
      } catch (InterruptedException e) {
        throw interrupted(e);
      }
      try {
        InetAddress checked = checkedAddress();
        address = checked.getHostAddress();
        return dial(new InetSocketAddress(checked, target.port()), key);
      } finally {
        connecting.release();
      }
    }

    private InetAddress checkedAddress() throws SshException {
      List<InetAddress> addresses = resolve();
      Map<InetAddress, String> objections = new HashMap<>();
      for (InetAddress candidate : addresses) {
        Optional<String> objection = policy.objection(candidate);
        if (objection.isEmpty()) {
          return AddressPolicy.normalise(candidate);
        }
        objections.put(candidate, objection.get());
      }
      // DNS turns the order of its answers round: always the same one is told.
      InetAddress told =
          Collections.min(objections.keySet(), Comparator.comparing(InetAddress::getHostAddress));
      throw new SshException(
          new SshFailure.AddressNotAllowed(
              told.getHostAddress(), requireNonNull(objections.get(told))));
    }

    /** In a thread of its own: the system's resolver knows no deadline. */
    private List<InetAddress> resolve() throws SshException {
      FutureTask<List<InetAddress>> task = new FutureTask<>(() -> resolver.resolve(target.host()));
      Thread.ofVirtual().name("resolve").start(task);
      try {
        List<InetAddress> addresses = task.get(deadline.left().toNanos(), TimeUnit.NANOSECONDS);
        if (addresses.isEmpty()) {
          throw new SshException(new SshFailure.NameNotResolved());
        }
        return addresses;
      } catch (ExecutionException e) {
        if (e.getCause() instanceof UnknownHostException) {
          throw new SshException(new SshFailure.NameNotResolved(), e);
        }
        throw new IllegalStateException("the resolver failed", e);
      } catch (TimeoutException e) {
        throw new SshException(new SshFailure.TimedOut("its name was looked up"), e);
      } catch (InterruptedException e) {
        throw interrupted(e);
      }
    }

    /**
     * Dials until the pinned key is presented. A host has several keys and presents one, by the
     * order in which the client names the types; a fingerprint does not tell the type. So each
     * further dial asks first for the types not seen yet, and when one of the seen ones comes back
     * there are no others. That makes as many dials as the host has keys at most, none of which but
     * the last one authenticates.
     */
    private SshSession dial(InetSocketAddress to, @Nullable KeyProvider key) throws SshException {
      Map<String, HostKey> seen = new LinkedHashMap<>();
      while (true) {
        PinVerifier verifier = new PinVerifier(target.pin(), proposal(seen));
        SshjSession.Dialled dialled = SshjSession.dial(target, to, verifier, settings, deadline);
        HostKey key0 = verifier.presented();
        presented = key0 == null ? presented : key0;
        if (dialled instanceof SshjSession.Dialled.Trusted trusted) {
          rememberType(requireNonNull(key0));
          return trusted.session().authenticate(key, () -> contact(true));
        }
        HostKey untrusted = ((SshjSession.Dialled.Untrusted) dialled).presented();
        boolean known = seen.put(untrusted.type(), untrusted) != null;
        HostKey first = seen.values().iterator().next();
        switch (target.pin()) {
          case HostKeyPin.Unpinned() ->
              throw new SshException(new SshFailure.UnknownHostKey(untrusted));
          case HostKeyPin.Key _ -> throw new SshException(new SshFailure.HostKeyChanged(untrusted));
          case HostKeyPin.Fingerprint _ -> {
            if (known || Algorithms.typesBeside(seen.keySet()).isEmpty()) {
              presented = first;
              throw new SshException(new SshFailure.HostKeyChanged(first));
            }
          }
        }
      }
    }

    private List<String> proposal(Map<String, HostKey> seen) {
      return switch (target.pin()) {
        case HostKeyPin.Unpinned() -> List.of();
        case HostKeyPin.Key(HostKey key) -> Algorithms.namesOf(List.of(key.type()));
        case HostKeyPin.Fingerprint(String sha256) -> {
          String type = seen.isEmpty() ? rememberedType(sha256) : null;
          yield Algorithms.namesOf(
              type != null ? List.of(type) : Algorithms.typesBeside(seen.keySet()));
        }
      };
    }
  }

  private void rememberType(HostKey key) {
    synchronized (typeOfPin) {
      typeOfPin.put(key.fingerprint(), key.type());
    }
  }

  private @Nullable String rememberedType(String fingerprint) {
    synchronized (typeOfPin) {
      return typeOfPin.get(fingerprint);
    }
  }

  private static SshException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new SshException(new SshFailure.ConnectionLost("the operator was stopping"), e);
  }

  /** What an exception on the way to an authenticated connection means. */
  static SshFailure unreachable(IOException e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof SocketTimeoutException || cause instanceof TimeoutException) {
        return new SshFailure.TimedOut("connecting");
      }
      if (cause instanceof NoRouteToHostException) {
        return new SshFailure.Unreachable("there is no route to the machine");
      }
      if (cause instanceof ConnectException) {
        return new SshFailure.Unreachable("nothing accepts connections on the machine's port");
      }
    }
    return new SshFailure.Unreachable("the machine's port does not speak SSH as it should");
  }
}
