//! The list of documents: status, name, what matters now, times. Widths come from the terminal, never from the data.

use crate::domain::document::{DocumentRow, Status};
use crate::domain::text::width;
use crate::domain::time::age;
use crate::store::SortBy;
use crate::tui::layout::inside;
use crate::tui::model::{Focus, Model};
use crate::tui::say::figures::{count, grouped};
use crate::tui::text::{Words, words};
use crate::tui::theme::{self, Tone};
use crate::tui::update::SORTS;
use crate::tui::views::documents::text::{attempted, clip, matters, next, synced, until};
use crate::tui::widgets::canvas::{Canvas, Frame, Look, ScrollBar};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Where the columns begin and how wide they are.
struct Columns {
    /// The status word is shown.
    word: bool,
    name: (u16, u16),
    matters: (u16, u16),
    /// Where the right-aligned columns end.
    attempted: Option<u16>,
    synced: Option<u16>,
    next: Option<u16>,
}

/// The longest cause that is said in a few words: `403 access denied`.
const SHORT_CAUSE: u16 = 17;

/// The columns of a list of `cells` cells.
fn columns(cells: u16) -> Columns {
    let word = cells >= 66;
    let times = match cells {
        ..38 => 0,
        38..66 => 1,
        _ => 3,
    };
    let name_at = if word { 13 } else { 5 };
    // The heading "attempted" is wider than its ages; it stands over the end of the column before, which is free there.
    let (attempted_cells, synced_cells, next_cells) = (6, 7, 9);
    let end = cells;
    let (attempted, synced, next, text_end) = match times {
        0 => (None, None, None, end),
        1 => (Some(end), None, None, end.saturating_sub(6)),
        _ => {
            let synced = end.saturating_sub(next_cells);
            let attempted = synced.saturating_sub(synced_cells);
            (Some(attempted), Some(synced), Some(end), attempted.saturating_sub(attempted_cells))
        }
    };
    let text = text_end.saturating_sub(name_at);
    // Names are longer than causes, which are said in as few words as the column has room for; but never less than those.
    let text_cells = text.saturating_sub(2);
    let name = (text_cells / 2).max((text_cells * 3 / 5).min(text_cells.saturating_sub(SHORT_CAUSE)));
    let matters_at = name_at + name + 2;
    Columns {
        word,
        name: (name_at, name),
        matters: (matters_at, text_end.saturating_sub(matters_at)),
        attempted,
        synced,
        next,
    }
}

pub(in crate::tui) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let look = Look::of(model);
    let focused = model.focus == Focus::Main;
    let title = title(model);
    let foot = crate::tui::view::footer::toast(model, area, crate::tui::view::footer::Place::List);
    let frame = Frame { title: &title, aside: &[], foot: &foot, border: look.theme.border(focused) };
    frame.draw(area, buf, look);
    let inner = inside(area);
    let columns = columns(inner.width);
    let rows = inner.height.saturating_sub(1);
    if model.documents.page.total == 0 {
        return nothing(model, inner, buf, look);
    }
    heading(&columns, inner, buf, look, model);
    for y in 0..rows {
        let place = model.documents.top + u64::from(y);
        if place >= model.documents.page.total {
            break;
        }
        let mut canvas = Canvas::new(buf, inner);
        match model.documents.at(place) {
            Some(row) => draw_row(model, row, &columns, y + 1, &mut canvas, look),
            // The rows there are being read.
            None => {
                canvas.text(columns.name.0, y + 1, columns.name.1, look.glyphs.more, look.theme.style(Tone::Dim));
            }
        }
        if place == model.documents.place {
            canvas.text(0, y + 1, 1, look.glyphs.bar, look.theme.border(focused));
            if focused {
                canvas.restyle(1, y + 1, inner.width.saturating_sub(1), look.theme.cursor());
            }
        } else if model.stale.is_some() {
            canvas.restyle(0, y + 1, inner.width, look.theme.behind());
        }
    }
    let bar = ScrollBar { top: model.documents.top, rows: u64::from(rows), of: model.documents.page.total };
    bar.draw(area, 2, focused, buf, look);
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
    // The number of the rows before the new filter would pass for the new one's.
    let total_now =
        if documents.restarted { format!(" {}", model.glyphs.more) } else { format!(" {}", grouped(total)) };
    title.push(words(total_now, Tone::Plain));
    if !documents.filter_text.is_empty() {
        title.push(words(format!(" of {} match ", grouped(all.max(total))), Tone::Dim));
        title.push(words(documents.filter_text.clone(), Tone::Waiting));
    }
    if let Some(stale) = &model.stale {
        let old = model.read_at.map_or("no data yet".to_owned(), |at| format!("data {} old", age(model.now.since(at))));
        let again = until(model.now, stale.again_at);
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

fn heading(columns: &Columns, inner: Rect, buf: &mut Buffer, look: Look, model: &Model) {
    let mut canvas = Canvas::new(buf, inner);
    let sorted = model.documents.sort.by;
    let style = |by: SortBy| look.theme.style(if sorted == by { Tone::Plain } else { Tone::Dim });
    if columns.word {
        canvas.text(3, 0, 8, "status", style(SortBy::Status));
    }
    canvas.text(columns.name.0, 0, columns.name.1, "document", style(SortBy::Name));
    canvas.text(columns.matters.0, 0, columns.matters.1, "last error", style(SortBy::Error));
    if let Some(end) = columns.attempted {
        let word = if columns.synced.is_some() { "attempted" } else { "tried" };
        canvas.right(end, 0, word, style(SortBy::Attempted));
    }
    if let Some(end) = columns.synced {
        canvas.right(end, 0, "synced", style(SortBy::Synced));
    }
    if let Some(end) = columns.next {
        canvas.right(end, 0, "next", style(SortBy::Next));
    }
}

fn draw_row(model: &Model, row: &DocumentRow, columns: &Columns, y: u16, canvas: &mut Canvas<'_>, look: Look) {
    let style = |tone| look.theme.style(tone);
    let tone = theme::status(row.status);
    if model.documents.marks.contains(&row.id) {
        canvas.text(1, y, 1, look.glyphs.mark, style(Tone::Waiting));
    }
    canvas.text(3, y, 1, look.glyphs.status(row.status), style(tone));
    if columns.word {
        // The glyph has the colour of what is in order; its word stays quiet.
        let word = if row.status == Status::Synced { Tone::Plain } else { tone };
        canvas.text(5, y, 7, row.status.word(), style(word));
    }
    let name = clip(name(row), usize::from(columns.name.1), look.glyphs.more);
    let name_tone = if row.status == Status::Never { Tone::Dim } else { Tone::Plain };
    canvas.text(columns.name.0, y, columns.name.1, &name, style(name_tone));
    let (text, tone) = matters(model, row, usize::from(columns.matters.1));
    canvas.text(columns.matters.0, y, columns.matters.1, &text, style(tone));
    if let Some(end) = columns.attempted {
        canvas.right(end, y, &attempted(model, row), style(Tone::Dim));
    }
    if let Some(end) = columns.synced {
        canvas.right(end, y, &synced(model, row), style(Tone::Dim));
    }
    if let Some(end) = columns.next {
        let (text, tone) = next(model, row);
        canvas.right(end, y, &text, style(tone));
    }
}

fn name(row: &DocumentRow) -> &str {
    if row.name.is_empty() { &row.url } else { &row.name }
}

/// What to do when there is nothing to show.
fn nothing(model: &Model, inner: Rect, buf: &mut Buffer, look: Look) {
    let mut lines: Vec<Words> = Vec::new();
    let key = |key: &str, text: &str| vec![words(format!("{key:<24} "), Tone::Accent), words(text, Tone::Plain)];
    let wide = |long: &'static str, short: &'static str| if inner.width < 60 { short } else { long };
    if let Some(stale) = &model.stale {
        lines.push(vec![words(stale.reason.to_string(), Tone::Failed)]);
        lines.push(vec![words(format!("Tried again {}.", until(model.now, stale.again_at)), Tone::Plain)]);
    } else if !model.documents.loaded {
        lines.push(vec![words("Reading the store", Tone::Dim)]);
    } else if !model.documents.filter.terms.is_empty() {
        let all = count(model.counts.total(), "document");
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
