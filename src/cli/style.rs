//! Colours of the verbs' output: `--color`, `NO_COLOR`, and the kind of standard output.

use crate::domain::content::ContentChange;
use crate::domain::document::Status;
use crate::domain::outcome::OutcomeResult;
use crate::tui;
use clap::ValueEnum;
use std::io::{self, IsTerminal as _};
use std::sync::OnceLock;

/// Value of `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// Colours on a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Colours also in a file or a pipe, for example into `less -R`
    Always,
    /// No colours
    Never,
}

/// The user's choice for this process. Without one, `auto` applies.
static CHOICE: OnceLock<ColorChoice> = OnceLock::new();

impl ColorChoice {
    /// Makes this the choice of the process. Only the first call has an effect.
    pub(super) fn apply(self) {
        let _ = CHOICE.set(self);
    }

    fn current() -> Self {
        CHOICE.get().copied().unwrap_or_default()
    }
}

/// Returns true if the console, which is always on a terminal, may use no colours.
pub(super) fn is_mono() -> bool {
    match ColorChoice::current() {
        ColorChoice::Auto => tui::no_color(),
        ColorChoice::Always => false,
        ColorChoice::Never => true,
    }
}

/// Returns true if data on standard output is coloured.
pub(super) fn colours_stdout() -> bool {
    match ColorChoice::current() {
        ColorChoice::Auto => io::stdout().is_terminal() && !is_dumb() && !tui::no_color(),
        ColorChoice::Always => true,
        ColorChoice::Never => false,
    }
}

/// Returns true if the terminal understands no control sequences, as its type says.
pub(super) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|kind| kind.is_empty() || kind == "dumb")
}

/// Meaning that a colour underlines. The words say the same, so that nothing is lost without colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emphasis {
    Plain,
    Heading,
    Good,
    Busy,
    Waits,
    Bad,
    Faint,
}

impl Emphasis {
    /// Returns `text` in the colour of this meaning, one of the terminal's own sixteen.
    pub fn paint(self, text: &str) -> String {
        let code = match self {
            Self::Plain => return text.to_owned(),
            Self::Heading => "1",
            Self::Good => "32",
            Self::Busy => "36",
            Self::Waits => "33",
            Self::Bad => "31",
            Self::Faint => "2",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

impl From<Status> for Emphasis {
    fn from(status: Status) -> Self {
        match status {
            Status::Failed | Status::Stuck => Self::Bad,
            Status::Waiting | Status::Stale => Self::Waits,
            Status::Syncing | Status::Queued | Status::Crawling => Self::Busy,
            Status::Synced => Self::Good,
            Status::Never | Status::Pdf => Self::Faint,
        }
    }
}

impl Emphasis {
    /// Returns the emphasis of an outcome as `log` shows it: first content and what needs review are stored as
    /// `unchanged`.
    pub fn of_outcome(content: Option<ContentChange>, result: OutcomeResult) -> Self {
        match (result, content) {
            (OutcomeResult::Unchanged, Some(ContentChange::First))
            | (OutcomeResult::Updated | OutcomeResult::Restored, _) => Self::Good,
            (OutcomeResult::Unchanged, Some(ContentChange::Quarantined)) => Self::Waits,
            (OutcomeResult::Unchanged, _) => Self::Plain,
            (
                OutcomeResult::TransientFailure
                | OutcomeResult::UnexpectedFailure
                | OutcomeResult::WorkerLost
                | OutcomeResult::AlreadySyncing,
                _,
            ) => Self::Waits,
            (
                OutcomeResult::PermanentFailure
                | OutcomeResult::TransientRetryExhausted
                | OutcomeResult::UnexpectedRetryExhausted
                | OutcomeResult::CrashExhausted,
                _,
            ) => Self::Bad,
            (OutcomeResult::Cancelled | OutcomeResult::Purged | OutcomeResult::Removed, _) => Self::Faint,
        }
    }
}
