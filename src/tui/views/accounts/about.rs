//! The account under the cursor: sentences for the peek pane (below the view), and all facts for a reader (a text shown
//! over the screen), since a small screen has no space for all columns.

use super::text::{
    documents, is_paused, jobs, last_hour_line, name, next, next_due, plan, plan_in_words, share, status_line,
};
use crate::domain::document::Status;
use crate::format;
use crate::store::AccountSummary;
use crate::tui::layout::reader_cells;
use crate::tui::model::Model;
use crate::tui::table::draw::aside_that_fits;
use crate::tui::text::facts::{Facts, LABEL};
use crate::tui::text::{Spans, span};
use crate::tui::theme::{self, Tone};
use crate::tui::views::view::Explanation;
use ratatui::layout::Rect;

/// Maximum width, in cells, of the bar that shows the account's share of the last hour's attempts.
const BAR_CELLS: usize = 8;

/// Explains the account in five, four or two lines, by the height of `inner`, the area inside the frame of the peek
/// pane.
pub(super) fn explain(model: &Model, summary: &AccountSummary, inner: Rect) -> Explanation {
    let title = vec![span(format!("account {}", name(summary)), Tone::Strong)];
    let in_all = format::count(summary.counts.total(), "document");
    // A narrow pane shows the plan only, since the line about the documents contains their numbers.
    let asides = match plan_in_words(summary) {
        None => vec![in_all],
        Some(long) => {
            vec![format!("{in_all} {} {long}", model.glyphs.dot), long, format!("plan {}", plan(model, summary).0)]
        }
    };
    let mut then = vec![span("  ", Tone::Plain)];
    let lines = match inner.height {
        5.. => {
            then.extend(next(model, summary, false));
            vec![
                status_line(model, summary, false),
                then,
                Spans::new(),
                documents(model, summary, false),
                last_hour_line(model, summary),
            ]
        }
        4 => {
            let paused = is_paused(model, summary);
            then.extend(if paused { vec![span(jobs(summary), Tone::Plain)] } else { next(model, summary, true) });
            vec![
                status_line(model, summary, true),
                then,
                documents(model, summary, true),
                last_hour_line(model, summary),
            ]
        }
        _ => vec![status_line(model, summary, true), documents(model, summary, true)],
    };
    let aside = vec![span(aside_that_fits(asides, &title, inner), Tone::Dim)];
    Explanation { title, aside, lines, ..Explanation::default() }
}

/// Returns a title and every known fact about the account.
pub(super) fn facts(model: &Model, summary: &AccountSummary) -> (String, Vec<Spans>) {
    let mut text = Facts::new(reader_cells(model.size));
    text.sentence(&status_line(model, summary, true));
    text.sentence(&next(model, summary, true));
    text.gap();
    let plan = plan_in_words(summary).unwrap_or_else(|| "none: manual only".to_owned());
    text.fact("plan", plan.strip_prefix("plan ").unwrap_or(&plan));
    text.fact("next due", &next_due(model, summary).0);
    text.fact("jobs", &jobs(summary));
    let (bar, share) = share(model, summary, BAR_CELLS);
    text.lines.push(vec![
        span(format!("{:LABEL$}", "last hour"), Tone::Dim),
        span(if bar.is_empty() { bar } else { bar + " " }, Tone::Accent),
        span(share, Tone::Plain),
    ]);
    let all = format::count(model.views.accounts.last_hour(), "attempt");
    text.fact("", &format!("{} of {all}", format::number(summary.last_hour)));
    text.gap();
    text.fact("documents", &format::number(summary.counts.total()));
    for status in Status::ALL.into_iter().filter(|status| summary.counts.of(*status) > 0) {
        text.lines.push(vec![
            span(format!("  {} ", model.glyphs.status(status)), theme::status(status)),
            span(format::number(summary.counts.of(status)), Tone::Plain),
            span(format!(" {}", status.word()), Tone::Dim),
        ]);
    }
    (format!("account {}", name(summary)), text.lines)
}
