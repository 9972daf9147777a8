package dev.crowdlab.experiment;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;

/** A fault that a person injects and undoes. */
public record PromptFault(String name, Expectation expectation, BufferedReader in, PrintWriter out)
    implements Fault {

  @Override
  public void inject(Target target) throws FaultException {
    ask("%s: press Enter, and at the same moment do it to machine %s".formatted(name, target.vm()));
  }

  @Override
  public void undo(Target target) throws FaultException {
    ask("%s: undo it on machine %s, then press Enter".formatted(name, target.vm()));
  }

  private void ask(String what) throws FaultException {
    out.println(what);
    out.flush();
    try {
      if (in.readLine() == null) {
        throw new FaultException(
            "standard input is closed: nobody can be asked; name programs with --fault-command"
                + " and --undo-command");
      }
    } catch (IOException e) {
      throw new FaultException("nobody can be asked: " + e.getMessage(), e);
    }
  }
}
