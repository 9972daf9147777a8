package dev.crowdlab.storage;

import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.testbed.LabHost;
import java.util.List;

/**
 * Mounts a workspace with sshfs on a lab host and appends numbered lines to a file in it, each
 * fsynced before it is acknowledged. Nobody stops it: it ends when a write fails.
 */
final class Writer {

  private static final String SCRIPT =
      """
      use strict; use warnings; use IO::Handle;
      my ($file, $tag) = @ARGV;
      open my $out, '>>', $file or die "open: $!";
      for (my $n = 1; ; $n++) {
        print {$out} "$tag $n\\n" or die "write: $!";
        $out->flush or die "flush: $!";
        $out->sync or die "fsync: $!";
        syswrite STDOUT, "$n\\n";
      }
      """;

  private final LabHost host;
  private final String name;

  private Writer(LabHost host, String name) {
    this.host = host;
    this.name = name;
  }

  /** Starts it and waits for its first acknowledged line, whose tag is the name. */
  static Writer start(LabHost host, RealFileServer server, ToAgent.Mount mount, String name) {
    host.write("/root/agent-key", server.privateKey());
    host.write(
        "/root/agent-known-hosts",
        "[%s]:%d %s%n".formatted(mount.address(), mount.port(), mount.hostKey()));
    host.write("/root/writer.pl", SCRIPT);
    host.shell(
        """
        chmod 600 /root/agent-key
        mkdir -p /mnt/%1$s
        systemd-run -q --collect --unit=mount-%1$s sshfs -f -p %2$d \
          -o IdentityFile=/root/agent-key -o UserKnownHostsFile=/root/agent-known-hosts \
          -o StrictHostKeyChecking=yes -o BatchMode=yes -o IdentitiesOnly=yes \
          -o ServerAliveInterval=2 -o ServerAliveCountMax=2 \
          %3$s@%4$s:%5$s /mnt/%1$s
        for i in $(seq 200); do mountpoint -q /mnt/%1$s && break; sleep 0.05; done
        mountpoint -q /mnt/%1$s
        systemd-run -q --collect --unit=writer-%1$s -p StandardOutput=file:/root/acknowledged-%1$s \
          -p StandardError=journal \
          perl /root/writer.pl /mnt/%1$s/lines %1$s
        for i in $(seq 200); do [ -s /root/acknowledged-%1$s ] && break; sleep 0.05; done
        [ -s /root/acknowledged-%1$s ]
        """
            .formatted(name, mount.port(), mount.login(), mount.address(), mount.path()));
    return new Writer(host, name);
  }

  /** The numbers of the lines that were acknowledged so far. */
  List<String> acknowledged() {
    return host.shell("cat /root/acknowledged-" + name).lines().toList();
  }

  boolean writes() {
    return host.succeeds("systemctl", "is-active", "--quiet", "writer-" + name);
  }

  String name() {
    return name;
  }
}
