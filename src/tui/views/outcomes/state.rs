//! State of the outcome panel: the kept entries, the filter, and the scroll position.
//!
//! A panel at the bottom follows new outcomes; a panel that is scrolled up stays on its entries. There is no other
//! setting for that.

use super::entry::{Entry, push};
use super::pin::{DetailPin, PanelPosition, Pin, PinSubject};
use crate::domain::filter::Filter;
use crate::domain::id::Seq;
use crate::domain::outcome::Outcome;
use crate::domain::time::Timestamp;
use crate::domain::word_enum::word_enum;
use crate::format;
use std::collections::VecDeque;

/// Maximum number of kept entries; older outcomes are read from the store when needed.
pub const MAX_ENTRIES: usize = 5_000;

/// Knowledge about the outcomes before the oldest kept one: unknown, being read, or that there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Older {
    /// The store may have older outcomes, and no read of them is under way.
    #[default]
    Unknown,
    /// A read of older outcomes is under way.
    Loading,
    /// The store has no older outcomes.
    None,
}

word_enum! {
    /// Outcomes that the panel shows, whatever its filter.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum VisibleOutcomes {
        #[default]
        All = "all",
        /// All but those that found nothing new.
        Changes = "changes",
        Failures = "failures",
    }
}

impl VisibleOutcomes {
    fn includes(self, entry: &Entry) -> bool {
        match self {
            Self::All => true,
            Self::Changes => !entry.is_quiet(),
            Self::Failures => entry.result().is_failure(),
        }
    }

    /// Returns `other`, or [`Self::All`] if that is shown already.
    #[must_use]
    pub fn toggled(self, other: Self) -> Self {
        if self == other { Self::All } else { other }
    }
}

word_enum! {
    /// How many lines an entry takes.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum EntryLines {
        /// The name, and below it the cause in at most two lines.
        #[default]
        Short = "short",
        /// Name and cause in one line.
        One = "one",
        /// The whole name and cause, in as many lines as they need.
        Whole = "whole",
    }
}

word_enum! {
    /// How an entry shows its time.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum TimeStyle {
        /// The time of day.
        #[default]
        Clock = "clock",
        /// The time since then.
        Age = "age",
    }
}

impl EntryLines {
    /// Returns `other`, or [`Self::Short`] if that is in use already.
    #[must_use]
    pub fn toggled(self, other: Self) -> Self {
        if self == other { Self::Short } else { other }
    }
}

/// The outcome panel: its entries, filter, search, cursor and scroll position.
#[derive(Debug)]
pub struct Panel {
    entries: VecDeque<Entry>,
    /// The entry under the cursor; `None` means that the panel follows new outcomes.
    pub cursor: Option<Seq>,
    /// The last visible entry; `None` while the panel follows new outcomes.
    pub bottom: Option<Seq>,
    /// Number of the outcome that was the newest when the panel was scrolled away from the bottom.
    pub newest_at_scroll: Seq,
    /// Number of the newest outcome that has arrived.
    pub newest: Seq,
    /// Number of the newest outcomes that are not in the panel: the panel was scrolled and full, they made room for
    /// older ones, or their read failed. They are read again when the panel follows new outcomes.
    pub dropped: u64,
    /// Outcomes that have arrived since a new read of the newest outcomes began; `None` if no such read is under way.
    arrived_while_reading: Option<Vec<Outcome>>,
    pub visible: VisibleOutcomes,
    /// The filter of the visible outcomes.
    pub filter: Filter,
    /// The filter as typed.
    pub filter_text: String,
    /// The search text in lower case; empty without a search.
    pub search: String,
    /// What the panel is pinned to; `None` if it shows all outcomes.
    pub pin: Option<Pin>,
    /// The document whose details are open, to which the panel was pinned when they opened.
    pub detail_pin: Option<DetailPin>,
    pub lines: EntryLines,
    pub times: TimeStyle,
    pub older: Older,
    /// The result of the first read of the newest outcomes has arrived.
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
            visible: VisibleOutcomes::All,
            filter: Filter::default(),
            filter_text: String::new(),
            search: String::new(),
            pin: None,
            detail_pin: None,
            lines: EntryLines::default(),
            times: TimeStyle::default(),
            older: Older::default(),
            loaded: false,
        }
    }
}

impl Panel {
    /// Returns the entries, oldest first; if the panel is pinned, the entries of what it is pinned to.
    pub fn entries(&self) -> &VecDeque<Entry> {
        self.pin.as_ref().map_or(&self.entries, |pin| &pin.entries)
    }

    /// Returns what the panel shows.
    pub fn position(&self) -> PanelPosition {
        let subject = self.pin.as_ref().map(|pin| (pin.subject.clone(), pin.name.clone()));
        PanelPosition { subject, cursor: self.cursor, bottom: self.bottom }
    }

    /// Returns true if the panel is pinned to the document whose details are open.
    pub fn is_of_detail(&self) -> bool {
        let of = |held: &DetailPin| PinSubject::Document(held.document);
        self.pin.as_ref().zip(self.detail_pin.as_ref()).is_some_and(|(pin, held)| pin.subject == of(held))
    }

    /// Returns the visible entries, oldest first: those of the kind that is shown that pass the filter.
    pub fn shown(&self, now: Timestamp) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries()
            .iter()
            .filter(move |entry| self.visible.includes(entry) && self.filter.matches_outcome(&entry.outcome, now))
    }

    /// Returns the entry under the cursor; `None` without a cursor, or if the entry is not kept any more.
    pub fn selected(&self) -> Option<&Entry> {
        let cursor = self.cursor?;
        self.entries().iter().find(|entry| entry.seq() == cursor)
    }

    /// Returns true if the panel shows new outcomes as they arrive.
    pub const fn follows(&self) -> bool {
        self.cursor.is_none()
    }

    /// Returns the number of visible entries that have arrived since the panel was scrolled, plus the number of dropped
    /// outcomes; 0 while the panel follows new outcomes.
    pub fn new_since_scroll(&self, now: Timestamp) -> u64 {
        if self.follows() {
            return 0;
        }
        self.dropped + self.shown(now).rev().take_while(|entry| entry.last > self.newest_at_scroll).count() as u64
    }

    /// Adds new outcomes, which are in the order of their sequence numbers. Outcomes that have arrived before are
    /// ignored.
    pub fn take(&mut self, outcomes: Vec<Outcome>) {
        for outcome in outcomes {
            if outcome.seq <= self.newest {
                continue;
            }
            self.newest = outcome.seq;
            if let Some(pin) = &mut self.pin {
                pin.take_new(&outcome);
            }
            if let Some(meanwhile) = &mut self.arrived_while_reading {
                meanwhile.push(outcome);
            } else if self.entries.len() >= MAX_ENTRIES && !self.follows() {
                self.dropped += 1;
            } else if self.dropped > 0 {
                // After a dropped outcome, later ones are dropped too, because a gap would never be filled. All of them
                // are read again when the panel follows new outcomes.
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

    /// Replaces the kept entries by the newest outcomes of the store, and adds those that arrived during the read.
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

    /// Ends a failed read of the newest outcomes. Outcomes that arrived during the read count as dropped, so that a
    /// later read includes them.
    pub fn newest_failed(&mut self) {
        if let Some(meanwhile) = self.arrived_while_reading.take() {
            self.dropped += meanwhile.len() as u64;
        }
    }

    /// Adds outcomes in front of the oldest entry. Ignores them if `before`, the oldest entry when they were requested,
    /// is no longer the oldest.
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
        // The newest entries are dropped, since the person reads the oldest. The newest ones are read again when the
        // panel follows new outcomes.
        while self.entries.len() > MAX_ENTRIES {
            if let Some(gone) = self.entries.pop_back() {
                self.dropped += gone.count;
            }
        }
    }

    /// Adds the outcomes that were read for `subject`, if the panel is still pinned to it: the newest ones, or those
    /// before a number.
    pub fn take_pinned(&mut self, subject: &PinSubject, before: Option<Seq>, outcomes: Vec<Outcome>) {
        match (self.pin.as_mut().filter(|pin| pin.subject == *subject), before) {
            (Some(pin), None) => pin.take_newest(outcomes),
            (Some(pin), Some(before)) => pin.take_older(before, outcomes),
            (None, _) => {}
        }
    }

    /// Returns the state of the outcomes before the oldest entry.
    pub fn older(&self) -> Older {
        self.pin.as_ref().map_or(self.older, |pin| pin.older)
    }

    /// Returns what is missing at the bottom of the panel, in words; `None` if nothing is. A pinned panel has all
    /// outcomes of its subject.
    pub fn gap(&self) -> Option<String> {
        let skipped = Some(self.dropped).filter(|dropped| *dropped > 0 && self.pin.is_none())?;
        Some(match self.arrived_while_reading {
            Some(_) => format!("{} skipped, loading", format::count(skipped, "outcome")),
            None => format!("{} not loaded", format::number(skipped)),
        })
    }

    /// Returns true while the outcomes at the bottom are being read.
    pub const fn is_reading_newest(&self) -> bool {
        self.arrived_while_reading.is_some()
    }

    /// Scrolls to the bottom and follows new outcomes. Returns true if the caller has to read the newest outcomes,
    /// because some were dropped.
    pub fn follow(&mut self) -> bool {
        (self.cursor, self.bottom) = (None, None);
        let reread = self.dropped > 0 && self.arrived_while_reading.is_none();
        if reread {
            self.arrived_while_reading = Some(Vec::new());
        }
        reread
    }

    /// Returns the number before which older outcomes should be read now, and notes that their read is under way. That
    /// is so if the panel is scrolled, fewer than `screen` visible entries are above the cursor, and the store may have
    /// older outcomes that are not being read.
    pub fn request_older(&mut self, now: Timestamp, screen: usize) -> Option<Seq> {
        if self.older() != Older::Unknown || self.follows() {
            return None;
        }
        let cursor = self.cursor?;
        let above = self.shown(now).take_while(|entry| entry.seq() < cursor).take(screen).count();
        if above >= screen {
            return None;
        }
        if let Some(pin) = &mut self.pin {
            return pin.request_older();
        }
        let oldest = self.entries.front()?.seq();
        self.older = Older::Loading;
        Some(oldest)
    }
}
