//! Checks of the machine and the terminal.

use crate::cli::console::locale;
use crate::cli::style::is_mono;
use crate::domain::finding::Finding;
use crate::fetch;
use crate::tui::layout::MIN_SIZE;
use crate::tui::{no_color, screen_size};

const TERMINAL: &str = "terminal";
const LOCALE: &str = "locale";

/// Checks that the system has root certificates, without which no https page can be fetched.
pub(super) fn certificates() -> Vec<Finding> {
    vec![match fetch::roots() {
        Ok(()) => Finding::ok("certificates", "root certificates found; https works"),
        Err(_) => Finding::fail(
            "certificates",
            "no root certificates found; no https page can be fetched",
            "install them (Debian: apt-get install ca-certificates), or name a file with them in SSL_CERT_FILE",
        ),
    }]
}

/// Checks that the terminal's type is known and its size suffices for the console.
pub(super) fn terminal() -> Vec<Finding> {
    let Some((width, height)) = screen_size() else {
        return vec![Finding::ok(TERMINAL, "stdout is not a terminal; only the console needs one")];
    };
    let kind = std::env::var("TERM").unwrap_or_default();
    let mut found = Vec::new();
    if matches!(kind.as_str(), "" | "dumb") {
        let message = match kind.as_str() {
            "" => "TERM is not set, so the console does not know what it can draw",
            _ => "TERM is dumb, so the console writes lines instead of drawing",
        };
        found.push(Finding::warn(TERMINAL, message, "set it to the type of the terminal, such as xterm-256color"));
    }
    if width < MIN_SIZE.0 || height < MIN_SIZE.1 {
        found.push(Finding::warn(
            TERMINAL,
            format!("{width}x{height} cells are too small for the console"),
            format!("make the terminal {}x{} cells or larger", MIN_SIZE.0, MIN_SIZE.1),
        ));
    }
    if found.is_empty() {
        let colours = match (is_mono(), no_color()) {
            (true, true) => "no colours (NO_COLOR)",
            (true, false) => "no colours (--color)",
            (false, _) => "the terminal's 16 colours",
        };
        found.push(Finding::ok(TERMINAL, format!("{kind}, {width}x{height} cells, {colours}")));
    }
    found
}

/// Checks that the locale lets the console draw characters beyond ASCII.
pub(super) fn character_set() -> Vec<Finding> {
    let locale = locale();
    vec![match &locale.variable {
        None => Finding::ok(LOCALE, "no locale is set; UTF-8 is assumed (--ascii draws with ASCII only)"),
        Some((variable, value)) if locale.is_utf8() => Finding::ok(LOCALE, format!("{variable}={value}")),
        Some((variable, value)) => Finding::warn(
            LOCALE,
            format!("{variable}={value} is not UTF-8, so the console draws with ASCII and names may look wrong"),
            "set LC_ALL to a UTF-8 locale, such as C.UTF-8",
        ),
    }]
}
