//! Line-by-line difference of two texts, kept as short as a bounded amount of work allows.
//!
//! `compare` finds the common lines, in bounded time and memory for any texts; this file derives the lines between
//! them; `words` compares the words of lines that differ, and `display` cuts a difference to the size that is displayed.

mod compare;
mod display;
mod words;

pub use display::{Difference, DisplayLine};
pub use words::{WordChange, word_difference};

/// Line of a difference, with its text as `T`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiffLine<T> {
    /// Line of both texts.
    Same(T),
    /// Line of the old text only.
    Removed(T),
    /// Line of the new text only.
    Added(T),
    /// Number of consecutive lines that are in both texts and omitted.
    Skipped(usize),
}

/// Returns the difference of two texts with up to `around` common lines before and after each change; empty if the
/// texts have the same lines.
pub fn difference<'a>(old: &'a str, new: &'a str, around: usize) -> Vec<DiffLine<&'a str>> {
    let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    let (mut i, mut j, mut lines) = (0, 0, Vec::with_capacity(old.len().max(new.len())));
    // The ends of both texts act as a last common line, which closes the last change.
    let common = without_stray_blanks(compare::common_lines(&old, &new), &old, &new);
    for (a, b) in common.into_iter().chain([(old.len(), new.len())]) {
        lines.extend(old[i..a].iter().map(|line| DiffLine::Removed(*line)));
        lines.extend(new[j..b].iter().map(|line| DiffLine::Added(*line)));
        lines.extend(old.get(a).map(|line| DiffLine::Same(*line)));
        (i, j) = (a + 1, b + 1);
    }
    with_context(&lines, around)
}

/// Number of lines removed or added at one position above which a change counts as large.
const LARGE_CHANGE_LINES: usize = 12;
/// Ratio of removed to added lines, or the reverse, above which a change counts as lopsided.
const LOPSIDED_RATIO: usize = 4;

/// Removes common blank lines within a large lopsided change (many lines removed and few added, or the reverse). Every
/// text has blank lines; as common lines they would split the change into pieces.
fn without_stray_blanks(common: Vec<(usize, usize)>, old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    let mut kept: Vec<(usize, usize)> = Vec::with_capacity(common.len());
    let mut at = 0;
    while let Some((a, b)) = common.get(at).copied() {
        let follows = |offset: &usize| common.get(at + offset) == Some(&(a + offset, b + offset));
        let run = (0..).take_while(follows).count();
        let (from_a, from_b) = kept.last().map_or((0, 0), |(a, b)| (a + 1, b + 1));
        let (to_a, to_b) = common.get(at + run).copied().unwrap_or((old.len(), new.len()));
        let (gone, fresh) = (to_a - from_a - run, to_b - from_b - run);
        let is_blank = old[a..a + run].iter().all(|line| line.trim().is_empty());
        let within = (a, b) > (from_a, from_b) && (to_a, to_b) > (a + run, b + run);
        let stray = gone.max(fresh) > LARGE_CHANGE_LINES && gone.max(fresh) > LOPSIDED_RATIO * gone.min(fresh);
        if !(is_blank && within && stray) {
            kept.extend(&common[at..at + run]);
        }
        at += run;
    }
    kept
}

fn with_context<'a>(lines: &[DiffLine<&'a str>], around: usize) -> Vec<DiffLine<&'a str>> {
    let is_change = |line: &DiffLine<_>| !matches!(line, DiffLine::Same(_));
    if !lines.iter().any(is_change) {
        return Vec::new();
    }
    let mut near = vec![false; lines.len()];
    for (index, _) in lines.iter().enumerate().filter(|(_, line)| is_change(line)) {
        let to = (index + around + 1).min(lines.len());
        near[index.saturating_sub(around)..to].fill(true);
    }
    let (mut kept, mut skipped) = (Vec::new(), 0);
    for (line, near) in lines.iter().zip(near) {
        if near {
            if skipped > 0 {
                kept.push(DiffLine::Skipped(std::mem::take(&mut skipped)));
            }
            kept.push(*line);
        } else {
            skipped += 1;
        }
    }
    if skipped > 0 {
        kept.push(DiffLine::Skipped(skipped));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_stand_with_what_is_beside_them() {
        let old = "a\nb\nc\nd\ne\nf\ng\nh\n";
        let new = "a\nb\nc\nD\ne\nf\ng\nh\ni\n";
        use DiffLine::{Added, Removed, Same, Skipped};
        assert_eq!(
            difference(old, new, 1),
            [Skipped(2), Same("c"), Removed("d"), Added("D"), Same("e"), Skipped(2), Same("h"), Added("i")]
        );
        assert_eq!(difference(old, old, 3), []);
        assert_eq!(difference("", "x", 3), [Added("x")]);
        assert_eq!(difference("x\ny", "y\nx", 0), [Removed("x"), Skipped(1), Added("x")]);
    }

    #[test]
    fn long_texts_without_anything_in_common_are_replaced() {
        let old = (0..3_000).map(|n| format!("a{n}\n")).collect::<String>();
        let new = (0..3_000).map(|n| format!("b{n}\n")).collect::<String>();
        let lines = difference(&old, &new, 3);
        assert_eq!((lines.len(), lines[0], lines[3_000]), (6_000, DiffLine::Removed("a0"), DiffLine::Added("b0")));
    }

    #[test]
    fn few_changes_far_apart_are_found_in_long_texts() {
        let old: Vec<String> = (0..20_000).map(|n| format!("line {n}")).collect();
        let mut new = old.clone();
        new[3] = "another".to_owned();
        new.remove(10_000);
        new.push("the end".to_owned());
        let (old, new) = (old.join("\n"), new.join("\n"));
        let changes: Vec<_> =
            difference(&old, &new, 0).into_iter().filter(|line| !matches!(line, DiffLine::Skipped(_))).collect();
        use DiffLine::{Added, Removed};
        assert_eq!(changes, [Removed("line 3"), Added("another"), Removed("line 10000"), Added("the end")]);
    }

    #[test]
    fn blank_lines_do_not_tear_a_wall_apart() {
        let article = (0..30).map(|n| format!("line {n}\n\n")).collect::<String>();
        let lines = difference(&article, "# Brand\n\nCookies?\n\nAccept all\n", 3);
        let first_new =
            lines.iter().position(|line| matches!(line, DiffLine::Added(_))).expect("there is something new");
        assert_eq!(
            lines[first_new..first_new + 5],
            ["# Brand", "", "Cookies?", "", "Accept all"].map(DiffLine::Added),
            "{lines:?}"
        );
        // In a balanced change the blank lines stay: they show which lines belong to each other.
        let lines = difference("a\n\nb\n\nc", "A\n\nB\n\nc", 3);
        use DiffLine::{Added, Removed, Same};
        assert_eq!(lines, [Removed("a"), Added("A"), Same(""), Removed("b"), Added("B"), Same(""), Same("c")]);
    }

    /// Old and new text can both be restored from any difference.
    #[test]
    fn both_texts_can_be_read_out_of_every_difference() {
        let mut state = 7_u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for _ in 0..400 {
            let words = 1 + next(40);
            let mut text = |lines: u64| (0..lines).map(|_| format!("w{}", next(words))).collect::<Vec<_>>();
            let (old, new) = (text(words * 2), text(words + 9));
            let (old_text, new_text) = (old.join("\n"), new.join("\n"));
            let lines = difference(&old_text, &new_text, usize::MAX / 2);
            if old == new {
                continue;
            }
            let of = |wanted: fn(&DiffLine<&str>) -> bool| {
                let text = |line: &DiffLine<&str>| match line {
                    DiffLine::Same(text) | DiffLine::Removed(text) | DiffLine::Added(text) => (*text).to_owned(),
                    DiffLine::Skipped(_) => panic!("nothing is skipped"),
                };
                lines.iter().filter(|line| wanted(line)).map(text).collect::<Vec<_>>()
            };
            assert_eq!(of(|line| !matches!(line, DiffLine::Added(_))), old);
            assert_eq!(of(|line| !matches!(line, DiffLine::Removed(_))), new);
        }
    }
}
