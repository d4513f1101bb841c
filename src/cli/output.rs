//! Data to stdout, messages to stderr, both without secrets and without anything that a terminal acts on.

use crate::domain::text::safe_block;
use serde::Serialize;
use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal as _, Write};

/// Output for data, not for messages.
pub struct Output(BufWriter<Box<dyn Write + Send>>);

impl Output {
    /// Standard output, in large pieces: a list of a million documents is not a million system calls.
    pub fn stdout() -> Self {
        Self::to(Box::new(io::stdout()))
    }

    /// Any writer.
    pub fn to(writer: Box<dyn Write + Send>) -> Self {
        Self(BufWriter::new(writer))
    }

    /// Prints a line.
    pub fn line(&mut self, line: impl Display) -> io::Result<()> {
        writeln!(self.0, "{line}")
    }

    /// Prints a JSON object on a line of its own.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, value)?;
        self.0.write_all(b"\n")
    }

    /// Text as it is.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.0.write_all(text.as_bytes())
    }

    /// Hands on what is pending: before a wait, and at the end.
    pub fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Says something on stderr. Nobody may be listening there, and that is no reason to fail.
pub fn note(message: impl Display) {
    let _ = writeln!(io::stderr(), "{}", masked(&safe_block(&message.to_string())));
}

/// Returns true if a person watches stderr and can answer on stdin.
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// `text` with the passwords of all addresses within replaced by `***`.
pub fn masked(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + 3);
        safe.push_str(before);
        let end =
            after.find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'')).unwrap_or(after.len());
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
        rest = after;
    }
    safe.push_str(rest);
    safe
}
