//! The columns of the failures view, and the texts of its frame.

use super::cause::cause_title;
use super::text::{age, remedy, sign, trend};
use crate::format;
use crate::store::FailureSummary;
use crate::tui::model::Model;
use crate::tui::table::columns::{Columns, TableColumn};
use crate::tui::table::draw::{PaneHeader, foot_summary};
use crate::tui::text::lines::clip;
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;
use crate::tui::views::view::Pane;
use ratatui::buffer::Buffer;

/// Minimum width, in cells, of the cause and of what helps together.
const TEXT_MIN_CELLS: u16 = 34;
/// Maximum width of what helps, in cells.
const REMEDY_CELLS: u16 = 32;

type CauseColumn = TableColumn<FailureSummary>;

static COLUMNS: Columns<FailureSummary> = Columns {
    columns: &[
        CauseColumn::left("", 1, |model, summary, _| {
            let is_marked = model.views.marked_causes.contains(&summary.cause);
            is_marked.then(|| span(model.glyphs.mark, Tone::Waiting)).into_iter().collect()
        }),
        CauseColumn::left("", 1, |model, summary, _| cell(sign(&model.glyphs, summary))),
        CauseColumn::text("cause", |model, summary, cells| {
            vec![span(clip(&cause_title(summary), usize::from(cells), model.glyphs.ellipsis), Tone::Plain)]
        }),
        CauseColumn::right("docs", 7, |_, summary, _| {
            vec![span(format::short_number(summary.documents, 6), Tone::Strong)]
        })
        .rank(1),
        CauseColumn::right("hosts", 7, |_, summary, _| vec![span(format::short_number(summary.hosts, 6), Tone::Dim)])
            .rank(3),
        CauseColumn::right("first seen", 12, |model, summary, _| vec![span(age(model, summary.first_at), Tone::Dim)])
            .rank(5),
        CauseColumn::right("last seen", 11, |model, summary, _| vec![span(age(model, summary.last_at), Tone::Plain)])
            .rank(2),
        CauseColumn::left("last hour", 10, |model, summary, _| {
            let is_quiet = summary.trend.iter().all(|failures| *failures == 0);
            vec![span(trend(&model.glyphs, summary), if is_quiet { Tone::Dim } else { Tone::Failed })]
        })
        .gap(2)
        .rank(4),
        CauseColumn::text("what helps", |model, summary, cells| {
            vec![span(clip(&remedy(model, summary).0, usize::from(cells), model.glyphs.ellipsis), Tone::Dim)]
        })
        .gap(2),
    ],
    margin: 1,
    min_text: TEXT_MIN_CELLS,
    text_widths: |text| {
        let remedy = (text * 2 / 5).min(REMEDY_CELLS);
        [text - remedy, remedy]
    },
};

/// Returns the number of marked causes that still have documents, in words; empty without any.
fn marked(model: &Model) -> (String, Tone) {
    match model.views.marked_rows().count() {
        0 => span("", Tone::Plain),
        number => span(format!(" {} {} marked", model.glyphs.mark, format::number(number as u64)), Tone::Waiting),
    }
}

fn cell((text, tone): (impl Into<String>, Tone)) -> Spans {
    vec![span(text, tone)]
}

/// Draws the failures view with its frame.
pub(super) fn draw(model: &Model, pane: &Pane, buf: &mut Buffer) {
    let table = &model.views.failures;
    let documents = format::count(table.documents(), "document");
    let header = PaneHeader {
        name: "failures",
        totals: vec![
            span(format!(" {documents}"), Tone::Plain),
            span(format!(" in {}", format::count(table.data.total, "cause")), Tone::Dim),
            marked(model),
        ],
        empty_text: "No document has failed.",
        foot: foot_summary(model, pane, |model| {
            let row = model.views.failures.row();
            row.map_or_else(Spans::new, |summary| vec![span(remedy(model, summary).0, Tone::Plain)])
        }),
    };
    crate::tui::table::draw::draw(model, table, &COLUMNS, header, pane, buf);
}
