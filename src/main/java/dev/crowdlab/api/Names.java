package dev.crowdlab.api;

/** The names that stand in users' YAML, in the cluster and in more than one of our packages. */
public final class Names {
  /** API group of both kinds. */
  public static final String GROUP = "crowdlab.dev";

  /** API version of both kinds. */
  public static final String VERSION = "v1alpha1";

  /** Category of both kinds: {@code kubectl get crowdlab}. */
  public static final String CATEGORY = "crowdlab";

  /** Field manager of everything we apply. */
  public static final String FIELD_MANAGER = "crowdlab";

  /** Finalizer on both kinds; what it waits for is bounded. */
  public static final String FINALIZER = "crowdlab.dev/cleanup";

  /** Annotation: the fingerprint of the host key that a person approves. */
  public static final String APPROVE_HOST_KEY = "crowdlab.dev/approve-host-key";

  /** Annotation: the id of the quarantine that a person ends. */
  public static final String RELEASE = "crowdlab.dev/release";

  /** Annotation: the id under which a machine left that a person takes in again. */
  public static final String REJOIN = "crowdlab.dev/rejoin";

  /**
   * Annotation: the epoch of the binding that a person wants replaced; another epoch does nothing.
   */
  public static final String REBIND = "crowdlab.dev/rebind";

  /** Annotation: {@value #TRUE} stops our hands on the object. */
  public static final String PAUSED = "crowdlab.dev/paused";

  /** Annotation: {@value #TRUE} on an object that is being deleted skips its clean-up. */
  public static final String FORCE_DELETE = "crowdlab.dev/force-delete";

  /** What {@link #PAUSED} and {@link #FORCE_DELETE} must carry; everything else does nothing. */
  public static final String TRUE = "true";

  /**
   * Label on a team's children: the LabTeam's UID. A UID, because a name may be longer than a label
   * value.
   */
  public static final String TEAM_UID_LABEL = "crowdlab.dev/team-uid";

  /** Label on what belongs to a ContributedVM: its UID. */
  public static final String VM_UID_LABEL = "crowdlab.dev/vm-uid";

  /** Label on everything we create, with the value {@link #FIELD_MANAGER}. */
  public static final String MANAGED_BY_LABEL = "app.kubernetes.io/managed-by";

  /** Type that the Secret of {@code spec.ssh.credentialsSecretRef} must have. */
  public static final String SSH_SECRET_TYPE = "kubernetes.io/ssh-auth";

  /** Key of an SSH Secret: the private key; blank when there is a password. */
  public static final String SSH_PRIVATE_KEY = "ssh-privatekey";

  /** Key of an SSH Secret: the private key's passphrase; optional. */
  public static final String SSH_PASSPHRASE = "passphrase";

  /** Key of an SSH Secret: the user's password; optional. */
  public static final String SSH_PASSWORD = "password";

  private Names() {}
}
