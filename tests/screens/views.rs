//! The views beside the list: their pictures at the three sizes, and the styles that carry meaning in them.

use super::shot;
use crate::support::screen::Screen;
use crate::support::seen::jobs;
use quarterdeck::tui::msg::Msg;
use ratatui::style::Color;

fn jobs_view(width: u16, height: u16) -> Screen {
    let mut screen = Screen::usual(width, height);
    screen.press(&["3"]);
    screen.send(Msg::Jobs(Ok(jobs())));
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
    assert_eq!(colour("lease is over"), Color::Magenta);
    assert_eq!(colour("comparing"), Color::Cyan);
    assert_eq!(colour("host held, in 1:20"), Color::Yellow);
    assert_eq!(colour("account 7 is paused"), Color::Yellow);
    assert_eq!(colour("failed, try 2 of 3 next"), Color::Yellow);
    assert_eq!(colour("failed: not found"), Color::Red);
    // The view that is shown is named before the counts, which are about documents.
    assert_eq!(screen.cell_of("jobs   1,204 documents").fg, Color::Cyan, "{}", screen.text());
}

#[test]
fn an_empty_queue_says_so_and_a_database_that_is_away_too() {
    let mut screen = Screen::usual(80, 24);
    screen.press(&["3"]);
    assert!(screen.text().contains("Reading the jobs"), "{}", screen.text());
    screen.send(Msg::Jobs(Ok(quarterdeck::store::JobsPage::default())));
    assert!(screen.text().contains("No job runs, waits or has ended."), "{}", screen.text());
    screen.send(Msg::Jobs(Err("the database is away".into())));
    assert!(screen.text().contains("data 0s old: the database is away"), "{}", screen.text());
}
