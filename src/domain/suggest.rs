//! "Did you mean …?": the known word that is nearest to a mistyped one.

/// The nearest of `known` to `word`, when it is near enough to be what was meant: at most one slip (a letter too many,
/// too few, wrong, or two swapped) for every three letters.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    // Longer texts are no slip of the finger, and the table below grows with the square of their length.
    if word.is_empty() || word.chars().count() > 64 {
        return None;
    }
    let slips = |other: &str| distance(&word, other);
    let best = known.into_iter().min_by_key(|other| slips(other))?;
    let allowed = word.chars().count().max(best.chars().count()).div_ceil(3);
    (slips(best) <= allowed).then_some(best)
}

/// Slips between two words: insertions, deletions, replacements and swaps of neighbours.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_seen_and_a_stranger_is_not() {
        let known = ["status", "host", "synced", "id"];
        for (word, meant) in [
            ("stauts", Some("status")),
            ("STATUS", Some("status")),
            ("hosts", Some("host")),
            ("syncd", Some("synced")),
            ("localhost", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }
}
