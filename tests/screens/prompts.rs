//! Tests what a prompt for a filter offers: completion, and the filters used before.

use crate::support::screen::Screen;

/// Returns the text of the list's filter as it is in force.
fn filter(screen: &Screen) -> &str {
    &screen.model.documents.filter_text
}

#[test]
fn tab_completes_fields_and_words_as_far_as_they_agree() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&["/"]).type_text("st").press(&["tab"]).type_text("fa");
    assert!(screen.text().contains("Tab: failed"), "{}", screen.text());
    screen.press(&["tab"]);
    assert_eq!(filter(&screen), "status:failed");
    // Several words begin like this: all of them are offered, and no more is typed than they have in common.
    screen.type_text(",s").press(&["tab"]);
    assert!(screen.text().contains("Tab: stuck syncing"), "{}", screen.text());
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
