//! Rows whose host is cooling down say so, and until when.

use crate::support::facts::{document, within};
use crate::support::screen::Screen;
use quarterdeck::domain::document::{DocumentRow, Status};
use quarterdeck::domain::host_backoff::{BackoffKind, HostBackoff};
use quarterdeck::tui::msg::Msg;
use quarterdeck::tui::update::update;

#[test]
fn a_queued_row_says_until_when_its_host_is_held_and_why() {
    let mut screen = Screen::usual(120, 40);
    let because = "5 documents in a row timed out".to_owned();
    let host_hold = Some(HostBackoff { until: within(80), kind: BackoffKind::CoolDown, reason: because });
    screen.page(vec![DocumentRow { host_backoff: host_hold, ..document(1, "Waits", Status::Queued) }]);
    let text = screen.text();
    let until = within(80).clock(&screen.model.zone());
    assert!(text.contains(&format!("host cooling down until {until}: 5 documents in a row timed out")), "{text}");
    assert!(
        text.contains("Next request to its host in 1:20") && text.contains("no attempt lost. x ends it."),
        "{text}"
    );
    let list = text.lines().find(|line| line.contains("queued") && line.contains("in 1:20")).expect("the row");
    assert!(
        list.contains("cooling down ") && !list.contains("cooling down…"),
        "what does not fit is left out whole: {list}"
    );
    // A hold that is over explains nothing.
    update(&mut screen.model, within(80), Msg::RefreshDue);
    assert!(!screen.text().contains("held until"), "{}", screen.text());
    assert!(screen.text().contains("waits for a slot"), "{}", screen.text());
}
