//! What is different between two texts, line by line, as short as it can be said.

/// Lines of both texts between their common beginning and end that are compared with each other; beyond that all of them
/// count as replaced.
const COMPARED: usize = 2_000;

/// One line of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// In both; there to show where.
    Same(&'a str),
    /// In the old text alone.
    Gone(&'a str),
    /// In the new text alone.
    New(&'a str),
    /// So many lines are in both and not shown.
    Skipped(usize),
}

/// The difference of two texts with up to `around` common lines beside each change; empty for the same texts.
pub fn difference<'a>(old: &'a str, new: &'a str, around: usize) -> Vec<Line<'a>> {
    let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (a, b) = (&old[head..], &new[head..]);
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (middle_a, middle_b) = (&a[..a.len() - tail], &b[..b.len() - tail]);
    let mut lines: Vec<Line<'a>> = old[..head].iter().map(|line| Line::Same(line)).collect();
    lines.extend(middle(middle_a, middle_b));
    lines.extend(a[a.len() - tail..].iter().map(|line| Line::Same(line)));
    shortened(&lines, around)
}

fn middle<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let replaced = || old.iter().map(|line| Line::Gone(line)).chain(new.iter().map(|line| Line::New(line))).collect();
    if old.is_empty() || new.is_empty() || old.len() > COMPARED || new.len() > COMPARED {
        return replaced();
    }
    // The longest common sequence of what is left from each place on.
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
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push(Line::Same(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || i < old.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            lines.push(Line::Gone(old[i]));
            i += 1;
        } else {
            lines.push(Line::New(new[j]));
            j += 1;
        }
    }
    lines
}

fn shortened<'a>(lines: &[Line<'a>], around: usize) -> Vec<Line<'a>> {
    let is_change = |line: &Line<'_>| !matches!(line, Line::Same(_));
    if !lines.iter().any(is_change) {
        return Vec::new();
    }
    let mut near = vec![false; lines.len()];
    for (place, _) in lines.iter().enumerate().filter(|(_, line)| is_change(line)) {
        let to = (place + around + 1).min(lines.len());
        near[place.saturating_sub(around)..to].fill(true);
    }
    let (mut kept, mut skipped) = (Vec::new(), 0);
    for (line, near) in lines.iter().zip(near) {
        if near {
            if skipped > 0 {
                kept.push(Line::Skipped(std::mem::take(&mut skipped)));
            }
            kept.push(*line);
        } else {
            skipped += 1;
        }
    }
    if skipped > 0 {
        kept.push(Line::Skipped(skipped));
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
        use Line::{Gone, New, Same, Skipped};
        assert_eq!(
            difference(old, new, 1),
            [Skipped(2), Same("c"), Gone("d"), New("D"), Same("e"), Skipped(2), Same("h"), New("i")]
        );
        assert_eq!(difference(old, old, 3), []);
        assert_eq!(difference("", "x", 3), [New("x")]);
        assert_eq!(difference("x\ny", "y\nx", 0), [Gone("x"), Skipped(1), New("x")]);
    }

    #[test]
    fn long_texts_without_anything_in_common_are_replaced() {
        let old = (0..3_000).map(|n| format!("a{n}\n")).collect::<String>();
        let new = (0..3_000).map(|n| format!("b{n}\n")).collect::<String>();
        let lines = difference(&old, &new, 3);
        assert_eq!((lines.len(), lines[0], lines[3_000]), (6_000, Line::Gone("a0"), Line::New("b0")));
    }
}
