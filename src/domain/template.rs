//! The template of a host: blocks of text that stand on many of its pages, learned from these pages. Such blocks are
//! frame, not content, so they are left out of a text, and a change in them is no change of the page.
//!
//! A text is cut into *blocks* (`block`): lines, tables and blocks of code, each with a key of its words and a key of its
//! *path*, the elements around it. A host's *sample* (`sample`) has the blocks of a few of its documents; from it
//! follows the template: keys of text that recurs, and paths whose text is the same on all pages at a time. `apply`
//! leaves blocks out and compares texts without them, `stored` is the record as the store keeps it.
//!
//! Text is left out only by its key: a path says where the frame stands, and the text there may still be the page's own.
//! But when a menu or a teaser changes, its new text is unknown while its path is not: so a comparison of two texts
//! ignores both.

mod apply;
mod block;
mod sample;
mod stored;
#[cfg(test)]
mod tests;

pub use apply::{Applied, BlockComparison, RecurringBlock};
pub use block::{Block, BlockKey, PathHash, PathKey, PathMark, blocks, without_targets};
pub use sample::{Observation, SAMPLE_SIZE, TemplateRecord};

use super::id::DocumentId;
use std::collections::{HashMap, HashSet};

/// Version of a host's template. It grows when the blocks that are left out change, so that texts which an earlier
/// version made are fetched and converted again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TemplateVersion(pub i64);

/// Facts about the blocks of a page's text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageBlocks {
    /// Paths of the lines of the text; empty if they are unknown.
    pub paths: Vec<PathMark>,
    /// Blocks of the page from which the template is learned; `None` if the page does not count.
    pub observation: Option<Observation>,
}

/// The template of a host, for use on its pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pub version: TemplateVersion,
    /// Number of documents in the sample.
    pages: u16,
    /// Highest rank of a document in the sample, once it is full: other documents do not enter it.
    highest_rank: u64,
    /// Recurring blocks, each with the number of sampled documents that have it.
    recurring: HashMap<BlockKey, u16>,
    /// Paths at which the text is the same on all pages at a time.
    paths: HashSet<PathKey>,
    /// The recurring blocks, those of earlier versions, and the blocks of all sampled documents at `paths`.
    known: HashSet<BlockKey>,
}

impl Template {
    /// Returns true if a document may enter the sample.
    pub fn wants(&self, document: DocumentId) -> bool {
        sample::rank(document) <= self.highest_rank
    }

    /// Returns the number of sampled documents.
    pub fn pages(&self) -> u16 {
        self.pages
    }

    /// Returns the number of recurring blocks.
    pub fn len(&self) -> usize {
        self.recurring.len()
    }

    /// Returns true if nothing recurs.
    pub fn is_empty(&self) -> bool {
        self.recurring.is_empty()
    }
}
