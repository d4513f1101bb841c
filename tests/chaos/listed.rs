//! Tests that the list of faults is complete: every number has a test that exists, and stands in the pages.

use super::catalog::FAULTS;
use crate::docs::pages::page;
use std::collections::BTreeSet;
use std::process::Command;

/// Returns the paths of the tests of this program; with `--ignored` only those that `tests/run` leaves out.
fn tests(options: &[&str]) -> BTreeSet<String> {
    let listed = Command::new(std::env::current_exe().expect("this program")).arg("--list").args(options).output();
    let listed = String::from_utf8(listed.expect("the tests are listed").stdout).expect("text");
    listed.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

#[test]
fn the_list_has_every_fault_once_and_in_order() {
    let numbers: Vec<_> = FAULTS.iter().map(|fault| fault.number).collect();
    let faults = (1..=27).map(|number| format!("F{number}"));
    let expected: Vec<_> = faults.chain((1..=7).map(|number| format!("L{number}"))).collect();
    assert_eq!(numbers, expected);
}

#[cfg(feature = "faults")]
#[test]
fn every_fault_has_tests_and_the_small_ones_are_part_of_every_run() {
    let (all, ignored) = (tests(&[]), tests(&["--ignored"]));
    let mut listed = BTreeSet::new();
    for row in FAULTS.iter().flat_map(super::catalog::Fault::rows) {
        assert!(all.contains(&row.test), "{}: there is no test {}", row.number, row.test);
        assert_eq!(row.is_small, !ignored.contains(&row.test), "{}: part of every run: {}", row.number, row.test);
        let is_new = listed.insert((row.number, row.test));
        assert!(is_new, "{} names a test twice", row.number);
    }
    // An ignored test that no row names would never run.
    let named: BTreeSet<_> = listed.into_iter().map(|(_, test)| test).collect();
    let forgotten: Vec<_> =
        ignored.iter().filter(|test| test.starts_with("chaos::") && !named.contains(*test)).collect();
    assert_eq!(forgotten, ["chaos::table::the_table"]);
}

#[test]
fn the_page_has_every_fault() {
    let page = page("guarantees");
    for fault in FAULTS {
        let row = page.lines().find(|line| line.starts_with(&format!("| {} |", fault.number)));
        let row = row.unwrap_or_else(|| panic!("guarantees.md has no row for {}", fault.number));
        assert!(row.contains(fault.what), "{}: {row}", fault.what);
    }
}
