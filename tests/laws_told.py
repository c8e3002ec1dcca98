"""The laws that the architecture's document lists, by the names of the tests that hold them.

Their words and their places are taken from the tests themselves (`tests.documents`).
"""

from typing import Final

LAWS: Final[dict[str, tuple[str, ...]]] = {
    "The fold": (
        "test_order_and_repetition_are_forgiven",
        "test_a_completed_row_stays_completed",
        "test_every_planned_row_has_one_status",
        "test_the_status_is_what_the_words_say",
        "test_seen_beats_failed",
        "test_a_confirmed_answer_stays_shown",
        "test_two_halves_merge_in_any_interleaving",
    ),
    "Never paid twice": (
        "test_a_status_proves_what_the_table_says",
        "test_only_our_own_task_is_created",
        "test_taken_in_order_and_covered",
        "test_a_failing_disk_makes_nothing_ready",
        "test_absence_takes_two_sweeps",
        "test_what_a_sweep_cannot_say",
        "test_the_last_look_at_the_disk",
        "test_belied_once_is_never_believed_again",
        "test_an_echo_is_proved",
        "test_the_earliest_is_kept",
        "test_a_second_process_is_told_who_has_it",
        "test_a_removed_file_frees_nobody",
        "test_nothing_is_sent_before_the_whole_span_was_listed",
        "test_a_fresh_signature_is_no_new_row",
        "test_a_copy_is_refused_with_numbers_and_ways_on",
        "test_killed_again_and_again",
    ),
    "Nothing lost": (
        "test_stored_then_answered",
        "test_no_answer_before_the_sync",
        "test_a_redelivery_stores_nothing",
        "test_kept_as_it_came",
        "test_a_full_disk_recovers",
        "test_poison",
        "test_what_was_acknowledged_is_on_disk",
        "test_the_loss_of_a_safeguard_shows",
    ),
    "Nothing let in": (
        "test_another_key_proves_nothing",
        "test_strangers_cannot_take_an_answer_away",
        "test_what_callbacks_alone_name_is_no_surplus",
        "test_nothing_shown_is_secret",
        "test_no_mac_in_any_log",
        "test_nothing_is_obeyed",
    ),
    "The pace": (
        "test_never_more_than_the_user_wants",
        "test_the_rate_holds_over_any_window",
        "test_the_api_may_ask_for_longer",
    ),
}
