//! Chunks of a text for a search index: split at its headings, each with the headings above it.

/// Part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// The headings that the part stands under, the outermost first, with its own.
    pub headings: Vec<&'a str>,
    /// The part as it stands in the text, without blank lines around it.
    pub text: &'a str,
}

/// A run of lines of a text, from its first byte to the byte after its last.
#[derive(Clone, Copy)]
struct Line<'a> {
    start: usize,
    text: &'a str,
    /// Level and text of a heading.
    heading: Option<(usize, &'a str)>,
    /// True for a blank line outside a block of code.
    is_gap: bool,
}

/// Splits Markdown at its headings into chunks of at most `most` characters; a longer section is split between its
/// paragraphs, else between its lines. A single line is never split, so a chunk of one line may be longer. A heading
/// without a text of its own stays with the deeper heading after it. Only blank lines are left out.
pub fn chunks(text: &str, most: usize) -> Vec<Chunk<'_>> {
    let lines = lines(text);
    let mut found = Vec::new();
    let mut path: Vec<(usize, &str)> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let mut end = at;
        // The headings that belong to the section: its own, and those above it that have no text.
        loop {
            if let Some((level, heading)) = lines.get(end).and_then(|line| line.heading) {
                path.retain(|(above, _)| *above < level);
                path.push((level, heading));
                end += 1;
            }
            let body = end;
            while lines.get(end).is_some_and(|line| line.heading.is_none()) {
                end += 1;
            }
            let is_bare = lines[body..end].iter().all(|line| line.text.trim().is_empty());
            let next = lines.get(end).and_then(|line| line.heading);
            let is_deeper = next.is_some_and(|(level, _)| path.last().is_some_and(|(own, _)| *own < level));
            let head = lines[at..end].iter().map(|line| line.text.chars().count()).sum::<usize>();
            let next_length = lines.get(end).map_or(0, |line| line.text.chars().count());
            if !(is_bare && is_deeper && head + next_length <= most) {
                break;
            }
        }
        let headings: Vec<&str> = path.iter().map(|(_, heading)| *heading).collect();
        for part in parts(text, &lines[at..end], most) {
            found.push(Chunk { headings: headings.clone(), text: part });
        }
        at = end;
    }
    found
}

/// Splits a section, which may be longer than a chunk.
fn parts<'a>(text: &'a str, section: &[Line<'a>], most: usize) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let mut push = |from: usize, to: usize| {
        let part = text[from..to].trim_end().trim_start_matches(['\n', '\r']);
        if !part.trim().is_empty() {
            parts.push(part);
        }
    };
    let Some(first) = section.first() else { return parts };
    let (mut start, mut length) = (first.start, 0);
    // The last gap between paragraphs within the part, and the length up to there.
    let mut gap: Option<(usize, usize)> = None;
    for line in section {
        let chars = line.text.chars().count();
        while length > 0 && length + chars > most {
            match gap.take().filter(|(at, _)| *at > start) {
                Some((at, before)) => {
                    push(start, at);
                    (start, length) = (at, length - before);
                }
                None => {
                    push(start, line.start);
                    (start, length) = (line.start, 0);
                }
            }
        }
        length += chars;
        if line.is_gap {
            gap = Some((line.start + line.text.len(), length));
        }
    }
    let end = section.last().map_or(start, |line| line.start + line.text.len());
    push(start, end);
    parts
}

/// Returns the lines with their line breaks. What looks like a heading within a block of code is none.
fn lines(text: &str) -> Vec<Line<'_>> {
    let mut found = Vec::new();
    let (mut start, mut fence) = (0, None::<(char, usize)>);
    for line in text.split_inclusive('\n') {
        let marks = fence_marks(line);
        let was_code = fence.is_some();
        fence = match (fence, marks) {
            (None, Some((sign, count, _))) => Some((sign, count)),
            (Some((sign, count)), Some((other, others, true))) if sign == other && others >= count => None,
            (fence, _) => fence,
        };
        let is_code = was_code || fence.is_some();
        found.push(Line {
            start,
            text: line,
            heading: if is_code { None } else { heading(line) },
            is_gap: !is_code && line.trim().is_empty(),
        });
        start += line.len();
    }
    found
}

/// Returns sign and number of the marks that begin or end a block of code, and true if nothing follows them.
fn fence_marks(line: &str) -> Option<(char, usize, bool)> {
    let marks = unindented(line)?;
    let sign = marks.chars().next().filter(|sign| matches!(sign, '`' | '~'))?;
    let count = marks.chars().take_while(|c| *c == sign).count();
    (count >= 3).then(|| (sign, count, marks[count..].trim().is_empty()))
}

/// Returns level and text of an ATX heading.
fn heading(line: &str) -> Option<(usize, &str)> {
    let marks = unindented(line)?;
    let level = marks.chars().take_while(|c| *c == '#').count();
    let rest = &marks[level..];
    let is_heading = (1..=6).contains(&level) && rest.chars().next().is_none_or(char::is_whitespace);
    is_heading.then(|| {
        let rest = rest.trim();
        let without = rest.trim_end_matches('#');
        // Marks at the end belong to the heading's form if they stand apart.
        (level, if without.is_empty() || without.ends_with(char::is_whitespace) { without.trim_end() } else { rest })
    })
}

/// Returns a line without up to three spaces before it; `None` for an indented one.
fn unindented(line: &str) -> Option<&str> {
    let indent = line.bytes().take_while(|byte| *byte == b' ').count();
    (indent <= 3).then(|| &line[indent..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn short(text: &str, most: usize) -> Vec<(String, &str)> {
        chunks(text, most).into_iter().map(|chunk| (chunk.headings.join(" > "), chunk.text)).collect()
    }

    #[test]
    fn a_text_is_split_at_its_headings_which_stay_with_the_parts() {
        let text = "Before.\n\n# Guide\n\n## Install\n\nRun it.\n\n```sh\n# no heading\n\nmake\n```\n\n## Use ##\nYes.\n# Other";
        let got = short(text, 1_000);
        assert_eq!(
            got,
            [
                (String::new(), "Before."),
                ("Guide > Install".to_owned(), "# Guide\n\n## Install\n\nRun it.\n\n```sh\n# no heading\n\nmake\n```"),
                ("Guide > Use".to_owned(), "## Use ##\nYes."),
                ("Other".to_owned(), "# Other"),
            ]
        );
    }

    #[test]
    fn a_long_section_is_split_between_paragraphs_then_between_lines() {
        let text = "# A\n\none two\n\nthree four\nfive\nsix\n\nseven";
        let got = short(text, 16);
        assert_eq!(
            got.iter().map(|(_, text)| *text).collect::<Vec<_>>(),
            ["# A\n\none two", "three four\nfive", "six\n\nseven"]
        );
        assert!(got.iter().all(|(path, _)| path == "A"), "{got:?}");
        assert_eq!(short("a line that is longer than that\nb", 4).len(), 2);
        assert_eq!(short("", 4), []);
        assert_eq!(short("\n \n", 4), []);
    }

    fn markdown() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            "#{1,7} ?[a-z ]{0,8}",
            Just(String::new()),
            Just("```".to_owned()),
            Just("~~~~".to_owned()),
            "[a-z ]{0,20}",
            "\\PC{0,12}",
        ];
        proptest::collection::vec(line, 0..30).prop_map(|lines| lines.join("\n"))
    }

    proptest! {
        #[test]
        fn no_word_is_lost_and_no_chunk_is_too_long(text in markdown(), most in 1..60_usize) {
            let chunks = chunks(&text, most);
            let words: Vec<&str> = chunks.iter().flat_map(|chunk| chunk.text.split_whitespace()).collect();
            prop_assert_eq!(words, text.split_whitespace().collect::<Vec<_>>());
            for chunk in &chunks {
                let is_one_line = !chunk.text.contains('\n');
                prop_assert!(is_one_line || chunk.text.chars().count() <= most, "{:?}", chunk);
                prop_assert!(!chunk.text.trim().is_empty());
                prop_assert!(chunk.headings.len() <= 6);
            }
        }
    }
}
