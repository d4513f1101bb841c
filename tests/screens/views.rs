//! Tests the views beside the list: snapshots at the three sizes, and the styles that carry meaning in them.

use super::shot;
use crate::support::facts::documents;
use crate::support::screen::Screen;
use crate::support::seen::jobs;
use crate::support::seen_sources::source_lines;
use quarterdeck::domain::id::AccountId;
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::pause::{Pause, PauseScope};
use quarterdeck::tui::msg::Msg;
use quarterdeck::tui::views::catalog::ViewRows;
use ratatui::style::Color;

fn jobs_view(width: u16, height: u16) -> Screen {
    let mut screen = Screen::usual(width, height);
    screen.press(&["3"]);
    screen.send(Msg::Rows(ViewRows::Jobs(Ok(jobs().into()))));
    screen
}

#[test]
fn the_jobs_at_three_sizes() {
    for (width, height) in super::SIZES {
        let mut screen = jobs_view(width, height);
        screen.press(&["j"]);
        shot(&format!("jobs-{width}x{height}"), &screen);
    }
}

#[test]
fn the_sources_at_three_sizes() {
    for (width, height) in super::SIZES {
        let mut screen = Screen::usual(width, height);
        screen.press(&["7"]);
        screen.send(Msg::Rows(ViewRows::Sources(Ok(source_lines()))));
        screen.press(&["j", "j", "j"]);
        shot(&format!("sources-{width}x{height}"), &screen);
        screen.press(&["i"]);
        shot(&format!("sources-about-{width}x{height}"), &screen);
        screen.press(&["esc", "A"]);
        shot(&format!("sources-accept-{width}x{height}"), &screen);
    }
}

#[test]
fn a_lease_that_is_broken_is_typed_at_every_size() {
    for (width, height) in super::SIZES {
        let mut screen = jobs_view(width, height);
        screen.press(&["B"]).type_text("7").press(&["enter"]);
        shot(&format!("break-lease-{width}x{height}"), &screen);
    }
}

#[test]
fn what_needs_a_look_stands_out_among_the_jobs() {
    let screen = jobs_view(120, 40);
    let colour = |text: &str| screen.cell_of(text).fg;
    assert_eq!(colour("lease expired"), Color::Magenta);
    assert_eq!(colour("comparing"), Color::Cyan);
    assert_eq!(colour("cooling down, ends in 1:20"), Color::Yellow);
    assert_eq!(colour("failed, attempt 2 of 3 next"), Color::Yellow);
    assert_eq!(colour("failed: not found"), Color::Red);
    // The key of the current view is coloured in the line of the views.
    assert_eq!(screen.cell_of("3 jobs").fg, Color::Cyan, "{}", screen.text());
}

#[test]
fn an_empty_queue_says_so_and_a_database_that_is_away_too() {
    let mut screen = Screen::usual(80, 24);
    screen.press(&["3"]);
    assert!(screen.text().contains("Reading the jobs"), "{}", screen.text());
    screen.send(Msg::Rows(ViewRows::Jobs(Ok(quarterdeck::store::JobsPage::default().into()))));
    assert!(screen.text().contains("No running, waiting or ended jobs."), "{}", screen.text());
    screen.send(Msg::Rows(ViewRows::Jobs(Err("the database is away".into()))));
    assert!(screen.text().contains("data 0s old: the database is away"), "{}", screen.text());
}

#[test]
fn a_job_under_a_pause_says_whose_it_is_ready_or_waiting() {
    let mut screen = jobs_view(120, 40);
    let by = |scope| vec![Pause { scope, since: crate::support::facts::ago(3_600), by: "ben".into() }];
    for (scope, words) in [
        (PauseScope::All, "paused by ben: everything"),
        (PauseScope::Account(AccountId(7)), "paused by ben: account 7"),
        (PauseScope::Host("acme.example".into()), "paused by ben: host acme.exam"),
    ] {
        screen.send(Msg::Pauses(Ok(by(scope))));
        let text = screen.text();
        assert_eq!(text.matches(words).count(), 8, "five that are ready and three that wait: {text}");
        assert_eq!(screen.cell_of(words).fg, Color::Yellow);
        assert!(!text.contains("cooling down"), "the pause comes first: {text}");
    }
    // Jobs with even numbers have the class manual.
    screen.send(Msg::Pauses(Ok(by(PauseScope::Class(QueueClass::Manual)))));
    assert_eq!(screen.text().matches("paused by ben: manual jobs").count(), 5, "{}", screen.text());
    assert!(screen.text().contains("paused by ben: manual jobs, th…"), "{}", screen.text());
    screen.press(&["z"]);
    assert!(screen.text().contains("paused by ben: manual jobs, then attempt 2 of 3"), "{}", screen.text());
    shot("jobs-paused-120x40", &screen);
}

#[test]
fn every_button_of_the_pause_chooser_is_whole_at_every_size() {
    for (width, height) in super::SIZES {
        let mut screen = jobs_view(width, height);
        screen.press(&["p", "tab", "tab"]);
        for label in ["  Keep  ", "  Pause host  ", "[ Pause account ]"] {
            assert!(screen.text().contains(label.trim_end()), "{label}: {}", screen.text());
        }
        assert!(screen.text().contains("finish."), "the whole sentence: {}", screen.text());
        shot(&format!("pause-{width}x{height}"), &screen);
    }
}

#[test]
fn a_letter_that_leaves_the_rows_as_they_are_gets_its_answer_onto_the_screen() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&["/"]);
    for letter in ["o", "s", "p"] {
        screen.type_text(letter);
        assert!(screen.text().contains("documents … "), "the rows are being read");
        // Drawn only if the message asks for it.
        screen.page(documents());
        assert!(!screen.text().contains("documents … "), "{}", screen.text());
    }
}
