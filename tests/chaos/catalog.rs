//! The faults that the program must survive, as data: what each one is, its test, and its full size.

use crate::support::place::Backend::{self, Postgres, Sqlite};

/// A fault, with the tests that put the program through it.
pub struct Fault {
    /// `F1` to `F27`, as in assets/docs/guarantees.md; `L1` and on for the loads that benchmarks of queues use.
    pub number: &'static str,
    pub what: &'static str,
    tests: &'static [Test],
}

/// A test, as a row of the table for each database.
struct Test {
    /// Path of the test function; `ON` stands for `on_sqlite` or `on_postgres`.
    path: &'static str,
    on: &'static [Backend],
    /// Variables that make the test as large as `--full` wants it.
    full: &'static [(&'static str, &'static str)],
    /// Part of every `tests/run`; the others are ignored there.
    is_small: bool,
    /// `--full` checks the limits on times.
    is_judged: bool,
}

/// A row of the table.
pub struct Row {
    pub number: &'static str,
    pub what: &'static str,
    pub store: &'static str,
    /// Path of the test function.
    pub test: String,
    pub full: &'static [(&'static str, &'static str)],
    pub is_small: bool,
    pub is_judged: bool,
}

impl Fault {
    /// Returns the fault's rows of the table.
    pub fn rows(&self) -> Vec<Row> {
        let row = |test: &Test, store, module| Row {
            number: self.number,
            what: self.what,
            store,
            test: test.path.replace("ON", module),
            full: test.full,
            is_small: test.is_small,
            is_judged: test.is_judged,
        };
        let mut rows = Vec::new();
        for test in self.tests {
            match test.on {
                [] => rows.push(row(test, "both", "")),
                on => rows.extend(on.iter().map(|on| match on {
                    Sqlite => row(test, "SQLite", "on_sqlite"),
                    Postgres => row(test, "PostgreSQL", "on_postgres"),
                })),
            }
        }
        rows
    }
}

const BOTH: &[Backend] = &[Sqlite, Postgres];
/// The test compares the two.
const BOTH_AT_ONCE: &[Backend] = &[];
const SQLITE: &[Backend] = &[Sqlite];
const POSTGRES: &[Backend] = &[Postgres];
/// Makes the tests of fairness, limits, times and drains large.
const LARGE: &[(&str, &str)] = &[("QUARTERDECK_FULL", "1")];

/// A test that is part of every `tests/run`.
const fn small(path: &'static str, on: &'static [Backend], full: &'static [(&'static str, &'static str)]) -> Test {
    Test { path, on, full, is_small: true, is_judged: false }
}

/// A test that only `tests/chaos/run --full` runs.
const fn large(path: &'static str, on: &'static [Backend], full: &'static [(&'static str, &'static str)]) -> Test {
    Test { path, on, full, is_small: false, is_judged: false }
}

/// The same test with its limits on times checked.
const fn judged(test: Test) -> Test {
    Test { is_judged: true, ..test }
}

macro_rules! faults {
    ($($number:literal $what:literal: $($test:expr),+;)+) => {
        &[$(Fault { number: $number, what: $what, tests: &[$($test),+] }),+]
    };
}

/// Number of documents and faults.
macro_rules! chaos {
    ($size:literal) => {
        &[("QUARTERDECK_CHAOS", $size)]
    };
}

const KILLS: &str = "chaos::kills::ON::f1_f2_kills_at_random_moments_lose_nothing_and_write_nothing_twice";

pub const FAULTS: &[Fault] = faults! {
    "F1" "kill -9 of one of three workers at random moments": small(KILLS, POSTGRES, chaos!("8000,500"));
    "F2" "kill -9 of one of three workers at random moments": small(KILLS, SQLITE, chaos!("8000,500"));
    "F3" "workers stopped for longer than their lease, then continued":
        small("chaos::pauses::ON::f3_a_late_end_is_refused_each_time", POSTGRES, chaos!("4000,30")),
        small("chaos::pauses::ON::f3_a_late_end_is_refused_each_time", SQLITE, chaos!("3000,20")),
        small("faults::pauses::a_worker_that_wakes_after_its_lease_changes_nothing", SQLITE, chaos!("32,20"));
    "F4" "abort at each point of an attempt and of a rescue":
        small("chaos::aborts::ON::an_abort_at_any_point_leaves_all_of_an_attempt_or_nothing", BOTH, chaos!("0,20"));
    "F5" "PostgreSQL stopped with -m immediate, and started again": small(
        "chaos::restarts::f5_a_server_that_crashes_and_comes_back_costs_seconds_and_nothing_else",
        POSTGRES,
        chaos!("6000,20")
    );
    "F6" "Redis emptied, restarted empty, frozen": small(
        "chaos::locks::f6_a_redis_that_forgets_goes_or_comes_back_empty_loses_nothing_and_doubles_nothing",
        POSTGRES,
        chaos!("5000,20")
    );
    "F7" "Redis gone all the time":
        small("chaos::locks::f7_a_redis_that_is_gone_all_the_time_costs_little", POSTGRES, chaos!("3000,0"));
    "F8" "disk full, then freed": small(
        "bad_input::disk::a_worker_keeps_its_results_through_a_full_disk_and_goes_on_by_itself",
        SQLITE,
        chaos!("2000,1")
    );
    "F9" "flushes that fail, a read-only disk, another writer":
        small("chaos::disk::f9_a_disk_that_fails_is_named_and_nothing_is_lost", SQLITE, chaos!("900,12"));
    "F10" "clock set forward and back, machine asleep":
        small("chaos::disk::ON::f10_steps_of_the_clock_lose_nothing_and_run_nothing_twice", BOTH, chaos!("2400,60"));
    "F11" "connections half-open for longer than a lease": judged(large(
        "chaos::network::f11_a_half_open_connection_costs_one_lease_and_doubles_nothing",
        POSTGRES,
        chaos!("0,10")
    ));
    "F12" "200 ms there and back, 1 % of the round trips lost": large(
        "chaos::network::f12_a_slow_network_that_loses_connections_loses_no_sync",
        POSTGRES,
        chaos!("600,0")
    );
    "F13" "kill -9, and how soon the death is seen":
        judged(small("chaos::kills::ON::f13_a_death_is_seen_within_seconds", BOTH, chaos!("0,100")));
    "F14" "one worker killed or restarted again and again": small(
        "chaos::kills::ON::f14_a_worker_that_is_restarted_again_and_again_leaves_nothing_stuck",
        BOTH,
        chaos!("1000,50")
    );
    "F15" "a page that aborts the process": small(
        "faults::aborts::a_page_that_aborts_the_process_is_given_up_and_takes_no_neighbour_with_it",
        SQLITE,
        chaos!("31,0")
    );
    "F16" "the answer of a commit is lost on the way": small(
        "chaos::commits::f16_a_commit_whose_answer_is_lost_is_a_success_and_no_page_is_asked_for_again",
        POSTGRES,
        chaos!("2000,200")
    );
    "F17" "16 clients ask for every document at once":
        small("chaos::storm::ON::f17_a_storm_of_requests_makes_one_job_per_document", BOTH, chaos!("1000,10"));
    "F18" "one account with a huge queue beside small ones":
        small("store::fairness::ON::a_giant_keeps_nobody_waiting", BOTH, LARGE);
    "F19" "weights 3:2:1": small("store::fairness::ON::weights_are_shares_of_many_claims", BOTH, LARGE);
    "F20" "a limit of two, with claimers that are killed":
        small("store::fairness::ON::a_cap_holds_over_workers_that_are_killed", SQLITE, chaos!("0,600")),
        small("store::fairness::ON::a_cap_holds_over_workers_that_are_killed", POSTGRES, chaos!("0,100"));
    "F21" "a drain with 32 attempts running":
        small("draining::a_drain_loses_nothing_and_gives_back_what_does_not_end", SQLITE, LARGE);
    "F22" "retry times over restarts":
        small("store::fairness::ON::retries_come_at_their_times_across_restarts", BOTH, LARGE);
    "F23" "16 writers commit in any order, and the log is followed":
        large("chaos::tail::ON::f23_a_follower_of_16_writers_misses_nothing", SQLITE, chaos!("100000,0")),
        large("chaos::tail::ON::f23_a_follower_of_16_writers_misses_nothing", POSTGRES, chaos!("20000,0"));
    "F24" "Ctrl-Z during writes":
        small("faults::suspends::a_worker_that_ctrl_z_stops_keeps_nobody_from_writing", SQLITE, chaos!("200,100")),
        small("terminal::a_suspended_console_keeps_no_lock_from_others", SQLITE, &[]);
    "F25" "mixed faults for half an hour, with two consoles":
        large("chaos::soak::ON::f25_mixed_faults_leave_memory_and_handles_bounded_and_screens_right", BOTH, &[]);
    "F26" "a kill at each step of a migration":
        small("upgrade::kills::a_file_is_whole_whenever_its_migration_is_killed", SQLITE, &[]),
        small("upgrade::kills::kills_at_random_moments_lose_nothing", SQLITE, chaos!("0,50")),
        small("upgrade::kills::a_database_is_set_up_whenever_that_was_killed", POSTGRES, &[]);
    "F27" "random sequences, compared with a model": small(
        "store::sequences::model::model_and_both_databases_agree_after_any_sequence",
        BOTH_AT_ONCE,
        &[("QUARTERDECK_SEQUENCES", "10000")]
    );
    "L1" "one kill -9 of a worker that runs 32 slow pages":
        judged(large("chaos::kills::ON::l1_the_last_document_of_a_killed_worker_ends_soon", BOTH, chaos!("0,5")));
    "L2" "all sessions of the server ended": large(
        "chaos::network::l2_all_sessions_of_the_server_ended_cost_seconds_and_nothing_else",
        POSTGRES,
        chaos!("2000,20")
    );
    "L3" "all sessions of the server taken by others": large(
        "chaos::network::l3_a_server_without_a_free_session_costs_the_time_until_it_has_one",
        POSTGRES,
        chaos!("1000,5")
    );
    "L4" "a reader that stays in a transaction":
        large("chaos::loads::ON::l4_a_reader_that_stays_in_a_transaction_holds_nobody_up", BOTH, chaos!("1000,4"));
    "L5" "more requests than can be served":
        large("chaos::loads::ON::l5_more_requests_than_can_be_served_lose_nothing", BOTH, chaos!("1000,10"));
    "L6" "requests of people beside a backlog":
        large("chaos::loads::ON::l6_requests_of_people_go_before_a_backlog", BOTH, chaos!("3000,50"));
    "L7" "thousands of requests at once":
        large("chaos::loads::ON::l7_thousands_of_requests_at_once_are_all_served", BOTH, chaos!("5000,3"));
};
