//! The host under the cursor: sentences for the peek pane (below the view), and all facts for a reader (a text shown
//! over the screen), since a small screen has no space for all columns.

use super::text::{busy, documents, host_backoff, last_hour_line, latency, name, next, scope, status_line};
use crate::format;
use crate::store::HostSummary;
use crate::tui::describe::pause::of_group;
use crate::tui::layout::reader_cells;
use crate::tui::model::Model;
use crate::tui::table::draw::aside_that_fits;
use crate::tui::text::facts::Facts;
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;
use crate::tui::views::view::Explanation;
use ratatui::layout::Rect;

/// Explains the host in five, four or two lines, by the height of `inner`, the area inside the frame of the peek pane.
pub(super) fn explain(model: &Model, summary: &HostSummary, inner: Rect) -> Explanation {
    let title = vec![span(name(summary), Tone::Strong)];
    let then = |brief| {
        let mut then = vec![span("  ", Tone::Plain)];
        then.extend(next(model, summary, brief));
        then
    };
    let mut aside = Spans::new();
    let lines = match inner.height {
        5.. => vec![
            status_line(model, summary),
            then(false),
            Spans::new(),
            documents(summary),
            last_hour_line(summary, false),
        ],
        4 => vec![status_line(model, summary), then(true), documents(summary), last_hour_line(summary, true)],
        _ => {
            let in_all = format::count(summary.documents, "document");
            aside.push(span(aside_that_fits(vec![in_all], &title, inner), Tone::Dim));
            vec![status_line(model, summary), last_hour_line(summary, true)]
        }
    };
    Explanation { title, aside, lines, ..Explanation::default() }
}

/// Returns a title and every known fact about the host.
pub(super) fn facts(model: &Model, summary: &HostSummary) -> (String, Vec<Spans>) {
    let mut text = Facts::new(reader_cells(model.size));
    text.sentence(&status_line(model, summary));
    // Without a back-off or pause the sentence only names keys, which have no effect while the reader is open.
    if host_backoff(model, summary).is_some() || of_group(model, &scope(summary)).is_some() {
        text.sentence(&next(model, summary, true));
    }
    text.gap();
    text.fact("documents", &format::number(summary.documents));
    text.fact("failed", &with_percent(summary.failed, summary.documents));
    text.fact("running", &busy(model, summary).0);
    text.fact("queued", &format::number(summary.ready));
    text.gap();
    text.fact("last hour", &format::count(summary.last_hour, "attempt"));
    text.fact("429 or 503", &with_percent(summary.rate_limited, summary.last_hour));
    text.fact("latency", &latency(model, summary));
    (format!("host {}", name(summary)), text.lines)
}

/// Returns `part` and its percentage of `of`, such as `6 (13%)`; without the percentage if that is 0.
fn with_percent(part: u64, of: u64) -> String {
    match format::percent(part, of) {
        0 => format::number(part),
        some => format!("{} ({some}%)", format::number(part)),
    }
}
