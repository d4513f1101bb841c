//! Writes data to stdout and messages to stderr. Messages contain no passwords and no terminal escape codes.

use crate::domain::text::safe_block;
use serde::Serialize;
use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal as _, Write};

/// Buffered output for data; messages go through [`note`].
pub struct Output(BufWriter<Box<dyn Write + Send>>);

impl Output {
    /// Writes to standard output in large blocks, so that a list of a million documents takes few system calls.
    pub fn stdout() -> Self {
        Self::to(Box::new(io::stdout()))
    }

    /// Writes to any writer, for tests.
    pub fn to(writer: Box<dyn Write + Send>) -> Self {
        Self(BufWriter::new(writer))
    }

    /// Prints a line.
    pub fn line(&mut self, line: impl Display) -> io::Result<()> {
        writeln!(self.0, "{line}")
    }

    /// Prints a value as JSON, on one line.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, value)?;
        self.0.write_all(b"\n")
    }

    /// Prints text unchanged, without adding a line break.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.0.write_all(text.as_bytes())
    }

    /// Writes out everything that is buffered. Needed before a wait, and at the end.
    pub fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Prints a message on stderr. A closed stderr is no failure.
pub fn note(message: impl Display) {
    let _ = writeln!(io::stderr(), "{}", masked(&safe_block(&message.to_string())));
}

/// Returns true if stderr and stdin are terminals, so that a person can be asked.
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Returns `text` with the password of every URL in it, or a user name without a password, replaced by `***`.
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
