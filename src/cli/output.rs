//! Writes data to stdout and messages to stderr. Messages contain no passwords and no terminal escape codes.

use super::progress;
use super::style::{Emphasis, colours_stdout};
use crate::domain::text::{SafeLine, fit, safe_block};
use serde::Serialize;
use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// True if `--quiet` was given.
static IS_QUIET: AtomicBool = AtomicBool::new(false);

/// Leaves out confirmations, notes and progress from now on: only data and problems are printed.
pub(super) fn be_quiet() {
    IS_QUIET.store(true, Ordering::Relaxed);
}

/// Returns true if only data and problems are printed.
pub(super) fn is_quiet() -> bool {
    IS_QUIET.load(Ordering::Relaxed)
}

/// Buffered output for data; messages go through [`note`] and [`problem`].
pub struct Output {
    writer: BufWriter<Box<dyn Write + Send>>,
    /// Data for people is coloured.
    colours: bool,
}

impl Output {
    /// Writes to standard output in large blocks, so that a list of a million documents takes few system calls.
    pub fn stdout() -> Self {
        Self { colours: colours_stdout(), ..Self::to(Box::new(io::stdout())) }
    }

    /// Writes to any writer, for tests.
    pub fn to(writer: Box<dyn Write + Send>) -> Self {
        Self { writer: BufWriter::new(writer), colours: false }
    }

    /// Returns `text` in the colour of `tone`, if this output is coloured.
    pub(super) fn painted(&self, tone: Emphasis, text: &str) -> String {
        if self.colours { tone.paint(text) } else { text.to_owned() }
    }

    /// Prints a line that confirms what was done, unless `--quiet` is given.
    pub(super) fn confirmation(&mut self, line: impl Display) -> io::Result<()> {
        if is_quiet() { Ok(()) } else { self.line(line) }
    }

    /// Prints a line.
    pub fn line(&mut self, line: impl Display) -> io::Result<()> {
        writeln!(self.writer, "{line}")
    }

    /// Prints a value as JSON, on one line.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.writer, value)?;
        self.writer.write_all(b"\n")
    }

    /// Prints text unchanged, without adding a line break.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.writer.write_all(text.as_bytes())
    }

    /// Writes out everything that is buffered. Needed before a wait, and at the end.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Prints a message on stderr, unless `--quiet` is given.
pub fn note(message: impl Display) {
    if !is_quiet() {
        problem(message);
    }
}

/// Prints a message about a failure on stderr, also with `--quiet`. A closed stderr is no failure.
pub fn problem(message: impl Display) {
    progress::clear();
    let _ = writeln!(io::stderr(), "{}", masked(&safe_block(&message.to_string())));
}

/// Returns true if stderr and stdin are terminals, so that a person can be asked.
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Returns `text` with the secrets of every URL in it replaced by `***`: its password, a user name without a password, and
/// the values of parameters such as `password` and `sslpassword`.
pub fn masked(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + 3);
        safe.push_str(before);
        let end = after.find(|c: char| ends_url(c) || matches!(c, '/' | '?' | '#')).unwrap_or(after.len());
        let (authority, after) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some((user, host)) => {
                if let Some((name, _)) = user.split_once(':') {
                    safe.push_str(name);
                    safe.push(':');
                }
                safe.push_str("***@");
                safe.push_str(host);
            }
            None => safe.push_str(authority),
        }
        // Another URL may follow without a space between.
        let end = after.find(ends_url).into_iter().chain(after.find("://")).min().unwrap_or(after.len());
        let (parameters, after) = after.split_at(end);
        push_parameters(&mut safe, parameters);
        rest = after;
    }
    safe.push_str(rest);
    safe
}

/// Returns a text that a person has typed or that stands in a file, cut to 80 cells for a message. Secrets are masked
/// first, since a cut may hide that a part is one.
pub(super) fn shortened(text: &str) -> String {
    fit(&SafeLine::new(&masked(text)), 80)
}

/// Returns true for a character after which a URL in a text has ended.
fn ends_url(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`')
}

/// Adds a URL's path and parameters; the values of parameters that are secret become `***`.
fn push_parameters(safe: &mut String, text: &str) {
    for part in text.split_inclusive(['?', '&', '#', ';']) {
        let (pair, separator) = match part.char_indices().next_back() {
            Some((last, '?' | '&' | '#' | ';')) => part.split_at(last),
            _ => (part, ""),
        };
        match pair.split_once('=') {
            Some((name, _)) if is_secret(name) => {
                safe.push_str(name);
                safe.push_str("=***");
            }
            _ => safe.push_str(pair),
        }
        safe.push_str(separator);
    }
}

/// Returns true for the name of a parameter whose value nobody may see.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["pass", "pwd", "secret", "token"].iter().any(|word| name.contains(word))
}
