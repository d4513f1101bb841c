//! The screen shown until the store can be opened: the store's URL, the last failure with its remedy, and the time of
//! the next try.

use crate::domain::text::SafeLine;
use crate::tui::layout::{inside, middle};
use crate::tui::text::lines::wrap;
use crate::tui::text::{Spans, span};
use crate::tui::theme::{Appearance, Tone};
use crate::tui::widgets::canvas::{Canvas, clear};
use crate::tui::widgets::frame::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Largest width of the box, in cells.
const MAX_WIDTH: u16 = 84;
/// Maximum number of lines of the failure's text.
const LINES: usize = 8;

/// The state of opening the store: the tries so far and the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionStatus {
    /// URL of the store, with its password masked.
    pub store: SafeLine,
    /// Text of the last failure; `None` during the first try.
    pub reason: Option<SafeLine>,
    /// Number of failed tries.
    pub tries: u32,
    /// Whole seconds until the next try; `None` during a try.
    pub retry_in_secs: Option<u64>,
}

/// Draws the waiting screen over all of `buf`.
pub fn draw(waiting: &ConnectionStatus, appearance: Appearance, buf: &mut Buffer) {
    let screen = buf.area;
    clear(screen, buf);
    let available = usize::from(MAX_WIDTH.min(screen.width).saturating_sub(6));
    let mut lines: Vec<Spans> =
        wrap(&waiting.store, available, 2).into_iter().map(|line| vec![span(line, Tone::Strong)]).collect();
    lines.push(Spans::new());
    match &waiting.reason {
        None => lines.push(vec![span("connecting", Tone::Running)]),
        Some(reason) => {
            lines.extend(wrap(reason, available, LINES).into_iter().map(|line| vec![span(line, Tone::Plain)]));
        }
    }
    lines.push(Spans::new());
    lines.push(vec![span(retry_text(waiting), Tone::Dim)]);
    let height = screen.height.saturating_sub(1);
    if lines.len() as u16 + 2 > height {
        lines.retain(|line| !line.is_empty());
        // The remedy and the next try matter more than the store's URL.
        while lines.len() as u16 + 2 > height && lines.len() > 2 {
            lines.remove(0);
        }
    }
    let area = middle(Rect { height, ..screen }, MAX_WIDTH, lines.len() as u16 + 4);
    let failed = waiting.reason.is_some();
    let title = if failed {
        vec![span(appearance.glyphs.failed, Tone::Failed), span(" no database", Tone::Strong)]
    } else {
        vec![span("quarterdeck", Tone::Strong)]
    };
    let border = appearance.theme.style(if failed { Tone::Failed } else { Tone::Dim });
    Frame { title: &title, aside: &[], foot: &[], border }.draw(area, buf, appearance);
    let inner = inside(area);
    let mut canvas = Canvas::new(buf, inner);
    let first = u16::from(inner.height > lines.len() as u16);
    for (index, line) in lines.iter().enumerate() {
        canvas.spans(2, first + index as u16, inner.width.saturating_sub(4), line, appearance);
    }
    let keys: Spans = [("r", " retry now   "), ("q", " quit")]
        .into_iter()
        .flat_map(|(key, action)| [span(key, Tone::Accent), span(action, Tone::Plain)])
        .collect();
    let last = screen.height.saturating_sub(1);
    Canvas::new(buf, screen).spans(1, last, screen.width.saturating_sub(2), &keys, appearance);
}

fn retry_text(waiting: &ConnectionStatus) -> String {
    let attempts = match waiting.tries {
        0 => String::new(),
        1 => "1 try failed; ".to_owned(),
        more => format!("{more} tries failed; "),
    };
    match waiting.retry_in_secs {
        None => format!("{attempts}connecting"),
        Some(seconds) => format!("{attempts}next try in {seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::glyphs::{ASCII, UNICODE};
    use crate::tui::theme::Theme;

    fn drawn(width: u16, height: u16, appearance: Appearance) -> Vec<String> {
        let waiting = ConnectionStatus {
            store: "postgres://ana:***@db.example.org:5432/chatwoot".into(),
            reason: Some(
                "PostgreSQL at db.example.org:5432/chatwoot: Connection refused (os error 111); check host and port, \
                 and that the server runs and may be reached from here"
                    .into(),
            ),
            tries: 3,
            retry_in_secs: Some(4),
        };
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        draw(&waiting, appearance, &mut buf);
        let row = |y| (0..width).map(|x| buf[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
        (0..height).map(row).collect()
    }

    #[test]
    fn cause_cure_and_what_happens_next_are_seen_at_every_size() {
        let appearance = Appearance { glyphs: UNICODE, theme: Theme::new(false) };
        for (width, height) in [(120, 40), (80, 24), (40, 12)] {
            let lines = drawn(width, height, appearance);
            let text = lines.join(" ");
            for says in
                ["no database", "db.example.org", "refused", "3 tries failed; next try in 4 s", "r retry now", "q quit"]
            {
                assert!(text.contains(says), "{width}x{height}: no {says:?} in\n{}", lines.join("\n"));
            }
        }
        for (width, height) in [(1, 1), (2, 5), (20, 3), (300, 2)] {
            drawn(width, height, Appearance { glyphs: ASCII, theme: Theme::new(true) });
        }
    }
}
