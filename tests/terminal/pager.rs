//! Tests that a text is shown in the person's pager, which alone has the terminal meanwhile.

use super::size;
use crate::support::pty::Terminal;
use std::fs;

fn console(pager: &str) -> Terminal {
    let terminal = Terminal::start(120, 40, &[("PAGER", pager)], &["demo", "--documents", "60", "--seed", "1"]);
    terminal.until_text("outcomes");
    terminal
}

#[test]
fn the_pager_gets_the_outcomes_and_every_key_and_the_console_comes_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let (text, typed) = (folder.path().join("text"), folder.path().join("typed"));
    let pager = format!(
        "cat > '{}'; echo the-text-is-here; read -r key < /dev/tty; echo \"$key\" > '{}'",
        text.display(),
        typed.display()
    );
    let mut terminal = console(&pager);
    terminal.until("an outcome", |screen| super::times_in_the_panel(screen) > 2);
    terminal.keys("\tL");
    terminal.until("the pager", |screen| !screen.alternate_screen() && screen.contents().contains("the-text-is-here"));
    // Keys of the console, if it read them.
    terminal.keys("3?zq\r");
    let screen = terminal
        .until("the console again", |screen| screen.alternate_screen() && screen.contents().contains("outcomes"));
    assert_eq!(size(&screen), (40, 120));
    assert_eq!(fs::read_to_string(typed).expect("the pager read a line"), "3?zq\n");
    let text = fs::read_to_string(text).expect("the pager got a text");
    assert!(text.starts_with("# outcomes of ") && text.lines().count() > 2, "{text}");
    assert!(!text.contains('\x1b'));
    // The console reads its keys again.
    terminal.keys("3");
    terminal.until_text("jobs");
    terminal.keys("\x03\x03");
    terminal.ended();
}

#[test]
fn an_interrupted_pager_ends_alone_and_a_missing_one_is_named() {
    let mut terminal = console("echo waits; exec sleep 100000");
    terminal.until("an outcome", |screen| super::times_in_the_panel(screen) > 0);
    terminal.keys("\tL");
    terminal.until("the pager", |screen| !screen.alternate_screen() && screen.contents().contains("waits"));
    terminal.keys("\x03");
    terminal.until("the console again", |screen| screen.alternate_screen() && screen.contents().contains("outcomes"));
    terminal.keys("\x03\x03");
    terminal.ended();

    let mut terminal = console("/nowhere/pager");
    terminal.until("an outcome", |screen| super::times_in_the_panel(screen) > 0);
    terminal.keys("\tL");
    terminal.until_text("no pager: /nowhere/pager is not installed");
    terminal.keys("\x03\x03");
    terminal.ended();
}
