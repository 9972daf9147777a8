package dev.crowdlab.ssh;

/** A step over SSH could not be carried out; the connection is not usable any more. */
public final class SshException extends Exception {

  private static final long serialVersionUID = 1L;

  private final transient SshFailure failure;

  public SshException(SshFailure failure) {
    super(failure.toString());
    this.failure = failure;
  }

  public SshException(SshFailure failure, Throwable cause) {
    super(failure.toString(), cause);
    this.failure = failure;
  }

  public SshFailure failure() {
    return failure;
  }
}
