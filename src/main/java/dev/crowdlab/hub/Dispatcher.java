package dev.crowdlab.hub;

import dev.crowdlab.core.VmRef;
import dev.crowdlab.protocol.FromAgent.Notice;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the listeners, on a thread of its own, in the order of the events. News of one matter that
 * wait become one piece of news, the latest, so what waits is bounded by the VMs and the teams that
 * were ordered on them.
 */
final class Dispatcher implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Dispatcher.class);

  private final List<AgentListener> listeners = new CopyOnWriteArrayList<>();
  private final Map<Matter, News> waiting = new LinkedHashMap<>();
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().name("crowdlab-hub-news").factory());
  private boolean busy;

  private sealed interface Matter {}

  private record SessionOf(VmRef vm) implements Matter {}

  private record HealthOf(VmRef vm) implements Matter {}

  private record TeamOn(VmRef vm, String namespace, String name) implements Matter {}

  private record NoticeOf(VmRef vm, Notice.Kind kind) implements Matter {}

  private record DiskOf(VmRef vm) implements Matter {}

  @FunctionalInterface
  private interface News {
    void tell(AgentListener listener);
  }

  void listen(AgentListener listener) {
    listeners.add(listener);
  }

  void session(VmRef vm) {
    add(new SessionOf(vm), listener -> listener.sessionChanged(vm));
  }

  void health(VmRef vm, VmHealth health) {
    add(new HealthOf(vm), listener -> listener.healthChanged(vm, health));
  }

  void team(VmRef vm, String namespace, String name) {
    add(new TeamOn(vm, namespace, name), listener -> listener.teamChanged(vm, namespace, name));
  }

  void notice(VmRef vm, Notice.Kind kind) {
    add(new NoticeOf(vm, kind), listener -> listener.notice(vm, kind));
  }

  void disk(VmRef vm) {
    add(new DiskOf(vm), listener -> listener.diskChanged(vm));
  }

  private synchronized void add(Matter matter, News news) {
    waiting.put(matter, news);
    if (!busy) {
      busy = true;
      try {
        thread.execute(this::tellAll);
      } catch (RejectedExecutionException e) {
        waiting.clear();
      } catch (Error e) {
        // There was no thread to be had: the next news tries again, with this one.
        busy = false;
        throw e;
      }
    }
  }

  private void tellAll() {
    for (News news = next(); news != null; news = next()) {
      for (AgentListener listener : listeners) {
        try {
          news.tell(listener);
        } catch (RuntimeException | Error e) {
          // Not even an error may end this: nobody would be told of anything any more.
          log.error("a listener failed; the others are told", e);
        }
      }
    }
  }

  private synchronized @Nullable News next() {
    var first = waiting.entrySet().iterator();
    if (!first.hasNext()) {
      busy = false;
      return null;
    }
    News news = first.next().getValue();
    first.remove();
    return news;
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
