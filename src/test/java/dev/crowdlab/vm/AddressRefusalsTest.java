package dev.crowdlab.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.ssh.HostKeyPin;
import dev.crowdlab.ssh.SshCredentials;
import dev.crowdlab.ssh.SshFailure;
import dev.crowdlab.ssh.SshTarget;
import org.junit.jupiter.api.Test;

class AddressRefusalsTest {

  private static final SshTarget ALICE = target("alice-1.example.org");
  private static final SshTarget BOB = target("bob-1.example.org");
  private static final SshFailure OF_THE_CLUSTER =
      new SshFailure.AddressNotAllowed("10.96.0.1", "it belongs to the cluster");

  private final AddressRefusals refusals = new AddressRefusals();

  @Test
  void aRefusalIsToldOnceForEachMachine() {
    assertThat(refusals.isNews(ALICE, OF_THE_CLUSTER)).isTrue();
    assertThat(refusals.isNews(ALICE, OF_THE_CLUSTER)).isFalse();
    assertThat(refusals.isNews(BOB, OF_THE_CLUSTER)).isTrue();
  }

  @Test
  void anotherAddressIsToldAndSoIsARefusalAfterTheMachineWasReached() {
    refusals.isNews(ALICE, OF_THE_CLUSTER);

    assertThat(
            refusals.isNews(
                ALICE, new SshFailure.AddressNotAllowed("127.0.0.1", "it is a loopback address")))
        .isTrue();
    refusals.connected(ALICE);
    assertThat(
            refusals.isNews(
                ALICE, new SshFailure.AddressNotAllowed("127.0.0.1", "it is a loopback address")))
        .isTrue();
  }

  @Test
  void anyOtherFailureIsToldEachTime() {
    SshFailure late = new SshFailure.TimedOut("connecting");

    assertThat(refusals.isNews(ALICE, late)).isTrue();
    assertThat(refusals.isNews(ALICE, late)).isTrue();
  }

  @Test
  void whatIsRememberedIsBounded() {
    refusals.isNews(ALICE, OF_THE_CLUSTER);

    for (int i = 0; i < AddressRefusals.REMEMBERED; i++) {
      refusals.isNews(target("vm-" + i + ".example.org"), OF_THE_CLUSTER);
    }

    assertThat(refusals.isNews(ALICE, OF_THE_CLUSTER)).isTrue();
  }

  private static SshTarget target(String host) {
    return new SshTarget(
        host, 22, "lab", true, new HostKeyPin.Unpinned(), SshCredentials.password("x"));
  }
}
