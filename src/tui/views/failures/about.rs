//! The cause under the cursor: sentences for the peek pane (below the view), and all facts for a reader (a text shown
//! over the screen).

use super::cause::cause_title;
use super::text::{age, filter_of, remedy, trend};
use crate::format;
use crate::store::FailureSummary;
use crate::tui::layout::reader_cells;
use crate::tui::model::Model;
use crate::tui::table::draw::aside_that_fits;
use crate::tui::text::facts::Facts;
use crate::tui::text::lines::wrap;
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;
use crate::tui::views::documents::line;
use crate::tui::views::view::Explanation;
use ratatui::layout::Rect;

/// Explains the cause, in as many lines as the peek pane has: what it is and what helps, then its documents.
pub(super) fn explain(model: &Model, summary: &FailureSummary, inner: Rect) -> Explanation {
    let title = vec![span(format::count(summary.documents, "document"), Tone::Strong)];
    let aside =
        vec![span(aside_that_fits(vec![format!("cause {}", summary.cause), String::new()], &title, inner), Tone::Dim)];
    let cells = usize::from(inner.width.saturating_sub(2));
    let mut lines: Vec<Spans> =
        wrap(&cause_title(summary), cells, 2).into_iter().map(|line| vec![span(line, Tone::Failed)]).collect();
    lines.extend(wrap(&remedy(model, summary).1, cells, 2).into_iter().map(|line| vec![span(line, Tone::Plain)]));
    let seen = format!("first seen {}, last {}  ", age(model, summary.first_at), age(model, summary.last_at));
    lines.push(vec![
        span(seen, Tone::Dim),
        span(trend(&model.glyphs, summary), Tone::Failed),
        span(" last hour", Tone::Dim),
    ]);
    let members = model.members.of(summary.cause).unwrap_or_default();
    let room = usize::from(inner.height).saturating_sub(lines.len() + 1);
    if room > 0 && !members.is_empty() {
        lines.push(line::heading(cells));
        lines.extend(members.iter().take(room).map(|row| line::line(model, row, cells)));
    }
    lines.truncate(usize::from(inner.height));
    Explanation { title, aside, lines, ..Explanation::default() }
}

/// Returns a title and every known fact about the cause.
pub(super) fn facts(model: &Model, summary: &FailureSummary) -> (String, Vec<Spans>) {
    let mut text = Facts::new(reader_cells(model.size));
    text.sentence(&[span(cause_title(summary), Tone::Failed)]);
    text.sentence(&[span(remedy(model, summary).1, Tone::Plain)]);
    text.gap();
    text.fact("documents", &format::number(summary.documents));
    text.fact(
        "hosts",
        &summary.only_host.as_ref().map_or_else(|| format::number(summary.hosts), |host| host.to_string()),
    );
    text.fact("first seen", &age(model, summary.first_at));
    text.fact("last seen", &age(model, summary.last_at));
    text.fact("last hour", &trend(&model.glyphs, summary));
    text.fact("filter", &filter_of(summary).to_string());
    ("cause of failures".to_owned(), text.lines)
}
