//! Sources and proposals for tests of the console.

use super::facts::{NOW, ago};
use quarterdeck::domain::id::{AccountId, AssistantId, DocumentId, ProposalId, SourceId};
use quarterdeck::domain::source::{
    Proposal, ProposalKind, ProposalState, ReadCounts, ReadResult, SourceName, SourceSettings, SourceState,
    SourceSummary, SourceUrl,
};
use quarterdeck::store::Listing;
use quarterdeck::tui::views::sources::state::{SourceLine, lines};
use std::time::Duration;

/// Returns two sources: one with a proposal of each kind, and one that could not be read.
pub fn sources() -> Vec<SourceSummary> {
    let docs = SourceSummary {
        id: SourceId(1),
        name: SourceName::new("docs").expect("a name"),
        url: SourceUrl::parse("https://docs.example.org/sitemap.xml").expect("a URL"),
        account: AccountId(1),
        assistant: AssistantId(1),
        settings: SourceSettings::default(),
        created_at: ago(9 * 86_400),
        state: SourceState::Read,
        last: Some((ago(7_200), ReadResult::Complete)),
        failing_since: None,
        detail: Some("an index of sitemaps, 12 files".into()),
        complete_at: Some(ago(7_200)),
        pages: Some(50_000),
        counts: ReadCounts { pages: 50_000, new: 1, gone: 1, moved: 1, duplicates: 1, ..ReadCounts::default() },
        next_at: Some(NOW.plus(Duration::from_secs(22 * 3_600))),
        proposals: 4,
    };
    let blog = SourceSummary {
        id: SourceId(2),
        name: SourceName::new("blog").expect("a name"),
        url: SourceUrl::parse("https://blog.example.org/feed").expect("a URL"),
        state: SourceState::Failed,
        last: Some((ago(60), ReadResult::Failed)),
        failing_since: Some(ago(3 * 86_400)),
        detail: Some("line 812: the sitemap is cut off here; nothing is proposed".into()),
        complete_at: None,
        pages: None,
        proposals: 0,
        ..docs.clone()
    };
    vec![blog, docs]
}

/// Returns a proposal of each kind, of the source with the id 1.
pub fn proposals() -> Vec<Proposal> {
    let of = |id: i64, kind: ProposalKind, path: &str, target: Option<&str>, reason: &str| Proposal {
        id: ProposalId(id),
        source: SourceId(1),
        source_name: "docs".into(),
        account: AccountId(1),
        kind,
        url: format!("https://docs.example.org/{path}"),
        target: target.map(|path| format!("https://docs.example.org/{path}")),
        document: kind.removes().then_some(DocumentId(id)),
        reason: reason.into(),
        created_at: ago(7_200),
        state: ProposalState::Open,
        decided_at: None,
        decided_by: None,
    };
    vec![
        of(11, ProposalKind::New, "install/windows", None, "not in the store"),
        of(12, ProposalKind::Gone, "v1/api", None, "no longer listed since 2026-11-28 03:07:00 UTC"),
        of(13, ProposalKind::Moved, "faq", Some("help/faq"), "redirects there for good"),
        of(14, ProposalKind::Duplicate, "start/index", Some("start"), "has the same text as document 3"),
    ]
}

/// Returns the rows of the view.
pub fn source_lines() -> Listing<SourceLine> {
    let read = sources().into_iter().map(|source| {
        let own = proposals().into_iter().filter(|proposal| proposal.source == source.id).collect();
        (source, own)
    });
    lines(read.collect())
}
