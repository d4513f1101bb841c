//! The second head line: the views with their keys at the left, and the number of documents of each status at the right.

use super::head::{Part, shed};
use crate::domain::document::{Status, StatusCounts};
use crate::format;
use crate::tui::action::Action;
use crate::tui::model::{Counted, Model};
use crate::tui::text::{Spans, span};
use crate::tui::theme::{self, Appearance, Tone};
use crate::tui::views::catalog::ViewId;
use crate::tui::widgets::canvas::{Canvas, cells};

/// Width of the line, in cells, from which other views than the active one are named.
const VIEW_NAMES_MIN_WIDTH: u16 = 76;
/// Width of the line, in cells, from which they are named although the age of the counts is said.
const NAMES_AND_AGE_MIN_WIDTH: u16 = 110;
/// Width of the line, in cells, from which the names of the views have wide gaps.
const WIDE_GAPS_MIN_WIDTH: u16 = 140;
/// Cells that the names of views leave to the counts.
const MIN_COUNTS: u16 = 8;

/// Draws the line.
pub(super) fn draw(model: &Model, canvas: &mut Canvas<'_>, appearance: Appearance) {
    let width = canvas.area.width;
    let counted = model.counted();
    let views = views(model, counted, width, appearance);
    let end = canvas.spans(1, 1, width.saturating_sub(1), &views, appearance);
    let available = width.saturating_sub(end + 2);
    let (counts, noun) = match counted {
        // A large store takes a moment to count: no number is not zero.
        Counted::Reading => return canvas.right(width - 1, 1, "reading", appearance.theme.style(Tone::Dim)),
        Counted::All(counts) if counts.total() == 1 => (counts, " document"),
        Counted::All(counts) => (counts, " documents"),
        Counted::Matching(counts) if counts.total() == 1 => (counts, " matches"),
        Counted::Matching(counts) => (counts, " match"),
    };
    let parts = numbers(&counts, noun, available, appearance);
    let start = (width - 1).saturating_sub(cells(&parts));
    canvas.spans(start, 1, cells(&parts), &parts, appearance);
}

/// Returns the views with their keys. A narrow line names only the active one, and a line in which the last ones have no
/// room the others.
fn views(model: &Model, counted: Counted, width: u16, appearance: Appearance) -> Spans {
    // That the counts may be old needs room, too.
    let min_width = if counted.may_be_old() { NAMES_AND_AGE_MIN_WIDTH } else { VIEW_NAMES_MIN_WIDTH };
    if width < min_width {
        return named_views(model, 0, width, appearance);
    }
    let mut forms = (0..=ViewId::ALL.len()).rev().map(|named| named_views(model, named, width, appearance));
    let fits = |line: &Spans| cells(line) + MIN_COUNTS + 2 <= width;
    forms.find(fits).unwrap_or_else(|| named_views(model, 0, width, appearance))
}

/// Returns the views with their keys, and the names of the first `named` and of the active one.
fn named_views(model: &Model, named: usize, width: u16, appearance: Appearance) -> Spans {
    let mut line = Spans::new();
    let gap = if width >= WIDE_GAPS_MIN_WIDTH { "   " } else { " " };
    for (at, view) in ViewId::ALL.iter().enumerate() {
        let is_active = *view == model.active_view;
        let keys = model.keymap().keys(Action::ShowView(*view));
        let key = keys.first().map(|key| key.label(appearance.glyphs.ascii)).unwrap_or_default();
        if at > 0 {
            line.push(span(gap, Tone::Plain));
        }
        line.push(span(key, if is_active { Tone::Accent } else { Tone::Dim }));
        if is_active {
            line.push(span(format!(" {}", view.word()), Tone::Strong));
        } else if at < named {
            line.push(span(format!(" {}", view.word()), Tone::Dim));
        }
    }
    line
}

/// Returns the number of the documents with their noun and the number at each status, in the first form that fits into
/// `available` cells, from the fullest to the shortest.
fn numbers(counts: &StatusCounts, noun: &'static str, available: u16, appearance: Appearance) -> Spans {
    let total = vec![span(format::number(counts.total()), Tone::Strong), span(noun, Tone::Dim)];
    // What stands before the numbers of the statuses.
    let totals: Vec<Spans> = match counts.max_age {
        None => vec![total],
        Some(max_age) => {
            let age = format!("up to {} old", format::duration(max_age));
            let with_age = [total, vec![span(format!(", counts {age}"), Tone::Dim)]].concat();
            vec![with_age, vec![span(age, Tone::Dim)]]
        }
    };
    if counts.total() == 0 {
        return totals.into_iter().next().filter(|total| cells(total) <= available).unwrap_or_default();
    }
    let form = |parts: Vec<Spans>, gap: usize, total: Option<&Spans>| -> Spans {
        let mut line = total.cloned().unwrap_or_default();
        for part in parts {
            if !line.is_empty() {
                line.push(span(" ".repeat(gap), Tone::Plain));
            }
            line.extend(part);
        }
        line
    };
    let with_totals = |with_word: bool, gap: usize| {
        totals.iter().map(move |total| form(statuses(counts, with_word, false, appearance), gap, Some(total)))
    };
    let full = totals.iter().map(|total| form(statuses(counts, true, true, appearance), 2, Some(total)));
    let is_exact = counts.max_age.is_none();
    let short = is_exact.then(|| form(statuses(counts, false, false, appearance), 2, None));
    let shortest = is_exact.then(|| form(statuses(counts, false, false, appearance), 1, None));
    let forms = full.chain(with_totals(true, 2)).chain(with_totals(false, 2)).chain(with_totals(false, 1));
    if let Some(form) = forms.chain(short).chain(shortest).find(|form| cells(form) <= available) {
        return form;
    }
    // That the numbers may be old is said before any of them.
    let age = totals.last().filter(|_| !is_exact).cloned();
    let parts: Vec<Part> = (0..).zip(age.into_iter().chain(statuses(counts, false, false, appearance))).collect();
    form(shed(parts, available, 1), 1, None)
}

/// Returns the number of documents of each status, those that need review first: of `all` usual statuses, or only of
/// those that a document has.
fn statuses(counts: &StatusCounts, with_word: bool, all: bool, appearance: Appearance) -> Vec<Spans> {
    let part = |status: Status| {
        let number = counts.of(status);
        let tone = if number == 0 { Tone::Dim } else { theme::status(status) };
        let plain = if number == 0 { Tone::Dim } else { Tone::Plain };
        let mut part =
            vec![span(format!("{} ", appearance.glyphs.status(status)), tone), span(format::number(number), plain)];
        if with_word {
            part.push(span(format!(" {}", status.word()), Tone::Dim));
        }
        part
    };
    let to_review = (counts.quarantined > 0).then(|| {
        let number = format::number(counts.quarantined);
        let need = match (with_word, counts.quarantined) {
            (false, _) => "",
            (true, 1) => " needs review",
            (true, _) => " need review",
        };
        vec![
            span(format!("{} ", appearance.glyphs.quarantined), Tone::Lost),
            span(number, Tone::Plain),
            span(need, Tone::Dim),
        ]
    });
    // Only Chatwoot has documents that are PDFs or still crawled.
    let is_usual = |status: &Status| !matches!(status, Status::Pdf | Status::Crawling);
    let shown = Status::ALL.into_iter().filter(|status| all && is_usual(status) || counts.of(*status) > 0);
    to_review.into_iter().chain(shown.map(part)).collect()
}
