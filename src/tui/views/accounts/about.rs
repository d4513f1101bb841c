//! The account under the cursor: sentences for the peek pane, and all facts for a reader over the whole screen, since a
//! small screen has no space for all columns.

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

/// Width of the bar of the account's share, in cells.
const BAR_CELLS: usize = 8;

/// Explains the account in as many sentences as `inner`, the inside of the pane, has lines.
pub(super) fn explain(model: &Model, seen: &AccountSummary, inner: Rect) -> Explanation {
    let title = vec![span(format!("account {}", name(seen)), Tone::Strong)];
    let in_all = format::count(seen.counts.total(), "document");
    // In a narrow pane the plan only: the line about the documents shows how many there are.
    let asides = match plan_in_words(seen) {
        None => vec![in_all],
        Some(long) => {
            vec![format!("{in_all} {} {long}", model.glyphs.dot), long, format!("plan {}", plan(model, seen).0)]
        }
    };
    let mut then = vec![span("  ", Tone::Plain)];
    let lines = match inner.height {
        5.. => {
            then.extend(next(model, seen, false));
            vec![
                status_line(model, seen, false),
                then,
                Spans::new(),
                documents(model, seen, false),
                last_hour_line(model, seen),
            ]
        }
        4 => {
            let paused = is_paused(model, seen);
            then.extend(if paused { vec![span(jobs(seen), Tone::Plain)] } else { next(model, seen, true) });
            vec![status_line(model, seen, true), then, documents(model, seen, true), last_hour_line(model, seen)]
        }
        _ => vec![status_line(model, seen, true), documents(model, seen, true)],
    };
    let aside = vec![span(aside_that_fits(asides, &title, inner), Tone::Dim)];
    Explanation { title, aside, lines, ..Explanation::default() }
}

/// Returns a title and every known fact about the account.
pub(super) fn facts(model: &Model, seen: &AccountSummary) -> (String, Vec<Spans>) {
    let mut text = Facts::new(reader_cells(model.size));
    text.sentence(&status_line(model, seen, true));
    text.sentence(&next(model, seen, true));
    text.gap();
    let plan = plan_in_words(seen).unwrap_or_else(|| "none: manual only".to_owned());
    text.fact("plan", plan.strip_prefix("plan ").unwrap_or(&plan));
    text.fact("next due", &next_due(model, seen).0);
    text.fact("jobs", &jobs(seen));
    let (bar, share) = share(model, seen, BAR_CELLS);
    text.lines.push(vec![
        span(format!("{:LABEL$}", "last hour"), Tone::Dim),
        span(if bar.is_empty() { bar } else { bar + " " }, Tone::Accent),
        span(share, Tone::Plain),
    ]);
    let all = format::count(model.views.accounts.last_hour(), "attempt");
    text.fact("", &format!("{} of {all}", format::number(seen.last_hour)));
    text.gap();
    text.fact("documents", &format::number(seen.counts.total()));
    for status in Status::ALL.into_iter().filter(|status| seen.counts.of(*status) > 0) {
        text.lines.push(vec![
            span(format!("  {} ", model.glyphs.status(status)), theme::status(status)),
            span(format::number(seen.counts.of(status)), Tone::Plain),
            span(format!(" {}", status.word()), Tone::Dim),
        ]);
    }
    (format!("account {}", name(seen)), text.lines)
}
