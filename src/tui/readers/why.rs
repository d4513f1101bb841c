//! The reader that explains a document's text: the type of the page, and each element that is left out, with the reason
//! and its measures.

use crate::domain::extraction::{DroppedElement, ExplainedPage};
use crate::domain::text::width;
use crate::format;
use crate::tui::layout::reader_cells;
use crate::tui::model::Model;
use crate::tui::text::lines::{clip, wrap};
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;

/// Width of the reader in cells below which each element takes several lines.
const ONE_LINE: usize = 72;
/// Width in cells from which the beginning of an element's text is shown beside the element.
const LEAST_TEXT: usize = 8;
/// Maximum number of lines that one fact takes.
const MOST_LINES: usize = 4;

/// Returns the lines of the reader.
pub(super) fn text(model: &Model) -> Vec<Spans> {
    let Some(explanation) = &model.explanation else { return Vec::new() };
    let available = reader_cells(model.size);
    let mut text: Vec<Spans> = Vec::new();
    let mut sentence = |words: &str, tone| {
        text.extend(wrap(words, available, MOST_LINES).into_iter().map(|line| vec![span(line, tone)]));
    };
    sentence(&explanation.url, Tone::Plain);
    match &explanation.answer {
        None => sentence("Fetching the page anew. Nothing is stored.", Tone::Dim),
        Some(Err(reason)) => {
            sentence("Fetched anew; nothing was stored.", Tone::Dim);
            sentence(&format!("The page cannot be explained: {reason}"), Tone::Failed);
        }
        Some(Ok(explained)) => {
            sentence("Fetched anew; nothing was stored.", Tone::Dim);
            facts(explained, &mut sentence);
            left_out(model, explained, available, &mut text);
        }
    }
    text
}

fn facts(explained: &ExplainedPage, sentence: &mut impl FnMut(&str, Tone)) {
    let page = &explained.page;
    let kind = match explained.report.as_ref().map(|report| report.page_type) {
        Some("none") => "content chosen by a site rule".to_owned(),
        Some(kind) => format!("page type {kind}"),
        None => "text as it was received".to_owned(),
    };
    let (chars, bytes) = (page.content.chars().count() as u64, format::number(page.bytes));
    sentence(&format!("{kind}, {} of {bytes} bytes", format::chars(chars)), Tone::Plain);
    if let Some(title) = &page.title {
        sentence(&format!("title {title}"), Tone::Plain);
    }
    for note in [page.truncation, page.note.as_deref()].into_iter().flatten() {
        sentence(note, Tone::Waiting);
    }
}

fn left_out(model: &Model, explained: &ExplainedPage, available: usize, text: &mut Vec<Spans>) {
    text.push(Spans::new());
    let heading = match &explained.report {
        None => "What was left out is not known: the text was not converted here.",
        Some(report) if report.dropped.is_empty() => "Nothing is left out.",
        Some(_) => "Left out, in page order",
    };
    text.extend(wrap(heading, available, MOST_LINES).into_iter().map(|line| vec![span(line, Tone::Strong)]));
    let dropped = explained.report.as_ref().map_or(&[][..], |report| &report.dropped);
    if available < ONE_LINE {
        text.extend(dropped.iter().flat_map(|dropped| narrow(model, dropped, available)));
        return;
    }
    let reasons = format::reason_width(dropped);
    if !dropped.is_empty() {
        text.push(vec![span(format!("{}element", format::dropped_head(reasons)), Tone::Dim)]);
    }
    text.extend(dropped.iter().map(|dropped| wide(model, dropped, reasons, available)));
}

fn wide(model: &Model, dropped: &DroppedElement, reasons: usize, available: usize) -> Spans {
    let row = format::dropped_row(dropped, reasons);
    let left = available.saturating_sub(width(&row));
    let element = clip(&dropped.element, left, model.glyphs.ellipsis);
    let (measures, reason) = row.split_at(row.len() - format::reason_column(dropped, reasons).len());
    let left = left.saturating_sub(width(&element));
    let mut spans = vec![span(measures, Tone::Dim), span(reason, Tone::Waiting), span(element, Tone::Plain)];
    if !dropped.text.is_empty() && left > LEAST_TEXT {
        spans.push(span(clip(&format!("  {}", dropped.text), left, model.glyphs.ellipsis), Tone::Dim));
    }
    spans
}

fn narrow(model: &Model, dropped: &DroppedElement, available: usize) -> Vec<Spans> {
    let left = available.saturating_sub(width(&dropped.reason) + 2);
    let element = clip(&dropped.element, left, model.glyphs.ellipsis);
    let mut lines = vec![vec![span(format!("{}  ", dropped.reason), Tone::Waiting), span(element, Tone::Plain)]];
    if !dropped.text.is_empty() {
        let text = clip(&dropped.text, available.saturating_sub(2), model.glyphs.ellipsis);
        lines.push(vec![span(format!("  {text}"), Tone::Plain)]);
    }
    let measures = wrap(&format::dropped_measures(dropped), available.saturating_sub(2), MOST_LINES);
    lines.extend(measures.into_iter().map(|line| vec![span(format!("  {line}"), Tone::Dim)]));
    lines
}
