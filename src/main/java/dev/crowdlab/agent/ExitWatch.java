package dev.crowdlab.agent;

import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.function.Consumer;
import java.util.logging.Logger;

/**
 * Hears at once that a container ended: conmon, podman's monitor, then writes a file named after
 * the container. It costs nothing while nothing happens, unlike {@code podman events}; should the
 * place ever move, the workers' slower looks find the same.
 */
final class ExitWatch implements AutoCloseable {

  private static final Logger LOG = Logger.getLogger(ExitWatch.class.getName());

  private final WatchService service;
  private final Consumer<String> ended;

  private ExitWatch(WatchService service, Consumer<String> ended) {
    this.service = service;
    this.ended = ended;
  }

  /** Watches a folder that need not be there yet, on a thread of its own. */
  static ExitWatch start(Path folder, Consumer<String> ended) throws IOException {
    Files.createDirectories(folder);
    ExitWatch watch = new ExitWatch(folder.getFileSystem().newWatchService(), ended);
    folder.register(watch.service, StandardWatchEventKinds.ENTRY_CREATE);
    Thread.ofPlatform().daemon().name("exits").start(watch::watch);
    return watch;
  }

  private void watch() {
    try {
      while (true) {
        WatchKey key = service.take();
        for (WatchEvent<?> event : key.pollEvents()) {
          // conmon writes a hidden file first and renames it.
          if (event.context() instanceof Path name && !name.toString().startsWith(".")) {
            ended.accept(name.toString());
          }
        }
        if (!key.reset()) {
          LOG.warning("the folder of containers' ends is gone; they are noticed later from now on");
          return;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ClosedWatchServiceException e) {
      LOG.finest("closed");
    }
  }

  @Override
  public void close() throws IOException {
    service.close();
  }
}
