//! Splits a line as a shell does, as far as completion needs it.

/// Returns the words of a line that is being typed, without their quotes. The last word is the one at the cursor; it is
/// empty after a space. An open quote ends with the line. Variables and substitutions stay as they are.
pub(super) fn split(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_begun = false;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, ' ' | '\t') => {
                if is_begun {
                    words.push(String::new());
                    is_begun = false;
                }
                continue;
            }
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None | Some('"'), '\\') => words.last_mut().into_iter().for_each(|word| word.extend(chars.next())),
            _ => words.last_mut().into_iter().for_each(|word| word.push(c)),
        }
        is_begun = true;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_keep_words_together() {
        assert_eq!(split("quarterdeck sync 1"), ["quarterdeck", "sync", "1"]);
        assert_eq!(split("quarterdeck  sync "), ["quarterdeck", "sync", ""]);
        assert_eq!(split("q --filter 'a b' c"), ["q", "--filter", "a b", "c"]);
        assert_eq!(split("q 'it is ope"), ["q", "it is ope"]);
        assert_eq!(split("q \"a \\\" b\" a\\ b"), ["q", "a \" b", "a b"]);
        assert_eq!(split(""), [""]);
    }
}
