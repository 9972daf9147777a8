package dev.crowdlab.integrity;

import dev.crowdlab.integrity.Facts.AuthorizedKey;
import dev.crowdlab.integrity.Facts.Listener;
import dev.crowdlab.integrity.Facts.PackageFinding;
import dev.crowdlab.integrity.Facts.ProtectedFile;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Facts of a healthy Debian machine; a test changes what it is about. */
public final class SampleFacts {

  public static final String SSHD = "/usr/sbin/sshd";
  public static final String SUDOERS = "/etc/sudoers";
  public static final String OLD = "openssh-server=1:9.2p1-2+deb12u2";
  public static final String NEW = "openssh-server=1:9.2p1-2+deb12u3";

  public String os = "debian";
  public String osVersion = "12";
  public String kernel = "6.1.0-18-amd64";
  public int cpus = 2;
  public long memoryBytes = 3_900L << 20;
  public long diskFreeBytes = 40L << 30;
  public String machineId = hex('1');
  public String bootId = "5b7a9a6c-0d4c-4c3f-9a57-4b2f1c8f3d10";
  public long taint;
  public String agentVersion;
  public List<PackageFinding> verification = new ArrayList<>();
  public Map<String, ProtectedFile> files = new LinkedHashMap<>();
  public List<String> uidZero = new ArrayList<>(List.of("root"));
  public List<AuthorizedKey> keys = new ArrayList<>();
  public List<Listener> listeners = new ArrayList<>();
  public List<String> unmeasured = new ArrayList<>();

  public SampleFacts() {
    file(SSHD, 'a', "755:0:0", OLD);
    file(SUDOERS, 'b', "440:0:0", "sudo=1.9.13p3-1+deb12u1");
    file("/etc/ssh/sshd_config", 'c', "644:0:0", null);
    keys.add(new AuthorizedKey("root", hex('4')));
    listeners.add(new Listener("tcp", "0.0.0.0", 22));
  }

  public static String hex(char c) {
    return String.valueOf(c).repeat(64);
  }

  public SampleFacts file(String path, char content, String mode, String owner) {
    files.put(path, new ProtectedFile(hex(content), mode, owner));
    return this;
  }

  public SampleFacts link(String path, String target) {
    files.put(path, new ProtectedFile("link:" + target, "777:0:0", null));
    return this;
  }

  public SampleFacts verified(String path, boolean missing, boolean configuration) {
    verification.add(new PackageFinding(path, missing, configuration));
    return this;
  }

  public Facts facts() {
    return new Facts(
        os,
        osVersion,
        "Debian GNU/Linux 12 (bookworm)",
        kernel,
        "x86_64",
        cpus,
        memoryBytes,
        diskFreeBytes,
        machineId,
        bootId,
        taint,
        "apt",
        "systemd",
        agentVersion,
        Map.of("podman", true),
        verification,
        files,
        uidZero,
        keys,
        listeners,
        unmeasured);
  }
}
