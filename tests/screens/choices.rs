//! Tests what a person chooses for the lists and keeps: orders of every view, columns, and the state between runs.

use super::{SIZES, shot};
use crate::support::facts::options;
use crate::support::screen::Screen;
use crate::support::seen::{accounts, failures, hosts, jobs};
use crate::support::seen_sources::source_lines;
use quarterdeck::domain::document::RecentResult;
use quarterdeck::domain::filter::Subject;
use quarterdeck::store::{Sort, SortBy};
use quarterdeck::tui::effect::Effect;
use quarterdeck::tui::model::Focus;
use quarterdeck::tui::msg::Msg;
use quarterdeck::tui::saved;
use quarterdeck::tui::views::catalog::{ViewId, ViewRows};
use quarterdeck::tui::views::documents::column_id::ColumnId;
use quarterdeck::tui::views::outcomes::state::{EntryLines, TimeStyle, VisibleOutcomes};

/// Shows a view with its rows.
fn view(key: &str, rows: ViewRows, width: u16, height: u16) -> Screen {
    let mut screen = Screen::usual(width, height);
    screen.press(&[key]);
    screen.send(Msg::Rows(rows));
    screen
}

/// Returns the lines that contain `text`, in their order on the screen.
fn order_of<'t>(screen: &Screen, texts: &[&'t str]) -> Vec<&'t str> {
    let text = screen.text();
    let mut found: Vec<(usize, &str)> = texts
        .iter()
        .map(|wanted| (text.find(wanted).unwrap_or_else(|| panic!("no {wanted} on\n{text}")), *wanted))
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(_, wanted)| wanted).collect()
}

#[test]
fn hosts_are_sorted_by_a_column_that_shows_it_and_back_to_the_worst_first() {
    let mut screen = view("4", ViewRows::Hosts(Ok(hosts())), 120, 40);
    let names = ["slow.example", "failing.example", "wiki.example"];
    assert_eq!(order_of(&screen, &names)[0], "slow.example");
    screen.press(&[",", "h"]);
    assert_eq!(order_of(&screen, &names), ["failing.example", "slow.example", "wiki.example"]);
    assert!(screen.text().contains("host↓"), "{}", screen.text());
    screen.press(&[",", "H"]);
    assert_eq!(order_of(&screen, &names), ["wiki.example", "slow.example", "failing.example"]);
    assert!(screen.text().contains("host↑"), "{}", screen.text());
    // A read keeps the order.
    screen.send(Msg::Rows(ViewRows::Hosts(Ok(hosts()))));
    assert_eq!(order_of(&screen, &names)[0], "wiki.example");
    screen.press(&[",", "o"]);
    assert_eq!(order_of(&screen, &names)[0], "slow.example");
    assert!(!screen.text().contains("host↑"), "{}", screen.text());
    screen.press(&[",", "q"]);
    assert!(screen.text().contains("no column has the letter q"), "{}", screen.text());
}

#[test]
fn every_view_is_sorted_and_shows_by_what() {
    let sorted = |key, rows, letter, heading: &str| {
        let mut screen = view(key, rows, 200, 60);
        screen.press(&[",", letter]);
        assert!(screen.text().contains(heading), "{heading} in\n{}", screen.text());
        screen
    };
    sorted("2", ViewRows::Failures(Ok(failures())), "l", "last seen↓");
    sorted("3", ViewRows::Jobs(Ok(jobs().into())), "d", " by document ↓");
    sorted("5", ViewRows::Accounts(Ok(accounts())), "D", "docs↑");
    let screen = sorted("7", ViewRows::Sources(Ok(source_lines())), "p", "pages↓");
    shot("sources-sorted-200x60", &screen);
    let mut screen = sorted("4", ViewRows::Hosts(Ok(hosts())), "d", "docs↓");
    screen.press(&[","]);
    shot("sort-of-hosts-200x60", &screen);
}

#[test]
fn columns_are_shown_hidden_and_moved_at_once() {
    let mut screen = Screen::usual(200, 60);
    screen.press(&["C"]);
    for (width, height) in SIZES {
        let mut screen = Screen::usual(width, height);
        screen.press(&["C", "j", "j"]);
        shot(&format!("columns-{width}x{height}"), &screen);
    }
    // The account, the ninth of those that are hidden at first, is shown at the end, and then moved.
    let at = |wanted: ColumnId| {
        let shown = quarterdeck::tui::views::documents::column_id::picker_rows(None);
        shown.iter().position(|(id, _)| *id == wanted).expect("it is there")
    };
    for _ in 0..at(ColumnId::Account) {
        screen.press(&["j"]);
    }
    screen.press(&["space", "K", "esc"]);
    let columns = screen.model.documents.columns.clone().expect("a choice");
    assert_eq!(columns[columns.len() - 2..], [ColumnId::Account, ColumnId::Next]);
    let text = screen.text();
    let headings = text.lines().find(|line| line.contains("attempted")).expect("the headings");
    let x = |heading: &str| headings.find(heading).unwrap_or_else(|| panic!("no {heading} in {headings}"));
    assert!(x("synced") < x("account") && x("account") < x("next"), "{headings}");
    // The name stays; with the error hidden it has the room.
    screen.press(&["C", "j", "space"]);
    assert!(screen.text().contains("the document's column stays"), "{}", screen.text());
    screen.press(&["j", "space", "esc"]);
    assert!(!screen.text().contains("last error"), "{}", screen.text());
    shot("columns-chosen-200x60", &screen);
    screen.press(&["C", "o", "esc"]);
    assert_eq!(screen.model.documents.columns, None);
    assert!(screen.text().contains("last error"), "{}", screen.text());
    for wanted in [ColumnId::Recent, ColumnId::Took] {
        let chosen = screen.model.documents.columns.clone();
        let rows = quarterdeck::tui::views::documents::column_id::picker_rows(chosen.as_deref());
        screen.press(&["C"]);
        for _ in rows.iter().take_while(|(id, _)| *id != wanted) {
            screen.press(&["j"]);
        }
        screen.press(&["space", "esc"]);
    }
    let text = screen.text();
    for seen in ["results", "took", "412 ms", &screen.model.glyphs.recent(RecentResult::Updated).repeat(8)] {
        assert!(text.contains(seen), "no {seen} in {text}");
    }
}

#[test]
fn columns_that_do_not_fit_are_left_out_and_names_keep_their_room() {
    let mut screen = Screen::usual(120, 40);
    let all = ColumnId::ALL.to_vec();
    screen.model.documents.columns = Some(all);
    shot("columns-all-120x40", &screen);
    assert!(screen.text().contains("Pricing and pl"), "{}", screen.text());
}

#[test]
fn what_is_chosen_is_kept_between_runs() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&["/"]).type_text("status:failed").press(&["enter", ",", "A"]);
    screen.press(&["C", "space", "esc", "tab", "l", "T", "F", "f"]).type_text("result:failed").press(&["enter", "tab"]);
    screen.press(&["4"]);
    screen.send(Msg::Rows(ViewRows::Hosts(Ok(hosts()))));
    screen.press(&[",", "D", "t"]);
    let kept = saved::text(&screen.model, None);
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false,
        omit_expression => true }, { insta::assert_snapshot!("kept-state", kept) });

    let mut later = Screen::empty(options(), 120, 40);
    saved::restore(&mut later.model, &kept);
    let model = &later.model;
    assert_eq!(model.active_view, ViewId::Hosts);
    assert_eq!((model.documents.filter_text.as_str(), model.documents.filter.terms.len()), ("status:failed", 1));
    assert_eq!(model.documents.sort, Sort { by: SortBy::Attempted, descending: true });
    assert_eq!(model.documents.columns, screen.model.documents.columns);
    assert_eq!(
        (model.panel.visible, model.panel.lines, model.panel.times, model.utc),
        (VisibleOutcomes::Failures, EntryLines::One, TimeStyle::Age, true)
    );
    assert_eq!(model.filters.of(Subject::Outcomes), ["result:failed"]);
    assert_eq!((model.panel.filter_text.as_str(), model.panel.filter.terms.len()), ("result:failed", 1));
    assert_eq!(saved::text(model, None), kept, "nothing is lost on the way");
    // The first read is that of the view, with its order.
    later.send(Msg::Start);
    let reads = later.asked();
    assert!(reads.iter().any(|effect| matches!(effect, Effect::LoadView { view: ViewId::Hosts, .. })), "{reads:?}");
    later.send(Msg::Rows(ViewRows::Hosts(Ok(hosts()))));
    assert!(later.text().contains("docs↑"), "{}", later.text());
}

#[test]
fn the_focus_comes_back_and_escape_clears_a_kept_filter_of_outcomes() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&["tab", "f"]).type_text("result:failed").press(&["enter", "z"]);
    let kept = saved::text(&screen.model, None);
    let mut later = Screen::usual(120, 40);
    saved::restore(&mut later.model, &kept);
    assert_eq!((later.model.focus, later.model.zoom), (Focus::Outcomes, true));
    assert!(later.text().contains("result:failed"), "{}", later.text());
    later.press(&["esc"]);
    assert!(!later.text().contains("result:failed"), "{}", later.text());
    assert_eq!((later.model.panel.filter_text.as_str(), later.model.zoom), ("", true));
    later.press(&["esc", "esc"]);
    assert_eq!((later.model.focus, later.model.zoom), (Focus::Main, false));
}

#[test]
fn a_damaged_state_is_no_error_and_what_can_be_read_is_used() {
    for text in ["", "nonsense", "[]", "{}", "null", "{\"view\": 7, \"orders\": [1], \"filters\": {\"documents\": 3}}"]
    {
        let mut screen = Screen::usual(120, 40);
        let before = screen.text();
        saved::restore(&mut screen.model, text);
        assert_eq!(screen.text(), before, "{text}");
    }
    let mut screen = Screen::usual(120, 40);
    let text = r#"{"view": "accounts", "filter": "stauts:failed", "columns": ["nonsense", "next", "next", "document"],
        "orders": {"hosts": {"letter": "?"}, "documents": {"letter": "y", "descending": "yes"}},
        "outcomes": {"lines": "endless", "times": "age", "filter": "a:b"}, "focus": 3,
        "filters": {"documents": ["faq:none", "ok", 7, "a:b"]}}"#;
    saved::restore(&mut screen.model, text);
    let model = &screen.model;
    assert_eq!(model.active_view, ViewId::Accounts);
    assert_eq!(model.documents.filter_text, "", "a filter with a mistake is none");
    assert_eq!(model.documents.columns.as_deref(), Some(&[ColumnId::Next, ColumnId::Document][..]));
    assert_eq!(model.documents.sort, Sort { by: SortBy::Synced, descending: false });
    assert_eq!((model.panel.lines, model.panel.times), (EntryLines::Short, TimeStyle::Age));
    assert_eq!((model.panel.filter_text.as_str(), model.focus), ("", Focus::Main));
    assert_eq!(model.filters.of(Subject::Documents), ["ok"], "this store knows no FAQs, and a: is no field");
}
