//! The hosts, the worst first: how their documents fare, how they answer, and why one is left alone.

use crate::domain::pause::PauseScope;
use crate::store::HostSeen;
use crate::tui::model::Model;
use crate::tui::say::figures::{count, tally};
use crate::tui::table::draw::{
    Column, Face, aside_that_fits, finish_row, fitting, frame, scroll_bar, shown, total, unless_explained,
};
use crate::tui::text::{Words, words};
use crate::tui::theme::Tone;
use crate::tui::views::documents::text::clip;
use crate::tui::views::hosts::text::{
    busy, documents, hold, lately, latency, name, next, share, sign, standing, state,
};
use crate::tui::widgets::canvas::Look;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Where the name begins, and its fewest and most cells.
const NAME_AT: u16 = 5;
const NAME: (u16, u16) = (15, 30);
/// The fewest cells of the last column, the two before it included; and what it is better off with.
const STATE: u16 = 10;
const STATE_MORE: u16 = 6;

#[derive(Clone, Copy, Debug)]
enum What {
    Documents,
    Failed,
    Limited,
    Latency,
    Busy,
}

static COLUMNS: [Column<What>; 5] = [
    Column { what: What::Documents, heading: "docs", cells: 7, rank: 3 },
    Column { what: What::Failed, heading: "failed", cells: 7, rank: 1 },
    Column { what: What::Limited, heading: "429/503", cells: 8, rank: 4 },
    Column { what: What::Latency, heading: "latency", cells: 8, rank: 5 },
    Column { what: What::Busy, heading: "busy", cells: 6, rank: 2 },
];

pub(in crate::tui) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    let look = Look::of(model);
    let hosts = &model.hosts;
    let face = Face {
        name: "hosts",
        totals: totals(model),
        none: "No document, so no host either.",
        foot: unless_explained(model, in_short),
    };
    let Some(mut canvas) = frame(model, hosts, face, area, buf) else { return };
    let end = canvas.area.width.saturating_sub(1);
    let columns = fitting(&COLUMNS, end.saturating_sub(NAME_AT + NAME.0 + STATE));
    let fixed: u16 = columns.iter().map(|column| column.cells).sum();
    let left = end.saturating_sub(NAME_AT + NAME.0 + STATE + fixed);
    let name_cells = (NAME.0 + left.saturating_sub(STATE_MORE)).min(NAME.1);
    let state_at = NAME_AT + name_cells + fixed + 2;
    let state_cells = end.saturating_sub(state_at);
    let dim = look.theme.style(Tone::Dim);
    canvas.text(NAME_AT, 0, name_cells, "host", dim);
    let mut at = NAME_AT + name_cells;
    for column in &columns {
        at += column.cells;
        canvas.right(at, 0, column.heading, dim);
    }
    canvas.text(state_at, 0, state_cells, "now", dim);
    let rows = hosts.data.rows.iter().enumerate().skip(hosts.top);
    for ((place, seen), y) in rows.zip(1..canvas.area.height) {
        let (glyph, tone) = sign(model, seen);
        canvas.text(3, y, 1, glyph, look.theme.style(tone));
        let host = clip(name(seen), usize::from(name_cells), look.glyphs.more);
        canvas.text(NAME_AT, y, name_cells, &host, look.theme.style(Tone::Plain));
        let mut at = NAME_AT + name_cells;
        for column in &columns {
            at += column.cells;
            let (text, tone) = cell(model, seen, column.what);
            canvas.right(at, y, &text, look.theme.style(tone));
        }
        let (text, tone) = state(model, seen, usize::from(state_cells));
        canvas.words(state_at, y, state_cells, &[words(text, tone)], look);
        finish_row(model, hosts, place == hosts.place, y, &mut canvas, look);
    }
    scroll_bar(model, hosts, area, buf, look);
}

fn cell(model: &Model, seen: &HostSeen, what: What) -> (String, Tone) {
    match what {
        What::Documents => (tally(seen.documents, 6), Tone::Plain),
        What::Failed => share(model, seen.failed, seen.documents, Tone::Failed),
        What::Limited => share(model, seen.limited, seen.recent, Tone::Waiting),
        What::Latency => (latency(model, seen), Tone::Dim),
        What::Busy => busy(model, seen),
    }
}

fn totals(model: &Model) -> Words {
    let data = &model.hosts.data;
    let mut title = shown(data.rows.len(), data.total);
    title.push(words(" worst first", Tone::Dim));
    let held = data.rows.iter().filter(|seen| hold(model, seen).is_some()).count() as u64;
    let paused = model.pauses.iter().filter(|pause| matches!(pause.scope, PauseScope::Host(_))).count() as u64;
    for (number, word) in [(held, "left alone"), (paused, "paused")] {
        if number > 0 {
            title.push(words(format!(" {}", model.glyphs.dot), Tone::Dim));
            title.extend(total(number, word));
        }
    }
    title
}

fn in_short(model: &Model) -> Words {
    match model.hosts.row() {
        Some(seen) if hold(model, seen).is_some() || seen.recent == 0 => standing(model, seen),
        Some(seen) => lately(seen, true),
        None => Words::new(),
    }
}

/// The host under the cursor in sentences: title, what stands at its right, lines for the `inner` of a pane.
pub(in crate::tui) fn explained(model: &Model, seen: &HostSeen, inner: Rect) -> (Words, Words, Vec<Words>) {
    let title = vec![words(name(seen), Tone::Strong)];
    let then = |brief| {
        let mut then = vec![words("  ", Tone::Plain)];
        then.extend(next(model, seen, brief));
        then
    };
    match inner.height {
        5.. => {
            let lines = vec![standing(model, seen), then(false), Words::new(), documents(seen), lately(seen, false)];
            (title, Words::new(), lines)
        }
        4 => (title, Words::new(), vec![standing(model, seen), then(true), documents(seen), lately(seen, true)]),
        _ => {
            let in_all = count(seen.documents, "document");
            let aside = aside_that_fits(vec![in_all], &title, inner);
            (title, vec![words(aside, Tone::Dim)], vec![standing(model, seen), lately(seen, true)])
        }
    }
}
