//! The sample of a host's documents, from which its template is learned.
//!
//! The sample has the documents whose ids have the lowest hashes. So it is the same for all workers, every document has
//! the same chance whatever the order of the fetches is, and a document that is converted again and again counts once.

use super::block::{Block, BlockKey, PathKey, spread};
use super::{Template, TemplateVersion};
use crate::domain::id::DocumentId;
use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

/// Maximum number of documents in a sample.
pub const SAMPLE_SIZE: usize = 48;
/// Number of documents from which a template is used.
pub(super) const LEAST_PAGES: usize = 3;
/// Maximum number of blocks of a document in the sample: half from its beginning, half from its end, where frames are.
const MOST_LINES: usize = 192;
/// Maximum number of recurring blocks, and of keys that only comparisons ignore.
pub(super) const MOST_RECURRING: usize = 512;
pub(super) const MOST_KNOWN: usize = 2_048;
/// Maximum number of paths.
pub(super) const MOST_PATHS: usize = 256;
/// Age from which a document leaves the sample once others are younger: it may have been removed.
const MOST_AGE: Duration = Duration::from_secs(180 * 86_400);

/// Blocks of a document's text, as a full conversion saw them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    pub document: DocumentId,
    pub at: Timestamp,
    /// Path and key of each block with words, at most [`MOST_LINES`].
    pub(super) lines: Vec<(PathKey, BlockKey)>,
}

impl Observation {
    /// Observes the blocks of a text before anything of a template is left out of it.
    pub fn of(document: DocumentId, at: Timestamp, blocks: &[Block<'_>]) -> Self {
        Self { document, at, lines: lines_of(blocks) }
    }

    /// Returns the observation as made at this time.
    pub fn made_at(self, at: Timestamp) -> Self {
        Self { at, ..self }
    }

    /// Returns the position of the document in the order in which samples prefer documents; low ones come first.
    pub fn rank(&self) -> u64 {
        rank(self.document)
    }
}

/// Returns the blocks of a text that count in a sample.
pub(super) fn lines_of(blocks: &[Block<'_>]) -> Vec<(PathKey, BlockKey)> {
    let with_words = blocks.iter().filter(|block| block.words > 0);
    let mut lines: Vec<_> = with_words.map(|block| (block.path, block.key)).collect();
    if lines.len() > MOST_LINES {
        lines.drain(MOST_LINES / 2..lines.len() - MOST_LINES / 2);
    }
    // Observations are kept for the hosts of a whole run.
    lines.shrink_to_fit();
    lines
}

/// Returns the position of a document in the order in which samples prefer documents.
pub(super) fn rank(document: DocumentId) -> u64 {
    spread(document.0.cast_unsigned().wrapping_add(0x9e37_79b9_7f4a_7c15))
}

/// Record of a host: the sample, and the template that follows from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateRecord {
    /// Version of the template; 0 before the first.
    pub version: i64,
    /// The sampled documents by their ranks.
    pub(super) sample: BTreeMap<u64, Observation>,
    /// Recurring blocks, each with the number of sampled documents that have it.
    pub(super) recurring: BTreeMap<BlockKey, u16>,
    pub(super) paths: Vec<PathKey>,
    /// Keys that comparisons ignore, newest first.
    pub(super) known: Vec<BlockKey>,
}

impl TemplateRecord {
    /// Creates a record without a sample.
    pub fn empty(version: i64) -> Self {
        Self { version, ..Self::default() }
    }

    /// Returns the number of sampled documents.
    pub fn pages(&self) -> usize {
        self.sample.len()
    }

    /// Returns the number of recurring blocks.
    pub fn blocks(&self) -> usize {
        self.recurring.len()
    }

    /// Returns the highest rank that a document may have to enter the sample.
    pub(super) fn highest_rank(&self) -> u64 {
        if self.sample.len() < SAMPLE_SIZE {
            return u64::MAX;
        }
        self.sample.last_key_value().map_or(u64::MAX, |(rank, _)| *rank)
    }

    /// Returns the template; `None` before there was any.
    pub fn template(&self) -> Option<Template> {
        (self.version > 0).then(|| self.to_template(self.sample.len(), self.highest_rank()))
    }

    pub(super) fn to_template(&self, pages: usize, highest_rank: u64) -> Template {
        Template {
            version: TemplateVersion(self.version),
            pages: u16::try_from(pages).unwrap_or(u16::MAX),
            highest_rank,
            recurring: self.recurring.iter().map(|(key, count)| (*key, *count)).collect(),
            paths: self.paths.iter().copied().collect(),
            known: self.known.iter().copied().collect(),
        }
    }

    /// Forgets the sample and the recurring blocks, so that the template is learned anew. Comparisons still ignore what
    /// was left out of stored texts. Returns false if nothing was learned.
    pub fn forget(&mut self) -> bool {
        let had_any = !self.recurring.is_empty();
        self.version += i64::from(had_any);
        let had_sample = !self.sample.is_empty();
        self.sample.clear();
        self.recurring.clear();
        self.paths.clear();
        had_any || had_sample
    }

    /// Adds observations and learns from them. Returns false if nothing has changed that is worth a write.
    pub fn fold(&mut self, observations: impl IntoIterator<Item = Observation>) -> bool {
        let mut has_news = false;
        for new in observations {
            let rank = new.rank();
            let before = self.sample.get(&rank);
            // The times of the sample put its documents in order, so a change of their order counts as well.
            has_news |= before.is_none_or(|before| before.lines != new.lines || new.at > before.at.plus(MOST_AGE / 4));
            if before.is_none_or(|before| before.at <= new.at) {
                self.sample.insert(rank, new);
            }
            while self.sample.len() > SAMPLE_SIZE {
                self.sample.pop_last();
            }
        }
        if has_news {
            self.drop_aged();
            self.learn();
        }
        has_news
    }

    fn drop_aged(&mut self) {
        let Some(newest) = self.sample.values().map(|one| one.at).max() else { return };
        let is_young = |one: &Observation| one.at.plus(MOST_AGE) > newest;
        if self.sample.values().filter(|one| is_young(one)).count() >= SAMPLE_SIZE / 6 {
            self.sample.retain(|_, one| is_young(one));
        }
    }

    /// Derives the template from the sample. A block recurs from the third document on, on four of five; it stays as long
    /// as it stands on half of them, and longer at a path of the frame, so that a new menu does not count as the end of
    /// a template.
    fn learn(&mut self) {
        let pages = self.sample.len();
        let is_usable = pages >= LEAST_PAGES;
        let mut counts: HashMap<BlockKey, (u16, PathKey)> = HashMap::new();
        for one in self.sample.values() {
            let mut own = HashSet::new();
            for (path, key) in one.lines.iter().filter(|(_, key)| own.insert(*key)) {
                let count = counts.entry(*key).or_insert((0, *path));
                count.0 += 1;
            }
        }
        self.paths = if is_usable { self.learn_paths() } else { Vec::new() };
        let paths: HashSet<_> = self.paths.iter().copied().collect();
        let recurs = |key: &BlockKey, (count, path): (u16, PathKey)| {
            let count = usize::from(count);
            let was_recurring = self.recurring.contains_key(key);
            let is_common = count >= LEAST_PAGES && count * 5 >= pages * 4;
            is_common || (was_recurring && (count * 2 >= pages || paths.contains(&path)))
        };
        let mut recurring: Vec<_> = counts
            .iter()
            .filter(|(key, of)| is_usable && recurs(key, **of))
            .map(|(key, (count, _))| (*key, *count))
            .collect();
        recurring.sort_unstable_by_key(|(key, count)| (std::cmp::Reverse(*count), *key));
        recurring.truncate(MOST_RECURRING);
        let recurring: BTreeMap<_, _> = recurring.into_iter().collect();
        // A block that no sampled page has any more changes no text when it goes.
        let is_new = recurring.keys().any(|key| !self.recurring.contains_key(key));
        let is_lost = self.recurring.keys().any(|key| !recurring.contains_key(key) && counts.contains_key(key));
        self.version += i64::from(is_new || is_lost);
        self.recurring = recurring;
        self.keep_known(&paths);
    }

    /// Returns the paths at which all pages have the same text at a time. The documents are put in the order of their
    /// fetches: where the frame stands, the text of neighbours differs only when the frame changes.
    fn learn_paths(&self) -> Vec<PathKey> {
        let mut order: Vec<_> = self.sample.values().collect();
        order.sort_by_key(|one| (one.at, one.document.0));
        let texts: Vec<HashMap<PathKey, Vec<BlockKey>>> = order.iter().map(|one| by_path(one)).collect();
        let pages = texts.len();
        let mut all: Vec<_> = texts.iter().flat_map(|one| one.keys().copied()).collect();
        all.sort_unstable();
        all.dedup();
        let was_path: HashSet<_> = self.paths.iter().copied().collect();
        let is_frame = |path: &PathKey| {
            let present: Vec<_> = texts.iter().filter_map(|one| one.get(path)).collect();
            if *path == PathKey::UNKNOWN || present.len() < LEAST_PAGES || present.len() * 5 < pages * 4 {
                return false;
            }
            let changes = present.windows(2).filter(|pair| !is_alike(pair[0], pair[1])).count();
            if was_path.contains(path) { changes <= 2.max(pages / 4) } else { changes <= pages / 8 }
        };
        all.retain(is_frame);
        all.truncate(MOST_PATHS);
        all
    }

    fn keep_known(&mut self, paths: &HashSet<PathKey>) {
        let at_paths = self.sample.values().flat_map(|one| one.lines.iter()).filter(|(path, _)| paths.contains(path));
        let mut is_there = HashSet::new();
        let all = self.recurring.keys().copied().chain(at_paths.map(|(_, key)| *key)).chain(self.known.iter().copied());
        self.known = all.filter(|key| is_there.insert(*key)).take(MOST_KNOWN).collect();
    }
}

fn by_path(one: &Observation) -> HashMap<PathKey, Vec<BlockKey>> {
    let mut texts: HashMap<PathKey, Vec<BlockKey>> = HashMap::new();
    for (path, key) in &one.lines {
        texts.entry(*path).or_default().push(*key);
    }
    texts
}

/// Returns true if two texts at a path have three of four blocks in common: a menu has no link to the page it is on.
fn is_alike(one: &[BlockKey], other: &[BlockKey]) -> bool {
    let (one, other): (HashSet<_>, HashSet<_>) = (one.iter().collect(), other.iter().collect());
    one.intersection(&other).count() * 4 >= one.len().max(other.len()) * 3
}
