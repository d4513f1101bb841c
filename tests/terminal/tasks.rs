//! Tests the tasks of an incident in keystrokes, each from the list of documents: retry what failed for one cause in
//! four, see what a worker does in one.

use super::demo;

#[test]
fn what_failed_for_one_cause_is_retried_in_four_keys() {
    let mut terminal = demo("60");
    terminal.until("failed documents", |screen| screen.contents().contains("✗ failed"));
    terminal.keys("2");
    terminal.until("a cause, with what helps", |screen| {
        let text = screen.contents();
        text.contains("what helps") && text.contains(" in ") && text.contains("cause")
    });
    terminal.keys("r");
    terminal.until("the preview", |screen| screen.contents().contains("Retry "));
    terminal.keys("\t\r");
    terminal.until("the request", |screen| screen.contents().contains("queued "));
    terminal.keys("\r");
    terminal.until("the documents of the cause", |screen| screen.contents().contains("match cause:"));
    terminal.keys("\x1b");
    terminal.until("the causes again", |screen| screen.contents().contains("what helps"));
    terminal.keys("\x03\x03");
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn what_a_worker_does_is_seen_by_one_key() {
    let mut terminal = demo("200");
    terminal.until("an outcome", |screen| screen.contents().contains("first content"));
    terminal.keys("6");
    terminal.until("the worker and a document of it", |screen| {
        let text = screen.contents();
        text.contains("heartbeat") && text.contains("busy") && text.contains("▸ ")
    });
    terminal.keys("\x03\x03");
    assert_eq!(terminal.ended(), 0);
}
