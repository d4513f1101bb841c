//! Tests how a person reads why a document's text is what it is: on the demo's real pages, fetched anew.

use super::demo;

#[test]
fn a_page_of_the_demo_is_fetched_anew_and_explained() {
    let mut terminal = demo("12");
    terminal.until_text("first content");
    terminal.keys("/");
    terminal.keys("status:synced\r");
    terminal.until("a synced row", |screen| screen.contents().contains("match status:synced"));
    terminal.until("its row", |screen| screen.contents().contains('▌') && screen.contents().contains("✓ synced"));
    terminal.keys("\r");
    terminal.until_text(" attempts ");
    terminal.keys("]");
    terminal.until_text("i why");
    terminal.keys("i");
    // The demo's pages may answer late or fail; either way the reader says what it did.
    let screen = terminal.until("the explanation", |screen| {
        screen.contents().contains("why this text") && screen.contents().contains("Fetched anew; nothing was stored.")
    });
    let text = screen.contents();
    assert!(text.contains("Left out, in page order") || text.contains("cannot be explained"), "{text}");
    terminal.keys("i");
    terminal.until("the text again", |screen| !screen.contents().contains("why this text"));
    terminal.keys("\x03\x03");
    terminal.ended();
}
