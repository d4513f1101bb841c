//! The accounts: plan, documents by status, jobs, and what of the last hour was theirs.

use crate::domain::pause::PauseScope;
use crate::store::AccountSeen;
use crate::tui::model::Model;
use crate::tui::say::figures::{count, tally};
use crate::tui::table::draw::{
    Column, Face, aside_that_fits, finish_row, fitting, frame, scroll_bar, shown, total, unless_explained,
};
use crate::tui::text::{Words, words};
use crate::tui::theme::Tone;
use crate::tui::views::accounts::text::{
    documents, is_paused, jobs, lately, name, next, next_due, plan, plan_in_words, share, sign, standing, strip,
};
use crate::tui::views::documents::text::clip;
use crate::tui::widgets::canvas::{Canvas, Look};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Where the name begins, and its fewest and most cells.
const NAME_AT: u16 = 5;
const NAME: (u16, u16) = (9, 40);
/// Cells of the bar, and of the strip.
const BAR: u16 = 4;
const STRIP: u16 = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Plan,
    Documents,
    Strip,
    Running,
    Ready,
    Waiting,
    Share,
    Next,
}

static COLUMNS: [Column<What>; 8] = [
    Column { what: What::Plan, heading: "plan", cells: 15, rank: 8 },
    Column { what: What::Documents, heading: "docs", cells: 6, rank: 6 },
    Column { what: What::Strip, heading: "status", cells: STRIP + 2, rank: 1 },
    Column { what: What::Running, heading: "run", cells: 4, rank: 5 },
    Column { what: What::Ready, heading: "ready", cells: 6, rank: 4 },
    Column { what: What::Waiting, heading: "wait", cells: 5, rank: 7 },
    Column { what: What::Share, heading: "last hour", cells: BAR + 6, rank: 3 },
    Column { what: What::Next, heading: "next", cells: 9, rank: 2 },
];

pub(in crate::tui) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    let look = Look::of(model);
    let accounts = &model.accounts;
    let face = Face {
        name: "accounts",
        totals: totals(model),
        none: "No document, so no account either.",
        foot: unless_explained(model, in_short),
    };
    let Some(mut canvas) = frame(model, accounts, face, area, buf) else { return };
    let end = canvas.area.width.saturating_sub(1);
    let columns = fitting(&COLUMNS, end.saturating_sub(NAME_AT + NAME.0));
    let fixed: u16 = columns.iter().map(|column| column.cells).sum();
    let name_cells = end.saturating_sub(NAME_AT + fixed).min(NAME.1);
    let dim = look.theme.style(Tone::Dim);
    canvas.text(NAME_AT, 0, name_cells, "account", dim);
    let mut at = NAME_AT + name_cells;
    for column in &columns {
        match column.what {
            What::Plan | What::Strip => {
                canvas.text(at + 2, 0, column.cells - 2, column.heading, dim);
            }
            _ => canvas.right(at + column.cells, 0, column.heading, dim),
        }
        at += column.cells;
    }
    let rows = accounts.data.rows.iter().enumerate().skip(accounts.top);
    for ((place, seen), y) in rows.zip(1..canvas.area.height) {
        let (glyph, tone) = sign(model, seen);
        canvas.text(3, y, 1, glyph, look.theme.style(tone));
        let account = clip(&name(seen), usize::from(name_cells), look.glyphs.more);
        canvas.text(NAME_AT, y, name_cells, &account, look.theme.style(Tone::Plain));
        let mut at = NAME_AT + name_cells;
        for column in &columns {
            draw_cell(model, seen, column, at, y, &mut canvas, look);
            at += column.cells;
        }
        finish_row(model, accounts, place == accounts.place, y, &mut canvas, look);
    }
    scroll_bar(model, accounts, area, buf, look);
}

fn draw_cell(
    model: &Model,
    seen: &AccountSeen,
    column: &Column<What>,
    at: u16,
    y: u16,
    canvas: &mut Canvas<'_>,
    look: Look,
) {
    let end = at + column.cells;
    let mut right = |text: &str, tone: Tone| canvas.right(end, y, text, look.theme.style(tone));
    let some = |number: u64, tone: Tone| if number == 0 { Tone::Dim } else { tone };
    match column.what {
        What::Plan => {
            let (text, tone) = plan(model, seen);
            canvas.words(at + 2, y, column.cells - 2, &[words(text, tone)], look);
        }
        What::Strip => {
            let strip = strip(model, seen, usize::from(STRIP));
            canvas.words(at + 2, y, STRIP, &strip, look);
        }
        What::Documents => right(&tally(seen.counts.total(), 5), Tone::Plain),
        What::Running => right(&tally(seen.running, 3), some(seen.running, Tone::Running)),
        What::Ready => right(&tally(seen.ready, 5), some(seen.ready, Tone::Plain)),
        What::Waiting => right(&tally(seen.waiting, 4), some(seen.waiting, Tone::Waiting)),
        What::Share => {
            let (bar, percent) = share(model, seen, usize::from(BAR));
            right(&percent, if seen.last_hour == 0 { Tone::Dim } else { Tone::Plain });
            canvas.text(at + 1, y, BAR, &bar, look.theme.style(Tone::Accent));
        }
        What::Next => {
            let (text, tone) = next_due(model, seen);
            right(&text, tone);
        }
    }
}

fn totals(model: &Model) -> Words {
    let data = &model.accounts.data;
    let mut title = shown(data.rows.len(), data.total);
    let paused = model.pauses.iter().filter(|pause| matches!(pause.scope, PauseScope::Account(_))).count() as u64;
    if paused > 0 {
        title.push(words(format!(" {}", model.glyphs.dot), Tone::Dim));
        title.extend(total(paused, "paused"));
    }
    title
}

fn in_short(model: &Model) -> Words {
    model.accounts.row().map_or_else(Words::new, |seen| standing(model, seen, true))
}

/// The account under the cursor in sentences: title, what stands at its right, lines for the `inner` of a pane.
pub(in crate::tui) fn explained(model: &Model, seen: &AccountSeen, inner: Rect) -> (Words, Words, Vec<Words>) {
    let title = vec![words(format!("account {}", name(seen)), Tone::Strong)];
    let in_all = count(seen.counts.total(), "document");
    // Without much room the plan: how many documents there are is told by the line of them.
    let asides = match plan_in_words(seen) {
        None => vec![in_all],
        Some(long) => {
            vec![format!("{in_all} {} {long}", model.glyphs.dot), long, format!("plan {}", plan(model, seen).0)]
        }
    };
    let paused = is_paused(model, seen);
    let lines = match inner.height {
        5.. => {
            let mut then = vec![words("  ", Tone::Plain)];
            then.extend(next(model, seen, false));
            vec![standing(model, seen, false), then, Words::new(), documents(model, seen, false), lately(model, seen)]
        }
        4 => {
            let mut then = vec![words("  ", Tone::Plain)];
            then.extend(if paused { vec![words(jobs(seen), Tone::Plain)] } else { next(model, seen, true) });
            vec![standing(model, seen, true), then, documents(model, seen, true), lately(model, seen)]
        }
        _ => vec![standing(model, seen, true), documents(model, seen, true)],
    };
    let aside = aside_that_fits(asides, &title, inner);
    (title, vec![words(aside, Tone::Dim)], lines)
}
