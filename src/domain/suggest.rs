//! Spelling suggestions ("Did you mean …?"): the known word that is nearest to a mistyped one.

/// Returns the word of `known` that is nearest to `word`, if it is near enough: at most one typing error (a letter too
/// many, too few, wrong, or two swapped) per three letters of the longer word. Returns `None` for a `word` that is
/// empty or longer than 64 characters.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    // Longer texts are no typing errors, and the comparison takes quadratic time.
    if word.is_empty() || word.chars().count() > 64 {
        return None;
    }
    let distance = |other: &str| strsim::osa_distance(&word, other);
    let best = known.into_iter().min_by_key(|other| distance(other))?;
    let allowed = word.chars().count().max(best.chars().count()).div_ceil(3);
    (distance(best) <= allowed).then_some(best)
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
