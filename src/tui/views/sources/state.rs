//! State of the sources view: sources with their open proposals below them.

use crate::domain::id::{ProposalId, SourceId};
use crate::domain::source::{Proposal, SourceSummary};
use crate::store::Listing;
use crate::tui::table::order::{ColumnOrder, earliest_first, largest_first};
use crate::tui::table::state::{TableRow, TableState};
use std::cmp::Ordering;

/// Maximum number of open proposals of a source that are listed.
pub const MAX_LISTED: u32 = 200;

/// The table behind the sources view.
pub type SourcesTable = TableState<Listing<SourceLine>>;

/// A row: a source, or one of its open proposals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceLine {
    Source(Box<SourceSummary>),
    Proposal(Box<Proposal>),
}

/// Identity of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceLineKey {
    Source(SourceId),
    Proposal(ProposalId),
}

impl SourceLine {
    /// Returns the source of the row.
    pub fn source(&self) -> SourceId {
        match self {
            Self::Source(source) => source.id,
            Self::Proposal(proposal) => proposal.source,
        }
    }
}

impl TableRow for SourceLine {
    type Key = SourceLineKey;

    const ORDERS: &'static [ColumnOrder<Self>] = &[
        ColumnOrder {
            letter: 's',
            heading: "source",
            compare: |a, b| of_sources(a, b, |a, b| a.name.as_str().cmp(b.name.as_str())),
        },
        ColumnOrder {
            letter: 'p',
            heading: "pages",
            compare: |a, b| of_sources(a, b, |a, b| largest_first(a.pages, b.pages)),
        },
        ColumnOrder {
            letter: 'e',
            heading: "open",
            compare: |a, b| of_sources(a, b, |a, b| largest_first(a.proposals, b.proposals)),
        },
        ColumnOrder {
            letter: 'r',
            heading: "read",
            compare: |a, b| of_sources(a, b, |a, b| largest_first(a.last.map(|(at, _)| at), b.last.map(|(at, _)| at))),
        },
        ColumnOrder {
            letter: 'n',
            heading: "next",
            compare: |a, b| of_sources(a, b, |a, b| earliest_first(a.next_at, b.next_at)),
        },
    ];

    fn begins_group(&self) -> bool {
        matches!(self, Self::Source(_))
    }

    fn key(&self) -> SourceLineKey {
        match self {
            Self::Source(source) => SourceLineKey::Source(source.id),
            Self::Proposal(proposal) => SourceLineKey::Proposal(proposal.id),
        }
    }

    fn fades(&self) -> bool {
        false
    }
}

/// Compares two rows that are sources; others are equal.
fn of_sources(
    a: &SourceLine,
    b: &SourceLine,
    compare: impl Fn(&SourceSummary, &SourceSummary) -> Ordering,
) -> Ordering {
    match (a, b) {
        (SourceLine::Source(a), SourceLine::Source(b)) => compare(a, b),
        _ => Ordering::Equal,
    }
}

impl Listing<SourceLine> {
    /// Returns the listed proposals of a source.
    pub fn proposals_of(&self, source: SourceId) -> impl Iterator<Item = &Proposal> {
        self.rows.iter().filter_map(move |line| match line {
            SourceLine::Proposal(proposal) if proposal.source == source => Some(&**proposal),
            _ => None,
        })
    }

    /// Returns the sources.
    pub fn sources(&self) -> impl Iterator<Item = &SourceSummary> {
        self.rows.iter().filter_map(|line| match line {
            SourceLine::Source(source) => Some(&**source),
            SourceLine::Proposal(_) => None,
        })
    }
}

/// Joins sources with their proposals.
pub fn lines(read: Vec<(SourceSummary, Vec<Proposal>)>) -> Listing<SourceLine> {
    let mut rows = Vec::new();
    for (source, proposals) in read {
        rows.push(SourceLine::Source(Box::new(source)));
        rows.extend(proposals.into_iter().map(|proposal| SourceLine::Proposal(Box::new(proposal))));
    }
    let total = rows.len() as u64;
    Listing { rows, total }
}
