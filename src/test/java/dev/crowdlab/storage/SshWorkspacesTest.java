package dev.crowdlab.storage;

import static dev.crowdlab.storage.WorkspacesContract.assertFailed;
import static dev.crowdlab.storage.WorkspacesContract.done;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.ssh.HostKeyPin;
import dev.crowdlab.ssh.SshCredentials;
import dev.crowdlab.ssh.SshFailure;
import dev.crowdlab.ssh.SshTarget;
import dev.crowdlab.storage.Workspaces.AdvanceRequest;
import dev.crowdlab.storage.Workspaces.Advanced;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SshWorkspacesTest {

  private static final WorkspaceId ID = new WorkspaceId("abcdef-abcdefghijklmnop");
  private static final String KEY =
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN/nC5FCbwFj7MRSXvWLjUkDTgd6HOJI6Xv5bBbPQM4n";
  private static final SshFailure LOST = new SshFailure.ConnectionLost("it carried out a command");

  private final ScriptedServer server = new ScriptedServer();
  private final AtomicReference<Outcome<SshTarget>> target =
      new AtomicReference<>(Outcome.done(target("root", "one")));
  private final SshWorkspaces workspaces =
      new SshWorkspaces(
          FileServerSettings.of("files", "/srv/data", 2222), target::get, server, new Random(1));

  @AfterEach
  void close() {
    workspaces.close();
  }

  @Test
  void an_advance_is_one_command_and_becomes_a_mount() {
    server.says(
        "result=done",
        "epoch=3",
        "quota=on",
        "login=e3-" + ID,
        "path=/data",
        "port=2222",
        "host-key=" + KEY);

    Advanced advanced = done(workspaces.advance(request(3, KEY), soon()));

    assertThat(advanced)
        .isEqualTo(
            new Advanced(
                3, new ToAgent.Mount("10.77.0.2", 2222, "e3-" + ID, "/data", KEY, false), true));
    assertThat(server.asked()).hasSize(1);
    assertThat(server.asked().getFirst().words()).hasSize(1);
    assertThat(server.asked().getFirst().stdin())
        .startsWith(
            "verb=advance\nid=%s\nepoch=3\nvm=vm-1\nkey=%s\nsize=1024\nbound-ms="
                .formatted(ID, KEY))
        .endsWith("\nend\n");
  }

  @Test
  void an_advance_without_a_key_has_no_mount() {
    server.says("result=done", "epoch=4", "quota=off");

    assertThat(done(workspaces.advance(request(4, null), soon())))
        .isEqualTo(new Advanced(4, null, false));
    assertThat(server.asked().getFirst().stdin()).contains("\nkey=\n");
  }

  @Test
  void a_key_with_options_never_leaves_the_operator() {
    assertThatThrownBy(() -> workspaces.advance(request(1, "command=\"sh\" " + KEY), soon()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(server.attempts()).isZero();
  }

  @Test
  void a_server_without_the_script_is_prepared_and_asked_again() {
    server
        .answers(127, "", "bash: line 1: no such file")
        .answers(1, "", "")
        .answers(0, "", "")
        .says("result=done", "port=2222", "host-key=" + KEY, "quota=on")
        .says("result=done", "highest=7");

    assertThat(done(workspaces.highestEpoch(ID, soon()))).isEqualTo(7);

    assertThat(server.verbs()).containsExactly("highest", "check", "install", "prepare", "highest");
  }

  @Test
  void a_server_that_has_the_script_but_was_reset_is_prepared_and_asked_again() {
    server
        .says("result=failed", "code=not-prepared", "text=the file server is not prepared")
        .answers(0, "", "")
        .says("result=done", "port=2222", "host-key=" + KEY, "quota=on")
        .says("result=done", "highest=7");

    assertThat(done(workspaces.highestEpoch(ID, soon()))).isEqualTo(7);

    assertThat(server.verbs()).containsExactly("highest", "check", "prepare", "highest");
  }

  @Test
  void a_preparation_that_fails_is_the_failure_of_what_needed_it() {
    server
        .answers(127, "", "")
        .answers(0, "", "")
        .says("result=failed", "code=data-missing", "text=is its disk mounted?");

    assertFailed(
        workspaces.highestEpoch(ID, soon()),
        Failure.Kind.TRANSIENT,
        Reason.FILE_SERVER_UNAVAILABLE);
  }

  @Test
  void a_user_other_than_root_goes_through_sudo() {
    target.set(Outcome.done(target("keeper", "one")));
    server.says("result=done", "highest=0");

    done(workspaces.highestEpoch(ID, soon()));

    assertThat(server.asked().getFirst().words()).startsWith("sudo", "-n", "--").hasSize(4);
  }

  @Test
  void sudo_that_wants_a_password_is_said() {
    target.set(Outcome.done(target("keeper", "one")));
    server.answers(1, "", "sudo: a password is required\n");

    assertThat(message(workspaces.highestEpoch(ID, soon()))).contains("sudo without a password");
    assertThat(server.asked()).hasSize(1);
  }

  @Test
  void a_missing_script_behind_sudo_is_installed() {
    target.set(Outcome.done(target("keeper", "one")));
    server
        .answers(1, "", "sudo: /usr/local/lib/crowdlab/x: command not found\n")
        .answers(0, "", "")
        .says("result=done", "port=2222", "host-key=" + KEY, "quota=on")
        .says("result=done", "highest=0");

    done(workspaces.highestEpoch(ID, soon()));
  }

  @ParameterizedTest
  @CsvSource({
    "stale-epoch, TERMINAL, EPOCH_REFUSED",
    "retired, TERMINAL, EPOCH_REFUSED",
    "unknown, TERMINAL, FILE_SERVER_UNAVAILABLE",
    "unproven, TRANSIENT, FENCE_UNPROVEN",
    "locked, TRANSIENT, FENCE_UNPROVEN",
    "data-missing, TRANSIENT, FILE_SERVER_UNAVAILABLE",
    "no-uid, TRANSIENT, FILE_SERVER_UNAVAILABLE",
    "internal, TRANSIENT, FILE_SERVER_UNAVAILABLE",
    "from-a-later-version, TRANSIENT, FILE_SERVER_UNAVAILABLE",
  })
  void each_of_the_scripts_codes_has_its_reason(String code, Failure.Kind kind, Reason reason) {
    server.says("result=failed", "code=" + code, "text=why");

    assertFailed(workspaces.advance(request(1, KEY), soon()), kind, reason);
  }

  @Test
  void an_internal_failure_keeps_its_numbers_out_of_the_condition() {
    server.says("result=failed", "code=internal", "text=/var/lib/x.4711: No space left");

    assertThat(message(workspaces.highestEpoch(ID, soon())))
        .isEqualTo("the file server failed at highest");
  }

  @ParameterizedTest
  @CsvSource({"'result=done\nhigh'", "'result=done\nend\n'", "'Welcome!\n'", "'highest=3\nend\n'"})
  void an_answer_that_is_cut_short_or_makes_no_sense_is_a_passing_failure(String output) {
    server.answers(0, output, "");

    assertFailed(
        workspaces.highestEpoch(ID, soon()),
        Failure.Kind.TRANSIENT,
        Reason.FILE_SERVER_UNAVAILABLE);
  }

  @Test
  void those_that_stand_are_asked_for_until_there_are_no_more() {
    WorkspaceId other = new WorkspaceId("abcdef-bbbbbbbbbbbbbbbb");
    WorkspaceId last = new WorkspaceId("abcdef-cccccccccccccccc");
    server
        .says("result=done", "ids=" + ID + " " + other, "more=yes")
        .says("result=done", "ids=" + last, "more=no")
        .says("result=done", "ids=", "more=no");

    assertThat(done(workspaces.standing("abcdef", soon())))
        .containsExactlyInAnyOrder(ID, other, last);
    assertThat(done(workspaces.standing("abcdef", soon()))).isEmpty();

    assertThat(server.asked().getFirst().stdin())
        .isEqualTo("verb=standing\ninstallation=abcdef\nafter=\nend\n");
    assertThat(server.asked().get(1).stdin()).contains("\nafter=" + other + "\n");
  }

  @Test
  void a_page_that_is_missing_leaves_no_list() {
    server
        .says("result=done", "ids=" + ID, "more=yes")
        .says("result=failed", "code=data-missing", "text=why");

    assertFailed(
        workspaces.standing("abcdef", soon()),
        Failure.Kind.TRANSIENT,
        Reason.FILE_SERVER_UNAVAILABLE);
  }

  @Test
  void what_is_no_workspace_makes_no_sense_among_them() {
    server.says("result=done", "ids=" + ID + " ../etc", "more=no");

    assertFailed(
        workspaces.standing("abcdef", soon()),
        Failure.Kind.TRANSIENT,
        Reason.FILE_SERVER_UNAVAILABLE);
  }

  @Test
  void the_connection_is_kept() {
    server.says("result=done", "highest=1").says("result=done", "highest=2");

    workspaces.highestEpoch(ID, soon());
    workspaces.highestEpoch(ID, soon());

    assertThat(server.attempts()).isEqualTo(1);
  }

  @Test
  void a_call_that_meets_a_connection_which_broke_unnoticed_is_made_again() {
    server.says("result=done", "highest=1").breaks(LOST).says("result=done", "highest=2");
    workspaces.highestEpoch(ID, soon());

    assertThat(done(workspaces.highestEpoch(ID, soon()))).isEqualTo(2);
    assertThat(server.attempts()).isEqualTo(2);
    assertThat(server.open()).isEqualTo(1);
  }

  @Test
  void a_call_that_breaks_every_connection_is_given_up() {
    server.breaks(LOST).breaks(LOST);

    assertFailed(
        workspaces.highestEpoch(ID, soon()),
        Failure.Kind.TRANSIENT,
        Reason.FILE_SERVER_UNAVAILABLE);
    assertThat(server.asked()).hasSize(2);
  }

  @Test
  void a_server_that_refuses_is_not_pestered() {
    server.refuse(new SshFailure.AuthenticationFailed("root", "publickey"));

    List<String> messages =
        List.of(
            message(workspaces.highestEpoch(ID, soon())),
            message(workspaces.highestEpoch(ID, soon())));

    assertThat(messages.getFirst()).contains("refused the credentials of root");
    assertThat(messages.getLast()).isEqualTo(messages.getFirst());
    assertThat(server.attempts()).isEqualTo(1);
  }

  @Test
  void corrected_credentials_are_tried_within_seconds() {
    server.refuse(new SshFailure.AuthenticationFailed("root", "publickey"));
    workspaces.highestEpoch(ID, soon());

    server.refuse(null);
    server.says("result=done", "highest=3");
    target.set(Outcome.done(target("root", "two")));

    awaitHighest(3);
  }

  @Test
  void a_missing_secret_is_said_and_one_that_appears_is_used_within_seconds() {
    target.set(Outcome.later(Reason.SECRET_NOT_FOUND, "the Secret files-ssh does not exist"));
    Outcome<Long> missing = workspaces.highestEpoch(ID, soon());
    // A team's SecretNotFound is about its own Secret.
    assertFailed(missing, Failure.Kind.TRANSIENT, Reason.FILE_SERVER_UNAVAILABLE);
    assertThat(missing.toString()).contains("the Secret files-ssh does not exist");

    server.says("result=done", "highest=3");
    target.set(Outcome.done(target("root", "one")));

    awaitHighest(3);
  }

  @Test
  void a_started_one_opens_the_connection_and_opens_it_again() {
    workspaces.start();
    await().atMost(Duration.ofSeconds(10)).until(() -> server.open() == 1);

    server.dropConnections();

    await().atMost(Duration.ofSeconds(10)).until(() -> server.open() == 1);
    assertThat(server.attempts()).isEqualTo(2);
  }

  @Test
  void a_closed_one_leaves_no_connection() {
    server.says("result=done", "highest=1");
    workspaces.highestEpoch(ID, soon());

    workspaces.close();

    assertThat(server.open()).isZero();
    assertFailed(
        workspaces.highestEpoch(ID, soon()),
        Failure.Kind.TRANSIENT,
        Reason.FILE_SERVER_UNAVAILABLE);
  }

  private void awaitHighest(long expected) {
    await()
        .atMost(Duration.ofSeconds(10))
        .until(() -> workspaces.highestEpoch(ID, soon()), Outcome.done(expected)::equals);
  }

  private static AdvanceRequest request(long epoch, String key) {
    return new AdvanceRequest(ID, epoch, "vm-1", key, 1024);
  }

  private static String message(Outcome<?> outcome) {
    assertThat(outcome).isInstanceOf(Outcome.Failed.class);
    return ((Outcome.Failed<?>) outcome).failure().message();
  }

  private static SshTarget target(String user, String key) {
    return new SshTarget(
        "10.77.0.2",
        22,
        user,
        !user.equals("root"),
        HostKeyPin.parse(KEY),
        SshCredentials.key(key));
  }

  private static Deadline soon() {
    return Deadline.in(Duration.ofSeconds(10));
  }
}
