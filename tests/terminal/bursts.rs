//! Many keys at once, in a real terminal.

use crate::support::pty::Terminal;
use std::fs;

/// Returns the memory of a process in MB.
fn memory(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1_024
}

fn is_on(screen: &vt100::Screen, words: &str) -> bool {
    screen.contents().contains(words)
}

#[test]
fn thousands_of_keys_at_once_cost_little_and_the_next_key_acts() {
    // Keys age as in a release build.
    let mut terminal = Terminal::start(120, 40, &[("QUARTERDECK_LIMIT", "")], &["demo", "--documents", "200"]);
    terminal.until_text("runner ●");
    let before = memory(terminal.pid());
    // More than the terminal keeps, and more than is read at once. On a busy machine keys may wait for too long, and are
    // dropped.
    terminal.keys(&"j".repeat(5_000));
    terminal.press_until("/", "a prompt", |screen| is_on(screen, "filter documents"));
    let words: Vec<_> = (0..3_000).map(|n| format!("word{n}")).collect();
    terminal.keys(&words.join(" ")[..20_000]);
    terminal.press_until("\x1b", "no prompt", |screen| !is_on(screen, "filter documents"));
    let after = memory(terminal.pid());
    assert!(after < before + 60, "{before} MB before, {after} MB after");
}
