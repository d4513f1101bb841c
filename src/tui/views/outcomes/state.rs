//! The outcome panel: what it holds, what of it is shown, and where it is scrolled to.
//!
//! At the bottom it follows; anywhere else it is held. Nothing else decides that.

use super::entry::{Entry, push};
use crate::domain::filter::Filter;
use crate::domain::id::{DocumentId, Seq};
use crate::domain::outcome::Outcome;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use std::collections::VecDeque;

/// Entries that are kept; older ones are read from the store again.
pub const KEPT: usize = 5_000;

/// Whether outcomes before the oldest kept one can be had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Older {
    /// Perhaps.
    #[default]
    Unasked,
    /// They are being read.
    Asked,
    /// There are none.
    None,
}

/// The panel shows one document alone.
#[derive(Clone, Debug)]
pub struct Pin {
    /// The document.
    pub document: DocumentId,
    /// Its name.
    pub name: SafeLine,
    /// Its outcomes.
    pub entries: VecDeque<Entry>,
    /// They were read.
    pub loaded: bool,
}

/// The panel.
#[derive(Debug)]
pub struct Panel {
    entries: VecDeque<Entry>,
    /// The entry under the cursor; `None` follows.
    pub cursor: Option<Seq>,
    /// The last entry on the screen while it is held.
    pub bottom: Option<Seq>,
    /// The newest outcome when the hold began.
    pub held_from: Seq,
    /// The newest outcome that arrived.
    pub newest: Seq,
    /// Outcomes that arrived while it was held and full, and were not kept.
    pub unkept: u64,
    /// Outcomes that arrived while the newest are read again.
    meanwhile: Option<Vec<Outcome>>,
    /// Outcomes that brought nothing new are not shown.
    pub hide_unchanged: bool,
    /// Which outcomes are shown.
    pub filter: Filter,
    /// The filter as it was typed.
    pub filter_text: String,
    /// What is searched for, in lower case.
    pub search: String,
    /// Shows one document alone.
    pub pin: Option<Pin>,
    /// Whether older ones can be had.
    pub older: Older,
    /// The first reading is there.
    pub loaded: bool,
}

impl Default for Panel {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            cursor: None,
            bottom: None,
            held_from: Seq::START,
            newest: Seq::START,
            unkept: 0,
            meanwhile: None,
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
    /// The entries, oldest first, those of the pinned document when there is one.
    pub fn entries(&self) -> &VecDeque<Entry> {
        self.pin.as_ref().map_or(&self.entries, |pin| &pin.entries)
    }

    /// The entries that are shown, oldest first.
    pub fn shown(&self, now: Timestamp) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries().iter().filter(move |entry| {
            !(self.hide_unchanged && entry.is_quiet()) && self.filter.matches_outcome(&entry.outcome, now)
        })
    }

    /// The entry under the cursor.
    pub fn selected(&self) -> Option<&Entry> {
        let cursor = self.cursor?;
        self.entries().iter().find(|entry| entry.seq() == cursor)
    }

    /// Whether something is shown of what arrives.
    pub const fn follows(&self) -> bool {
        self.cursor.is_none()
    }

    /// How many shown entries arrived since the hold began.
    pub fn new_since_hold(&self, now: Timestamp) -> u64 {
        if self.follows() {
            return 0;
        }
        self.unkept + self.shown(now).rev().take_while(|entry| entry.last > self.held_from).count() as u64
    }

    /// Takes outcomes that arrived, in order. Those that are known already are passed over.
    pub fn take(&mut self, outcomes: Vec<Outcome>) {
        for outcome in outcomes {
            if outcome.seq <= self.newest {
                continue;
            }
            self.newest = outcome.seq;
            if let Some(pin) = self.pin.as_mut().filter(|pin| pin.document == outcome.document_id) {
                push_new(&mut pin.entries, outcome.clone());
            }
            if let Some(meanwhile) = &mut self.meanwhile {
                meanwhile.push(outcome);
            } else if self.entries.len() >= KEPT && !self.follows() {
                self.unkept += 1;
            } else if self.unkept > 0 {
                // A hole would hide outcomes for ever; all of it is read again when the hold ends.
                self.unkept += 1;
            } else {
                push(&mut self.entries, outcome);
                while self.entries.len() > KEPT {
                    self.entries.pop_front();
                    self.older = Older::Unasked;
                }
            }
        }
    }

    /// Takes the newest outcomes of the store in place of what was kept.
    pub fn take_newest(&mut self, outcomes: Vec<Outcome>) {
        self.loaded = true;
        self.entries.clear();
        self.older = match outcomes.first() {
            Some(oldest) if oldest.seq > Seq(1) => Older::Unasked,
            _ => Older::None,
        };
        self.newest = outcomes.last().map_or(self.newest, |newest| newest.seq.max(self.newest));
        let last = outcomes.last().map_or(Seq::START, |newest| newest.seq);
        let after = self.meanwhile.take().unwrap_or_default();
        for outcome in outcomes.into_iter().chain(after.into_iter().filter(|outcome| outcome.seq > last)) {
            push(&mut self.entries, outcome);
        }
        self.unkept = 0;
    }

    /// The reading of the newest failed; what arrived meanwhile is kept for the next one.
    pub fn newest_failed(&mut self) {
        if let Some(meanwhile) = self.meanwhile.take() {
            self.unkept += meanwhile.len() as u64;
        }
    }

    /// Takes outcomes from before the oldest.
    pub fn take_older(&mut self, before: Seq, outcomes: Vec<Outcome>) {
        if self.entries.front().map(Entry::seq) != Some(before) {
            self.older = Older::Unasked;
            return;
        }
        self.older = match outcomes.first() {
            Some(oldest) if oldest.seq > Seq(1) => Older::Unasked,
            _ => Older::None,
        };
        let mut older = VecDeque::with_capacity(outcomes.len() + self.entries.len());
        for outcome in outcomes {
            push(&mut older, outcome);
        }
        older.append(&mut self.entries);
        self.entries = older;
        // The far end goes first while somebody reads at the near one; it is read again when the hold ends.
        while self.entries.len() > KEPT {
            if let Some(gone) = self.entries.pop_back() {
                self.unkept += gone.count;
            }
        }
    }

    /// Takes the outcomes of the pinned document.
    pub fn take_pinned(&mut self, document: DocumentId, outcomes: Vec<Outcome>) {
        if let Some(pin) = self.pin.as_mut().filter(|pin| pin.document == document) {
            let live: Vec<_> = pin.entries.drain(..).map(|entry| entry.outcome).collect();
            for outcome in outcomes.into_iter().chain(live) {
                push_new(&mut pin.entries, outcome);
            }
            pin.loaded = true;
        }
    }

    /// Follows again. Whether the newest have to be read for it.
    pub fn follow(&mut self) -> bool {
        (self.cursor, self.bottom) = (None, None);
        let read_again = self.unkept > 0 && self.meanwhile.is_none();
        if read_again {
            self.meanwhile = Some(Vec::new());
        }
        read_again
    }

    /// The number of the oldest kept outcome, when those before it should be read now; asked once.
    pub fn ask_older(&mut self, now: Timestamp, screen: usize) -> Option<Seq> {
        if self.pin.is_some() || self.older != Older::Unasked || self.follows() {
            return None;
        }
        let cursor = self.cursor?;
        let above = self.shown(now).take_while(|entry| entry.seq() < cursor).take(screen).count();
        let oldest = self.entries.front()?.seq();
        (above < screen).then(|| {
            self.older = Older::Asked;
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
