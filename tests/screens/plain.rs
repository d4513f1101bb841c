//! Tests the lines of a plain console: no control characters and no frames in any view or dialog, whatever the titles;
//! what a session tells; a flood of outcomes as a number.

use super::SIZES;
use crate::support::facts::{document, options, outcome};
use crate::support::screen::Screen;
use quarterdeck::domain::document::Status;
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::tui::Options;
use quarterdeck::tui::plain::Narrator;
use std::time::Duration;

fn plain() -> Options {
    Options { plain: true, ..options() }
}

/// Asserts that a listener gets text and nothing else.
fn is_text(what: &str, lines: &[String]) {
    assert!(!lines.is_empty(), "{what}: nothing is told");
    for line in lines {
        let bad = |c: char| {
            c.is_control() || ('\u{2500}'..='\u{259f}').contains(&c) || ('\u{2800}'..='\u{28ff}').contains(&c)
        };
        assert!(!line.contains(bad), "{what}: {line:?}");
        assert!(!line.trim().is_empty(), "{what}: an empty line");
    }
}

/// The keys that open each view and each overlay.
const PLACES: [&[&str]; 21] = [
    &["1"],
    &["2"],
    &["3"],
    &["4"],
    &["5"],
    &["6"],
    &["7"],
    &["8"],
    &["tab"],
    &["?"],
    &[":"],
    &["/"],
    &["a"],
    &["o"],
    &["del"],
    &["q"],
    &["R"],
    &["enter"],
    &["W"],
    &["c"],
    &["tab", "/"],
];

#[test]
fn every_view_and_overlay_is_told_as_text() {
    for ascii in [false, true] {
        for (width, height) in SIZES {
            for keys in PLACES {
                let mut screen = Screen::with(Options { ascii, ..plain() }, width, height);
                let mut narrator = Narrator::default();
                is_text("the begin", &narrator.report(&screen.model, false));
                screen.press(keys);
                narrator.repeat();
                is_text(&format!("{keys:?} at {width}x{height}"), &narrator.report(&screen.model, true));
            }
        }
    }
    let small = Screen::with(plain(), 20, 5);
    is_text("a small terminal", &Narrator::default().report(&small.model, false));
}

#[test]
fn hostile_titles_are_told_without_control_characters() {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let parts = [
        "\x1b[2J",
        "\x1b]52;c;eA==\x07",
        "\r",
        "\n",
        "\u{9b}31m",
        "\u{202e}",
        "│",
        "═",
        "a",
        "漢",
        "👩‍👩‍👧",
        "\0",
        "\u{7f}",
        " ",
    ];
    for round in 0..200 {
        let mut title = String::new();
        for _ in 0..12 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            title.push_str(parts[(seed % parts.len() as u64) as usize]);
        }
        let mut screen = Screen::with(plain(), 80, 24);
        screen.page(vec![document(1, &title, Status::Failed), document(2, "A page", Status::Synced)]);
        let mut narrator = Narrator::default();
        is_text(&format!("round {round}"), &narrator.report(&screen.model, true));
        screen.press(&["enter"]);
        is_text(&format!("round {round}"), &narrator.report(&screen.model, true));
        screen.press(&["y"]);
        narrator
            .report(&screen.model, true)
            .iter()
            .for_each(|line| assert!(!line.contains(char::is_control), "{line:?}"));
    }
}

#[test]
fn a_session_is_told_key_by_key() {
    let mut screen = Screen::with(plain(), 80, 24);
    let mut narrator = Narrator::default();
    let mut told = vec!["-- start".to_owned()];
    told.extend(narrator.report(&screen.model, false));
    for keys in ["j", "j", "s", "2", "1", "?", "esc", "/", "x", "esc", "del", "tab", "esc", "q", "tab", "esc"] {
        screen.press(&[keys]);
        told.push(format!("-- {keys}"));
        told.extend(narrator.report(&screen.model, true));
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("plain-session", told.join("\n")));
}

#[test]
fn a_flood_of_outcomes_is_told_as_a_number_every_five_seconds() {
    let mut screen = Screen::with(plain(), 80, 24);
    let mut narrator = Narrator::default();
    narrator.report(&screen.model, false);
    let first = screen.model.panel.newest.0 + 1;
    let arrive = |screen: &mut Screen, from: i64, to: i64| {
        screen.arrive((from..to).map(|seq| outcome(seq, 5, "A later page", OutcomeResult::Updated)).collect());
    };
    arrive(&mut screen, first, first + 1);
    let told = narrator.report(&screen.model, false);
    assert!(told.len() == 1 && told[0].starts_with("outcome: A later page"), "{told:?}");
    arrive(&mut screen, first + 1, first + 21);
    assert_eq!(narrator.report(&screen.model, false), Vec::<String>::new());
    arrive(&mut screen, first + 21, first + 41);
    assert_eq!(narrator.report(&screen.model, false), Vec::<String>::new());
    assert_eq!(narrator.next(screen.model.now), Some(Duration::from_secs(5)), "the number is told later");
    screen.model.now = screen.model.now.plus(Duration::from_secs(5));
    assert_eq!(narrator.report(&screen.model, false), ["40 new outcomes"]);
    assert_eq!(narrator.report(&screen.model, false), Vec::<String>::new());
}
