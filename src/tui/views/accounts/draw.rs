//! The columns of the accounts view, and the texts of its frame.

use super::text::{name, next_due, plan, share, sign, standing, strip};
use crate::domain::pause::PauseScope;
use crate::domain::text::width;
use crate::format;
use crate::store::AccountSeen;
use crate::tui::model::Model;
use crate::tui::table::columns::{Column, Columns};
use crate::tui::table::draw::{PaneHeader, shown, total, unless_explained};
use crate::tui::text::lines::clip;
use crate::tui::text::{Words, words};
use crate::tui::theme::Tone;
use crate::tui::views::view::Pane;
use ratatui::buffer::Buffer;

/// Smallest and greatest width of the name, in cells.
const NAME: (u16, u16) = (9, 40);
/// Width of the bar of an account's share, in cells.
const BAR: usize = 4;

type AccountColumn = Column<AccountSeen>;

static COLUMNS: Columns<AccountSeen> = Columns {
    columns: &[
        AccountColumn::left("", 1, |model, seen, _| one(sign(model, seen))).gap(3),
        AccountColumn::text("account", |model, seen, cells| {
            vec![words(clip(&name(seen), usize::from(cells), model.glyphs.more), Tone::Plain)]
        }),
        AccountColumn::left("plan", 13, |model, seen, _| one(plan(model, seen))).gap(2).rank(8),
        AccountColumn::right("docs", 6, |_, seen, _| number(seen.counts.total(), 5, Tone::Plain, Tone::Plain)).rank(6),
        AccountColumn::left("status", 6, |model, seen, cells| strip(model, seen, usize::from(cells))).gap(2).rank(1),
        AccountColumn::right("run", 4, |_, seen, _| number(seen.running, 3, Tone::Running, Tone::Dim)).rank(5),
        AccountColumn::right("ready", 6, |_, seen, _| number(seen.ready, 5, Tone::Plain, Tone::Dim)).rank(4),
        AccountColumn::right("wait", 5, |_, seen, _| number(seen.waiting, 4, Tone::Waiting, Tone::Dim)).rank(7),
        AccountColumn::right("last hour", 10, last_hour).rank(3),
        AccountColumn::right("next", 9, |model, seen, _| one(next_due(model, seen))).rank(2),
    ],
    margin: 1,
    least_text: NAME.0,
    share: |text| [text.min(NAME.1), 0],
};

fn one((text, tone): (impl Into<String>, Tone)) -> Words {
    vec![words(text, tone)]
}

fn number(number: u64, cells: usize, some: Tone, none: Tone) -> Words {
    vec![words(format::short_number(number, cells), if number == 0 { none } else { some })]
}

/// Returns the bar at the left and the percentage at the right, each after one empty cell.
fn last_hour(model: &Model, seen: &AccountSeen, cells: u16) -> Words {
    let (bar, percent) = share(model, seen, BAR);
    let gap = usize::from(cells).saturating_sub(1 + width(&bar) + width(&percent));
    let tone = if seen.last_hour == 0 { Tone::Dim } else { Tone::Plain };
    vec![words(bar, Tone::Accent), words(" ".repeat(gap), Tone::Plain), words(percent, tone)]
}

/// Draws the accounts view with its frame.
pub(super) fn draw(model: &Model, pane: &Pane, buf: &mut Buffer) {
    let header = PaneHeader {
        name: "accounts",
        totals: totals(model),
        none: "No account: there are no documents yet.",
        foot: unless_explained(model, pane, in_short),
    };
    crate::tui::table::draw::draw(model, &model.views.accounts, &COLUMNS, header, pane, buf);
}

fn totals(model: &Model) -> Words {
    let data = &model.views.accounts.data;
    let mut title = shown(data.rows.len(), data.total);
    let paused = model.pauses.iter().filter(|pause| matches!(pause.scope, PauseScope::Account(_))).count() as u64;
    if paused > 0 {
        title.push(words(format!(" {}", model.glyphs.dot), Tone::Dim));
        title.extend(total(paused, "paused"));
    }
    title
}

fn in_short(model: &Model) -> Words {
    model.views.accounts.row().map_or_else(Words::new, |seen| standing(model, seen, true))
}
