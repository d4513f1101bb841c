//! Writes data to stdout and messages to stderr. Messages contain no passwords and no terminal escape codes.

use super::progress;
use super::style::{Emphasis, colours_stdout};
use crate::domain::text::safe_block;
use serde::Serialize;
use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};

pub use crate::domain::mask::masked;
pub(super) use crate::domain::mask::shortened;

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
