//! Finds the common lines of two texts: their longest common sequence where that is cheap. Long texts are first divided
//! at the lines that occur once in both (patience diff). Segments that are too long even then count as replaced.

use std::collections::HashMap;

/// Maximum length, in lines, of two segments whose lines are all compared with each other.
const MAX_SEGMENT_LINES: usize = 2_000;
/// Maximum number of line comparisons in total. Bounds the time and, with [`MAX_SEGMENT_LINES`], the memory (two bytes
/// per comparison).
const MAX_COMPARISONS: usize = 16_000_000;
/// Maximum number of nested divisions. A pair of segments is divided at the lines that occur once in each of them,
/// which costs as much as reading both.
const MAX_DIVISIONS: u32 = 24;

/// Returns the common lines of both texts in order, each as its index in `old` and its index in `new`.
pub(super) fn common_lines(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    let mut numbers = HashMap::new();
    let mut number = |line| {
        let next = numbers.len() as u32;
        *numbers.entry(line).or_insert(next)
    };
    // Comparing numbers is much faster than comparing lines.
    let old: Vec<u32> = old.iter().map(|line| number(*line)).collect();
    let new: Vec<u32> = new.iter().map(|line| number(*line)).collect();
    let mut search = Search { found: Vec::new(), comparisons_left: MAX_COMPARISONS };
    search.segment((&old, 0), (&new, 0), MAX_DIVISIONS);
    search.found
}

/// Segment of a text: its lines as numbers, and the index of the first one.
type Segment<'a> = (&'a [u32], usize);

struct Search {
    found: Vec<(usize, usize)>,
    /// Number of line comparisons that may still be made.
    comparisons_left: usize,
}

impl Search {
    fn segment(&mut self, (old, old_at): Segment<'_>, (new, new_at): Segment<'_>, divide: u32) {
        let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
        self.found.extend((0..head).map(|offset| (old_at + offset, new_at + offset)));
        let (a, b) = (&old[head..], &new[head..]);
        let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
        let (middle_a, middle_b) = (&a[..a.len() - tail], &b[..b.len() - tail]);
        self.middle((middle_a, old_at + head), (middle_b, new_at + head), divide);
        let (a, b) = (old_at + old.len() - tail, new_at + new.len() - tail);
        self.found.extend((0..tail).map(|offset| (a + offset, b + offset)));
    }

    fn middle(&mut self, old: Segment<'_>, new: Segment<'_>, divide: u32) {
        let (a, b) = (old.0.len(), new.0.len());
        if a == 0 || b == 0 {
            return;
        }
        if a <= MAX_SEGMENT_LINES && b <= MAX_SEGMENT_LINES && a * b <= self.comparisons_left {
            self.comparisons_left -= a * b;
            return self.longest_common(old, new);
        }
        let Some(divide) = divide.checked_sub(1) else { return };
        let single = longest_increasing(unique_common_lines(old.0, new.0));
        let (mut i, mut j) = (0, 0);
        let ends = (!single.is_empty()).then_some((a, b));
        for (to_a, to_b) in single.into_iter().chain(ends) {
            self.segment((&old.0[i..to_a], old.1 + i), (&new.0[j..to_b], new.1 + j), divide);
            if to_a < a {
                self.found.push((old.1 + to_a, new.1 + to_b));
            }
            (i, j) = (to_a + 1, to_b + 1);
        }
    }

    /// Finds the longest common sequence of two segments and appends its lines to `found`.
    fn longest_common(&mut self, (old, old_at): Segment<'_>, (new, new_at): Segment<'_>) {
        // For each pair of indices, the length of the longest common sequence of the lines from there to the end.
        let width = new.len() + 1;
        let mut longest = vec![0_u16; (old.len() + 1) * width];
        for i in (0..old.len()).rev() {
            for j in (0..new.len()).rev() {
                longest[i * width + j] = if old[i] == new[j] {
                    longest[(i + 1) * width + j + 1] + 1
                } else {
                    longest[(i + 1) * width + j].max(longest[i * width + j + 1])
                };
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < old.len() && j < new.len() {
            if old[i] == new[j] {
                self.found.push((old_at + i, new_at + j));
                (i, j) = (i + 1, j + 1);
            } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
                i += 1;
            } else {
                j += 1;
            }
        }
    }
}

/// Returns the index pairs of lines that occur exactly once in both segments, in the order of the old text.
fn unique_common_lines(old: &[u32], new: &[u32]) -> Vec<(usize, usize)> {
    let once = |lines: &[u32]| {
        let mut indices: HashMap<u32, Option<usize>> = HashMap::with_capacity(lines.len());
        for (index, line) in lines.iter().enumerate() {
            indices.entry(*line).and_modify(|index| *index = None).or_insert(Some(index));
        }
        indices
    };
    let (once_old, once_new) = (once(old), once(new));
    let index = |indices: &HashMap<u32, Option<usize>>, line| indices.get(line).copied().flatten();
    old.iter().filter_map(|line| index(&once_old, line).zip(index(&once_new, line))).collect()
}

/// Returns the longest subsequence of `pairs` in which the indices in the new text increase; those in the old text
/// increase already.
fn longest_increasing(pairs: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
    // `ends` has, per length, the last member of the sequence that ends earliest in the new text; `before` has the
    // predecessor of each member.
    let mut ends: Vec<usize> = Vec::new();
    let mut before = vec![None; pairs.len()];
    for (at, (_, new)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < *new);
        before[at] = length.checked_sub(1).map(|shorter| ends[shorter]);
        if length == ends.len() {
            ends.push(at);
        } else {
            ends[length] = at;
        }
    }
    let mut sequence = Vec::with_capacity(ends.len());
    let mut at = ends.last().copied();
    while let Some(member) = at {
        sequence.push(pairs[member]);
        at = before[member];
    }
    sequence.reverse();
    sequence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_sequence_in_the_order_of_both_is_kept() {
        let places = vec![(0, 5), (1, 1), (2, 2), (3, 9), (4, 3), (5, 0)];
        assert_eq!(longest_increasing(places), [(1, 1), (2, 2), (4, 3)]);
        assert_eq!(longest_increasing(Vec::new()), []);
    }

    /// Worst case that a page can produce: a megabyte of short lines, few of them distinct, in a different order in
    /// each text.
    #[test]
    fn hostile_texts_are_compared_in_bounded_work() {
        let text = |factor: usize| (0..500_000).map(|n| ["x", "y", "z"][n * n * factor % 7 % 3]).collect::<Vec<_>>();
        let (old, new) = (text(3), text(5));
        let found = common_lines(&old, &new);
        assert!(found.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1));
        assert!(found.iter().all(|(a, b)| old[*a] == new[*b]));
    }
}
