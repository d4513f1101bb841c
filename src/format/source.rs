//! States of sources, and reads, as text.

use super::number::{count, number};
use super::time::{age, until};
use crate::domain::source::{ReadCounts, SourceState, SourceSummary};
use crate::domain::time::Timestamp;

/// Returns the state of a source: `812 pages, 3 proposals; read 2h ago, next in 22h`.
pub fn source_state(source: &SourceSummary, now: Timestamp) -> String {
    let mut text = match source.pages {
        Some(pages) => format!("{}, {}", count(pages, "page"), count(source.proposals, "proposal")),
        None => "never read whole".to_owned(),
    };
    let last = source.last.map(|(at, _)| format!("{} ago", age(now.since(at))));
    let last = last.unwrap_or_else(|| "never".to_owned());
    text.push_str("; ");
    text.push_str(&match source.state {
        SourceState::New | SourceState::Waiting => "waits for a worker to read it".to_owned(),
        SourceState::Reading => "is being read".to_owned(),
        SourceState::Read => format!("read {last}"),
        SourceState::Retrying => format!("the read {last} failed and is tried again"),
        SourceState::Failed => format!("the read {last} failed"),
    });
    if let Some(detail) =
        source.detail.as_ref().filter(|_| matches!(source.state, SourceState::Failed | SourceState::Retrying))
    {
        text.push_str(&format!(": {detail}"));
    }
    match source.next_at {
        Some(next) if next > now => text.push_str(&format!("; next {}", until(now, next))),
        Some(_) => {}
        None => text.push_str("; next on request"),
    }
    text
}

/// Returns what a read has found: `812 pages, 3 new, 1 gone`.
pub fn read_counts(counts: &ReadCounts) -> String {
    let mut parts = vec![count(counts.pages, "page")];
    for (amount, word) in [
        (counts.new, "new"),
        (counts.added, "added"),
        (counts.gone, "gone"),
        (counts.moved, "moved"),
        (counts.duplicates, "duplicate"),
        (counts.excluded, "left out by patterns"),
        (counts.other_hosts, "of other hosts"),
        (counts.unreadable, "unreadable"),
    ] {
        if amount > 0 {
            parts.push(format!("{} {word}", number(amount)));
        }
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_says_what_it_found() {
        let counts = ReadCounts { pages: 1_200, new: 3, other_hosts: 1, ..ReadCounts::default() };
        assert_eq!(read_counts(&counts), "1,200 pages, 3 new, 1 of other hosts");
        assert_eq!(read_counts(&ReadCounts { pages: 1, ..ReadCounts::default() }), "1 page");
    }
}
