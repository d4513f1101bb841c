//! Use of a template: blocks are left out of a text, and two texts are compared without them.

use super::Template;
use super::block::{Block, BlockKey, blocks};
use super::{PathKey, PathMark};
use std::collections::HashSet;
use std::ops::Range;

/// A block that is left out, with the numbers of documents that explain it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecurringBlock {
    /// Range of the block's lines in the text.
    pub range: Range<usize>,
    /// Number of sampled documents that have the block, and of all sampled documents.
    pub pages: u16,
    pub of: u16,
}

/// A text without the blocks that are left out, with the paths of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub text: String,
    pub paths: Vec<PathMark>,
}

/// Result of a comparison of two texts of a page by blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockComparison {
    /// The content differs.
    Different,
    /// Only the frame differs, and the old text has nothing of it that it should not have.
    FrameOnly,
    /// Only the frame differs, and the template would make another text than the old one.
    Outdated,
}

impl Template {
    /// Returns the blocks to leave out, in order, of `all` blocks of a text; none if they make up more than half of
    /// its words.
    ///
    /// A heading stays as long as something of its section does, an item as long as one below it does, and so does a
    /// line that ends with a colon before something that stays: they are part of what they lead in.
    pub fn recurring_in(&self, all: &[Block<'_>]) -> Vec<RecurringBlock> {
        let mut leaves: Vec<bool> =
            all.iter().map(|block| block.words > 0 && self.recurring.contains_key(&block.key)).collect();
        for index in (0..all.len()).rev() {
            if leaves[index] && leads_in(all, &leaves, index) {
                leaves[index] = false;
            }
        }
        let words = |only_left_out: bool| -> u64 {
            let counted = all.iter().zip(&leaves).filter(|(_, leaves)| **leaves || !only_left_out);
            counted.map(|(block, _)| u64::from(block.words)).sum()
        };
        if words(true) * 2 > words(false) {
            return Vec::new();
        }
        let left_out = all.iter().zip(&leaves).filter(|(_, leaves)| **leaves);
        let pages = |block: &Block<'_>| self.recurring.get(&block.key).copied().unwrap_or_default();
        left_out
            .map(|(block, _)| RecurringBlock { range: block.range.clone(), pages: pages(block), of: self.pages })
            .collect()
    }

    /// Returns the text, whose `blocks` these are, without its recurring blocks; `None` if it has none.
    pub fn without_recurring(&self, text: &str, paths: &[PathMark], blocks: &[Block<'_>]) -> Option<Applied> {
        let left_out = self.recurring_in(blocks);
        if left_out.is_empty() {
            return None;
        }
        let mut kept = Applied { text: String::with_capacity(text.len()), paths: Vec::new() };
        let mut marks = paths.iter().peekable();
        let mut begin = 0;
        for range in left_out.iter().map(|block| block.range.clone()).chain(std::iter::once(text.len()..text.len())) {
            let before = kept.text.len();
            kept.text.push_str(&text[begin..range.start]);
            while let Some(mark) = marks.next_if(|mark| (mark.offset as usize) < range.start) {
                let offset = (mark.offset as usize).checked_sub(begin).map(|offset| offset + before);
                if let Some(offset) = offset.and_then(|offset| u32::try_from(offset).ok()) {
                    kept.paths.push(PathMark { offset, path: mark.path });
                }
            }
            while marks.next_if(|mark| (mark.offset as usize) < range.end).is_some() {}
            begin = range.end;
        }
        close_gaps(&mut kept);
        Some(kept)
    }

    /// Compares two texts of a page without what the template leaves out of either, and without the blocks of `new` at
    /// the frame's paths; white space does not count. `ignoring` removes the text of a block that a site rule ignores.
    ///
    /// Blocks that are known only by their path do not count as frame if they make up more than half of the new text.
    /// Texts of which nothing is left are different.
    pub fn compare(
        &self,
        old: &str,
        new: &str,
        paths: &[PathMark],
        ignoring: impl Fn(&str) -> String,
    ) -> BlockComparison {
        let (old, new) = (blocks(old, &[]), blocks(new, paths));
        let is_at_path = |block: &Block<'_>| block.path != PathKey::UNKNOWN && self.paths.contains(&block.path);
        let at_paths: HashSet<BlockKey> = new.iter().filter(|block| is_at_path(block)).map(|block| block.key).collect();
        let words = |only: &dyn Fn(&&Block<'_>) -> bool| -> u64 {
            new.iter().filter(only).map(|block| u64::from(block.words)).sum()
        };
        let unknown = words(&|block| at_paths.contains(&block.key) && !self.known.contains(&block.key));
        let trusts_paths = unknown * 2 <= words(&|_| true);
        let is_frame = |key: &BlockKey| self.known.contains(key) || (trusts_paths && at_paths.contains(key));
        let rest = |all: &[Block<'_>]| -> Vec<String> {
            let kept = all.iter().filter(|block| block.words > 0 && !is_frame(&block.key));
            let words = |text: String| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            kept.flat_map(|block| words(ignoring(block.text))).collect()
        };
        let new_rest = rest(&new);
        if new_rest.is_empty() || rest(&old) != new_rest {
            return BlockComparison::Different;
        }
        // A block that recurs now would be left out; one that was left out, and does not recur any more, would be there.
        let leaves_out = old.iter().any(|block| self.recurring.contains_key(&block.key));
        let old_keys: HashSet<BlockKey> = old.iter().map(|block| block.key).collect();
        let restores = new.iter().any(|block| {
            block.words > 0 && !is_at_path(block) && self.known.contains(&block.key) && !old_keys.contains(&block.key)
        });
        if leaves_out || restores { BlockComparison::Outdated } else { BlockComparison::FrameOnly }
    }
}

/// Returns true if the block at `index` leads in something that stays.
fn leads_in(all: &[Block<'_>], leaves: &[bool], index: usize) -> bool {
    let block = &all[index];
    let stays = |other: &usize| !leaves[*other] && all[*other].words > 0;
    let Some(next) = all.get(index + 1) else { return false };
    if block.level > 0 {
        let section = index + 1..all.len();
        return section
            .take_while(|other| all[*other].level == 0 || all[*other].level > block.level)
            .any(|one| stays(&one));
    }
    let below = (index + 1..all.len()).take_while(|other| all[*other].indent > block.indent);
    if next.indent > block.indent {
        return below.into_iter().any(|one| stays(&one));
    }
    block.text.ends_with(':') && stays(&(index + 1))
}

/// Removes blank lines at the start, and those beside another blank line.
fn close_gaps(kept: &mut Applied) {
    let mut text = String::with_capacity(kept.text.len());
    let mut moved: Vec<(usize, usize)> = Vec::new();
    let (mut offset, mut was_blank) = (0, true);
    let mut fence = false;
    for line in kept.text.split_inclusive('\n') {
        let is_blank = line.trim_end().is_empty() && !fence;
        if line.trim_start_matches(['>', ' ', '-', '*']).starts_with("```") {
            fence = !fence;
        }
        if !(is_blank && was_blank) {
            moved.push((offset, text.len()));
            text.push_str(line);
        }
        was_blank = is_blank;
        offset += line.len();
    }
    text.truncate(text.trim_end().len());
    if !text.is_empty() {
        text.push('\n');
    }
    let moved_to = |offset: u32| {
        let index = moved.binary_search_by_key(&(offset as usize), |(from, _)| *from).ok()?;
        u32::try_from(moved[index].1).ok()
    };
    kept.paths.retain_mut(|mark| {
        moved_to(mark.offset).is_some_and(|offset| {
            mark.offset = offset;
            true
        })
    });
    kept.text = text;
}
