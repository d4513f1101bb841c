//! Drawing of the list of documents: status, name, last error, times. Widths depend on the terminal only, never on the
//! data.

use super::state::SORTS;
use super::text::{attempted, matters, next, synced};
use crate::domain::document::{DocumentRow, Status};
use crate::domain::text::width;
use crate::format;
use crate::store::SortBy;
use crate::tui::layout::inside;
use crate::tui::model::Model;
use crate::tui::table::columns::{Column, Columns};
use crate::tui::table::draw::finish_row;
use crate::tui::text::lines::clip;
use crate::tui::text::{Words, words};
use crate::tui::theme::{self, Look, Tone};
use crate::tui::views::view::Pane;
use crate::tui::widgets::canvas::Canvas;
use crate::tui::widgets::frame::Frame;
use crate::tui::widgets::scroll_bar::ScrollBar;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Narrowest pane, in cells, with one time column, and narrowest pane with all columns.
const ONE_TIME: u16 = 38;
const ALL: u16 = 66;
/// Width of the longest short cause, `403 access denied`, in cells.
const SHORT_CAUSE: u16 = 17;

type DocumentColumn = Column<DocumentRow>;

static COLUMNS: Columns<DocumentRow> = Columns {
    columns: &[
        DocumentColumn::left("", 1, |model, row, _| mark(model, row)),
        DocumentColumn::left("", 1, |model, row, _| vec![sign(model, row)]).within(0..ALL),
        DocumentColumn::left("status", 9, |model, row, _| status(model, row))
            .within(ALL..u16::MAX)
            .sorted_by(SortBy::Status),
        DocumentColumn::text("document", name).sorted_by(SortBy::Name),
        DocumentColumn::text("last error", |model, row, cells| {
            let (text, tone) = matters(model, row, usize::from(cells));
            vec![words(text, tone)]
        })
        .gap(2)
        .sorted_by(SortBy::Error),
        DocumentColumn::right("tried", 6, attempted_cell).within(ONE_TIME..ALL).sorted_by(SortBy::Attempted),
        DocumentColumn::right("attempted", 6, attempted_cell).within(ALL..u16::MAX).sorted_by(SortBy::Attempted),
        DocumentColumn::right("synced", 7, |model, row, _| vec![words(synced(model, row), Tone::Dim)])
            .within(ALL..u16::MAX)
            .sorted_by(SortBy::Synced),
        DocumentColumn::right("next", 9, |model, row, _| {
            let (text, tone) = next(model, row);
            vec![words(text, tone)]
        })
        .within(ALL..u16::MAX)
        .sorted_by(SortBy::Next),
    ],
    margin: 0,
    least_text: 0,
    share: |text| {
        // Names get more space than causes, which have short forms, but a cause keeps the cells of its longest short
        // form.
        let name = (text / 2).max((text * 3 / 5).min(text.saturating_sub(SHORT_CAUSE)));
        [name, text - name]
    },
};

fn mark(model: &Model, row: &DocumentRow) -> Words {
    let marked = model.documents.marks.contains(&row.id);
    marked.then(|| words(model.glyphs.mark, Tone::Waiting)).into_iter().collect()
}

fn sign(model: &Model, row: &DocumentRow) -> (String, Tone) {
    words(model.glyphs.status(row.status), theme::status(row.status))
}

fn status(model: &Model, row: &DocumentRow) -> Words {
    // Only the glyph of a synced document is coloured; its word stays plain.
    let tone = if row.status == Status::Synced { Tone::Plain } else { theme::status(row.status) };
    vec![sign(model, row), words(" ", Tone::Plain), words(row.status.word(), tone)]
}

fn name(model: &Model, row: &DocumentRow, cells: u16) -> Words {
    let name = if row.name.is_empty() { &row.url } else { &row.name };
    let tone = if row.status == Status::Never { Tone::Dim } else { Tone::Plain };
    vec![words(clip(name, usize::from(cells), model.glyphs.more), tone)]
}

fn attempted_cell(model: &Model, row: &DocumentRow, _: u16) -> Words {
    vec![words(attempted(model, row), Tone::Dim)]
}

/// Draws the list of documents with its frame and scroll bar; rows that are not loaded show a placeholder.
pub(super) fn draw(model: &Model, pane: &Pane, buf: &mut Buffer) {
    if pane.area.is_empty() {
        return;
    }
    let look = model.look();
    let title = title(model);
    Frame { title: &title, aside: &[], foot: &pane.toast, border: look.theme.border(pane.focused) }
        .draw(pane.area, buf, look);
    let inner = inside(pane.area);
    let documents = &model.documents;
    if documents.page.total == 0 {
        return nothing(model, inner, buf, look);
    }
    let columns = COLUMNS.place(inner.width);
    let rows = inner.height.saturating_sub(1);
    let mut canvas = Canvas::new(buf, inner);
    for column in &columns {
        column.draw_heading(0, Some(documents.sort.by), &mut canvas, look);
    }
    for (place, y) in (documents.top..documents.page.total).zip(1..=rows) {
        match documents.at(place) {
            Some(row) => columns.iter().for_each(|column| column.draw(model, row, y, &mut canvas, look)),
            // This row is not loaded yet.
            None => {
                if let Some(name) = columns.iter().find(|column| column.is_text()) {
                    canvas.text(name.x, y, name.cells, look.glyphs.more, look.theme.style(Tone::Dim));
                }
            }
        }
        finish_row(pane.focused, place == documents.place, model.stale.is_some(), y, &mut canvas, look);
    }
    let bar = ScrollBar { top: documents.top, rows: u64::from(rows), of: documents.page.total };
    bar.draw(pane.area, 2, pane.focused, buf, look);
}

fn title(model: &Model) -> Words {
    let documents = &model.documents;
    let mut title = vec![words("documents", Tone::Strong)];
    if !documents.loaded {
        title.push(words(" reading", Tone::Dim));
        return title;
    }
    let total = documents.page.total;
    let all = model.counts.total();
    // The number of rows of the previous filter would be mistaken for that of the new one.
    let total_now =
        if documents.restarted { format!(" {}", model.glyphs.more) } else { format!(" {}", format::number(total)) };
    title.push(words(total_now, Tone::Plain));
    if !documents.filter_text.is_empty() {
        title.push(words(format!(" of {} match ", format::number(all.max(total))), Tone::Dim));
        title.push(words(documents.filter_text.clone(), Tone::Waiting));
    }
    if let Some(stale) = &model.stale {
        let old = model
            .read_at
            .map_or("no data yet".to_owned(), |at| format!("data {} old", format::age(model.now.since(at))));
        let again = format::until(model.now, stale.again_at);
        title.push(words(format!("  {old}, again {again}: {}", stale.reason), Tone::Failed));
        return title;
    }
    let by = SORTS.iter().find(|(_, by, _)| *by == documents.sort.by).map_or("", |(_, _, word)| word);
    let up = if model.glyphs.ascii { "^" } else { "↑" };
    let down = if model.glyphs.ascii { "v" } else { "↓" };
    title.push(words(" by ", Tone::Dim));
    title.push(words(format!("{by} {}", if documents.sort.descending { up } else { down }), Tone::Plain));
    title
}

/// Draws a message in place of an empty list, with the keys and commands that help.
fn nothing(model: &Model, inner: Rect, buf: &mut Buffer, look: Look) {
    let mut lines: Vec<Words> = Vec::new();
    let key = |key: &str, text: &str| vec![words(format!("{key:<24} "), Tone::Accent), words(text, Tone::Plain)];
    let wide = |long: &'static str, short: &'static str| if inner.width < 60 { short } else { long };
    if let Some(stale) = &model.stale {
        lines.push(vec![words(stale.reason.to_string(), Tone::Failed)]);
        lines.push(vec![words(format!("Tried again {}.", format::until(model.now, stale.again_at)), Tone::Plain)]);
    } else if !model.documents.loaded {
        lines.push(vec![words("Reading the store", Tone::Dim)]);
    } else if !model.documents.filter.terms.is_empty() {
        let all = format::count(model.counts.total(), "document");
        lines.push(vec![words(format!("None of {all} matches."), Tone::Strong)]);
        lines.push(Vec::new());
        lines.push(key("esc", "shows all of them again"));
        lines.push(key("/", "changes the filter"));
    } else {
        lines.push(vec![words("No documents yet.", Tone::Strong)]);
        lines.push(Vec::new());
        if !model.options.read_only {
            lines.push(key("a", wide("adds a page by its URL", "adds a page")));
        }
        let list = wide("adds a list: URLs, CSV or JSON lines", "adds a list");
        lines.push(key("quarterdeck import FILE", list));
        lines.push(key("quarterdeck demo", wide("shows all of this on a site of its own", "shows a site")));
    }
    let widest = lines.iter().map(|line| line.iter().map(|(text, _)| width(text)).sum::<usize>()).max().unwrap_or(0);
    let x = inner.width.saturating_sub(widest as u16) / 2;
    let y = inner.height.saturating_sub(lines.len() as u16) / 2;
    let mut canvas = Canvas::new(buf, inner);
    for (line, text) in lines.iter().enumerate() {
        canvas.words(x, y + line as u16, inner.width.saturating_sub(x), text, look);
    }
}
