//! The pages of `assets/docs`, embedded in the program.

/// A page of the documentation.
#[derive(Debug)]
pub(super) struct Topic {
    /// The file's name without `.md`.
    pub name: &'static str,
    /// Markdown that begins with a heading of the first level.
    pub text: &'static str,
}

impl Topic {
    /// Returns the page's first heading.
    pub fn title(&self) -> &'static str {
        let first = self.text.lines().next().unwrap_or_default();
        first.trim_start_matches('#').trim()
    }
}

macro_rules! topics {
    ($($name:literal)*) => {
        &[$(Topic { name: $name, text: include_str!(concat!("../../../assets/docs/", $name, ".md")) }),*]
    };
}

/// All pages, in the order of the listing. Each file of `assets/docs` has a line here, which a test checks.
pub(super) const TOPICS: &[Topic] = topics![
    "architecture"
    "benchmarks"
    "changelog"
    "chatwoot"
    "commandline"
    "console"
    "dependencies"
    "fetching"
    "filters"
    "guarantees"
    "json"
    "notifications"
    "operating"
    "scheduling"
    "sources"
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::safe_block;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    #[test]
    fn every_page_is_a_topic_and_every_topic_a_page() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/docs");
        let files = fs::read_dir(folder).expect("the pages are there").map(|file| {
            let name = file.expect("it can be read").file_name().into_string().expect("a plain name");
            name.strip_suffix(".md").unwrap_or_else(|| panic!("assets/docs/{name} is no page")).to_owned()
        });
        let topics: BTreeSet<_> = TOPICS.iter().map(|topic| topic.name.to_owned()).collect();
        assert_eq!(files.collect::<BTreeSet<_>>(), topics, "put new pages into TOPICS");
        assert_eq!(topics.len(), TOPICS.len(), "each once");
    }

    #[test]
    fn every_page_has_a_title_and_nothing_that_a_terminal_acts_on() {
        for Topic { name, text } in TOPICS {
            assert!(text.starts_with("# "), "{name} begins with its title");
            assert_eq!(safe_block(text), *text, "{name}");
        }
    }
}
