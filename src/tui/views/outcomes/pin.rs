//! The subject that the outcome panel is pinned to: a document, a cause of failures, a host, an account or a worker.

use super::entry::{Entry, push};
use super::state::{MAX_ENTRIES, Older};
use crate::domain::failure::ErrorCode;
use crate::domain::failure_cause::FailureCause;
use crate::domain::filter::{Filter, FilterCondition, Term};
use crate::domain::id::{AccountId, DocumentId, Seq};
use crate::domain::link::host_of;
use crate::domain::outcome::Outcome;
use crate::domain::text::SafeLine;
use std::collections::VecDeque;

/// The subject of a pin, which decides which outcomes belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PinSubject {
    Document(DocumentId),
    /// A cause of failures. The outcome log has no causes: code, status and host narrow its read, and the cause itself
    /// is computed for each outcome that is read.
    Cause {
        cause: FailureCause,
        code: ErrorCode,
        http_status: Option<u16>,
        /// The host, if the failure is one of a host.
        host: Option<SafeLine>,
    },
    Host(SafeLine),
    Account(AccountId),
    /// A worker, by its name `host:pid`.
    Worker(SafeLine),
}

impl PinSubject {
    /// Returns true if the outcome belongs to the subject.
    pub fn includes(&self, outcome: &Outcome) -> bool {
        match self {
            Self::Document(document) => *document == outcome.document_id,
            Self::Cause { cause, .. } => outcome.error_code.is_some_and(|code| {
                let host = host_of(&outcome.url).unwrap_or_default();
                FailureCause::of(code, outcome.http_status, outcome.detail.as_deref(), &host) == *cause
            }),
            Self::Host(host) => host_of(&outcome.url).is_some_and(|of| *of == **host),
            Self::Account(account) => *account == outcome.account_id,
            Self::Worker(worker) => outcome.worker.as_ref() == Some(worker),
        }
    }

    /// Returns the filter and the document that select the outcomes to read. Those of a cause are more than belong to
    /// it; [`Self::includes`] decides.
    pub fn query(&self) -> (Filter, Option<DocumentId>) {
        let conditions = match self {
            Self::Document(document) => return (Filter::default(), Some(*document)),
            Self::Cause { code, http_status, host, .. } => {
                let status = http_status.map(|status| FilterCondition::Http(vec![status]));
                let host = host.as_ref().map(|host| FilterCondition::Host(vec![host.to_string()]));
                [FilterCondition::Error(vec![*code])].into_iter().chain(status).chain(host).collect()
            }
            Self::Host(host) => vec![FilterCondition::Host(vec![host.to_string()])],
            Self::Account(account) => vec![FilterCondition::Account(vec![account.0])],
            Self::Worker(worker) => vec![FilterCondition::Worker(vec![worker.to_string()])],
        };
        let terms = conditions.into_iter().map(|condition| Term { negated: false, condition }).collect();
        (Filter { terms }, None)
    }

    /// Returns true if all entries are about one document, so that they need not name it.
    pub const fn is_document(&self) -> bool {
        matches!(self, Self::Document(_))
    }
}

/// What the panel shows, to which it returns.
#[derive(Clone, Debug)]
pub struct PanelPosition {
    /// What the panel is pinned to, with its name.
    pub subject: Option<(PinSubject, SafeLine)>,
    /// The entry under the cursor; `None` while the panel follows new outcomes.
    pub cursor: Option<Seq>,
    /// The last visible entry.
    pub bottom: Option<Seq>,
}

/// The pin to the document whose details are open.
#[derive(Clone, Debug)]
pub struct DetailPin {
    pub document: DocumentId,
    /// What the panel showed before.
    pub before: PanelPosition,
}

/// The pin of the panel, with the entries of its outcomes.
#[derive(Clone, Debug)]
pub struct Pin {
    pub subject: PinSubject,
    /// The subject as the panel's title names it, such as `host help.example.org`.
    pub name: SafeLine,
    pub entries: VecDeque<Entry>,
    /// The subject's newest outcomes were read.
    pub loaded: bool,
    pub older: Older,
    /// Number of the oldest outcome that was read.
    oldest_read: Option<Seq>,
}

impl Pin {
    pub const fn new(subject: PinSubject, name: SafeLine) -> Self {
        let entries = VecDeque::new();
        Self { subject, name, entries, loaded: false, older: Older::Unknown, oldest_read: None }
    }

    /// Adds an outcome that has just arrived, if it belongs to the subject. The oldest entries make room for it.
    pub fn take_new(&mut self, outcome: &Outcome) {
        if !self.subject.includes(outcome) {
            return;
        }
        push_new(&mut self.entries, outcome.clone());
        while self.entries.len() > MAX_ENTRIES {
            self.entries.pop_front();
            self.oldest_read = self.entries.front().map(Entry::seq);
            self.older = Older::Unknown;
        }
    }

    /// Adds the newest outcomes of the store in front of those that have arrived since the panel was pinned.
    pub fn take_newest(&mut self, outcomes: Vec<Outcome>) {
        self.note_read(&outcomes);
        let live: Vec<_> = self.entries.drain(..).map(|entry| entry.outcome).collect();
        let belonging = outcomes.into_iter().filter(|outcome| self.subject.includes(outcome));
        let mut entries = VecDeque::new();
        for outcome in belonging.chain(live) {
            push_new(&mut entries, outcome);
        }
        (self.entries, self.loaded) = (entries, true);
    }

    /// Adds outcomes before the number `before` in front of the oldest entry, unless others have been read meanwhile.
    pub fn take_older(&mut self, before: Seq, outcomes: Vec<Outcome>) {
        if self.oldest_read != Some(before) {
            self.older = Older::Unknown;
            return;
        }
        self.note_read(&outcomes);
        let mut older = VecDeque::new();
        for outcome in outcomes.into_iter().filter(|outcome| self.subject.includes(outcome)) {
            push(&mut older, outcome);
        }
        older.append(&mut self.entries);
        self.entries = older;
    }

    fn note_read(&mut self, outcomes: &[Outcome]) {
        self.older = if outcomes.is_empty() { Older::None } else { Older::Unknown };
        self.oldest_read = outcomes.first().map(|oldest| oldest.seq).or(self.oldest_read);
    }

    /// Returns the number before which older outcomes are to be read, and notes that their read is under way; `None`
    /// if there are none, or while they are being read. Entries are not read without an end.
    pub fn request_older(&mut self) -> Option<Seq> {
        if !self.loaded || self.older != Older::Unknown || self.entries.len() >= MAX_ENTRIES {
            return None;
        }
        let oldest = self.oldest_read?;
        self.older = Older::Loading;
        Some(oldest)
    }
}

/// Adds an outcome unless the entries already contain it or a newer one.
fn push_new(entries: &mut VecDeque<Entry>, outcome: Outcome) {
    if entries.back().is_none_or(|entry| entry.last < outcome.seq) {
        push(entries, outcome);
    }
}
