//! What a colour means. Only the terminal's own sixteen colours on its own background, so that every palette and both
//! backgrounds work; no black, no white, and grey is the attribute "dim", since bright black is the background of some
//! palettes. Without colour the same meanings are attributes.

use crate::domain::document::{RecentResult, Status};
use crate::domain::outcome::OutcomeResult;
use crate::tui::glyphs::Glyphs;
use ratatui::style::{Color, Modifier, Style};

/// What a piece of text says by its style. Never alone: a glyph or a word says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    /// Ordinary text.
    Plain,
    /// Text that stands out.
    Strong,
    /// What is fine and quiet, labels, units.
    Dim,
    /// Focus and keys.
    Accent,
    /// In order.
    Good,
    /// Runs now, or will in a moment.
    Running,
    /// Waits for its next try; acts on something.
    Waiting,
    /// Went wrong.
    Failed,
    /// A worker was lost, or somebody must look.
    Lost,
}

/// The styles of the tones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    mono: bool,
}

impl Theme {
    /// With colours, or with attributes alone.
    pub const fn new(mono: bool) -> Self {
        Self { mono }
    }

    /// The style of a tone.
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

    /// The row under the cursor of the focused pane, and the focused choice of a dialog: reverse video in one colour.
    pub const fn cursor(&self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// What a search found.
    pub const fn found(&self) -> Style {
        let found = Style::new().add_modifier(Modifier::REVERSED);
        if self.mono { found } else { found.fg(Color::Yellow) }
    }

    /// What of a changed line really differs.
    pub const fn differs(&self, tone: Tone) -> Style {
        self.style(tone).add_modifier(Modifier::UNDERLINED)
    }

    /// What lies behind a dialog, and rows whose data is old.
    pub const fn behind(&self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// The border of a pane.
    pub const fn border(&self, focused: bool) -> Style {
        self.style(if focused { Tone::Accent } else { Tone::Dim })
    }
}

/// The signs and styles that a console draws with.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The signs.
    pub glyphs: Glyphs,
    /// The styles.
    pub theme: Theme,
}

/// The tone of a status.
pub const fn status(status: Status) -> Tone {
    match status {
        Status::Failed => Tone::Failed,
        Status::Stuck => Tone::Lost,
        Status::Waiting => Tone::Waiting,
        Status::Syncing | Status::Queued => Tone::Running,
        Status::Stale => Tone::Plain,
        Status::Synced => Tone::Good,
        Status::Never => Tone::Dim,
    }
}

/// The tone of one of the last results.
pub const fn recent(result: RecentResult) -> Tone {
    match result {
        RecentResult::Updated => Tone::Good,
        RecentResult::Unchanged | RecentResult::Stopped => Tone::Dim,
        RecentResult::Retrying => Tone::Waiting,
        RecentResult::Failed => Tone::Failed,
        RecentResult::Lost => Tone::Lost,
    }
}

/// The tone of an outcome.
pub const fn outcome(result: OutcomeResult) -> Tone {
    match result {
        OutcomeResult::Updated => Tone::Good,
        OutcomeResult::Unchanged | OutcomeResult::Cancelled | OutcomeResult::Purged => Tone::Dim,
        OutcomeResult::AlreadySyncing => Tone::Running,
        OutcomeResult::TransientFailure | OutcomeResult::UnexpectedFailure => Tone::Waiting,
        OutcomeResult::PermanentFailure
        | OutcomeResult::TransientRetryExhausted
        | OutcomeResult::UnexpectedRetryExhausted => Tone::Failed,
        OutcomeResult::WorkerLost | OutcomeResult::CrashExhausted => Tone::Lost,
    }
}
