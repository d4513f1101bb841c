//! Tests how a person finds the demo's quarantined pages, reads their differences, accepts one and rejects one.

use super::demo;
use crate::support::pty::Terminal;

/// Returns the number of quarantined texts in the head: behind their mark, whether or not there is room for words.
fn held(screen: &vt100::Screen) -> Option<usize> {
    let text = screen.contents();
    let (_, after) = text.lines().nth(1)?.split_once(" ? ")?;
    after.split(' ').next()?.parse().ok()
}

fn wait_for_held(terminal: &Terminal, number: usize) {
    terminal.until(&format!("{number} need review"), |screen| held(screen) == Some(number));
}

/// Opens the quarantined text under the cursor and waits for the difference.
fn look(terminal: &mut Terminal) -> vt100::Screen {
    terminal.keys("\r");
    terminal.until("the difference", |screen| {
        let text = screen.contents();
        text.contains("? needs review") && text.contains("│ + #") && text.contains("│ - ")
    })
}

#[test]
fn a_held_page_of_the_demo_is_looked_at_and_accepted_and_another_rejected() {
    let mut terminal = demo("120");
    wait_for_held(&terminal, 2);
    terminal.keys("H");
    terminal.until("the two", |screen| screen.contents().contains("documents 2 of 120 match content:held"));
    let screen = look(&mut terminal);
    let (row, col) = (0..40)
        .flat_map(|row| (0..80).map(move |col| (row, col)))
        .find(|(row, col)| screen.contents_between(*row, *col, *row, col + 3) == "+ #")
        .expect("the heading of the wall");
    let colour = screen.cell(row, col).expect("a cell").fgcolor();
    assert_eq!(colour, vt100::Color::Idx(2), "what is new is green");
    // The button Keep has the focus.
    terminal.keys("a");
    terminal.until_text("[ Keep ]");
    terminal.keys("\r");
    terminal.until("no question", |screen| !screen.contents().contains("[ Keep ]"));
    terminal.keys("a");
    terminal.until_text("[ Keep ]");
    terminal.keys("\t\r");
    terminal.until_text("✓ accepted: ");
    wait_for_held(&terminal, 1);
    terminal.until("the version that it replaced", |screen| screen.contents().contains("version 2 (current)"));
    terminal.keys("\x1b");
    terminal.until("the other one", |screen| screen.contents().contains("documents 1 of 120 match content:held"));
    look(&mut terminal);
    terminal.keys("d");
    terminal.until_text("[ Keep ]");
    terminal.keys("\t\r");
    terminal.until_text("✓ rejected: ");
    terminal.until("nothing held", |screen| held(screen).is_none());
    terminal.keys("\x1b");
    terminal.until_text("None of 120 documents matches.");
    terminal.keys("H");
    terminal.until("all of them", |screen| screen.contents().contains("documents 120 by status"));
    terminal.keys("\x03\x03");
    assert_eq!(terminal.ended(), 0);
}
