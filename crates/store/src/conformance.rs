//! What every database must do: one list of tests, on SQLite always and on PostgreSQL where it is
//! installed.

mod backup;
mod bases;
mod deletion;
mod environments;
mod evaluations;
mod exceptions;
mod freshness;
mod full;
mod in_use;
mod inbox;
mod integrations;
mod inventories;
mod jobs;
mod kit;
mod lists;
mod migrations;
mod numbers;
mod organisations;
mod people;
mod policies;
mod requests;
mod restart;
mod retention;
mod runtimes;
mod schedules;
mod secrets;
mod telling;
mod together;
mod watched;

/// Makes of each function `async fn(&Store)` a test for each database.
macro_rules! conformance {
    ($($module:ident: $($name:ident)*;)*) => {
        mod sqlite {
            $(mod $module { $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let folder = tempfile::tempdir().unwrap();
                    let path = folder.path().join("store.db");
                    let address = format!("sqlite://{}", path.display());
                    super::super::run!($module $name address);
                }
            )* })*
        }
        mod postgres {
            $(mod $module { $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let Some(server) = testkit::Postgres::shared() else {
                        super::super::left_out();
                        return;
                    };
                    let address = server.database();
                    super::super::run!($module $name address);
                }
            )* })*
        }
    };
}

/// Runs one of them, and looks for orphans afterwards.
macro_rules! run {
    ($module:ident $name:ident $address:ident) => {{
        let store = crate::Store::open(&$address).await.unwrap();
        crate::conformance::$module::$name(&store).await;
        crate::conformance::kit::no_orphans(&store).await;
        store.close().await;
    }};
}
use run;

conformance! {
    organisations:
        have_a_name_of_their_own
        see_only_their_own
        leave_nothing_behind
        have_repositories;
    people:
        have_a_name_and_a_password
        have_roles_and_somebody_owns
        sessions_lead_to_whom_they_are_of
        tokens_may_what_their_scope_says
        tokens_are_used_without_writing_each_time
        tokens_are_replaced
        who_forgot_a_password_chooses_another
        invitations_are_used_once
        of_many_one_uses_an_invitation
        owners_do_not_remove_each_other
        leave_nothing_behind;
    environments:
        unknown_ones_are_errors_that_name_those_there_are
        missing_ones_are_made_with_what_is_recorded
        names_are_in_any_script
        recording_again_supersedes_and_keeps_history
        the_same_image_again_is_no_new_record
        platforms_and_applications_run_beside_each_other
        a_runtime_replaces_what_it_reported
        a_rollout_has_two_images_of_one_application
        what_is_pending_is_shown_when_it_is_analysed
        a_clock_that_is_set_back_makes_no_false_history
        removing_ends_what_is_selected
        promotion_copies_what_runs
        renaming_keeps_the_history
        deleting_leaves_only_events
        tags_that_moved_are_stale
        tags_lead_to_an_image_for_each_platform
        tags_are_led_by_many_at_once
        lists_go_on_where_the_page_ended
        lists_go_on_from_environment_to_environment
        several_are_recorded_or_none;
    runtimes:
        say_all_that_runs
        end_nothing_out_of_sight
        do_not_go_back
        of_two_agents_the_first_counts
        are_heard_of_again_and_again
        tell_digests_of_all_kinds
        are_asked_anew_where_somebody_interferes
        are_removed_with_what_they_said
        speak_at_once
        are_true_after_each_of_a_thousand_words
        may_run_thousands_of_containers;
    lists:
        are_the_same_whole_and_in_parts
        tell_what_happened_of_some_kinds
        tell_what_waits_for_its_analysis
        stamps_tell_that_something_was_written;
    inventories:
        read_back_as_they_were
        images_on_one_base_share_rows
        packages_lead_to_where_they_run
        reading_anew_replaces
        deletion_deletes
        failures_are_told;
    retention:
        keeps_what_runs
        goes_part_by_part
        keeps_what_somebody_recorded
        is_what_owners_say;
    in_use:
        is_kept_by_runtime_and_environment
        is_marked_where_it_changes;
    deletion:
        of_an_organisation_leaves_no_byte
        goes_on_where_it_was_broken_off
        of_an_image_that_runs_is_told
        of_a_repository_leaves_what_others_have
        leaves_what_somebody_records_right_now
        of_an_environment_goes_part_by_part
        and_recordings_do_not_disturb_each_other;
    numbers:
        lead_through_everything_in_pages
        lead_to_what_was_found
        lead_from_names
        are_filled_in_where_they_were_not
        are_put_right_where_they_are_wrong
        are_left_where_they_cannot_be_read
        are_never_used_again
        changes_are_told_once
        changes_of_the_slow_are_told_too
        changes_that_went_unread_are_told;
    requests:
        are_answered_once
        of_one_key_are_done_by_one
        are_one_with_what_they_change
        of_one_who_goes_end_with_them
        do_not_hang_when_the_clock_is_set_back
        are_forgotten_after_a_day
        settings_are_kept_and_told;
    evaluations:
        are_told_once
        of_many_at_once_are_told_once
        counts_are_written_as_they_change
        counts_go_with_what_they_count;
    schedules:
        are_kept_and_replaced
        are_of_a_sane_number
        have_their_turn_once
        are_checked_by_one_of_many
        do_not_wait_for_a_clock_that_was_set_back
        follow_their_environment
        go_with_their_organisation;
    exceptions:
        are_kept_and_replaced
        expire_once
        follow_their_environments;
    policies:
        are_set_and_kept_in_versions
        of_an_environment_count_before_the_organisations
        go_with_their_environment
        old_versions_go
        verdicts_are_kept_and_carried_over
        are_judged_by_who_comes_first
        samples_are_of_days;
    bases:
        are_taught_and_forgotten
        tell_where_their_names_lead_by_now
        are_images_that_are_known are_told_of_all_images_at_once;
    freshness:
        is_told_as_it_changes;
    secrets:
        are_sealed_and_opened
        need_their_key
        are_sealed_anew_with_another_key
        cannot_be_moved;
    integrations:
        are_kept_and_replaced
        have_secrets_that_are_sealed
        show_no_secret_elsewhere
        have_another_path
        are_found_by_their_hook
        tell_whether_they_work
        are_gone_with_all_they_told
        are_gone_before_what_they_told
        have_all_their_tables_in_parts
        count_what_is_not_taken;
    inbox:
        hear_once
        hear_again_what_may_come_again
        try_again_and_set_aside
        wait_for_who_is_away
        refuse_when_too_much_waits
        count_what_nobody_can_read
        keep_what_nobody_can_read_beside_what_failed
        do_not_go_over_what_waits_for_later
        are_done_with_another_address
        are_taken_in_the_order_in_which_they_wait
        forget_the_oldest;
    watched:
        remember_what_was_seen
        know_nothing_of_former_looks
        forget_a_repository;
    telling:
        rules_are_kept_and_replaced
        rules_follow_their_environments
        looks_miss_nothing_and_tell_once
        whoever_breaks_off_has_told_nothing
        what_waits_is_gone_on_with
        is_told_in_order_and_given_up
        is_nobody_elses;
    backup:
        has_every_table_and_column
        is_restored_into_either_database
        a_damaged_one_changes_nothing
        a_doctor_finds_what_is_wrong;
    jobs:
        are_done_in_order
        the_same_work_waits_once
        are_taken_again_when_their_lease_runs_out
        wait_longer_each_time_and_die
        are_never_done_twice_at_once
        dead_ones_can_be_revived
        many_dead_ones_can_be_revived
        are_added_with_few_locks
        of_many_at_once_are_added_once
        of_an_image_go_with_it
        do_not_wait_for_a_clock_that_was_set_back
        wait_as_long_as_they_are_put_off;
    migrations:
        a_newer_database_is_refused;
    together:
        recordings_of_one_application_make_one_true_history
        reports_and_recordings_do_not_disturb_each_other
        inventories_come_and_go
        images_are_analysed_while_they_are_recorded
        claimers_share_the_work
        nobody_waits_for_themselves;
}

fn left_out() {
    println!("left out: PostgreSQL is not installed");
}
