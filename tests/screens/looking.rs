//! Tests what helps a person who comes back or does not know a key: the outcomes since the last look, and the search of the
//! help. Also the switch of the console's runner, and who was faster.

use super::shot;
use crate::support::facts::{ago, options, outcome};
use crate::support::screen::Screen;
use quarterdeck::domain::id::{DocumentId, JobId};
use quarterdeck::domain::outcome::{Outcome, OutcomeResult};
use quarterdeck::domain::request::{DocumentAnswer, RequestAnswer};
use quarterdeck::format::EarlierRequest;
use quarterdeck::runner::event::{Phase, RunnerStatus};
use quarterdeck::tui::effect::{CommandKind, Effect};
use quarterdeck::tui::model::Focus;
use quarterdeck::tui::msg::{CommandResult, Msg};
use quarterdeck::tui::saved;
use std::time::Duration;

/// Lets this much time pass without a key.
fn wait(screen: &mut Screen, seconds: u64) {
    screen.model.now = screen.model.now.plus(Duration::from_secs(seconds));
}

fn arrive(screen: &mut Screen, seq: i64, result: OutcomeResult) {
    let at = screen.model.now;
    screen.arrive(vec![Outcome { at, ..outcome(seq, seq, &format!("Page {seq}"), result) }]);
}

#[test]
fn the_outcomes_since_the_last_visit_are_counted_and_found() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&["j", "'"]);
    assert!(screen.text().contains("you have been here all the time"), "{}", screen.text());
    // A pause of less than a minute is no absence.
    wait(&mut screen, 59);
    screen.press(&["'"]);
    assert!(screen.text().contains("you have been here all the time"), "{}", screen.text());
    wait(&mut screen, 300);
    for (seq, result) in [
        (90_001, OutcomeResult::Updated),
        (90_002, OutcomeResult::PermanentFailure),
        (90_003, OutcomeResult::TransientFailure),
    ] {
        arrive(&mut screen, seq, result);
        wait(&mut screen, 600);
    }
    screen.press(&["k", "'"]);
    let text = screen.text();
    assert!(text.contains("3 outcomes since you last looked, 35m ago: 2 failed, 1 updated"), "{text}");
    assert_eq!(screen.model.focus, Focus::Outcomes);
    assert_eq!(screen.model.panel.cursor.map(|seq| seq.0), Some(90_001));
    shot("last-look-120x40", &screen);
    screen.press(&["'"]);
    assert!(screen.text().contains("nothing since you last looked, 0s ago"), "{}", screen.text());
}

#[test]
fn a_new_console_knows_when_the_one_before_it_ended() {
    let first = Screen::usual(120, 40);
    let kept = saved::text(&first.model, None);
    let mut second = Screen::empty(options(), 120, 40);
    wait(&mut second, 7_200);
    saved::restore(&mut second.model, &kept);
    arrive(&mut second, 90_001, OutcomeResult::Updated);
    second.press(&["'"]);
    // Outcomes before the loaded ones may belong to it, too.
    assert!(second.text().contains("at least 1 outcome since you last looked, 2h ago: 1 updated"), "{}", second.text());
    // A time in the future, of a clock that was set back, is none.
    let mut third = Screen::empty(options(), 120, 40);
    third.model.now = ago(86_400);
    saved::restore(&mut third.model, &kept);
    third.press(&["'"]);
    assert!(third.text().contains("all the time"), "{}", third.text());
}

#[test]
fn the_help_is_searched_by_word_and_by_key() {
    for (width, height) in [(120, 40), (40, 12)] {
        let mut screen = Screen::usual(width, height);
        screen.press(&["?", "/"]).type_text("lease");
        let text = screen.text();
        assert!(text.contains("help / lease") && text.contains("break a running"), "{text}");
        assert!(!text.contains("half a page"), "{text}");
        shot(&format!("help-search-{width}x{height}"), &screen);
        // One letter is a key.
        screen.press(&["ctrl-u"]).type_text("H");
        assert!(screen.text().contains("show the documents that"), "{}", screen.text());
        assert!(!screen.text().contains("same host"), "the case of a key counts: {}", screen.text());
        screen.type_text("xyz");
        assert!(screen.text().contains("No key matches"), "{}", screen.text());
        screen.press(&["esc"]);
        assert!(screen.text().contains("/ searches"), "{}", screen.text());
        screen.press(&["q"]);
        assert!(screen.model.overlay.is_none(), "the help closes as before");
    }
    let mut screen = Screen::usual(120, 40);
    screen.press(&["!", "/"]);
    assert!(screen.text().contains("only the help can be searched"), "{}", screen.text());
}

#[test]
fn the_palette_stops_and_starts_the_runner_of_the_console() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&[":"]).type_text("runner").press(&["enter"]);
    assert!(screen.asked().iter().any(|effect| matches!(effect, Effect::SwitchRunnerOff(true))));
    screen.send(Msg::Status(RunnerStatus { phase: Phase::Off, busy: 3, slots: 16 }));
    assert!(screen.text().contains("runner off, 3 left"), "{}", screen.text());
    screen.press(&[":"]).type_text("runner").press(&["enter"]);
    assert!(screen.asked().iter().any(|effect| matches!(effect, Effect::SwitchRunnerOff(false))));
    screen.model.has_runner = false;
    screen.press(&[":"]).type_text("runner").press(&["enter"]);
    assert!(screen.asked().iter().all(|effect| !matches!(effect, Effect::SwitchRunnerOff(_))));
}

#[test]
fn somebody_who_was_faster_is_named_first() {
    let mut screen = Screen::usual(80, 24);
    screen.press(&["s"]);
    let command = screen.asked().into_iter().find_map(|effect| match effect {
        Effect::RunCommand(command) => Some(command),
        _ => None,
    });
    let command = command.expect("a request");
    assert!(matches!(command.kind, CommandKind::Request(..)));
    let answer = RequestAnswer::AlreadySyncing(JobId(1), Some("web-1:77".into()));
    let one = DocumentAnswer { document_id: DocumentId(812), answer };
    let earlier = EarlierRequest { by: Some("ana".into()), running_for: Some(Duration::from_secs(12)) };
    screen.send(Msg::CommandDone(command, Ok(CommandResult::Preceded(one, earlier))));
    assert!(screen.text().contains("ana was faster: Pricing and plans has b"), "{}", screen.text());
    screen.press(&["!"]);
    assert!(screen.text().contains("has been syncing for 12s on we"), "{}", screen.text());
}
