//! The columns of the hosts view, and the texts of its frame.

use super::text::{busy, hold, lately, latency, name, share, sign, standing, state};
use crate::domain::pause::PauseScope;
use crate::format;
use crate::store::HostSeen;
use crate::tui::model::Model;
use crate::tui::table::columns::{Column, Columns};
use crate::tui::table::draw::{PaneHeader, shown, total, unless_explained};
use crate::tui::text::lines::clip;
use crate::tui::text::{Words, words};
use crate::tui::theme::Tone;
use crate::tui::views::view::Pane;
use ratatui::buffer::Buffer;

/// Smallest and greatest width of the name, in cells.
const NAME: (u16, u16) = (15, 30);
/// Smallest width of the last column in cells, and the cells that it gets in addition before the name grows.
const STATE: u16 = 8;
const STATE_MORE: u16 = 6;

type HostColumn = Column<HostSeen>;

static COLUMNS: Columns<HostSeen> = Columns {
    columns: &[
        HostColumn::left("", 1, |model, seen, _| one(sign(model, seen))).gap(3),
        HostColumn::text("host", |model, seen, cells| {
            vec![words(clip(name(seen), usize::from(cells), model.glyphs.more), Tone::Plain)]
        }),
        HostColumn::right("docs", 7, |_, seen, _| vec![words(format::short_number(seen.documents, 6), Tone::Plain)])
            .rank(3),
        HostColumn::right("failed", 7, |model, seen, _| one(share(model, seen.failed, seen.documents, Tone::Failed)))
            .rank(1),
        HostColumn::right("429/503", 8, |model, seen, _| one(share(model, seen.limited, seen.recent, Tone::Waiting)))
            .rank(4),
        HostColumn::right("latency", 8, |model, seen, _| vec![words(latency(model, seen), Tone::Dim)]).rank(5),
        HostColumn::right("busy", 6, |model, seen, _| one(busy(model, seen))).rank(2),
        HostColumn::text("now", |model, seen, cells| one(state(model, seen, usize::from(cells)))).gap(2),
    ],
    margin: 1,
    least_text: NAME.0 + STATE,
    share: |text| {
        let name = (NAME.0 + text.saturating_sub(NAME.0 + STATE + STATE_MORE)).min(NAME.1);
        [name, text.saturating_sub(name)]
    },
};

fn one((text, tone): (impl Into<String>, Tone)) -> Words {
    vec![words(text, tone)]
}

/// Draws the hosts view with its frame.
pub(super) fn draw(model: &Model, pane: &Pane, buf: &mut Buffer) {
    let header = PaneHeader {
        name: "hosts",
        totals: totals(model),
        none: "No host: there are no documents yet.",
        foot: unless_explained(model, pane, in_short),
    };
    crate::tui::table::draw::draw(model, &model.views.hosts, &COLUMNS, header, pane, buf);
}

fn totals(model: &Model) -> Words {
    let data = &model.views.hosts.data;
    let mut title = shown(data.rows.len(), data.total);
    title.push(words(" worst first", Tone::Dim));
    let held = data.rows.iter().filter(|seen| hold(model, seen).is_some()).count() as u64;
    let paused = model.pauses.iter().filter(|pause| matches!(pause.scope, PauseScope::Host(_))).count() as u64;
    for (number, word) in [(held, "cooling down"), (paused, "paused")] {
        if number > 0 {
            title.push(words(format!(" {}", model.glyphs.dot), Tone::Dim));
            title.extend(total(number, word));
        }
    }
    title
}

fn in_short(model: &Model) -> Words {
    match model.views.hosts.row() {
        Some(seen) if hold(model, seen).is_some() || seen.recent == 0 => standing(model, seen),
        Some(seen) => lately(seen, true),
        None => Words::new(),
    }
}
