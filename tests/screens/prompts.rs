//! Tests what a prompt for a filter offers: completion, and the filters used before.

use super::shot;
use crate::support::facts::options;
use crate::support::screen::Screen;
use quarterdeck::tui::effect::Effect;
use quarterdeck::tui::saved;
use std::path::PathBuf;

/// Returns the text of the list's filter as it is in force.
fn filter(screen: &Screen) -> &str {
    &screen.model.documents.filter_text
}

#[test]
fn tab_completes_fields_and_words_as_far_as_they_agree() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&["/"]).type_text("st").press(&["tab"]).type_text("fa");
    assert!(screen.text().contains("tab: failed"), "{}", screen.text());
    screen.press(&["tab"]);
    assert_eq!(filter(&screen), "status:failed");
    // Several words begin like this: all of them are offered, and no more is typed than they have in common.
    screen.type_text(",s").press(&["tab"]);
    assert!(screen.text().contains("tab: stuck syncing"), "{}", screen.text());
    screen.type_text("ynci").press(&["tab"]).type_text(" -err").press(&["tab"]).type_text("not").press(&["tab"]);
    assert_eq!(filter(&screen), "status:failed,syncing -error:not_found", "{}", screen.text());
    screen.press(&["enter"]);
    assert!(screen.model.overlay.is_none(), "{}", screen.text());
}

#[test]
fn tab_completes_the_words_of_outcomes_in_their_prompt_and_nothing_in_others() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&["tab", "f"]).type_text("res").press(&["tab"]).type_text("upd").press(&["tab", "enter"]);
    assert_eq!(screen.model.panel.filter_text, "result:updated");
    screen.press(&["/"]).type_text("stat").press(&["tab", "up"]);
    assert!(screen.text().contains("stat") && !screen.text().contains("status:"), "{}", screen.text());
}

#[test]
fn earlier_filters_come_back_and_what_was_typed_is_kept() {
    let mut screen = Screen::usual(120, 40);
    for text in ["refund", "status:failed", "refund", "host:a.org"] {
        screen.press(&["/"]).type_text(text).press(&["enter"]);
    }
    screen.press(&["/"]).type_text("widget");
    let mut seen = |key: &str| {
        screen.press(&[key]);
        filter(&screen).to_owned()
    };
    assert_eq!(["up", "up", "up", "up"].map(&mut seen), ["host:a.org", "refund", "status:failed", "status:failed"]);
    assert_eq!(["down", "down", "down", "down"].map(&mut seen), ["refund", "host:a.org", "widget", "widget"]);
    // Esc leaves the filter that was in force.
    screen.press(&["up", "up", "esc"]);
    assert_eq!(filter(&screen), "host:a.org");
}

/// Saves the filter of the list under a name.
fn save(screen: &mut Screen, filter: &str, name: &str) {
    screen.press(&["/"]).type_text(filter).press(&["enter", "ctrl-s"]).type_text(name).press(&["enter"]);
    assert!(screen.text().contains(&format!("saved as @{name}")), "{}", screen.text());
}

#[test]
fn a_filter_is_saved_under_a_name_and_chosen_from_a_list() {
    let mut with_file = options();
    with_file.state_file = Some(PathBuf::from("/nowhere/state.json"));
    let mut screen = Screen::with(with_file, 120, 40);
    screen.press(&["@"]);
    assert!(screen.text().contains("no filter is saved"), "{}", screen.text());
    screen.press(&["ctrl-s"]);
    assert!(screen.text().contains("there is no filter to save"), "{}", screen.text());
    save(&mut screen, "synced:>1d -status:failed", "night");
    save(&mut screen, "queue:auto", "nightly");
    // From within the prompt, which is accepted first.
    screen.press(&["/"]).type_text("error:timeout").press(&["ctrl-s"]).type_text("slow").press(&["enter"]);
    let kept = screen.asked().into_iter().rev().find_map(|effect| match effect {
        Effect::KeepFilters(_, filters) => Some(saved::with_filters("{ \"another\": 1 }", &filters)),
        _ => None,
    });
    let kept = kept.expect("a saved filter is kept at once");
    assert!(kept.contains("\"another\": 1"), "{kept}");
    assert_eq!(saved::named(&kept, "slow").as_deref(), Some("error:timeout"));

    screen.press(&["@"]);
    assert_eq!(filter(&screen), "error:timeout", "the sign alone is no filter");
    shot("filters-saved-120x40", &screen);
    screen.press(&["down"]);
    assert_eq!(filter(&screen), "synced:>1d -status:failed");
    screen.press(&["down", "down", "down"]);
    assert_eq!(filter(&screen), "synced:>1d -status:failed", "after the last the first one comes");
    screen.press(&["up"]);
    assert_eq!(filter(&screen), "error:timeout");
    screen.press(&["esc"]);
    screen.press(&["/"]).type_text("@ni").press(&["enter"]);
    assert!(screen.text().contains("choose a name"), "{}", screen.text());
    screen.type_text("ghtl").press(&["tab", "enter"]);
    assert_eq!(filter(&screen), "queue:auto");
    assert!(screen.model.overlay.is_none());

    // The next console knows them; a damaged one is left out.
    let mut later = Screen::empty(options(), 40, 12);
    saved::restore(&mut later.model, &kept.replace("\"night\"", "\"a b\""));
    assert_eq!(later.model.saved_filters.all().map(|(name, _)| name).collect::<Vec<_>>(), ["nightly", "slow"]);
    later.page(crate::support::facts::documents());
    later.press(&["@", "down"]);
    shot("filters-saved-40x12", &later);
}

#[test]
fn a_read_only_console_saves_a_filter_for_itself_alone() {
    let mut only_reads = options();
    (only_reads.read_only, only_reads.state_file) = (true, Some(PathBuf::from("/nowhere/state.json")));
    let mut screen = Screen::with(only_reads, 120, 40);
    save(&mut screen, "error:timeout", "slow");
    assert!(screen.text().contains("until this console ends"), "{}", screen.text());
    assert!(!screen.asked().iter().any(|effect| matches!(effect, Effect::KeepFilters(..))));
    assert_eq!(screen.model.saved_filters.named("@slow"), Some("error:timeout"));
}

#[test]
fn a_saved_filter_is_replaced_and_removed_by_its_name() {
    let mut screen = Screen::usual(120, 40);
    save(&mut screen, "queue:auto", "night");
    save(&mut screen, "queue:retry", "night");
    assert_eq!(screen.model.saved_filters.named("@night"), Some("queue:retry"));
    screen.press(&["ctrl-s"]).type_text("two words").press(&["enter"]);
    assert!(screen.text().contains("a name has 1 to 32 letters"), "{}", screen.text());
    screen.press(&["ctrl-u"]).type_text("-nigh").press(&["enter"]);
    assert!(screen.text().contains("no filter is saved as @nigh"), "{}", screen.text());
    screen.type_text("t").press(&["enter"]);
    assert!(screen.text().contains("removed @night") && screen.model.saved_filters.is_empty(), "{}", screen.text());
    // Without saved filters the sign is a letter like others.
    screen.press(&["/"]).type_text("@ana").press(&["enter"]);
    assert_eq!(filter(&screen), "@ana");
}
