//! What the views beside the list have in common: frame and title, what is said instead of rows, how the row under the
//! cursor and old rows look, and which columns there is room for.

use crate::domain::text::width;
use crate::domain::time::age;
use crate::tui::action::Action;
use crate::tui::keymap::binding;
use crate::tui::layout::{areas, inside};
use crate::tui::model::{Focus, Model};
use crate::tui::say::figures::grouped;
use crate::tui::table::state::{Reading, Table};
use crate::tui::text::{Words, words};
use crate::tui::theme::Tone;
use crate::tui::view::footer::{Place, toast};
use crate::tui::views::documents::text::clip;
use crate::tui::views::outcomes::text::wrap;
use crate::tui::widgets::canvas::{Canvas, Frame, Look, ScrollBar, cells};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Lines of a reason that stands alone.
const LINES: usize = 4;
/// Cells of a frame's line that are the frame's own, and those between a title and what stands beside it.
const FRAME: u16 = 6;
const BESIDE: u16 = 5;

/// What a view says of itself.
pub(in crate::tui) struct Face {
    /// Its name.
    pub(in crate::tui) name: &'static str,
    /// Beside the name: how many there are of what.
    pub(in crate::tui) totals: Words,
    /// Instead of rows, when there is none.
    pub(in crate::tui) none: &'static str,
    /// In the bottom line of the frame, when no toast is there.
    pub(in crate::tui) foot: Words,
}

/// Draws the frame. The cells inside; `None` when there are no rows, which has been said then.
pub(in crate::tui) fn frame<'b, D: Reading>(
    model: &Model,
    table: &Table<D>,
    face: Face,
    area: Rect,
    buf: &'b mut Buffer,
) -> Option<Canvas<'b>> {
    if area.is_empty() {
        return None;
    }
    let look = Look::of(model);
    let toast = toast(model, area, Place::List);
    let foot = if toast.is_empty() { face.foot } else { toast };
    let border = look.theme.border(model.focus == Focus::Main);
    let title = title(model, table, face.name, face.totals);
    Frame { title: &title, aside: &[], foot: &foot, border }.draw(area, buf, look);
    let inner = inside(area);
    let mut canvas = Canvas::new(buf, inner);
    if table.data.rows() > 0 {
        return Some(canvas);
    }
    let (said, tone) = match (&table.trouble, table.read_at) {
        (Some(trouble), _) => (trouble.to_string(), Tone::Failed),
        (None, None) => (format!("Reading the {}", face.name), Tone::Dim),
        (None, Some(_)) => (face.none.to_owned(), Tone::Plain),
    };
    let lines = wrap(&said, usize::from(inner.width.saturating_sub(2)), LINES);
    let top = inner.height.saturating_sub(lines.len() as u16) / 2;
    for (line, y) in lines.iter().zip(top..) {
        let x = inner.width.saturating_sub(width(line) as u16) / 2;
        canvas.text(x, y, inner.width, line, look.theme.style(tone));
    }
    None
}

fn title<D: Reading>(model: &Model, table: &Table<D>, name: &'static str, totals: Words) -> Words {
    let mut title = vec![words(name, Tone::Strong)];
    let old = table.age(model.now).map(age);
    match (&table.trouble, old) {
        (Some(trouble), Some(old)) => title.push(words(format!("  data {old} old: {trouble}"), Tone::Failed)),
        (Some(trouble), None) => title.push(words(format!("  {trouble}"), Tone::Failed)),
        (None, _) if table.read_at.is_none() => title.push(words(" reading", Tone::Dim)),
        (None, old) => {
            title.extend(totals);
            title.extend(old.map(|old| words(format!("  {old} old"), Tone::Waiting)));
        }
    }
    title
}

/// What matters most of the row under the cursor, for the frame to say where there is no pane that explains it; and which
/// key tells the rest.
pub(in crate::tui) fn unless_explained(model: &Model, in_short: impl FnOnce(&Model) -> Words) -> Words {
    let areas = areas(model);
    if !areas.peek.is_empty() {
        return Words::new();
    }
    let mut said = in_short(model);
    let key = binding(Action::About).and_then(|binding| binding.keys.first()).map(|key| key.label(model.glyphs.ascii));
    let (Some(key), false) = (key, said.is_empty()) else { return said };
    let hint = [words(format!("  {key}"), Tone::Accent), words(" about", Tone::Dim)];
    let mut room = usize::from(areas.main.width.saturating_sub(FRAME + cells(&hint)));
    for (text, _) in &mut said {
        *text = clip(text, room, model.glyphs.more);
        room = room.saturating_sub(width(text));
    }
    said.extend(hint);
    said
}

/// The first of `asides` that there is room for beside `title` in the frame around `inner`; the last one where none has.
pub(in crate::tui) fn aside_that_fits(asides: Vec<String>, title: &[(String, Tone)], inner: Rect) -> String {
    let room = usize::from((inner.width + 2).saturating_sub(FRAME + BESIDE + cells(title)));
    let last = asides.last().cloned().unwrap_or_default();
    asides.into_iter().find(|aside| width(aside) <= room).unwrap_or(last)
}

/// A number with its word, for a title.
pub(in crate::tui) fn total(number: u64, word: &str) -> [(String, Tone); 2] {
    [words(format!(" {}", grouped(number)), Tone::Plain), words(format!(" {word}"), Tone::Dim)]
}

/// How many rows there are in all, and how many of them are shown when that is not all.
pub(in crate::tui) fn shown(rows: usize, of: u64) -> Words {
    let rows = rows as u64;
    if rows >= of {
        return vec![words(format!(" {}", grouped(of)), Tone::Plain)];
    }
    vec![words(format!(" {}", grouped(rows)), Tone::Plain), words(format!(" of {}", grouped(of)), Tone::Dim)]
}

/// Makes the row in line `y` look as what it is: under the cursor, or old.
pub(in crate::tui) fn finish_row<D: Reading>(
    model: &Model,
    table: &Table<D>,
    under_cursor: bool,
    y: u16,
    canvas: &mut Canvas<'_>,
    look: Look,
) {
    let focused = model.focus == Focus::Main;
    let wide = canvas.area.width;
    if under_cursor {
        canvas.text(0, y, 1, look.glyphs.bar, look.theme.border(focused));
        if focused {
            canvas.restyle(1, y, wide.saturating_sub(1), look.theme.cursor());
        }
    } else if table.trouble.is_some() {
        canvas.restyle(0, y, wide, look.theme.behind());
    }
}

/// Where among the rows the screen is, under a heading of one line.
pub(in crate::tui) fn scroll_bar<D: Reading>(
    model: &Model,
    table: &Table<D>,
    area: Rect,
    buf: &mut Buffer,
    look: Look,
) {
    let rows = u64::from(inside(area).height.saturating_sub(1));
    let bar = ScrollBar { top: table.top as u64, rows, of: table.data.rows() as u64 };
    bar.draw(area, 2, model.focus == Focus::Main, buf, look);
}

/// A column of fixed width.
#[derive(Clone, Copy, Debug)]
pub(in crate::tui) struct Column<K: 'static> {
    /// What stands in it.
    pub(in crate::tui) what: K,
    /// Over it.
    pub(in crate::tui) heading: &'static str,
    /// Its cells, those before it included that stay free.
    pub(in crate::tui) cells: u16,
    /// The lower, the more it is missed.
    pub(in crate::tui) rank: u8,
}

/// The columns that `room` cells are enough for, in their own order. Each takes its room before those that are missed
/// less; a narrow one may still fit where a wider one did not.
pub(in crate::tui) fn fitting<K: Copy>(columns: &'static [Column<K>], mut room: u16) -> Vec<Column<K>> {
    let mut ranked: Vec<usize> = (0..columns.len()).collect();
    ranked.sort_by_key(|place| columns[*place].rank);
    ranked.retain(|place| {
        let cells = columns[*place].cells;
        let fits = cells <= room;
        room -= if fits { cells } else { 0 };
        fits
    });
    ranked.sort_unstable();
    ranked.into_iter().map(|place| columns[place]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missed_most_takes_its_room_first() {
        static COLUMNS: [Column<char>; 3] = [
            Column { what: 'a', heading: "", cells: 5, rank: 3 },
            Column { what: 'b', heading: "", cells: 9, rank: 1 },
            Column { what: 'c', heading: "", cells: 6, rank: 2 },
        ];
        let whats = |room| fitting(&COLUMNS, room).iter().map(|column| column.what).collect::<String>();
        assert_eq!([20, 19, 15, 14, 13, 9, 8, 5, 4].map(whats), ["abc", "bc", "bc", "ab", "b", "b", "c", "a", ""]);
    }
}
