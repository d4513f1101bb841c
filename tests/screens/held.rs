//! Tests quarantined texts on the screen: in the list and the head, the difference that they would make, and the keys
//! that decide.

use super::{SIZES, shot};
use crate::support::facts::{ago, document, options};
use crate::support::screen::{Screen, find};
use quarterdeck::domain::difference::Difference;
use quarterdeck::domain::document::{DocumentRow, Status, StatusCounts};
use quarterdeck::domain::id::DocumentId;
use quarterdeck::store::{Decision, DecisionResult, QueueState, StoredVersion};
use quarterdeck::tui::Options;
use quarterdeck::tui::effect::{CommandKind, Effect};
use quarterdeck::tui::model::overlay::Overlay;
use quarterdeck::tui::msg::{CommandResult, DetailData, Msg};
use quarterdeck::tui::views::detail::difference::{Compared, DifferenceData, QuarantinedText};
use quarterdeck::tui::views::detail::state::Tab;
use ratatui::style::{Color, Modifier};

const OLD: &str = "# Pricing\n\nEvery plan has *all* channels; what differs is how many people may answer, and how long \
                   what they wrote is kept: 30 days.\n\n## Starter\n\n- two agents\n- mail\n- chat\n- phone\n\nThe end.";
const NEW: &str = "# Pricing\n\nEvery plan has *all* channels; what differs is how many people may answer, and how long \
                   what they wrote is kept: 90 days.\n\n## Starter\n\n- two agents\n- mail\n- chat\n- phone\n\nPlease \
                   sign in to see the prices.";
const REASON: &str = "looks like a login page";

fn held_row() -> DocumentRow {
    DocumentRow { quarantine_reason: Some(REASON.into()), ..document(1, "Pricing", Status::Synced) }
}

/// The list with a quarantined row under the cursor, among others.
fn list(options: Options, width: u16, height: u16) -> Screen {
    let mut screen = Screen::with(options, width, height);
    let mut counts = StatusCounts::default();
    counts.set(Status::Synced, 3);
    counts.quarantined = 1;
    screen.send(Msg::Counts(Ok(counts)));
    screen.send(Msg::Queue(Ok(QueueState { workers: 1, ..QueueState::default() })));
    let failed = DocumentRow { quarantine_reason: None, ..document(2, "Glossary", Status::Synced) };
    screen.page(vec![held_row(), failed, document(3, "Webhooks", Status::Synced)]);
    screen.press(&["g"]);
    screen.asked();
    screen
}

fn data(held: bool, reading: u64) -> DetailData {
    let row = if held { held_row() } else { DocumentRow { quarantine_reason: None, ..held_row() } };
    let version = |version, seconds| StoredVersion {
        version,
        replaced_at: ago(seconds),
        fingerprint: Some("9f86d081884c7d659a2feaa0c55ad015".into()),
        content_length: 9_400,
    };
    DetailData {
        outcomes: crate::support::facts::history(&row),
        row,
        content: OLD.lines().map(str::to_owned).collect(),
        version: Some(5),
        versions: vec![version(4, 15 * 86_400), version(3, 40 * 86_400)],
        quarantined: held.then(|| QuarantinedText {
            reason: REASON.into(),
            quarantined_at: ago(300),
            fingerprint: "aa11".into(),
            title: Some("Sign in".into()),
        }),
        chatwoot_jobs: Vec::new(),
        host_pages: None,
        record: Vec::new(),
        read_id: reading,
    }
}

/// Answers the queries of the details.
fn answer_detail(screen: &mut Screen, held: bool) {
    let generation = screen.model.detail.as_ref().expect("the details are open").generation;
    screen.send(Msg::Detail { generation, answer: Ok(Some(Box::new(data(held, generation)))) });
}

/// Takes the newest comparison among the effects since the last call.
fn comparison(screen: &mut Screen) -> Option<(u64, Compared)> {
    let mut asked = screen.asked().into_iter().filter_map(|effect| match effect {
        Effect::LoadDifference { generation, of, document: DocumentId(1) } => Some((generation, of)),
        _ => None,
    });
    asked.next_back()
}

/// Answers the newest comparison.
fn answer_comparison(screen: &mut Screen, old: &str, new: &str) {
    let (generation, of) = comparison(screen).expect("a comparison was asked for");
    let data = DifferenceData {
        document: DocumentId(1),
        compared: of,
        difference: Difference::of(old, new, 2),
        chars: (old.chars().count() as u64, new.chars().count() as u64),
        read_id: generation,
    };
    screen.send(Msg::Difference { generation, answer: Ok(Some(Box::new(data))) });
}

/// Opens the quarantined row's details with the difference in them.
fn opened(options: Options, width: u16, height: u16) -> Screen {
    let mut screen = list(options, width, height);
    screen.press(&["enter"]);
    answer_detail(&mut screen, true);
    answer_comparison(&mut screen, OLD, NEW);
    screen
}

#[test]
fn held_texts_at_three_sizes() {
    for (width, height) in SIZES {
        shot(&format!("held-list-{width}x{height}"), &list(options(), width, height));
        let mut screen = opened(options(), width, height);
        shot(&format!("held-changes-{width}x{height}"), &screen);
        screen.press(&["d"]);
        shot(&format!("held-reject-{width}x{height}"), &screen);
    }
}

#[test]
fn versions_and_what_replaced_one_at_three_sizes() {
    for (width, height) in SIZES {
        let mut screen = list(options(), width, height);
        screen.press(&["enter"]);
        answer_detail(&mut screen, false);
        screen.press(&["]", "j"]);
        shot(&format!("versions-{width}x{height}"), &screen);
        screen.press(&["enter"]);
        answer_comparison(&mut screen, OLD, NEW);
        shot(&format!("version-changes-{width}x{height}"), &screen);
    }
}

#[test]
fn a_held_row_is_told_by_sign_word_and_colour() {
    let screen = list(options(), 120, 40);
    let buffer = screen.buffer();
    let (x, y) = find(&buffer, "? review: looks").expect("in the list");
    assert!(x > 13 && y > 3);
    assert_eq!(screen.cell_of("? needs review: it looks").fg, Color::Magenta, "in the peek pane");
    assert_eq!(screen.cell_of("? 1").fg, Color::Magenta, "in the head");
    let mut away = list(options(), 120, 40);
    away.press(&["j"]);
    assert_eq!(away.cell_of("? review: looks").fg, Color::Magenta, "where the cursor is not");
    let mono = list(Options { mono: true, ..options() }, 120, 40);
    assert!(mono.text().contains("? review: looks") && mono.text().contains("? 1"));
}

#[test]
fn what_is_new_is_green_what_is_gone_red_and_what_differs_underlined() {
    let screen = opened(options(), 120, 40);
    for (text, colour) in
        [("- Every plan", Color::Red), ("+ Every plan", Color::Green), ("+ Please sign", Color::Green)]
    {
        assert_eq!(screen.cell_of(text).fg, colour, "{text}");
    }
    for (text, colour) in [("30 days.", Color::Red), ("90 days.", Color::Green)] {
        let cell = screen.cell_of(text);
        assert_eq!(cell.fg, colour, "{text}");
        assert!(cell.modifier.contains(Modifier::UNDERLINED), "{text}: {:?}", cell.modifier);
    }
    assert!(!screen.cell_of("Every plan").modifier.contains(Modifier::UNDERLINED));
    assert!(screen.cell_of("… 4 lines unchanged").modifier.contains(Modifier::DIM), "{}", screen.text());
    let mono = opened(Options { mono: true, ..options() }, 120, 40);
    assert!(mono.buffer().content().iter().all(|cell| cell.fg == Color::Reset));
    assert_eq!(mono.text(), screen.text());
    assert!(mono.cell_of("30 days.").modifier.contains(Modifier::UNDERLINED));
}

#[test]
fn in_ascii_its_signs_are_ascii() {
    let mut screen = opened(Options { ascii: true, ..options() }, 120, 40);
    assert!(screen.text().is_ascii(), "{}", screen.text());
    screen.press(&["a"]);
    assert!(screen.text().is_ascii(), "{}", screen.text());
}

#[test]
fn a_decision_is_asked_about_and_names_the_text_that_was_seen() {
    for (key, decision, button) in [("a", Decision::Accept, "[ Accept ]"), ("d", Decision::Reject, "[ Reject ]")] {
        let mut screen = opened(options(), 120, 40);
        screen.press(&[key]);
        assert!(screen.text().contains("[ Keep ]"), "{}", screen.text());
        screen.press(&["enter"]);
        assert!(screen.asked().iter().all(|effect| !matches!(effect, Effect::RunCommand(_))), "Keep has the focus");
        screen.press(&[key, "tab"]);
        assert!(screen.text().contains(button) && screen.text().contains("The fetched text needs review: it looks"));
        screen.press(&["enter"]);
        let asked = screen.asked();
        let [Effect::RunCommand(command)] = asked.as_slice() else { panic!("{asked:?}") };
        assert_eq!(command.kind, CommandKind::Decide(decision, "aa11".to_owned()));
        assert_eq!(
            (command.documents.as_slice(), command.name.as_deref()),
            ([DocumentId(1)].as_slice(), Some("Pricing"))
        );
    }
}

#[test]
fn nothing_is_decided_before_the_difference_is_on_the_screen() {
    let mut screen = list(options(), 120, 40);
    screen.press(&["enter", "a"]);
    assert!(
        screen.text().contains("the document does not need review"),
        "the document is still loading: {}",
        screen.text()
    );
    answer_detail(&mut screen, true);
    screen.press(&["a"]);
    assert!(screen.model.overlay.is_none());
    assert!(screen.text().contains("review the difference first, then press a again"), "{}", screen.text());
    answer_comparison(&mut screen, OLD, NEW);
    // From another tab the key switches to the difference.
    screen.press(&["[", "d"]);
    assert!(screen.model.overlay.is_none());
    assert_eq!(screen.model.detail.as_ref().map(|detail| detail.tab), Some(Tab::Changes));
    screen.press(&["d"]);
    assert!(matches!(screen.model.overlay, Some(Overlay::Confirm(_))));
}

#[test]
fn the_keys_are_there_only_where_something_is_held() {
    let footer = |screen: &Screen| screen.text().lines().last().unwrap_or_default().to_owned();
    let screen = opened(options(), 120, 40);
    assert!(footer(&screen).starts_with(" a accept   d reject   s sync"), "{}", footer(&screen));
    let mut without = list(options(), 120, 40);
    without.press(&["j", "enter"]);
    let generation = without.model.detail.as_ref().expect("open").generation;
    let row = document(2, "Glossary", Status::Synced);
    let data = DetailData { row, ..data(false, generation) };
    without.send(Msg::Detail { generation, answer: Ok(Some(Box::new(data))) });
    assert!(!footer(&without).contains("accept") && !footer(&without).contains("reject"), "{}", footer(&without));
    without.press(&["a"]);
    assert!(without.text().contains("the document does not need review"), "{}", without.text());
    let mut reading = opened(Options { read_only: true, ..options() }, 120, 40);
    assert!(!footer(&reading).contains("accept"), "{}", footer(&reading));
    for (key, word) in [("a", "accept"), ("d", "reject")] {
        reading.press(&[key]);
        assert!(reading.text().contains(&format!("read-only: {word} is off")), "{}", reading.text());
    }
    assert!(reading.model.overlay.is_none());
    assert!(reading.text().contains("The stored text stays until somebody decides."), "{}", reading.text());
    reading.press(&["esc"]);
    assert!(reading.text().contains("⏎ shows what would change."), "{}", reading.text());
}

#[test]
fn two_texts_are_compared_once_and_not_again_when_the_details_are_opened_again() {
    let mut screen = opened(options(), 120, 40);
    assert_eq!(comparison(&mut screen), None);
    screen.press(&["]", "[", "esc", "enter"]);
    answer_detail(&mut screen, true);
    assert_eq!(comparison(&mut screen), None, "it is kept");
    assert!(screen.text().contains("+ Please sign in"), "{}", screen.text());
    // Another text is quarantined now, which is another question.
    let generation = screen.model.next_generation();
    screen.model.detail.as_mut().expect("open").generation = generation;
    let mut other = data(true, generation);
    other.quarantined.as_mut().expect("held").fingerprint = "bb22".to_owned();
    screen.send(Msg::Detail { generation, answer: Ok(Some(Box::new(other))) });
    assert!(!screen.text().contains("+ Please sign in") && screen.text().contains("comparing"), "{}", screen.text());
    let (generation, of) = comparison(&mut screen).expect("asked for");
    assert_eq!(of, Compared::Quarantined { fingerprint: "bb22".to_owned(), stored: 5 });
    // A response to an older question is ignored.
    screen.send(Msg::Difference { generation: generation - 1, answer: Ok(None) });
    screen.send(Msg::Difference { generation, answer: Err("disk I/O error".into()) });
    assert!(screen.text().contains("Cannot compare the texts: disk I/O error"), "{}", screen.text());
    assert_eq!(comparison(&mut screen), None, "not asked for in a circle");
    screen.press(&["]", "["]);
    assert!(comparison(&mut screen).is_some(), "coming to it again tries again");
}

#[test]
fn what_came_of_a_decision_is_said() {
    let said = |decided, decision| {
        let mut screen = opened(options(), 120, 40);
        screen.press(&[if decision == Decision::Accept { "a" } else { "d" }, "tab", "enter"]);
        let command = screen.asked().into_iter().find_map(|effect| match effect {
            Effect::RunCommand(command) => Some(command),
            _ => None,
        });
        screen.send(Msg::CommandDone(command.expect("asked for"), Ok(CommandResult::Decided(decided))));
        assert!(screen.asked().iter().any(|effect| matches!(effect, Effect::LoadDetail { .. })), "it is read again");
        screen.text()
    };
    for (decided, decision, text) in [
        (DecisionResult::Done, Decision::Accept, "✓ accepted: Pricing has the new text"),
        (DecisionResult::Done, Decision::Reject, "✓ rejected: Pricing keeps its text"),
        (DecisionResult::NothingQuarantined, Decision::Accept, "! Pricing no longer needs review; nothing changed"),
        (DecisionResult::Replaced, Decision::Accept, "! a different text of Pricing needs review now; nothing changed"),
        (DecisionResult::Syncing, Decision::Reject, "! Pricing is being synced: decide after the sync"),
    ] {
        let screen = said(decided, decision);
        assert!(screen.contains(text), "{text} on\n{screen}");
    }
}

#[test]
fn the_held_ones_are_a_key_away_and_so_are_all_again() {
    let mut screen = list(options(), 120, 40);
    screen.press(&["H"]);
    assert_eq!(screen.model.documents.filter_text, "content:held");
    screen.page(vec![held_row()]);
    assert!(screen.text().contains("match content:held") && screen.text().contains("H all"), "{}", screen.text());
    screen.press(&["H"]);
    assert_eq!(screen.model.documents.filter_text, "");
    screen.press(&["3", "H"]);
    assert_eq!(screen.model.documents.filter_text, "content:held", "from another view, too");
    assert!(screen.model.list_is_shown());
    let mut usual = Screen::usual(120, 40);
    usual.press(&["H"]);
    assert!(usual.text().contains("no document needs review"), "{}", usual.text());
    // The command also works by its name.
    screen.press(&["H", ":"]).type_text("review").press(&["enter"]);
    assert_eq!(screen.model.documents.filter_text, "content:held");
}

#[test]
fn a_version_is_compared_with_its_successor_and_the_newest_with_what_is_stored() {
    let mut screen = list(options(), 120, 40);
    screen.press(&["enter"]);
    answer_detail(&mut screen, false);
    let (_, of) = comparison(&mut screen).expect("the held row opened there");
    assert_eq!(of, Compared::Versions { old: 4, new: 5 }, "nothing is held any more: the last change");
    screen.press(&["]", "enter"]);
    assert_eq!(comparison(&mut screen), None, "it was asked for already");
    screen.press(&["]", "j", "enter"]);
    assert_eq!(comparison(&mut screen).map(|(_, of)| of), Some(Compared::Versions { old: 3, new: 4 }));
    screen.press(&["[", "enter"]);
    assert!(screen.text().contains("select a version first, in the tab"), "{}", screen.text());
}

#[test]
fn the_difference_scrolls_to_its_end_at_every_size_and_nothing_panics() {
    let old = (0..300).map(|n| format!("old line {n} with words in it\n")).collect::<String>();
    let new = (0..300).map(|n| format!("new 語語語 line {n} with{}\n", "long".repeat(n % 40))).collect::<String>();
    for (width, height) in SIZES {
        let mut screen = list(options(), width, height);
        screen.press(&["enter"]);
        answer_detail(&mut screen, true);
        answer_comparison(&mut screen, &old, &new);
        assert!(screen.text().contains("- old line 0"), "{}", screen.text());
        screen.press(&["G"]);
        assert!(screen.text().contains("longlong") && !screen.text().contains("- old line 0"), "{}", screen.text());
        screen.press(&["g", "pgdn", "k"]);
        assert!(screen.text().contains("old line"), "{}", screen.text());
    }
    let mut screen = opened(options(), 120, 40);
    for width in (1..=20).chain([39, 40, 41, 63, 64, 100, 400]) {
        for height in [1, 3, 11, 12, 13, 20, 40, 200] {
            screen.send(Msg::Resize(width, height));
            screen.press(&["G", "k", "g", "j"]);
            let _ = screen.buffer();
        }
    }
}
