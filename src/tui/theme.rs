//! Styles by meaning. They use only the terminal's sixteen colours on the terminal's background, so that they work on
//! every palette, light or dark. They use no black and no white. Grey is the attribute "dim", since bright black is the
//! background of some palettes. Without colour, only attributes are used. They distinguish fewer meanings; a sign or a
//! word next to the text makes the difference.

use crate::domain::document::{RecentResult, Status};
use crate::domain::outcome::OutcomeResult;
use crate::tui::glyphs::Glyphs;
use ratatui::style::{Color, Modifier, Style};

/// The meaning of a piece of text, which decides its style. A style is never the only hint: a sign or a word has the
/// same meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    Plain,
    Strong,
    /// Unimportant text: labels, units, normal states.
    Dim,
    Accent,
    /// A success, or a document that is up to date.
    Good,
    /// Running, or about to run.
    Running,
    /// Waiting, paused or refused; also an unusual state, such as an active filter, and the title of a dialog.
    Waiting,
    Failed,
    /// A lost worker, or something that a person must look into.
    Lost,
}

/// The styles of all tones, with colours or with attributes alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    mono: bool,
}

impl Theme {
    /// Returns the theme with colours, or with attributes alone if `mono`.
    pub const fn new(mono: bool) -> Self {
        Self { mono }
    }

    /// Returns the style of a tone.
    pub const fn style(&self, tone: Tone) -> Style {
        let plain = Style::new();
        if self.mono {
            return match tone {
                Tone::Plain | Tone::Good | Tone::Running => plain,
                Tone::Strong | Tone::Accent | Tone::Failed | Tone::Lost => plain.add_modifier(Modifier::BOLD),
                Tone::Waiting => plain.add_modifier(Modifier::ITALIC),
                Tone::Dim => plain.add_modifier(Modifier::DIM),
            };
        }
        match tone {
            Tone::Plain => plain,
            Tone::Strong => plain.add_modifier(Modifier::BOLD),
            Tone::Dim => plain.add_modifier(Modifier::DIM),
            Tone::Accent | Tone::Running => plain.fg(Color::Cyan),
            Tone::Good => plain.fg(Color::Green),
            Tone::Waiting => plain.fg(Color::Yellow),
            Tone::Failed => plain.fg(Color::Red),
            Tone::Lost => plain.fg(Color::Magenta),
        }
    }

    /// Returns the style of what is selected (the cursor row in the focused pane, a focused button, the active tab):
    /// reverse video.
    pub const fn cursor(&self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Returns the style of a search match.
    pub const fn search_match(&self) -> Style {
        let found = Style::new().add_modifier(Modifier::REVERSED);
        if self.mono { found } else { found.fg(Color::Yellow) }
    }

    /// Returns the style of the parts of a changed line that differ.
    pub const fn changed_text(&self, tone: Tone) -> Style {
        self.style(tone).add_modifier(Modifier::UNDERLINED)
    }

    /// Returns the style of the screen behind a dialog, and of rows with old data.
    pub const fn dimmed(&self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// Returns the style of a pane's border.
    pub const fn border(&self, focused: bool) -> Style {
        self.style(if focused { Tone::Accent } else { Tone::Dim })
    }
}

/// The signs and styles with which the console draws.
#[derive(Clone, Copy, Debug)]
pub struct Appearance {
    pub glyphs: Glyphs,
    pub theme: Theme,
}

/// Returns the tone of a document's status.
pub const fn status(status: Status) -> Tone {
    match status {
        Status::Failed => Tone::Failed,
        Status::Stuck => Tone::Lost,
        Status::Waiting => Tone::Waiting,
        Status::Syncing | Status::Queued => Tone::Running,
        Status::Stale => Tone::Plain,
        Status::Synced => Tone::Good,
        Status::Never | Status::Pdf | Status::Crawling => Tone::Dim,
    }
}

/// Returns the tone of one of a document's last results.
pub const fn recent(result: RecentResult) -> Tone {
    match result {
        RecentResult::Updated => Tone::Good,
        RecentResult::Unchanged | RecentResult::Stopped => Tone::Dim,
        RecentResult::Retrying => Tone::Waiting,
        RecentResult::Failed => Tone::Failed,
        RecentResult::Lost => Tone::Lost,
    }
}

/// Returns the tone of an outcome's result.
pub const fn outcome(result: OutcomeResult) -> Tone {
    match result {
        OutcomeResult::Updated | OutcomeResult::Restored => Tone::Good,
        OutcomeResult::Unchanged | OutcomeResult::Cancelled | OutcomeResult::Purged | OutcomeResult::Removed => {
            Tone::Dim
        }
        OutcomeResult::AlreadySyncing => Tone::Running,
        OutcomeResult::TransientFailure | OutcomeResult::UnexpectedFailure => Tone::Waiting,
        OutcomeResult::PermanentFailure
        | OutcomeResult::TransientRetryExhausted
        | OutcomeResult::UnexpectedRetryExhausted => Tone::Failed,
        OutcomeResult::WorkerLost | OutcomeResult::CrashExhausted => Tone::Lost,
    }
}
