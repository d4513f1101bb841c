//! Tests how the outcome panel shows its entries: one line each, whole texts, ages, and what it is pinned to.

use super::{SIZES, shot};
use crate::support::facts::{NOW, failure, outcome};
use crate::support::screen::Screen;
use crate::support::seen::{failures, hosts, jobs};
use quarterdeck::domain::failure::ErrorCode;
use quarterdeck::domain::outcome::{Outcome, OutcomeResult};
use quarterdeck::tui::effect::{Effect, NewFile};
use quarterdeck::tui::msg::Msg;
use quarterdeck::tui::views::catalog::ViewRows;
use quarterdeck::tui::views::outcomes::pin::PinSubject;
use quarterdeck::tui::views::workers::state::lines;
use std::time::Duration;

/// An outcome of a long name and a long cause.
fn long(seq: i64) -> Outcome {
    let name = "How to connect a shop, and what becomes of orders that were placed before that";
    let cause = "no answer in 20 s (headers came, and then nothing but the first half of a body)";
    Outcome { at: NOW, ..failure(seq, 90, name, OutcomeResult::TransientFailure, ErrorCode::Timeout, cause) }
}

#[test]
fn each_outcome_takes_one_line_by_a_key_and_that_is_the_same_key_back() {
    for (width, height) in SIZES {
        let mut screen = Screen::usual(width, height);
        screen.arrive(vec![long(20_200)]);
        screen.press(&["tab", "l"]);
        shot(&format!("outcomes-one-line-{width}x{height}"), &screen);
        let one = screen.text();
        screen.press(&["l", "l"]);
        assert_eq!(screen.text(), one);
    }
}

#[test]
fn whole_names_and_causes_are_wrapped_and_nothing_is_cut() {
    for (width, height) in SIZES {
        let mut screen = Screen::usual(width, height);
        screen.arrive(vec![long(20_200)]);
        screen.press(&["tab", "W"]);
        shot(&format!("outcomes-whole-{width}x{height}"), &screen);
        let panel: String = screen.text().replace(['│', '\n'], " ");
        assert!(panel.contains("placed") && panel.contains("half"), "{}", screen.text());
    }
}

#[test]
fn ages_stand_in_place_of_times_and_change_with_time() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&["tab"]);
    screen.arrive(vec![long(20_200)]);
    assert!(screen.text().contains("14:02:31 ↻ How to"), "{}", screen.text());
    screen.press(&["T"]);
    assert!(screen.text().contains("0s ↻ How to"), "{}", screen.text());
    let next = quarterdeck::tui::refresh::next(&screen.model);
    assert!(next <= NOW.plus(Duration::from_secs(1)), "an age changes within a second");
    screen.model.now = NOW.plus(Duration::from_secs(59));
    assert!(screen.text().contains("59s ↻ How to"), "{}", screen.text());
    screen.press(&["T"]);
    assert!(screen.text().contains("14:02:31 ↻ How to"));
}

/// Presses the key of a pin and returns what the panel is pinned to and the text of the screen.
fn pinned(screen: &mut Screen) -> (PinSubject, String) {
    screen.asked();
    screen.press(&["."]);
    match screen.asked().as_slice() {
        [Effect::LoadPinnedOutcomes(subject, None)] => (subject.clone(), screen.text()),
        other => panic!("{other:?} on\n{}", screen.text()),
    }
}

#[test]
fn the_panel_is_pinned_to_a_cause_a_host_an_account_and_a_worker() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&["2"]);
    screen.send(Msg::Rows(ViewRows::Failures(Ok(failures()))));
    let (subject, text) = pinned(&mut screen);
    assert!(matches!(subject, PinSubject::Cause { code: ErrorCode::NotFound, http_status: Some(404), .. }));
    assert!(text.contains("outcomes of 404 Not Found ●"), "{text}");
    assert!(text.contains("reading") && text.contains("─ . unpins ─"), "{text}");
    let gone = failure(20_112, 812, "Pricing", OutcomeResult::PermanentFailure, ErrorCode::NotFound, "404 Not Found");
    let other = failure(20_111, 813, "Other", OutcomeResult::PermanentFailure, ErrorCode::NotFound, "404 No such page");
    screen.send(Msg::PinnedOutcomes(subject.clone(), None, Ok(vec![other, gone])));
    assert!(screen.text().contains("✗ Pricing") && !screen.text().contains("✗ Other"), "{}", screen.text());
    // One key lets go.
    screen.press(&["."]);
    assert!(!screen.text().contains("outcomes of"), "{}", screen.text());

    screen.press(&["4"]);
    screen.send(Msg::Rows(ViewRows::Hosts(Ok(hosts()))));
    let (subject, text) = pinned(&mut screen);
    assert!(matches!(subject, PinSubject::Host(_)), "{subject:?}");
    assert!(text.contains("outcomes of host "), "{text}");
    screen.press(&["esc", "6"]);
    let worker = crate::support::facts::workers().remove(0);
    screen.send(Msg::Rows(ViewRows::Workers(Ok(lines(vec![worker.clone()], &jobs())))));
    let (subject, text) = pinned(&mut screen);
    assert_eq!(subject, PinSubject::Worker(worker.name.clone()));
    assert!(text.contains("outcomes of worker "), "{text}");
    screen.arrive(vec![
        Outcome { worker: Some(worker.name.clone()), ..outcome(20_300, 9, "Of this one", OutcomeResult::Updated) },
        Outcome { worker: Some("another:1".into()), ..outcome(20_301, 9, "Of another", OutcomeResult::Updated) },
    ]);
    assert!(screen.text().contains("Of this one") && !screen.text().contains("Of another"), "{}", screen.text());
}

#[test]
fn older_outcomes_of_a_pin_are_read_when_they_are_scrolled_to() {
    let mut screen = Screen::usual(120, 40);
    let (subject, _) = pinned(&mut screen);
    let of = |seq| outcome(seq, 812, "Pricing and plans", OutcomeResult::Updated);
    screen.send(Msg::PinnedOutcomes(subject.clone(), None, Ok((500..540).map(of).collect())));
    screen.press(&["tab", "g"]);
    let asked = screen.asked();
    assert!(
        matches!(asked.as_slice(), [Effect::LoadPinnedOutcomes(of, Some(before))] if *of == subject && before.0 == 500)
    );
    assert!(screen.text().contains("reading older outcomes"), "{}", screen.text());
    screen.send(Msg::PinnedOutcomes(subject, Some(quarterdeck::domain::id::Seq(500)), Ok(vec![of(3)])));
    assert_eq!(screen.model.panel.entries().len(), 41);
}

#[test]
fn the_entries_of_a_pinned_document_name_their_result_and_not_the_document() {
    let mut screen = Screen::usual(120, 40);
    let (subject, _) = pinned(&mut screen);
    let name = "Pricing and plans";
    let gone = failure(20_112, 812, name, OutcomeResult::PermanentFailure, ErrorCode::NotFound, "404 Not Found");
    screen.send(Msg::PinnedOutcomes(subject, None, Ok(vec![outcome(2, 812, name, OutcomeResult::Updated), gone])));
    shot("outcomes-pinned-120x40", &screen);
}

#[test]
fn the_shown_outcomes_become_a_file_and_a_report_and_names_add_no_markdown() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&["tab", "F"]);
    let name = "[click](http://evil.example) | x";
    let gone = failure(20_400, 7, name, OutcomeResult::PermanentFailure, ErrorCode::NotFound, "404 Not Found");
    screen.arrive(vec![gone]);
    screen.asked();
    screen.press(&[">", "M"]);
    match screen.asked().as_slice() {
        [Effect::Save(NewFile { stem, extension: "log", text, label }), Effect::Copy(report, "report")] => {
            assert_eq!(stem, "quarterdeck-outcomes-20261125T130231Z");
            assert!(label.ends_with(" outcomes"), "{label}");
            assert!(text.starts_with("# outcomes, failures only of sqlite knowledge.db"), "{text}");
            assert_eq!(text.lines().filter(|line| line.split('\t').count() == 6).count(), text.lines().count() - 1);
            assert!(report.contains("\\[click\\](http://evil.example) \\| x (7)"), "{report}");
            insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false,
                omit_expression => true }, { insta::assert_snapshot!("outcomes-report", report) });
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn with_read_only_no_file_is_made() {
    let options = quarterdeck::tui::Options { read_only: true, ..crate::support::facts::options() };
    let mut screen = Screen::with(options, 120, 40);
    screen.press(&["tab", ">"]);
    assert!(screen.asked().is_empty());
    assert!(screen.text().contains("read-only: save is off"), "{}", screen.text());
}
