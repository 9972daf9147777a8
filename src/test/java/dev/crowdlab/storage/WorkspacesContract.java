package dev.crowdlab.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.Outcome.Done;
import dev.crowdlab.core.Outcome.Failed;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.storage.Workspaces.AdvanceRequest;
import dev.crowdlab.storage.Workspaces.Advanced;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What {@link Workspaces} promises, held against the fake and against a real file server. */
abstract class WorkspacesContract {

  private static final String VM = "5b0fd2b6-9b1d-4c57-9d7a-0c6a2a4f1a01";
  private static final String OTHER_VM = "77e5a7a1-0d3f-4a3e-8f8e-3d0b7f1c2b02";
  private static final long SIZE = 1L << 20;

  private final WorkspaceId id = someId();

  abstract Workspaces workspaces();

  /** A key that {@link #canWrite} uses. */
  abstract String key();

  /** Whether a new session with {@link #key} can write where the mount leads. */
  abstract boolean canWrite(ToAgent.Mount mount) throws Exception;

  static Deadline soon() {
    return Deadline.in(Duration.ofSeconds(20));
  }

  static WorkspaceId someId() {
    return WorkspaceIds.of("testab", UUID.randomUUID().toString());
  }

  @Test
  void the_epoch_that_was_advanced_to_can_write() throws Exception {
    ToAgent.Mount mount = mount(advance(1, VM, key()));

    assertThat(canWrite(mount)).isTrue();
    assertThat(mount.path()).startsWith("/");
    assertThat(mount.login()).hasSizeLessThanOrEqualTo(32);
  }

  @Test
  void a_higher_epoch_takes_the_pen_from_the_lower_one() throws Exception {
    ToAgent.Mount first = mount(advance(1, VM, key()));

    ToAgent.Mount second = mount(advance(2, OTHER_VM, key()));

    assertThat(canWrite(second)).isTrue();
    assertThat(canWrite(first)).isFalse();
  }

  @Test
  void epochs_may_be_skipped() throws Exception {
    advance(1, VM, key());

    assertThat(canWrite(mount(advance(7, VM, key())))).isTrue();
    assertThat(highest()).isEqualTo(7);
  }

  @Test
  void the_highest_epoch_there_is_has_a_login_too() throws Exception {
    ToAgent.Mount mount = mount(advance(Workspaces.MAX_EPOCH, VM, key()));

    assertThat(canWrite(mount)).isTrue();
    assertThat(mount.login()).hasSizeLessThanOrEqualTo(32);
  }

  @Test
  void a_repeat_of_a_completed_advance_is_done_with_the_same_mount() throws Exception {
    Advanced first = done(advance(3, VM, key()));

    Advanced again = done(advance(3, VM, key()));

    assertThat(again).isEqualTo(first);
    assertThat(canWrite(mount(advance(3, VM, key())))).isTrue();
  }

  @Test
  void a_size_changes_within_an_epoch() throws Exception {
    ToAgent.Mount before = mount(advance(1, VM, key()));

    Advanced resized =
        done(workspaces().advance(new AdvanceRequest(id, 1, VM, key(), 2 * SIZE), soon()));

    assertThat(resized.mount()).isEqualTo(before);
    assertThat(canWrite(before)).isTrue();
  }

  @Test
  void a_lower_epoch_is_refused_and_takes_nothing_from_the_present_one() throws Exception {
    ToAgent.Mount present = mount(advance(5, VM, key()));

    assertRefused(advance(4, OTHER_VM, key()));

    assertThat(canWrite(present)).isTrue();
    assertThat(highest()).isEqualTo(5);
  }

  @Test
  void the_highest_epoch_for_another_vm_or_key_is_refused() throws Exception {
    ToAgent.Mount present = mount(advance(5, VM, key()));

    assertRefused(advance(5, OTHER_VM, key()));
    assertRefused(advance(5, VM, null));

    assertThat(canWrite(present)).isTrue();
  }

  @Test
  void nobody_can_write_to_a_workspace_at_rest() throws Exception {
    ToAgent.Mount before = mount(advance(1, VM, key()));

    Advanced rest = done(advance(2, VM, null));

    assertThat(rest.mount()).isNull();
    assertThat(canWrite(before)).isFalse();
    assertThat(canWrite(mount(advance(3, VM, key())))).isTrue();
  }

  @Test
  void the_highest_epoch_of_an_unknown_workspace_is_zero() {
    assertThat(highest()).isZero();
  }

  @Test
  void nobody_can_write_to_a_retired_workspace_and_no_epoch_brings_it_back() throws Exception {
    ToAgent.Mount before = mount(advance(2, VM, key()));

    done(workspaces().retire(id, Duration.ofDays(7), soon()));

    assertThat(canWrite(before)).isFalse();
    assertRefused(advance(3, VM, key()));
    assertThat(highest()).isEqualTo(2);
  }

  @Test
  void a_retirement_can_be_repeated_and_an_unknown_workspace_is_retired_already() {
    done(workspaces().retire(someId(), Duration.ofDays(7), soon()));
    done(advance(1, VM, key()));

    done(workspaces().retire(id, Duration.ofDays(7), soon()));
    done(workspaces().retire(id, Duration.ofDays(7), soon()));
  }

  @Test
  void a_workspace_that_was_retired_before_it_came_to_be_never_comes_to_be() {
    done(workspaces().retire(id, Duration.ZERO, soon()));

    assertRefused(advance(1, VM, key()));
    assertRefused(advance(2, VM, null));

    assertThat(highest()).isZero();
    assertThat(workspaces().usage(id, soon())).isInstanceOf(Failed.class);
    done(workspaces().retire(id, Duration.ofDays(7), soon()));
    assertRefused(advance(3, VM, key()));
  }

  @Test
  void those_that_stand_are_the_installations_that_were_not_retired() {
    WorkspaceId atRest = someId();
    WorkspaceId retired = someId();
    WorkspaceId neverThere = someId();
    WorkspaceId others = WorkspaceIds.of("testac", UUID.randomUUID().toString());
    done(advance(1, VM, key()));
    for (WorkspaceId other : List.of(atRest, retired, others)) {
      done(workspaces().advance(new AdvanceRequest(other, 1, VM, null, SIZE), soon()));
    }
    done(workspaces().retire(retired, Duration.ofDays(7), soon()));
    done(workspaces().retire(neverThere, Duration.ofDays(7), soon()));

    assertThat(done(workspaces().standing("testab", soon())))
        .contains(id, atRest)
        .doesNotContain(retired, neverThere, others);
    assertThat(done(workspaces().standing("testac", soon()))).contains(others).doesNotContain(id);
    assertThat(done(workspaces().standing("nobody", soon()))).isEmpty();
  }

  @Test
  void an_epoch_out_of_range_is_a_programming_error() {
    assertThatThrownBy(() -> advance(0, VM, key())).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> advance(Workspaces.MAX_EPOCH + 1, VM, key()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void usage_is_known_for_a_workspace_and_fails_for_an_unknown_one() {
    done(advance(1, VM, key()));

    done(workspaces().usage(id, soon()));
    assertThat(workspaces().usage(someId(), soon())).isInstanceOf(Failed.class);
  }

  private Outcome<Advanced> advance(long epoch, String vm, String key) {
    return workspaces().advance(new AdvanceRequest(id, epoch, vm, key, SIZE), soon());
  }

  private long highest() {
    return done(workspaces().highestEpoch(id, soon()));
  }

  static ToAgent.Mount mount(Outcome<Advanced> outcome) {
    ToAgent.Mount mount = done(outcome).mount();
    assertThat(mount).isNotNull();
    return mount;
  }

  static <T> T done(Outcome<T> outcome) {
    assertThat(outcome).isInstanceOf(Done.class);
    return ((Done<T>) outcome).value();
  }

  static void assertRefused(Outcome<?> outcome) {
    assertFailed(outcome, Failure.Kind.TERMINAL, Reason.EPOCH_REFUSED);
  }

  static void assertFailed(Outcome<?> outcome, Failure.Kind kind, Reason reason) {
    assertThat(outcome)
        .isInstanceOfSatisfying(
            Failed.class,
            failed -> {
              assertThat(failed.failure().reason()).isEqualTo(reason);
              assertThat(failed.failure().kind()).isEqualTo(kind);
            });
  }
}
