//! Drawing of the outcome panel: the newest entry at the bottom. An entry has a line with time, glyph and name, and the
//! lines of the details below.

use super::entry::Entry;
use super::state::{EntryLines, Older, Panel, TimeStyle, VisibleOutcomes};
use super::text::{aside, broken, detail_lines, headline, short_reason, sign, tone};
use crate::domain::text::width;
use crate::format;
use crate::tui::action::Action;
use crate::tui::glyphs::Glyphs;
use crate::tui::layout::inside;
use crate::tui::model::Model;
use crate::tui::text::lines::clip;
use crate::tui::text::{Spans, span};
use crate::tui::theme::{Appearance, Tone};
use crate::tui::views::view::Pane;
use crate::tui::widgets::canvas::Canvas;
use crate::tui::widgets::frame::Frame;
use ratatui::buffer::Buffer;

/// Number of cells in the top line of the frame that cannot hold its title.
const TITLE_FRAME_CELLS: usize = 6;
/// Fewest cells of the name of what the panel is pinned to.
const MIN_PIN_CELLS: usize = 6;

/// Returns the width, in cells, of the time before the glyph in a panel of `cells` cells: a time of day with seconds in
/// a wide panel, without seconds in a narrower one, and 0 (no time) in the narrowest; an age is shorter.
const fn time_cells(cells: u16, times: TimeStyle) -> u16 {
    match (cells, times) {
        (..22, _) => 0,
        (_, TimeStyle::Age) => 4,
        (22..32, TimeStyle::Clock) => 5,
        (_, TimeStyle::Clock) => 8,
    }
}

/// Returns the offset, in cells, of the document's name in a line of a panel of `cells` cells.
const fn name_x(cells: u16, times: TimeStyle) -> u16 {
    let time = time_cells(cells, times);
    if time == 0 { 3 } else { 1 + time + 3 }
}

/// Returns the offset, in cells, of the details below the name. They are aligned with the name; in a narrow panel they
/// begin near the left edge, because most lines would wrap otherwise.
const fn detail_x(cells: u16, times: TimeStyle) -> u16 {
    if cells < 32 { 2 } else { name_x(cells, times) }
}

/// Returns the lines below the first line of an entry, in a panel of `cells` cells.
fn lines_below(panel: &Panel, entry: &Entry, glyphs: &Glyphs, cells: u16) -> Vec<String> {
    let available = usize::from(cells.saturating_sub(detail_x(cells, panel.times)));
    match panel.lines {
        EntryLines::One => Vec::new(),
        EntryLines::Short => without_result(panel, entry, glyphs, detail_lines(entry, available, glyphs.dot, false)),
        EntryLines::Whole => {
            let name = headline(entry, panel.pin.as_ref());
            let name_cells = usize::from(name_cells(entry, cells, panel.times));
            // The rest of a name that does not fit into the first line.
            let rest = if width(&name) > name_cells { broken(&name, available) } else { Vec::new() };
            let below = without_result(panel, entry, glyphs, detail_lines(entry, available, glyphs.dot, true));
            rest.into_iter().chain(below).collect()
        }
    }
}

/// Returns the lines without the result at their begin where the first line of the entry says it already.
fn without_result(panel: &Panel, entry: &Entry, glyphs: &Glyphs, mut lines: Vec<String>) -> Vec<String> {
    if panel.pin.as_ref().is_some_and(|pin| pin.subject.is_document())
        && let Some(first) = lines.first_mut()
        && let Some(rest) = first.strip_prefix(&headline(entry, panel.pin.as_ref()))
    {
        *first = rest.trim_start_matches([' ']).trim_start_matches(glyphs.dot).trim_start().to_owned();
        lines.retain(|line| !line.is_empty());
    }
    lines
}

/// Returns the number of cells for the name of an entry, which leaves room for the word at its right end.
fn name_cells(entry: &Entry, cells: u16, times: TimeStyle) -> u16 {
    cells.saturating_sub(name_x(cells, times) + 1 + aside_cells(entry, cells))
}

/// Returns the number of cells of the word at the right end of an entry, with a gap; a narrow panel has none.
fn aside_cells(entry: &Entry, cells: u16) -> u16 {
    let aside = aside(entry);
    if aside.is_empty() || cells < 30 { 0 } else { width(aside) as u16 + 1 }
}

/// Returns the number of lines of an entry in a panel of `cells` cells.
pub fn entry_height(panel: &Panel, entry: &Entry, glyphs: &Glyphs, cells: u16) -> usize {
    1 + lines_below(panel, entry, glyphs, cells).len()
}

/// Draws the outcome panel with its frame; a message if there is no entry to show.
pub(super) fn draw(model: &Model, pane: &Pane, buf: &mut Buffer) {
    if pane.area.is_empty() {
        return;
    }
    let appearance = model.appearance();
    let inner = inside(pane.area);
    let (head, right) = heading(model, pane.area.width);
    let foot = if pane.toast.is_empty() { missing(model) } else { pane.toast.clone() };
    Frame { title: &head, aside: &right, foot: &foot, border: appearance.theme.border(pane.focused) }
        .draw(pane.area, buf, appearance);
    if model.panel.entries().is_empty() {
        let is_loaded = model.panel.pin.as_ref().map_or(model.panel.loaded, |pin| pin.loaded);
        let text = if is_loaded { "no outcomes yet" } else { "reading" };
        Canvas::new(buf, inner).text(1, 0, inner.width, text, appearance.theme.style(Tone::Dim));
        return;
    }
    // Collects entries from the last visible one upwards, until the panel is full.
    let bottom = model.panel.bottom.filter(|_| !model.panel.follows());
    let mut lines: Vec<(&Entry, u16, Vec<String>)> = Vec::new();
    let mut used: u16 = 0;
    let shown = model.panel.shown(model.now).rev();
    for entry in shown.skip_while(|entry| bottom.is_some_and(|bottom| entry.seq() > bottom)) {
        let under = lines_below(&model.panel, entry, &appearance.glyphs, inner.width);
        used = used.saturating_add(1 + under.len() as u16);
        lines.push((entry, used, under));
        if used >= inner.height {
            break;
        }
    }
    if lines.is_empty() {
        Canvas::new(buf, inner).text(
            1,
            0,
            inner.width,
            "no outcome matches the filter",
            appearance.theme.style(Tone::Dim),
        );
        return;
    }
    let at_start = model.panel.older() == Older::None || model.panel.pin.is_some();
    // A log shorter than the panel is aligned to the top, a longer one to the bottom.
    let base = if used < inner.height && at_start { used } else { inner.height };
    let mut canvas = Canvas::new(buf, inner);
    for (entry, above, under) in lines {
        draw_entry(model, entry, (i32::from(base) - i32::from(above), pane.focused), &under, &mut canvas, appearance);
    }
}

/// Returns what the panel lacks at one of its ends, in words, else the key that lets a pinned panel go.
fn missing(model: &Model) -> Spans {
    if let Some(gap) = model.panel.gap() {
        let is_loading = model.panel.is_reading_newest();
        let cure = if is_loading { String::new() } else { format!(": {} loads them", model.key(Action::Last)) };
        return vec![span(format!("{gap}{cure}"), Tone::Waiting)];
    }
    if model.panel.older() == Older::Loading {
        return vec![span("reading older outcomes", Tone::Dim)];
    }
    // The way out stands beside what the title names.
    if model.panel.pin.is_none() {
        return Spans::new();
    }
    vec![span(model.key(Action::Pin), Tone::Accent), span(" unpins", Tone::Dim)]
}

/// Returns the title and the text at its right, for a frame of `cells` cells.
fn heading(model: &Model, cells: u16) -> (Spans, Spans) {
    let panel = &model.panel;
    let glyphs = &model.glyphs;
    // A narrow panel has room for one word.
    let name = if panel.visible == VisibleOutcomes::Failures { "failures" } else { "outcomes" };
    let mut head = vec![span(name, Tone::Strong)];
    let (sign, word, tone) = match panel.new_since_scroll(model.now) {
        _ if panel.follows() => (glyphs.on, "following".to_owned(), Tone::Good),
        0 => (glyphs.off, "scrolled".to_owned(), Tone::Waiting),
        new => (glyphs.below, format!("{} new", format::number(new)), Tone::Waiting),
    };
    head.push(span(format!(" {sign} {word}"), tone));
    if !panel.filter_text.is_empty() {
        head.push(span(format!(" {}", panel.filter_text), Tone::Waiting));
    }
    if panel.visible == VisibleOutcomes::Changes {
        head.push(span(" unchanged hidden", Tone::Dim));
    }
    if let Some(pin) = &panel.pin {
        let available = |head: &Spans| {
            let others: usize = head.iter().map(|(text, _)| width(text)).sum();
            usize::from(cells).saturating_sub(TITLE_FRAME_CELLS + others + " of ".len())
        };
        // Where a name is long, the sign alone says whether the panel follows; then the name is cut, not the rest.
        if available(&head) < width(&pin.name) && panel.new_since_scroll(model.now) == 0 {
            head[1] = span(format!(" {sign}"), tone);
        }
        let named = clip(&pin.name, available(&head).max(MIN_PIN_CELLS), glyphs.ellipsis);
        head.insert(1, span(format!(" of {named}"), Tone::Plain));
    }
    let right = match (&panel.search, &panel.pin) {
        (search, _) if !search.is_empty() => vec![span(format!("/{search}"), Tone::Waiting)],
        (_, Some(_)) => Spans::new(),
        (_, None) => vec![span(format::number(u64::try_from(panel.newest.0).unwrap_or(0)), Tone::Dim)],
    };
    (head, right)
}

/// Draws an entry from line `y` on. `y` is negative if the entry begins above the panel.
fn draw_entry(
    model: &Model,
    entry: &Entry,
    (y, focused): (i32, bool),
    under: &[String],
    canvas: &mut Canvas<'_>,
    appearance: Appearance,
) {
    let cells = canvas.area.width;
    let (result, outcome) = (entry.result(), &entry.outcome);
    let tone = tone(outcome.content, result);
    let style = |tone| appearance.theme.style(tone);
    let needle = &model.panel.search;
    let times = model.panel.times;
    let name_at = name_x(cells, times);
    let time = time_cells(cells, times);
    if let Ok(y) = u16::try_from(y)
        && y < canvas.area.height
    {
        match times {
            _ if time == 0 => {}
            TimeStyle::Clock => {
                canvas.text(1, y, time, &outcome.at.clock(&model.zone()), style(Tone::Dim));
            }
            TimeStyle::Age => {
                canvas.right(1 + time, y, &format::age(model.now.since(outcome.at)), style(Tone::Dim));
            }
        }
        canvas.text(name_at - 2, y, 1, sign(&appearance.glyphs, outcome.content, result), style(tone));
        let kept = aside_cells(entry, cells);
        let available = name_cells(entry, cells, times);
        let quiet = entry.is_quiet() || tone == Tone::Dim;
        let name = headline(entry, model.panel.pin.as_ref());
        let reason = match model.panel.lines {
            EntryLines::One => short_reason(entry),
            EntryLines::Short | EntryLines::Whole => String::new(),
        };
        // The cause takes what the name leaves, and half of the line if both are long.
        let reason_cells = match width(&reason) as u16 {
            0 => 0,
            wanted => (wanted + 1).min((available / 2).max(available.saturating_sub(width(&name) as u16))),
        };
        let name = clip(&name, usize::from(available - reason_cells), appearance.glyphs.ellipsis);
        canvas.text(name_at, y, available, &name, style(if quiet { Tone::Dim } else { Tone::Plain }));
        highlight_matches(&name, name_at, y, needle, canvas, appearance);
        if reason_cells > 1 {
            let reason = clip(&reason, usize::from(reason_cells - 1), appearance.glyphs.ellipsis);
            let x = (cells - 1).saturating_sub(width(&reason) as u16);
            canvas.text(x, y, reason_cells, &reason, style(if tone == Tone::Good { Tone::Dim } else { tone }));
            highlight_matches(&reason, x, y, needle, canvas, appearance);
        }
        if kept > 0 {
            canvas.right(cells - 1, y, aside(entry), style(Tone::Dim));
        }
        if model.panel.cursor == Some(entry.seq()) {
            canvas.text(0, y, 1, appearance.glyphs.bar, appearance.theme.border(focused));
            if focused {
                canvas.restyle(1, y, cells.saturating_sub(1), appearance.theme.cursor());
            }
        }
    }
    for (line, text) in under.iter().enumerate() {
        let Ok(y) = u16::try_from(y + 1 + line as i32) else { continue };
        // The details of a success are dimmed, since the glyph already shows the success.
        let tone = if tone == Tone::Good { Tone::Dim } else { tone };
        let text = if appearance.glyphs.ascii { text.replace('…', appearance.glyphs.ellipsis) } else { text.clone() };
        let x = detail_x(cells, times);
        canvas.text(x, y, cells.saturating_sub(x), &text, style(tone));
        highlight_matches(&text, x, y, needle, canvas, appearance);
    }
}

/// Highlights the occurrences of `needle`, the search text, in a text that was drawn at (`x`, `y`).
fn highlight_matches(text: &str, x: u16, y: u16, needle: &str, canvas: &mut Canvas<'_>, appearance: Appearance) {
    if needle.is_empty() {
        return;
    }
    let lower = text.to_lowercase();
    // A lower-case text of another length would misplace the highlights.
    if lower.len() != text.len() {
        return;
    }
    for (start, part) in lower.match_indices(needle) {
        let before = width(text.get(..start).unwrap_or_default()) as u16;
        canvas.style(x + before, y, width(part) as u16, appearance.theme.search_match());
    }
}
