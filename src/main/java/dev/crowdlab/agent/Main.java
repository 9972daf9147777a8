package dev.crowdlab.agent;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.logging.Level;

/** The agent's entry point. */
public final class Main {

  private static final String USAGE =
      """
      crowdlab-agent run    [--config FILE]   runs the agent; systemd does this
      crowdlab-agent status [--config FILE]   tells what runs here, and for whom
      crowdlab-agent pause  [--config FILE]   asks the lab to move its teams elsewhere for now
      crowdlab-agent resume [--config FILE]   takes a pause, or a leave, back
      crowdlab-agent leave  [--config FILE]   asks the lab to move its teams away and to leave
      """;

  private static final Path DEFAULT_CONFIG = Path.of("/etc/crowdlab/agent.json");

  private Main() {}

  /** Ends with 0 when all went well, 1 when it did not, 2 for a wrong command line. */
  public static void main(String[] args) throws InterruptedException {
    List<String> words = List.of(args);
    boolean withConfig = words.size() == 3 && words.get(1).equals("--config");
    if (!withConfig && words.size() != 1) {
      System.err.print(USAGE);
      System.exit(2);
    }
    Path config = withConfig ? Path.of(words.get(2)) : DEFAULT_CONFIG;
    try {
      switch (words.getFirst()) {
        case "run" -> run(AgentConfig.read(config));
        case "status", "pause", "resume", "leave" ->
            System.out.print(
                ControlServer.ask(
                    AgentConfig.read(config).runDir().resolve("agent.sock"), words.getFirst()));
        default -> {
          System.err.print(USAGE);
          System.exit(2);
        }
      }
    } catch (IOException e) {
      System.err.println("crowdlab-agent: " + e.getMessage());
      System.exit(1);
    }
  }

  private static void run(AgentConfig config) throws IOException, InterruptedException {
    LogLine.install(Boolean.getBoolean("crowdlab.verbose") ? Level.FINE : Level.INFO);
    Agent agent = new Agent(config);
    Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(agent::close));
    agent.start();
    // Daemon threads do the work; a signal ends the process.
    new CountDownLatch(1).await();
  }
}
