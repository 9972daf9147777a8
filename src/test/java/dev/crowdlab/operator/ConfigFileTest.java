package dev.crowdlab.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crowdlab.hub.DetectorSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigFileTest {

  private static final String SMALLEST = "hub: {advertise: ['10.77.0.1:8443']}\n";

  @Test
  void theSmallestFileGetsTheDefaults() throws Exception {
    Config config = ConfigFile.parse(SMALLEST);

    assertThat(config.namespace()).isEqualTo("crowdlab-system");
    assertThat(config.hub().listen()).isEqualTo(new HostPort("0.0.0.0", 8443));
    assertThat(config.fileServer()).isNull();
    assertThat(config.route().sources()).isEmpty();
    assertThat(config.route().ingressDelay()).isEqualTo(Duration.ofMillis(250));
    assertThat(config.waitingRoom().hold()).isEqualTo(Duration.ofSeconds(5));
    assertThat(config.leaderElection().enabled()).isFalse();
    assertThat(config.release().cleanupBound()).isEqualTo(Duration.ofMinutes(5));
  }

  @Test
  void whatIsLeftOutOfTheDetectionHasItsDefault() throws Exception {
    Config config = ConfigFile.parse(SMALLEST + "detection: {suspicion: {floor: 300ms}}");

    DetectorSettings.Suspicion standard = DetectorSettings.defaults().suspicion();
    assertThat(config.detection().suspicion().floor()).isEqualTo(Duration.ofMillis(300));
    assertThat(config.detection().suspicion().phi()).isEqualTo(standard.phi());
    assertThat(config.detection().storm()).isEqualTo(DetectorSettings.defaults().storm());
  }

  @Test
  void aFileServerGetsItsDefaults() throws Exception {
    Config config =
        ConfigFile.parse(
            SMALLEST
                + "fileServer: {host: files.example.org, hostKey: 'SHA256:x', credentialsSecret:"
                + " f}");

    assertThat(config.fileServer()).isNotNull();
    assertThat(config.fileServer().retention()).isEqualTo(Duration.ofDays(7));
    assertThat(config.fileServer().sftpPort()).isEqualTo(2222);
    assertThat(config.fileServer().usesSudo()).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'hub: {}' | hub.advertise",
        "'hub: {advertise: [nowhere]}' | not host:port: 'nowhere'",
        "'hub: {advertise: [\"a:99999\"]}' | above 65535",
        "'hub: {advertise: [\"fe80::1:80\"]}' | in brackets",
        "'hub: {advertise: [\"a:1\"], advertize: 1}' | there is no field hub.advertize",
        "'hub: {advertise: [\"a:1\"]}\ninstallation: UPPER!' | installation is 'UPPER!'",
        "'hub: {advertise: [\"a:1\"]}\n"
            + "fileServer: {hostKey: k, credentialsSecret: s}' | fileServer.host",
        "'hub: {advertise: [\"a:1\"]}\n"
            + "fileServer: {host: h, credentialsSecret: s}' | fileServer.hostKey",
        "'hub: {advertise: [\"a:1\"]}\n"
            + "fileServer: {host: h, hostKey: k, credentialsSecret: s, retention: ever}' |"
            + " fileServer.retention: not a duration: 'ever'",
        "'hub: {advertise: [\"a:1\"]}\n"
            + "route: {firstPort: 100, lastPort: 200}' | route.lastPort is '200'",
        "'hub: {advertise: [\"a:1\"]}\n"
            + "release: {cleanupBound: 2m}' | release.cleanupBound is '120.000s'",
        "'hub: {advertise: [\"a:1\"]}\nroute: {firstPort: 0}' | route.firstPort is '0'",
        "'hub: {advertise: [\"a:1\"]}\n"
            + "route: {sources: [10.1.0.0/33]}' | route.sources is '10.1.0.0/33'",
        "'hub: {advertise: [\"a:1\"]}\n"
            + "route: {ingressDelay: 11s}' | route.ingressDelay is '11.000s'",
        "'hub: {advertise: [\"a:1\"]}\nnetwork: {deny: [nodes]}' | network.deny is 'nodes'",
        "'hub: {advertise: [\"a:1\"]}\n"
            + "network: {allow: [10.0.0.0/x]}' | network.allow is '10.0.0.0/x'",
        "'hub: {advertise: [\"a:1\"]}\n"
            + "detection: {suspicion: {phi: 99}}' | detection.suspicion.phi is '99.0'",
        "'hub: {advertise: [\"a:1\"]}\n"
            + "detection: {suspicion: {fee: 9}}' | there is no field detection.suspicion.fee",
        "'hub: {advertise: [\"a:1\"]}\n"
            + "detection: {probes: {again: never}}' | detection.probes.again: not a duration",
        "'hub: [' | not YAML",
      })
  void saysWhatIsWrong(String yaml, String message) {
    assertThatThrownBy(() -> ConfigFile.parse(yaml))
        .isInstanceOf(ConfigFile.InvalidConfigException.class)
        .hasMessageContaining(message);
  }

  @Test
  void aValueMayNameAVariableOfTheEnvironment() throws Exception {
    String yaml = SMALLEST + "waitingRoom: {advertise: '$(POD_IP):8090'}";

    Config config = ConfigFile.parse(yaml, Map.of("POD_IP", "10.1.2.3"));

    assertThat(config.waitingRoom().advertise()).isEqualTo(new HostPort("10.1.2.3", 8090));
    assertThatThrownBy(() -> ConfigFile.parse(yaml, Map.of()))
        .isInstanceOf(ConfigFile.InvalidConfigException.class)
        .hasMessageContaining("POD_IP");
  }

  @Test
  void aMissingFileIsNamed() {
    assertThatThrownBy(() -> ConfigFile.read(Path.of("/nonexistent/config.yaml")))
        .isInstanceOf(ConfigFile.InvalidConfigException.class)
        .hasMessageContaining("/nonexistent/config.yaml");
  }
}
