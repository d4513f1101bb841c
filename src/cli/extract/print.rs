//! Prints what `extract` has found: text and list of what is left out on stdout, facts on stderr; or one JSON object.

use super::source::PageSource;
use super::stored::Extraction;
use crate::cli::output::{Output, note};
use crate::domain::extraction::DroppedElement;
use crate::domain::failure::{ErrorCode, Failure};
use crate::domain::id::DocumentId;
use crate::domain::site_rule::WrittenText;
use crate::domain::text::{fit, safe_block};
use crate::format;
use serde::Serialize;
use std::io;

/// Width in cells of the longest selector in the list of what is left out.
const MOST_SELECTOR: usize = 60;

/// Prints facts about the page on stderr.
pub(super) fn facts(extracted: &Extraction) {
    let page = &extracted.explained.page;
    let kind = extracted.explained.report.as_ref().map(|report| report.page_type);
    let kind = match kind {
        Some("none") => "content chosen by a site rule".to_owned(),
        Some(kind) => format!("page type {kind}"),
        None => "stored as it was received".to_owned(),
    };
    let cut = page.truncation.map(|cut| format!(", {cut}")).unwrap_or_default();
    note(format!("{kind}: {} characters of {} bytes{cut}", page.content.chars().count(), page.bytes));
    note(format!("fingerprint {}", page.fingerprint.as_str()));
    if let Some(text) = &page.note {
        note(text);
    }
    if extracted.written == WrittenText::Chatwoot {
        note(format!("stored would be {}; the main content decides whether the page has changed", extracted.name));
    }
    if let Some(reason) = &extracted.doubt {
        note(format!("this text {reason}"));
    }
}

/// Prints title and text as they would be stored and, if `why`, what is left out.
pub(super) fn text(extracted: &Extraction, why: bool, out: &mut Output) -> io::Result<()> {
    let page = &extracted.explained.page;
    out.line(page.title.as_deref().unwrap_or("no title"))?;
    out.line("")?;
    out.line(safe_block(page.content.trim_end_matches('\n')))?;
    if !why {
        return Ok(());
    }
    out.line("")?;
    let Some(report) = &extracted.explained.report else {
        return out.line("Nothing is known about what is left out: the text was not converted here.");
    };
    if report.dropped.is_empty() {
        return out.line("Nothing is left out.");
    }
    out.line(match extracted.written {
        WrittenText::Main => "Left out, in page order",
        WrittenText::Chatwoot => "Left out of the main content, in page order",
    })?;
    let reasons = format::reason_width(&report.dropped);
    out.line(format!("{}element", format::dropped_head(reasons)))?;
    for dropped in &report.dropped {
        let element = fit(&dropped.element, MOST_SELECTOR);
        out.line(format!("{}{element}  {}", format::dropped_row(dropped, reasons), dropped.text).trim_end())?;
    }
    Ok(())
}

/// Result of `extract` in JSON (assets/docs/json.md). Every key is always present but `dropped`, which `--why` adds.
#[derive(Debug, Serialize)]
pub(super) struct ExtractionJson<'a> {
    url: Option<&'a str>,
    document_id: Option<DocumentId>,
    store: Option<&'a str>,
    title: Option<&'a str>,
    extract: Option<&'static str>,
    content: Option<&'a str>,
    content_length: Option<usize>,
    fingerprint: Option<&'a str>,
    page_type: Option<&'a str>,
    bytes: Option<u64>,
    note: Option<String>,
    doubt: Option<String>,
    http_status: Option<u16>,
    error_code: Option<ErrorCode>,
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dropped: Option<Vec<DroppedJson<'a>>>,
}

/// An element that is left out, in JSON.
#[derive(Debug, Serialize)]
struct DroppedJson<'a> {
    element: &'a str,
    text: &'a str,
    reason: &'a str,
    characters: u32,
    linked: f64,
    sentences: f64,
}

impl<'a> ExtractionJson<'a> {
    /// Combines the parts; with `why`, also what is left out.
    pub fn new(source: &'a PageSource, extracted: &'a Result<Extraction, Failure>, why: bool) -> Self {
        let (document_id, store) = match source {
            PageSource::Remote(remote) => (remote.document, remote.store.as_deref()),
            PageSource::Local(_) => (None, None),
        };
        let (found, failure) = (extracted.as_ref().ok(), extracted.as_ref().err());
        let page = found.map(|found| &found.explained.page);
        let report = found.and_then(|found| found.explained.report.as_ref());
        let status = page.map(|page| page.http_status).filter(|status| *status > 0);
        let notes: Vec<_> =
            page.into_iter().flat_map(|page| [page.truncation, page.note.as_deref()]).flatten().collect();
        Self {
            url: source.url(),
            document_id,
            store,
            title: page.and_then(|page| page.title.as_deref()),
            extract: found.map(|found| found.written.word()),
            content: page.map(|page| page.content.as_str()),
            content_length: page.map(|page| page.content.chars().count()),
            fingerprint: page.map(|page| page.fingerprint.as_str()),
            page_type: report.map(|report| report.page_type).filter(|kind| *kind != "none"),
            bytes: page.map(|page| page.bytes),
            note: (!notes.is_empty()).then(|| notes.join("; ")),
            doubt: found.and_then(|found| found.doubt.clone()),
            http_status: status.or_else(|| failure.and_then(|failure| failure.http_status)),
            error_code: failure.map(|failure| failure.code),
            detail: failure.map(|failure| &*failure.detail),
            dropped: report.filter(|_| why).map(|report| report.dropped.iter().map(DroppedJson::from).collect()),
        }
    }
}

impl<'a> From<&'a DroppedElement> for DroppedJson<'a> {
    fn from(dropped: &'a DroppedElement) -> Self {
        // Two digits say all that the measures know.
        let rounded = |share: f32| (f64::from(share) * 100.0).round() / 100.0;
        Self {
            element: &dropped.element,
            text: &dropped.text,
            reason: &dropped.reason,
            characters: dropped.characters,
            linked: rounded(dropped.linked),
            sentences: rounded(dropped.prose),
        }
    }
}
