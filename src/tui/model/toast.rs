//! Short messages about what was just asked for, and the list in which they stay.

use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// How a message is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It was done.
    Done,
    /// It was not done, for a reason that is nobody's fault.
    Refused,
    /// Something went wrong.
    Failed,
}

impl Level {
    /// How long a toast of this level stays.
    const fn stays(self) -> Duration {
        match self {
            Self::Done => Duration::from_secs(4),
            Self::Refused => Duration::from_secs(6),
            Self::Failed => Duration::from_secs(10),
        }
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// When.
    pub at: Timestamp,
    /// How it is meant.
    pub level: Level,
    /// What it says.
    pub text: SafeLine,
}

/// Toasts and the activity list.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    toast: Option<Notice>,
    activity: VecDeque<Notice>,
}

/// Messages that the activity list keeps.
const KEPT: usize = 500;

impl Notices {
    /// Shows a message and keeps it in the activity list.
    pub fn tell(&mut self, at: Timestamp, level: Level, text: impl AsRef<str>) {
        let notice = Notice { at, level, text: SafeLine::new(text.as_ref()) };
        self.keep(notice.clone());
        self.toast = Some(notice);
    }

    /// Keeps a message in the activity list alone.
    pub fn note(&mut self, at: Timestamp, level: Level, text: impl AsRef<str>) {
        self.keep(Notice { at, level, text: SafeLine::new(text.as_ref()) });
    }

    /// The toast that is shown at `now`.
    pub fn toast(&self, now: Timestamp) -> Option<&Notice> {
        self.toast.as_ref().filter(|toast| now < toast.at.plus(toast.level.stays()))
    }

    /// When the toast goes.
    pub fn toast_ends(&self, now: Timestamp) -> Option<Timestamp> {
        self.toast(now).map(|toast| toast.at.plus(toast.level.stays()))
    }

    /// The messages, newest first.
    pub fn activity(&self) -> impl ExactSizeIterator<Item = &Notice> {
        self.activity.iter().rev()
    }

    fn keep(&mut self, notice: Notice) {
        if self.activity.len() == KEPT {
            self.activity.pop_front();
        }
        self.activity.push_back(notice);
    }
}
