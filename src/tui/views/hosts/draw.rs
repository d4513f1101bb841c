//! The columns of the hosts view, and the texts of its frame.

use super::text::{busy, host_backoff, last_hour_line, latency, name, share, sign, state, status_line};
use crate::domain::pause::PauseScope;
use crate::format;
use crate::store::HostSummary;
use crate::tui::model::Model;
use crate::tui::table::columns::{Columns, TableColumn};
use crate::tui::table::draw::{PaneHeader, foot_summary, labelled_total, shown_of_total};
use crate::tui::table::state::Rows;
use crate::tui::text::lines::clip;
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;
use crate::tui::views::view::Pane;
use ratatui::buffer::Buffer;

/// Minimum and maximum width of the host's name, in cells.
const NAME_CELLS: (u16, u16) = (15, 30);
/// Minimum width of the last column, in cells.
const STATE_MIN_CELLS: u16 = 8;
/// Number of cells that the last column gets in addition to its minimum width, before the name gets wider than the
/// minimum width of the name.
const STATE_EXTRA_CELLS: u16 = 6;

type HostColumn = TableColumn<HostSummary>;

static COLUMNS: Columns<HostSummary> = Columns {
    columns: &[
        HostColumn::left("", 1, |model, summary, _| cell(sign(model, summary))).gap(3),
        HostColumn::text("host", |model, summary, cells| {
            vec![span(clip(name(summary), usize::from(cells), model.glyphs.ellipsis), Tone::Plain)]
        }),
        HostColumn::right("docs", 7, |_, summary, _| {
            vec![span(format::short_number(summary.documents, 6), Tone::Plain)]
        })
        .rank(3),
        HostColumn::right("failed", 7, |model, summary, _| {
            cell(share(model, summary.failed, summary.documents, Tone::Failed))
        })
        .rank(1),
        HostColumn::right("429/503", 8, |model, summary, _| {
            cell(share(model, summary.rate_limited, summary.last_hour, Tone::Waiting))
        })
        .rank(4),
        HostColumn::right("latency", 8, |model, summary, _| vec![span(latency(model, summary), Tone::Dim)]).rank(5),
        HostColumn::right("busy", 6, |model, summary, _| cell(busy(model, summary))).rank(2),
        HostColumn::text("now", |model, summary, cells| cell(state(model, summary, usize::from(cells)))).gap(2),
    ],
    margin: 1,
    min_text: NAME_CELLS.0 + STATE_MIN_CELLS,
    text_widths: |text| {
        let name =
            (NAME_CELLS.0 + text.saturating_sub(NAME_CELLS.0 + STATE_MIN_CELLS + STATE_EXTRA_CELLS)).min(NAME_CELLS.1);
        [name, text.saturating_sub(name)]
    },
};

fn cell((text, tone): (impl Into<String>, Tone)) -> Spans {
    vec![span(text, tone)]
}

/// Draws the hosts view with its frame.
pub(super) fn draw(model: &Model, pane: &Pane, buf: &mut Buffer) {
    let header = PaneHeader {
        name: "hosts",
        totals: totals(model),
        empty_text: "No host: there are no documents yet.",
        foot: foot_summary(model, pane, in_short),
    };
    crate::tui::table::draw::draw(model, &model.views.hosts, &COLUMNS, header, pane, buf);
}

fn totals(model: &Model) -> Spans {
    let data = &model.views.hosts.data;
    let mut title = shown_of_total(data.rows.len(), data.total);
    if model.views.hosts.order().is_none() {
        title.push(span(" worst first", Tone::Dim));
    }
    let cooling = data.rows.iter().filter(|summary| host_backoff(model, summary).is_some()).count() as u64;
    let paused = model.pauses.iter().filter(|pause| matches!(pause.scope, PauseScope::Host(_))).count() as u64;
    for (number, word) in [(cooling, "cooling down"), (paused, "paused")] {
        if number > 0 {
            title.push(span(format!(" {}", model.glyphs.dot), Tone::Dim));
            title.extend(labelled_total(number, word));
        }
    }
    title
}

fn in_short(model: &Model) -> Spans {
    match model.views.hosts.row() {
        Some(summary) if host_backoff(model, summary).is_some() || summary.last_hour == 0 => {
            status_line(model, summary)
        }
        Some(summary) => last_hour_line(summary, true),
        None => Spans::new(),
    }
}
