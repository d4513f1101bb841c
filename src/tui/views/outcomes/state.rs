//! State of the outcome panel: the kept entries, the filter, and the scroll position.
//!
//! At the bottom the panel follows new outcomes; scrolled anywhere else it stays. Nothing else decides that.

use super::entry::{Entry, push};
use crate::domain::filter::Filter;
use crate::domain::id::{DocumentId, Seq};
use crate::domain::outcome::Outcome;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use std::collections::VecDeque;

/// Greatest number of kept entries; older ones are read from the store when needed.
pub const MAX_ENTRIES: usize = 5_000;

/// Availability of outcomes before the oldest kept one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Older {
    /// Not known: nothing was requested yet.
    #[default]
    Unknown,
    /// A read is under way.
    Loading,
    /// The store has no older ones.
    None,
}

/// The restriction of the panel to one document.
#[derive(Clone, Debug)]
pub struct Pin {
    pub document: DocumentId,
    pub name: SafeLine,
    pub entries: VecDeque<Entry>,
    /// The document's outcomes were read.
    pub loaded: bool,
}

/// The outcome panel: its entries, filter, search, cursor and scroll position.
#[derive(Debug)]
pub struct Panel {
    entries: VecDeque<Entry>,
    /// The entry under the cursor; `None` means that the panel follows new outcomes.
    pub cursor: Option<Seq>,
    /// The last visible entry while the panel is scrolled.
    pub bottom: Option<Seq>,
    /// The newest outcome at the time when the panel was scrolled away from the bottom.
    pub newest_at_scroll: Seq,
    /// The newest outcome that has arrived.
    pub newest: Seq,
    /// Number of outcomes that were dropped because the panel was scrolled and full; they are read again when it
    /// follows.
    pub dropped: u64,
    /// Outcomes that arrived while the newest ones are read again; `None` while no such read is under way.
    arrived_while_reading: Option<Vec<Outcome>>,
    /// Hides unchanged outcomes.
    pub hide_unchanged: bool,
    /// The filter of the visible outcomes.
    pub filter: Filter,
    /// The filter as typed.
    pub filter_text: String,
    /// The search text in lower case; empty without a search.
    pub search: String,
    /// Restricts the panel to one document.
    pub pin: Option<Pin>,
    pub older: Older,
    /// The first read has arrived.
    pub loaded: bool,
}

impl Default for Panel {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            cursor: None,
            bottom: None,
            newest_at_scroll: Seq::START,
            newest: Seq::START,
            dropped: 0,
            arrived_while_reading: None,
            hide_unchanged: false,
            filter: Filter::default(),
            filter_text: String::new(),
            search: String::new(),
            pin: None,
            older: Older::default(),
            loaded: false,
        }
    }
}

impl Panel {
    /// Returns the entries, oldest first; with a pin those of its document.
    pub fn entries(&self) -> &VecDeque<Entry> {
        self.pin.as_ref().map_or(&self.entries, |pin| &pin.entries)
    }

    /// Returns the entries that pass the filter, oldest first.
    pub fn shown(&self, now: Timestamp) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries().iter().filter(move |entry| {
            !(self.hide_unchanged && entry.is_quiet()) && self.filter.matches_outcome(&entry.outcome, now)
        })
    }

    /// Returns the entry under the cursor.
    pub fn selected(&self) -> Option<&Entry> {
        let cursor = self.cursor?;
        self.entries().iter().find(|entry| entry.seq() == cursor)
    }

    /// Returns true if the panel shows new outcomes as they arrive.
    pub const fn follows(&self) -> bool {
        self.cursor.is_none()
    }

    /// Returns the number of visible entries that arrived since the panel was scrolled, and of the dropped outcomes.
    pub fn new_since_scroll(&self, now: Timestamp) -> u64 {
        if self.follows() {
            return 0;
        }
        self.dropped + self.shown(now).rev().take_while(|entry| entry.last > self.newest_at_scroll).count() as u64
    }

    /// Adds arriving outcomes, in their order. Outcomes that are known already are ignored.
    pub fn take(&mut self, outcomes: Vec<Outcome>) {
        for outcome in outcomes {
            if outcome.seq <= self.newest {
                continue;
            }
            self.newest = outcome.seq;
            if let Some(pin) = self.pin.as_mut().filter(|pin| pin.document == outcome.document_id) {
                push_new(&mut pin.entries, outcome.clone());
            }
            if let Some(meanwhile) = &mut self.arrived_while_reading {
                meanwhile.push(outcome);
            } else if self.entries.len() >= MAX_ENTRIES && !self.follows() {
                self.dropped += 1;
            } else if self.dropped > 0 {
                // A gap would hide outcomes for ever; the panel reads all of them again when it follows.
                self.dropped += 1;
            } else {
                push(&mut self.entries, outcome);
                while self.entries.len() > MAX_ENTRIES {
                    self.entries.pop_front();
                    self.older = Older::Unknown;
                }
            }
        }
    }

    /// Replaces the kept entries by the newest outcomes of the store.
    pub fn take_newest(&mut self, outcomes: Vec<Outcome>) {
        self.loaded = true;
        self.entries.clear();
        self.older = match outcomes.first() {
            Some(oldest) if oldest.seq > Seq(1) => Older::Unknown,
            _ => Older::None,
        };
        self.newest = outcomes.last().map_or(self.newest, |newest| newest.seq.max(self.newest));
        let last = outcomes.last().map_or(Seq::START, |newest| newest.seq);
        let after = self.arrived_while_reading.take().unwrap_or_default();
        for outcome in outcomes.into_iter().chain(after.into_iter().filter(|outcome| outcome.seq > last)) {
            push(&mut self.entries, outcome);
        }
        self.dropped = 0;
    }

    /// Notes that the read of the newest outcomes failed. Outcomes that arrived during it count as dropped, so a later
    /// read includes them.
    pub fn newest_failed(&mut self) {
        if let Some(meanwhile) = self.arrived_while_reading.take() {
            self.dropped += meanwhile.len() as u64;
        }
    }

    /// Adds outcomes from before the oldest entry; ignores them if `before` is no longer the oldest.
    pub fn take_older(&mut self, before: Seq, outcomes: Vec<Outcome>) {
        if self.entries.front().map(Entry::seq) != Some(before) {
            self.older = Older::Unknown;
            return;
        }
        self.older = match outcomes.first() {
            Some(oldest) if oldest.seq > Seq(1) => Older::Unknown,
            _ => Older::None,
        };
        let mut older = VecDeque::with_capacity(outcomes.len() + self.entries.len());
        for outcome in outcomes {
            push(&mut older, outcome);
        }
        older.append(&mut self.entries);
        self.entries = older;
        // The newest entries go, since the person reads the oldest; they are read again when the panel follows.
        while self.entries.len() > MAX_ENTRIES {
            if let Some(gone) = self.entries.pop_back() {
                self.dropped += gone.count;
            }
        }
    }

    /// Adds the outcomes of the pinned document before those that have arrived.
    pub fn take_pinned(&mut self, document: DocumentId, outcomes: Vec<Outcome>) {
        if let Some(pin) = self.pin.as_mut().filter(|pin| pin.document == document) {
            let live: Vec<_> = pin.entries.drain(..).map(|entry| entry.outcome).collect();
            for outcome in outcomes.into_iter().chain(live) {
                push_new(&mut pin.entries, outcome);
            }
            pin.loaded = true;
        }
    }

    /// Scrolls to the bottom and follows. Returns true if the caller has to read the newest outcomes.
    pub fn follow(&mut self) -> bool {
        (self.cursor, self.bottom) = (None, None);
        let reread = self.dropped > 0 && self.arrived_while_reading.is_none();
        if reread {
            self.arrived_while_reading = Some(Vec::new());
        }
        reread
    }

    /// Returns the oldest kept outcome if those before it should be read now: fewer than `screen` visible entries are
    /// above the cursor, and no such read is under way.
    pub fn request_older(&mut self, now: Timestamp, screen: usize) -> Option<Seq> {
        if self.pin.is_some() || self.older != Older::Unknown || self.follows() {
            return None;
        }
        let cursor = self.cursor?;
        let above = self.shown(now).take_while(|entry| entry.seq() < cursor).take(screen).count();
        let oldest = self.entries.front()?.seq();
        (above < screen).then(|| {
            self.older = Older::Loading;
            oldest
        })
    }
}

/// Adds an outcome unless it is there already.
fn push_new(entries: &mut VecDeque<Entry>, outcome: Outcome) {
    if entries.back().is_none_or(|entry| entry.last < outcome.seq) {
        push(entries, outcome);
    }
}
