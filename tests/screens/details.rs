//! Tests the details of a document: the stages of an attempt, the other pages of its host, the record, restoring an earlier
//! text, and the outcome panel beside them.

use super::shot;
use crate::support::facts::{ago, outcome};
use crate::support::screen::Screen;
use quarterdeck::domain::filter::Filter;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::store::RestoredText;
use quarterdeck::tui::effect::{CommandKind, Effect};
use quarterdeck::tui::msg::{CommandResult, Msg};
use quarterdeck::tui::views::detail::state::HostPages;
use quarterdeck::tui::views::outcomes::pin::PinSubject;

fn opened(width: u16, height: u16) -> Screen {
    let mut screen = Screen::usual(width, height);
    screen.open_detail();
    screen.effects.clear();
    screen
}

#[test]
fn the_stages_of_an_attempt_are_bars_on_one_time_line() {
    for (width, height) in [(200, 60), (120, 40)] {
        let mut screen = opened(width, height);
        screen.press(&["j", "j"]);
        let text = screen.text();
        let line =
            |stage: &str| text.lines().find(|line| line.contains(stage)).unwrap_or_else(|| panic!("{stage}: {text}"));
        assert!(line("first byte").contains("19.9 s  ") && line("first byte").contains("━━━━━━━━"), "{text}");
        assert!(line("  TLS").contains("61 ms  ╸"), "{text}");
        shot(&format!("detail-stages-{width}x{height}"), &screen);
    }
    // The wait for an answer that never came is no stage that has ended.
    let mut screen = opened(120, 40);
    screen.press(&["j", "j", "j"]);
    let text = screen.text();
    let waited = text.lines().find(|line| line.contains("unfinished")).unwrap_or_else(|| panic!("{text}"));
    assert!(waited.contains("19.9 s  ━━━━━━━━") && !text.contains("first byte"), "{text}");
    // In a low pane they are one line.
    let mut screen = opened(80, 24);
    screen.press(&["j", "j"]);
    assert!(screen.text().contains("name 2.0 ms, connect 34 ms"), "{}", screen.text());
}

#[test]
fn the_head_says_how_the_other_pages_of_the_host_do() {
    let mut screen = opened(120, 40);
    assert!(screen.text().contains("Its host's 41 other pages: 3 fail, too. h lists them."), "{}", screen.text());
    for (documents, failing, words) in [
        (0, 0, "Its host has no other page."),
        (1, 1, "Its host's other page fails, too. h lists both."),
        (9, 0, "Its host's 9 other pages: none fails. h lists them."),
        (9, 1, "Its host's 9 other pages: one fails, too. h lists them."),
        (9, 9, "Its host's 9 other pages: all fail, too. h lists them."),
    ] {
        let detail = screen.model.detail.as_mut().expect("open");
        detail.data.as_mut().expect("read").host_pages = Some(HostPages { documents, failing });
        assert!(screen.text().contains(words), "{}", screen.text());
    }
    screen.press(&["h"]);
    assert_eq!(screen.model.documents.filter, Filter::parse("host:acme.example").expect("a filter"));
    assert!(screen.model.detail.is_none());
    screen.press(&["esc"]);
    assert!(screen.model.detail.is_some(), "Esc leads back to the details");
}

#[test]
fn the_record_is_the_json_of_the_command_line() {
    for (width, height) in [(120, 40), (40, 12)] {
        let mut screen = opened(width, height);
        screen.press(&["["]);
        assert!(screen.text().contains("\"id\": 812,"), "{}", screen.text());
        screen.press(&["G"]);
        assert!(screen.text().contains('}'), "{}", screen.text());
        screen.press(&["g"]);
        shot(&format!("detail-record-{width}x{height}"), &screen);
    }
}

#[test]
fn an_earlier_version_is_restored_after_a_question() {
    let mut screen = opened(120, 40);
    screen.press(&["v"]);
    assert!(screen.text().contains("select a version first"), "{}", screen.text());
    screen.press(&["]", "]", "]", "v"]);
    shot("restore-120x40", &screen);
    screen.press(&["enter"]);
    assert!(screen.asked().iter().all(|effect| !matches!(effect, Effect::RunCommand(_))), "Keep has the focus");
    screen.press(&["v", "tab", "enter"]);
    let asked = screen.asked();
    let command = asked.into_iter().find_map(|effect| match effect {
        Effect::RunCommand(command) => Some(command),
        _ => None,
    });
    let command = command.expect("a command");
    assert_eq!((&command.kind, &command.documents[..]), (&CommandKind::Restore(4), &[DocumentId(812)][..]));
    for (done, words) in [
        (RestoredText::Done { version: 6 }, "has the text again, as version 6"),
        (RestoredText::Current, "has this text already"),
        (RestoredText::Syncing, "restore after the sync"),
        (RestoredText::NoVersion, "is no longer stored"),
    ] {
        screen.send(Msg::CommandDone(command.clone(), Ok(CommandResult::TextRestored(done))));
        assert!(screen.text().contains(words), "{}", screen.text());
    }
}

#[test]
fn the_outcomes_are_pinned_to_the_document_while_its_details_are_open() {
    let mut screen = Screen::usual(120, 40);
    // The panel is scrolled, and shows afterwards what it showed.
    screen.press(&["tab", "k", "k", "k", "tab"]);
    let (before, cursor) = (screen.text(), screen.model.panel.cursor);
    screen.effects.clear();
    screen.press(&["enter"]);
    let subject = PinSubject::Document(DocumentId(812));
    let is_read = |effect: &Effect| matches!(effect, Effect::LoadPinnedOutcomes(of, None) if *of == subject);
    assert!(screen.asked().iter().any(is_read));
    screen.send(Msg::PinnedOutcomes(
        subject,
        None,
        Ok(vec![outcome(3, 812, "Pricing and plans", OutcomeResult::Updated)]),
    ));
    assert!(screen.text().contains("outcomes of Pricing"), "{}", screen.text());
    screen.press(&["esc"]);
    assert_eq!((screen.model.panel.cursor, screen.text()), (cursor, before));

    // A pin of a person comes back, with its outcomes read anew.
    screen.press(&["j", "."]);
    let pinned = screen.model.panel.pin.as_ref().map(|pin| pin.subject.clone());
    screen.press(&["k", "enter"]);
    assert_ne!(screen.model.panel.pin.as_ref().map(|pin| pin.subject.clone()), pinned);
    screen.effects.clear();
    screen.press(&["esc"]);
    assert_eq!(screen.model.panel.pin.as_ref().map(|pin| pin.subject.clone()), pinned);
    assert!(screen.asked().iter().any(|effect| matches!(effect, Effect::LoadPinnedOutcomes(_, None))));
}

#[test]
fn escape_in_the_pinned_outcomes_leads_to_the_details_and_a_pin_can_be_let_go() {
    let mut screen = opened(120, 40);
    screen.press(&["tab", "esc"]);
    assert!(screen.model.panel.is_of_detail() && screen.model.detail.is_some());
    screen.press(&["esc"]);
    assert!(screen.model.detail.is_none() && screen.model.panel.pin.is_none());
    screen.open_detail();
    screen.press(&["."]);
    assert!(screen.model.panel.pin.is_none());
    // It is not pinned again, neither by an outcome that arrives.
    let mut late = outcome(90_000, 812, "Pricing and plans", OutcomeResult::Updated);
    late.at = ago(1);
    screen.arrive(vec![late]);
    assert!(screen.model.panel.pin.is_none());
}
