//! Texts of the failures view: a cause in words, what helps, the trend, and the report for an incident.

use super::cause::cause_title;
use crate::domain::failure::ErrorCode;
use crate::domain::failure_cause::FailureCause;
use crate::domain::filter::{Filter, FilterCondition, Term};
use crate::domain::time::Timestamp;
use crate::format;
use crate::store::FailureSummary;
use crate::tui::glyphs::Glyphs;
use crate::tui::model::Model;
use crate::tui::theme::Tone;

/// Returns the glyph of a cause: of a failure that is retried, or of one that is not.
pub fn sign(glyphs: &Glyphs, summary: &FailureSummary) -> (&'static str, Tone) {
    if summary.is_of_host { (glyphs.retrying, Tone::Waiting) } else { (glyphs.failed, Tone::Failed) }
}

/// Returns the filter that selects the documents of a cause.
pub fn filter_of(summary: &FailureSummary) -> Filter {
    filter_of_causes(vec![summary.cause])
}

/// Returns the filter that selects the documents of several causes.
pub fn filter_of_causes(causes: Vec<FailureCause>) -> Filter {
    let condition = FilterCondition::Cause(causes);
    Filter { terms: vec![Term { negated: false, condition }] }
}

/// Returns what a person can do about a cause: a few words, and a sentence.
pub fn remedy(model: &Model, summary: &FailureSummary) -> (String, String) {
    if let Some(until) = summary.backoff_until.filter(|until| *until > model.now) {
        let left = format::until(model.countdown_time(), until);
        let sentence = format!("The host cools down and is asked again {left}. Nothing needs to be done.");
        return (format!("host cools down, {left}"), sentence);
    }
    let detail = summary.detail.as_deref().unwrap_or_default().to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| detail.contains(word));
    let (short, long) = match (summary.code, summary.http_status) {
        (ErrorCode::NotFound, _) => {
            ("fix the link, or remove", "The pages are gone: correct their links, or remove the documents.")
        }
        (ErrorCode::AccessDenied, Some(401)) => {
            ("set credentials", "The site wants a login: set its credentials in fetch.sites, then retry.")
        }
        (ErrorCode::AccessDenied, _) => (
            "allow the fetcher, or Firecrawl",
            "The site refuses this program: let its owner allow the user agent, or fetch by Firecrawl.",
        ),
        (ErrorCode::ContentEmpty, _) => (
            "fetch by Firecrawl",
            "The pages have no text without JavaScript: fetch them by Firecrawl, or name the block in fetch.sites.",
        ),
        (_, Some(429)) => ("fewer at a time", "The host limits requests: lower runner.per_host, or wait."),
        (ErrorCode::Timeout, _) => {
            ("retry later", "The host is too slow: retry later, pause it, or raise fetch.total_timeout.")
        }
        (ErrorCode::FetchFailed, None) if says(&["certificate", "tls"]) => {
            ("ask the site's owner", "The host's certificate is not accepted: its owner has to renew it.")
        }
        (ErrorCode::FetchFailed, None) if says(&["loopback", "private"]) => {
            ("fetch.allow_private_hosts", "The address is not public: allow it in fetch.allow_private_hosts.")
        }
        (ErrorCode::FetchFailed, None) => {
            ("check the host", "The host cannot be reached: check that it is up and that its name is right.")
        }
        (ErrorCode::FetchFailed, Some(500..)) => {
            ("retry later", "The server fails: retry when its owner has mended it, or pause the host until then.")
        }
        (ErrorCode::FetchFailed, Some(_)) => {
            ("open a page", "The server gives an unusual answer: open one of the pages in a browser.")
        }
        (ErrorCode::SyncError, _) => {
            ("report the error", "This is an error of this program: report it; quarterdeck doctor may say more.")
        }
    };
    (short.to_owned(), long.to_owned())
}

/// Returns a bar for each part of the last hour, by the number of documents that failed last in it.
pub fn trend(glyphs: &Glyphs, summary: &FailureSummary) -> String {
    let most = summary.trend.iter().copied().max().unwrap_or(0).max(1);
    let bar = |failures: &u64| glyphs.bars[usize::try_from((failures * 7).div_ceil(most)).unwrap_or(7).min(7)];
    summary.trend.iter().map(bar).collect()
}

/// Returns the age of a time; a dash if the time is not known.
pub fn age(model: &Model, at: Option<Timestamp>) -> String {
    at.map_or_else(|| model.glyphs.none.to_owned(), |at| format::age(model.now.since(at)))
}

/// Returns the cause with its figures as Markdown.
pub fn markdown(model: &Model, summary: &FailureSummary) -> String {
    let seen = |at: Option<Timestamp>| at.map_or_else(|| "unknown".to_owned(), |at| at.to_string());
    let hosts = match &summary.only_host {
        Some(host) => host.to_string(),
        None => format::count(summary.hosts, "host"),
    };
    format!(
        "## {}\n\n- {} on {hosts}\n- first seen: {}\n- last seen: {}\n- what helps: {}\n- `quarterdeck list --filter '{}'`\n",
        cause_title(summary),
        format::count(summary.documents, "document"),
        seen(summary.first_at),
        seen(summary.last_at),
        remedy(model, summary).1,
        filter_of(summary),
    )
}
