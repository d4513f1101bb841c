//! State of the sources view: sources with their open proposals below them.

use crate::domain::id::{ProposalId, SourceId};
use crate::domain::source::{Proposal, SourceSummary};
use crate::store::Listing;
use crate::tui::table::state::{TableRow, TableState};

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
