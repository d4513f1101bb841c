//! The columns of the accounts view, and the texts of its frame.

use super::text::{name, next_due, plan, share, sign, status_line, status_strip};
use crate::domain::pause::PauseScope;
use crate::domain::text::width;
use crate::format;
use crate::store::AccountSummary;
use crate::tui::model::Model;
use crate::tui::table::columns::{Columns, TableColumn};
use crate::tui::table::draw::{PaneHeader, foot_summary, labelled_total, shown_of_total};
use crate::tui::text::lines::clip;
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;
use crate::tui::views::view::Pane;
use ratatui::buffer::Buffer;

/// Minimum and maximum width of the account's name, in cells.
const NAME_CELLS: (u16, u16) = (9, 40);
/// Maximum width, in cells, of the bar that shows an account's share of the last hour's attempts.
const BAR_CELLS: usize = 4;

type AccountColumn = TableColumn<AccountSummary>;

static COLUMNS: Columns<AccountSummary> = Columns {
    columns: &[
        AccountColumn::left("", 1, |model, summary, _| cell(sign(model, summary))).gap(3),
        AccountColumn::text("account", |model, summary, cells| {
            vec![span(clip(&name(summary), usize::from(cells), model.glyphs.ellipsis), Tone::Plain)]
        }),
        AccountColumn::left("plan", 13, |model, summary, _| cell(plan(model, summary))).gap(2).rank(8),
        AccountColumn::right("docs", 6, |_, summary, _| number(summary.counts.total(), 5, Tone::Plain, Tone::Plain))
            .rank(6),
        AccountColumn::left("status", 6, |model, summary, cells| status_strip(model, summary, usize::from(cells)))
            .gap(2)
            .rank(1),
        AccountColumn::right("run", 4, |_, summary, _| number(summary.running, 3, Tone::Running, Tone::Dim)).rank(5),
        AccountColumn::right("ready", 6, |_, summary, _| number(summary.ready, 5, Tone::Plain, Tone::Dim)).rank(4),
        AccountColumn::right("wait", 5, |_, summary, _| number(summary.waiting, 4, Tone::Waiting, Tone::Dim)).rank(7),
        AccountColumn::right("last hour", 10, last_hour).rank(3),
        AccountColumn::right("next", 9, |model, summary, _| cell(next_due(model, summary))).rank(2),
    ],
    margin: 1,
    min_text: NAME_CELLS.0,
    text_widths: |text| [text.min(NAME_CELLS.1), 0],
};

fn cell((text, tone): (impl Into<String>, Tone)) -> Spans {
    vec![span(text, tone)]
}

fn number(number: u64, cells: usize, some: Tone, none: Tone) -> Spans {
    vec![span(format::short_number(number, cells), if number == 0 { none } else { some })]
}

/// Returns the account's share of the last hour's attempts for a column of `cells` cells: a bar at the left and the
/// percentage at the right, each after at least one empty cell.
fn last_hour(model: &Model, summary: &AccountSummary, cells: u16) -> Spans {
    let (bar, percent) = share(model, summary, BAR_CELLS);
    let gap = usize::from(cells).saturating_sub(1 + width(&bar) + width(&percent));
    let tone = if summary.last_hour == 0 { Tone::Dim } else { Tone::Plain };
    vec![span(bar, Tone::Accent), span(" ".repeat(gap), Tone::Plain), span(percent, tone)]
}

/// Draws the accounts view with its frame.
pub(super) fn draw(model: &Model, pane: &Pane, buf: &mut Buffer) {
    let header = PaneHeader {
        name: "accounts",
        totals: totals(model),
        empty_text: "No account: there are no documents yet.",
        foot: foot_summary(model, pane, in_short),
    };
    crate::tui::table::draw::draw(model, &model.views.accounts, &COLUMNS, header, pane, buf);
}

fn totals(model: &Model) -> Spans {
    let data = &model.views.accounts.data;
    let mut title = shown_of_total(data.rows.len(), data.total);
    let paused = model.pauses.iter().filter(|pause| matches!(pause.scope, PauseScope::Account(_))).count() as u64;
    if paused > 0 {
        title.push(span(format!(" {}", model.glyphs.dot), Tone::Dim));
        title.extend(labelled_total(paused, "paused"));
    }
    title
}

fn in_short(model: &Model) -> Spans {
    model.views.accounts.row().map_or_else(Spans::new, |summary| status_line(model, summary, true))
}
