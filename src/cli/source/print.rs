//! Sources and their reads as text and as JSON.

use crate::cli::output::Output;
use crate::domain::source::{NewPages, PagePattern, ReadCounts, SourceRead, SourceSettings, SourceSummary};
use crate::domain::time::Timestamp;
use crate::format;
use serde::Serialize;
use std::io;

/// Number of reads that `source show` prints.
pub(super) const SHOWN_READS: u32 = 10;

/// A source as one line.
pub(super) fn line(source: &SourceSummary, now: Timestamp) -> String {
    format!("{}  {}  {}", source.name, source.url.as_str(), format::source_state(source, now))
}

/// The times of reads for people.
pub(super) fn times(settings: &SourceSettings) -> String {
    settings.times().map_or_else(|error| error, |times| times.described(settings))
}

pub(super) fn show(source: &SourceSummary, reads: &[SourceRead], now: Timestamp, out: &mut Output) -> io::Result<()> {
    let settings = &source.settings;
    let list = |patterns: &[PagePattern]| patterns.iter().map(PagePattern::as_str).collect::<Vec<_>>().join(" ");
    out.line(format!("source      {} ({})", source.name, source.id))?;
    out.line(format!("url         {}", source.url.as_str()))?;
    out.line(format!("state       {}", format::source_state(source, now)))?;
    out.line(format!("owner       account {}, assistant {}", source.account, source.assistant))?;
    out.line(format!("read        {}", times(settings)))?;
    let new = if settings.new == NewPages::Add { "are added" } else { "are proposed" };
    out.line(format!("new pages   {new}; at most {} pages", format::number(settings.limit)))?;
    for (name, text) in
        [("match", list(&settings.include)), ("exclude", list(&settings.exclude)), ("hosts", settings.hosts.join(" "))]
    {
        if !text.is_empty() {
            out.line(format!("{name:<11} {text}"))?;
        }
    }
    if let Some(since) = source.failing_since {
        let since = format!("{} UTC", since.date_clock_utc());
        out.line(format!("failing     since {since}: nothing is proposed, and its documents stay"))?;
    }
    if let Some(detail) = &source.detail {
        out.line(format!("last read   {detail}"))?;
    }
    for read in reads {
        out.line(format!("  {}", read_line(read)))?;
    }
    Ok(())
}

/// A read as one line.
pub(super) fn read_line(read: &SourceRead) -> String {
    let detail = read.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    format!("{}  {}: {}{detail}", read.ended_at.date_clock_utc(), read.result.word(), format::read_counts(&read.counts))
}

/// Fields of a source; `reads` only for `source show`.
#[derive(Serialize)]
pub(super) struct SourceJson<'a> {
    id: i64,
    name: &'a str,
    url: &'a str,
    account_id: i64,
    assistant_id: i64,
    state: &'static str,
    pages: Option<u64>,
    proposals: u64,
    created_at: Timestamp,
    last_read_at: Option<Timestamp>,
    last_result: Option<&'static str>,
    detail: Option<&'a str>,
    complete_at: Option<Timestamp>,
    failing_since: Option<Timestamp>,
    next_read_at: Option<Timestamp>,
    #[serde(rename = "match")]
    include: &'a [PagePattern],
    exclude: &'a [PagePattern],
    hosts: &'a [String],
    limit: u64,
    new: &'static str,
    every_s: Option<u64>,
    at: Option<&'a str>,
    between: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reads: Option<Vec<ReadJson<'a>>>,
}

impl<'a> SourceJson<'a> {
    pub(super) fn of(source: &'a SourceSummary, reads: Option<&'a [SourceRead]>) -> Self {
        let settings = &source.settings;
        Self {
            id: source.id.0,
            name: source.name.as_str(),
            url: source.url.as_str(),
            account_id: source.account.0,
            assistant_id: source.assistant.0,
            state: source.state.word(),
            pages: source.pages,
            proposals: source.proposals,
            created_at: source.created_at,
            last_read_at: source.last.map(|(at, _)| at),
            last_result: source.last.map(|(_, result)| result.word()),
            detail: source.detail.as_deref(),
            complete_at: source.complete_at,
            failing_since: source.failing_since,
            next_read_at: source.next_at,
            include: &settings.include,
            exclude: &settings.exclude,
            hosts: &settings.hosts,
            limit: settings.limit,
            new: settings.new.word(),
            every_s: settings.every,
            at: settings.at.as_deref(),
            between: settings.between.as_deref(),
            reads: reads.map(|reads| reads.iter().map(|read| ReadJson::of(None, read)).collect()),
        }
    }
}

/// Fields of a read; `source` only for `source read --wait`.
#[derive(Serialize)]
pub(super) struct ReadJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    read: i64,
    started_at: Timestamp,
    ended_at: Timestamp,
    result: &'static str,
    #[serde(flatten)]
    counts: ReadCounts,
    detail: Option<&'a str>,
    worker: Option<&'a str>,
    requested_by: Option<&'a str>,
}

impl<'a> ReadJson<'a> {
    pub(super) fn of(source: Option<&'a str>, read: &'a SourceRead) -> Self {
        Self {
            source,
            read: read.read,
            started_at: read.started_at,
            ended_at: read.ended_at,
            result: read.result.word(),
            counts: read.counts,
            detail: read.detail.as_deref(),
            worker: read.worker.as_deref(),
            requested_by: read.requested_by.as_deref(),
        }
    }
}
