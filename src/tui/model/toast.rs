//! Toasts (messages shown for a few seconds, mostly about a request's result) and the activity list, which keeps them.

use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// The level of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// A success: a request was carried out, or a problem is over.
    Done,
    /// The request was not carried out, for a reason that is no failure.
    Refused,
    /// A failure.
    Failed,
}

impl Level {
    /// Returns the time for which a toast of this level is shown.
    const fn toast_duration(self) -> Duration {
        match self {
            Self::Done => Duration::from_secs(4),
            Self::Refused => Duration::from_secs(6),
            Self::Failed => Duration::from_secs(10),
        }
    }
}

/// A message with its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub at: Timestamp,
    pub level: Level,
    pub text: SafeLine,
}

/// The current toast and the activity list.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    toast: Option<Notice>,
    activity: VecDeque<Notice>,
}

/// Maximum number of messages in the activity list. Beyond it the oldest messages are dropped.
const ACTIVITY_LIMIT: usize = 500;

impl Notices {
    /// Shows a message as a toast and adds it to the activity list.
    pub fn notify(&mut self, at: Timestamp, level: Level, text: impl AsRef<str>) {
        let notice = Notice { at, level, text: SafeLine::new(text.as_ref()) };
        self.keep(notice.clone());
        self.toast = Some(notice);
    }

    /// Adds a message to the activity list without showing a toast.
    pub fn log(&mut self, at: Timestamp, level: Level, text: impl AsRef<str>) {
        self.keep(Notice { at, level, text: SafeLine::new(text.as_ref()) });
    }

    /// Returns the toast that is shown at `now`, if there is one.
    pub fn toast(&self, now: Timestamp) -> Option<&Notice> {
        self.toast.as_ref().filter(|toast| now < toast.at.plus(toast.level.toast_duration()))
    }

    /// Returns the time at which the toast shown at `now` disappears; `None` if none is shown.
    pub fn toast_ends(&self, now: Timestamp) -> Option<Timestamp> {
        self.toast(now).map(|toast| toast.at.plus(toast.level.toast_duration()))
    }

    /// Returns the messages of the activity list, newest first.
    pub fn activity(&self) -> impl ExactSizeIterator<Item = &Notice> {
        self.activity.iter().rev()
    }

    fn keep(&mut self, notice: Notice) {
        if self.activity.len() == ACTIVITY_LIMIT {
            self.activity.pop_front();
        }
        self.activity.push_back(notice);
    }
}
