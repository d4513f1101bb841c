//! Compares every screen and dialog of a fixed state with snapshots, at the three supported sizes, and tests the styles
//! that carry meaning.

mod batches;
mod choices;
mod dashboard;
mod details;
mod explaining;
mod failures;
mod faqs;
mod groups;
mod held;
mod held_hosts;
mod looking;
mod outage;
mod outcomes;
mod own_keys;
mod plain;
mod prompts;
mod states;
mod styles;
mod views;

use crate::support::screen::Screen;
use quarterdeck::domain::topic::TopicSet;

/// Compares the screen's text with a snapshot.
fn shot(name: &str, screen: &Screen) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("screens/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, screen.text()));
}

const SIZES: [(u16, u16); 3] = [(120, 40), (80, 24), (40, 12)];

#[test]
fn documents_at_three_sizes() {
    for (width, height) in SIZES {
        let mut screen = Screen::usual(width, height);
        screen.press(&["j", "j", "space", "k", "k", "k"]);
        shot(&format!("documents-{width}x{height}"), &screen);
    }
}

/// Opens a view or dialog and compares its snapshot at every size.
fn at_every_size(name: &str, open: impl Fn(&mut Screen)) {
    for (width, height) in SIZES {
        let mut screen = Screen::usual(width, height);
        open(&mut screen);
        shot(&format!("{name}-{width}x{height}"), &screen);
    }
}

#[test]
fn the_help() {
    at_every_size("help", |screen| {
        screen.press(&["?"]);
    });
}

#[test]
fn the_palette() {
    at_every_size("palette", |screen| {
        screen.press(&[":"]).type_text("re");
    });
}

#[test]
fn a_preview() {
    at_every_size("preview", |screen| {
        screen.press(&["/"]).type_text("status:failed -error:not_found").press(&["enter"]);
        screen.press(&["R"]);
        screen.answer_preview(20);
    });
}

#[test]
fn a_confirmation() {
    at_every_size("remove", |screen| {
        screen.press(&["del"]);
    });
}

#[test]
fn the_quit_dialog() {
    at_every_size("quit", |screen| {
        screen.press(&["q", "tab"]);
    });
}

#[test]
fn a_filter_with_a_mistake() {
    at_every_size("filter", |screen| {
        screen.press(&["/"]).type_text("status:faled");
    });
}

#[test]
fn the_details() {
    at_every_size("detail", |screen| {
        screen.open_detail();
    });
    at_every_size("content", |screen| {
        screen.open_detail();
        screen.press(&["]"]);
    });
}

#[test]
fn the_panel_held_searched_and_focused() {
    at_every_size("outcomes", |screen| {
        screen.press(&["tab", "k", "k", "k", "/"]).type_text("page").press(&["enter"]);
        screen.arrive(vec![crate::support::facts::outcome(
            20_113,
            5,
            "A later page",
            quarterdeck::domain::outcome::OutcomeResult::Updated,
        )]);
    });
}

#[test]
fn nothing_yet() {
    at_every_size("empty", |screen| {
        *screen = Screen::empty(crate::support::facts::options(), screen.model.size.0, screen.model.size.1);
        screen.page(Vec::new());
        screen.send(quarterdeck::tui::msg::Msg::NewestOutcomes(Ok(Vec::new())));
        // Counting a large store takes a moment: until then nothing is said to be empty.
        let text = screen.text();
        assert!(text.contains(" reading") && !text.contains("queue empty"), "{text}");
        screen.send(quarterdeck::tui::msg::Msg::Counts(Ok(Default::default())));
        screen.send(quarterdeck::tui::msg::Msg::Queue(Ok(Default::default())));
        assert!(!screen.text().contains(" reading"), "{}", screen.text());
    });
}

#[test]
fn old_data() {
    at_every_size("stale", |screen| {
        screen.press(&["g", "s"]);
        let generation = screen.model.documents.generation;
        let answer = Err("the database does not answer: disk I/O error".into());
        screen.send(quarterdeck::tui::msg::Msg::StoreChanged(TopicSet::ALL));
        let generation = generation.max(screen.model.documents.generation);
        screen.send(quarterdeck::tui::msg::Msg::Page { generation, answer });
    });
}

#[test]
fn the_workers() {
    at_every_size("workers", |screen| {
        screen.press(&["w"]);
        screen.send(quarterdeck::tui::msg::Msg::Workers(Ok(crate::support::facts::workers())));
    });
}

#[test]
fn sorting_and_activity() {
    at_every_size("sort", |screen| {
        screen.press(&[","]);
    });
    at_every_size("activity", |screen| {
        screen.press(&["\\", ",", "z", "!"]);
    });
}
