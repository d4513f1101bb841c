//! Drawing of the list of documents: status, name, last error, times. The widths of the columns depend on the width of
//! the pane only, never on the data.

use super::columns;
use super::marks::HiddenMarks;
use super::state::SORTS;
use crate::domain::document::{DocumentRow, Status};
use crate::domain::text::width;
use crate::format;
use crate::tui::action::Action;
use crate::tui::layout::inside;
use crate::tui::model::Model;
use crate::tui::table::columns::PositionedColumn;
use crate::tui::table::draw::style_row;
use crate::tui::text::lines::{clip, tail};
use crate::tui::text::{Spans, span};
use crate::tui::theme::{self, Appearance, Tone};
use crate::tui::views::view::Pane;
use crate::tui::widgets::canvas::Canvas;
use crate::tui::widgets::frame::Frame;
use crate::tui::widgets::scroll_bar::ScrollBar;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub(super) fn mark(model: &Model, row: &DocumentRow) -> Spans {
    let marked = model.documents.marks.contains(&row.id);
    marked.then(|| span(model.glyphs.mark, Tone::Waiting)).into_iter().collect()
}

pub(super) fn sign(model: &Model, row: &DocumentRow) -> (String, Tone) {
    span(model.glyphs.status(row.status), theme::status(row.status))
}

pub(super) fn status(model: &Model, row: &DocumentRow) -> Spans {
    // Only the glyph of a synced document is coloured; its word stays plain.
    let tone = if row.status == Status::Synced { Tone::Plain } else { theme::status(row.status) };
    // The longest word fills the column.
    let gap = if row.status == Status::Crawling { "" } else { " " };
    vec![sign(model, row), span(gap, Tone::Plain), span(row.status.word(), tone)]
}

pub(super) fn name(model: &Model, row: &DocumentRow, cells: u16) -> Spans {
    let is_dim = matches!(row.status, Status::Never | Status::Pdf | Status::Crawling);
    let tone = if is_dim { Tone::Dim } else { Tone::Plain };
    let name = if row.name.is_empty() { &row.url } else { &row.name };
    match without_scheme(name) {
        Some(address) => short_address(address, usize::from(cells), model.glyphs.ellipsis, tone),
        None => vec![span(clip(name, usize::from(cells), model.glyphs.ellipsis), tone)],
    }
}

/// Returns the address of a web page without its scheme; `None` for another text.
fn without_scheme(text: &str) -> Option<&str> {
    text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))
}

/// Fits the address of a page into `cells` cells. The host is dim and gives way first, down to a third of the cells;
/// of the path the end stays, since addresses of one site differ there.
fn short_address(address: &str, cells: usize, more: &str, tone: Tone) -> Spans {
    let (host, path) = address.split_at(address.find('/').unwrap_or(address.len()));
    let host_cells = cells.saturating_sub(width(path)).max(cells / 3);
    let host = clip(host, host_cells, more);
    let path = tail(path, cells.saturating_sub(width(&host)), more);
    vec![span(host, Tone::Dim), span(path, tone)]
}

/// Draws the list of documents with its frame and scroll bar; rows that are not loaded show a placeholder.
pub(super) fn draw(model: &Model, pane: &Pane, buf: &mut Buffer) {
    if pane.area.is_empty() {
        return;
    }
    let appearance = model.appearance();
    let mut title = title(model);
    title.splice(0..0, pane.crumbs.iter().cloned());
    Frame { title: &title, aside: &[], foot: &pane.toast, border: appearance.theme.border(pane.focused) }
        .draw(pane.area, buf, appearance);
    let inner = inside(pane.area);
    let documents = &model.documents;
    if documents.page.total == 0 {
        return draw_empty(model, inner, buf, appearance);
    }
    let columns = columns::layout(model, inner.width);
    let rows = inner.height.saturating_sub(1);
    let mut canvas = Canvas::new(buf, inner);
    for column in &columns {
        column.draw_heading(0, column.direction(documents.sort), &mut canvas, appearance);
    }
    for (index, y) in (documents.top..documents.page.total).zip(1..=rows) {
        match documents.row_at(index) {
            Some(row) => draw_row(model, row, y, &columns, &mut canvas, appearance),
            // This row is not loaded yet.
            None => {
                if let Some(name) = columns.iter().find(|column| column.is_text()) {
                    canvas.text(name.x, y, name.cells, appearance.glyphs.ellipsis, appearance.theme.style(Tone::Dim));
                }
            }
        }
        style_row(
            pane.focused,
            index == documents.cursor_index,
            model.read_failure.is_some(),
            y,
            &mut canvas,
            appearance,
        );
    }
    let bar = ScrollBar { top: documents.top, rows: u64::from(rows), total: documents.page.total };
    bar.draw(pane.area, 2, pane.focused, buf, appearance);
}

/// Draws a row. A name may take the cells of an error that the row does not have.
fn draw_row(
    model: &Model,
    row: &DocumentRow,
    y: u16,
    columns: &[PositionedColumn<DocumentRow>],
    canvas: &mut Canvas<'_>,
    appearance: Appearance,
) {
    let mut texts = columns.iter().filter(|column| column.is_text());
    let wide = match (texts.next(), texts.next()) {
        (Some(name), Some(error)) if error.is_empty(model, row) => Some((name.x, name.up_to(error))),
        _ => None,
    };
    for column in columns {
        match &wide {
            Some((x, name)) if *x == column.x => name.draw(model, row, y, canvas, appearance),
            _ => column.draw(model, row, y, canvas, appearance),
        }
    }
}

/// Returns the number of marked documents if some of them are not in the list; else nothing.
fn hidden_marks(model: &Model) -> Spans {
    let hidden = match model.documents.hidden_marks() {
        HiddenMarks::None => return Spans::new(),
        HiddenMarks::Unknown => "some may be hidden".to_owned(),
        HiddenMarks::Some(hidden) => format!("{} hidden", format::number(hidden)),
    };
    let marked = format::number(model.documents.marks.len() as u64);
    vec![span(format!("{} {marked} marked, {hidden}  ", model.glyphs.mark), Tone::Waiting)]
}

fn title(model: &Model) -> Spans {
    let documents = &model.documents;
    let mut title = hidden_marks(model);
    title.push(span("documents", Tone::Strong));
    if !documents.loaded {
        title.push(span(" reading", Tone::Dim));
        return title;
    }
    let total = documents.page.total;
    let all = model.counts.total();
    // After a change of the filter, an ellipsis replaces the number of rows until the new number arrives: a person
    // would take the old number for the new one.
    let total_now =
        if documents.restarted { format!(" {}", model.glyphs.ellipsis) } else { format!(" {}", format::number(total)) };
    title.push(span(total_now, Tone::Plain));
    if !documents.filter_text.is_empty() {
        title.push(span(format!(" of {} match ", format::number(all.max(total))), Tone::Dim));
        title.push(span(documents.filter_text.clone(), Tone::Waiting));
    }
    if let Some(stale) = &model.read_failure {
        let old = model
            .read_at
            .map_or("no data yet".to_owned(), |at| format!("data {} old", format::age(model.now.since(at))));
        title.push(span(format!("  {old}: {}", stale.reason), Tone::Failed));
        return title;
    }
    let by = SORTS.iter().find(|(_, by, _)| *by == documents.sort.by).map_or("", |(_, _, word)| word);
    title.push(span(" by ", Tone::Dim));
    title.push(span(format!("{by} {}", model.glyphs.sort_sign(documents.sort.descending)), Tone::Plain));
    if documents.restarted && !documents.sort.by.is_indexed() {
        title.push(span("  sorting", Tone::Dim));
    }
    title
}

/// Draws a message in place of an empty list, with the keys and commands that help.
fn draw_empty(model: &Model, inner: Rect, buf: &mut Buffer, appearance: Appearance) {
    let mut lines: Vec<Spans> = Vec::new();
    let key = |key: &str, text: &str| vec![span(format!("{key:<24} "), Tone::Accent), span(text, Tone::Plain)];
    let wide = |long: &'static str, short: &'static str| if inner.width < 60 { short } else { long };
    if let Some(stale) = &model.read_failure {
        lines.push(vec![span(stale.reason.to_string(), Tone::Failed)]);
        lines.push(vec![span(format!("Next read {}.", format::until(model.now, stale.retry_at)), Tone::Plain)]);
    } else if !model.documents.loaded {
        lines.push(vec![span("Reading the store", Tone::Dim)]);
    } else if !model.documents.filter.terms.is_empty() {
        let all = format::count(model.counts.total(), "document");
        lines.push(vec![span(format!("None of {all} matches."), Tone::Strong)]);
        lines.push(Vec::new());
        lines.push(key(&model.key(Action::Back), "shows all documents"));
        lines.push(key(&model.key(Action::Filter), "changes the filter"));
    } else {
        lines.push(vec![span("No documents yet.", Tone::Strong)]);
        lines.push(Vec::new());
        if !model.options.read_only {
            lines.push(key(&model.key(Action::Add), wide("adds a page by its URL", "adds a page")));
        }
        let list = wide("adds a list: URLs, CSV or JSON lines", "adds a list");
        lines.push(key("quarterdeck import FILE", list));
        lines.push(key("quarterdeck demo", wide("runs the console on a built-in site", "runs a demo")));
    }
    let widest = lines.iter().map(|line| line.iter().map(|(text, _)| width(text)).sum::<usize>()).max().unwrap_or(0);
    let x = inner.width.saturating_sub(widest as u16) / 2;
    let y = inner.height.saturating_sub(lines.len() as u16) / 2;
    let mut canvas = Canvas::new(buf, inner);
    for (line, text) in lines.iter().enumerate() {
        canvas.spans(x, y + line as u16, inner.width.saturating_sub(x), text, appearance);
    }
}
