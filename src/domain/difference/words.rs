//! Word-by-word difference of two texts: the words of the lines that differ.

use super::compare::common_lines;
use super::{DiffLine, difference};

/// Piece of two texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WordChange {
    /// Words of both texts, with the white space of the new one.
    Same(String),
    /// Words of the old text only.
    Removed(String),
    /// Words of the new text only.
    Added(String),
    /// Number of consecutive lines that are in both texts and omitted.
    Skipped(usize),
}

/// Returns the difference of two texts by words, with up to `around` common lines before and after each change; empty if
/// the texts have the same lines.
pub fn word_difference(old: &str, new: &str, around: usize) -> Vec<WordChange> {
    let (mut pieces, mut removed, mut added) = (Vec::new(), String::new(), String::new());
    for line in difference(old, new, around) {
        match line {
            DiffLine::Removed(text) => push_line(&mut removed, text),
            DiffLine::Added(text) => push_line(&mut added, text),
            DiffLine::Same(text) => {
                push_words(&mut pieces, &mut removed, &mut added);
                push(&mut pieces, WordChange::Same(format!("{text}\n")));
            }
            DiffLine::Skipped(lines) => {
                push_words(&mut pieces, &mut removed, &mut added);
                pieces.push(WordChange::Skipped(lines));
            }
        }
    }
    push_words(&mut pieces, &mut removed, &mut added);
    pieces
}

fn push_line(block: &mut String, line: &str) {
    block.push_str(line);
    block.push('\n');
}

/// Compares the words of lines that stand in each other's place, and empties both.
fn push_words(pieces: &mut Vec<WordChange>, removed: &mut String, added: &mut String) {
    let (old, new) = (std::mem::take(removed), std::mem::take(added));
    let words = |text| str::split_inclusive(text, char::is_whitespace).collect::<Vec<&str>>();
    let (old, new) = (words(&old), words(&new));
    let (mut i, mut j) = (0, 0);
    // The ends of both act as a last common word, which closes the last change.
    for (a, b) in common_lines(&old, &new).into_iter().chain([(old.len(), new.len())]) {
        old[i..a].iter().for_each(|word| push(pieces, WordChange::Removed((*word).to_owned())));
        new[j..b].iter().for_each(|word| push(pieces, WordChange::Added((*word).to_owned())));
        if let Some(word) = new.get(b) {
            push(pieces, WordChange::Same((*word).to_owned()));
        }
        (i, j) = (a + 1, b + 1);
    }
}

/// Appends a piece, to the last one if that is of the same kind.
fn push(pieces: &mut Vec<WordChange>, piece: WordChange) {
    use WordChange::{Added, Removed, Same};
    match (pieces.last_mut(), piece) {
        (Some(Same(last)), Same(text)) | (Some(Removed(last)), Removed(text)) | (Some(Added(last)), Added(text)) => {
            last.push_str(&text);
        }
        (_, piece) => pieces.push(piece),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_that_differ_stand_among_those_that_do_not() {
        use WordChange::{Added, Removed, Same, Skipped};
        let old = "one\ntwo\nthe price is 10 euros\nlast";
        let new = "one\ntwo\nthe price is 12 euros\nlast";
        let expected = [
            Skipped(1),
            Same("two\nthe price is ".to_owned()),
            Removed("10 ".to_owned()),
            Added("12 ".to_owned()),
            Same("euros\nlast\n".to_owned()),
        ];
        assert_eq!(word_difference(old, new, 1), expected);
        assert_eq!(word_difference(old, old, 1), []);
        assert_eq!(word_difference("", "new text", 1), [Added("new text\n".to_owned())]);
    }

    proptest! {
        #[test]
        fn both_texts_are_in_their_difference(old in "([a-c ]{0,6}\n){0,8}", new in "([a-c ]{0,6}\n){0,8}") {
            let pieces = word_difference(&old, &new, 100);
            let side = |wanted: fn(&WordChange) -> Option<&String>| pieces.iter().filter_map(wanted).cloned().collect::<String>();
            let of_old = side(|piece| match piece {
                WordChange::Same(text) | WordChange::Removed(text) => Some(text),
                _ => None,
            });
            let of_new = side(|piece| match piece {
                WordChange::Same(text) | WordChange::Added(text) => Some(text),
                _ => None,
            });
            let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
            if lines(&old) == lines(&new) {
                prop_assert!(pieces.is_empty());
            } else {
                prop_assert_eq!((lines(&of_old), lines(&of_new)), (lines(&old), lines(&new)));
            }
        }
    }
}
