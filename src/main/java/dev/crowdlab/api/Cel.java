package dev.crowdlab.api;

/**
 * The CEL expressions that the API server checks, so that a mistake is refused when it is applied.
 * Their messages stand where they are used. They need Kubernetes 1.31 (quantities, IP addresses).
 */
final class Cel {
  /** {@code self} is an integer or a string. */
  static final String QUANTITY =
      "isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('0')) >= 0";

  static final String QUANTITY_ABOVE_ZERO =
      "isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('0')) > 0";

  static final String QUANTITIES =
      "self.all(k, isQuantity(string(self[k]))"
          + " && quantity(string(self[k])).compareTo(quantity('0')) >= 0)";

  static final String RESOURCE_NAMES = "self.all(k, k in ['cpu', 'memory'])";

  static final String REQUESTS_WITHIN_LIMITS =
      "!has(self.limits) || !has(self.requests) || self.requests.all(k, !(k in self.limits)"
          + " || !isQuantity(string(self.requests[k])) || !isQuantity(string(self.limits[k]))"
          + " || quantity(string(self.requests[k]))"
          + ".compareTo(quantity(string(self.limits[k]))) <= 0)";

  private static final String SUBDOMAIN_EXPRESSION =
      "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?([.][a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*";

  /** RFC 1123 names as Kubernetes takes them for its objects and for the hosts of an Ingress. */
  static final String SUBDOMAIN = "self.matches('^" + SUBDOMAIN_EXPRESSION + "$')";

  static final String NOT_AN_IP = "!isIP(self)";

  /** RFC 1123 label. */
  static final String LABEL = "self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')";

  /** A name whose last part is a number would be a mistyped IPv4 address. */
  static final String HOST =
      "isIP(self) || (self.matches('^[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?"
          + "([.][A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*[.]?$')"
          + " && !self.matches('(^|[.])[0-9]+[.]?$'))";

  static final String USER = "self.matches('^[A-Za-z0-9_][A-Za-z0-9_.-]*[$]?$')";

  /**
   * A key line is complete when its base64 has the length that its type demands (RFC 4253, 5656,
   * 8709); an RSA key has no fixed length, but ends on a whole group and has 1024 bits or more.
   */
  static final String HOST_KEY =
      "self.matches('^SHA256:[A-Za-z0-9+/]{43}=?$')"
          + " || self.matches('^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI[A-Za-z0-9+/]{43}( .*)?$')"
          + " || self.matches('^ecdsa-sha2-nistp256"
          + " AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABB[A-Za-z0-9+/]{87}=( .*)?$')"
          + " || self.matches('^ecdsa-sha2-nistp384"
          + " AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABh[A-Za-z0-9+/]{130}==( .*)?$')"
          + " || self.matches('^ecdsa-sha2-nistp521"
          + " AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACF[A-Za-z0-9+/]{178}==( .*)?$')"
          + " || (self.size() > 200 && self.matches('^ssh-rsa AAAAB3NzaC1yc2EAAAA[A-Z]"
          + "([A-Za-z0-9+/]{4})+([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?( .*)?$'))";

  static final String ABSOLUTE = "self.startsWith('/')";

  static final String NO_DOT_DOT = "!self.matches('(^|/)[.][.](/|$)')";

  static final String MOUNTABLE =
      "!self.matches('^[/.]*$') && !self.matches('^[/.]*/(proc|sys|dev)(/|$)')"
          + " && !self.matches('[\\\\x00-\\\\x1f\\\\x7f:,\"\\\\x27]')";

  static final String PATHS =
      "self.all(p, p.startsWith('/') && !p.matches('(^|/)[.][.](/|$)')"
          + " && !p.matches('[\\\\x00-\\\\x1f\\\\x7f]'))";

  /** What Kubernetes takes as an Ingress path of type Prefix, and no query. */
  static final String URL_PATH =
      "!self.matches('//|/[.](/|$)|/[.][.](/|$)|%2[fF]') && self.matches('^[!-~]*$')"
          + " && !self.matches('[?#\\\\x22\\\\x27<>;{}]')";

  static final String DISTRIBUTIONS = "self.all(d, d.matches('^[a-z0-9._-]+(:[A-Za-z0-9._-]+)?$'))";

  static final String KERNEL = "self.matches('^[0-9]+[.][0-9]+([.][0-9]+)?$')";

  static final String TIME_OF_DAY = "self.matches('^([01][0-9]|2[0-3]):[0-5][0-9]$')";

  static final String TIME_ZONE = "self.matches('^[A-Za-z][A-Za-z0-9_+/-]*$')";

  static final String DURATION =
      "self.matches('^([0-9]{1,4}d)?([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,7}s)?$')"
          + " && self.matches('[1-9]')";

  /** Since Kubernetes 1.34 everything printable but the equals sign. */
  static final String ENV_NAME = "self.matches('^[ -<>-~]+$')";

  /** The agent sets variables of such names itself, after the exercise's own. */
  static final String NOT_RESERVED_ENV_NAME = "!self.startsWith('CROWDLAB_')";

  /** As for a Kubernetes container's port. */
  static final String PORT_NAME =
      "self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && self.matches('[a-z]')"
          + " && !self.contains('--')";

  static final String IMAGE = "self.matches('^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$')";

  static final String ANNOTATION_KEYS =
      "self.all(k, k.size() <= 317 && k.matches('^("
          + SUBDOMAIN_EXPRESSION
          + "/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'))";

  static final String UNIQUE_CONTAINERS =
      "self.containers.all(c, self.containers.exists_one(d, d.name == c.name))";

  /** Within one container, so that the rule over all of them stays cheap. */
  static final String UNIQUE_PORT_NAMES_OF_ONE =
      "!has(self.ports) || self.ports.all(p, !has(p.name)"
          + " || self.ports.exists_one(q, has(q.name) && q.name == p.name))";

  static final String UNIQUE_PORT_NAMES =
      "self.containers.all(c, !has(c.ports) || c.ports.all(p, !has(p.name)"
          + " || self.containers.exists_one(d, has(d.ports)"
          + " && d.ports.exists(q, has(q.name) && q.name == p.name))))";

  static final String ACCESS_PORT =
      "self.exercise.containers.exists(c, has(c.ports) && c.ports.exists(p,"
          + " has(p.name) && p.name == self.access.port && p.protocol == 'TCP'))";

  private Cel() {}
}
