use super::*;
use crate::tui::widgets::canvas::Canvas;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use std::num::NonZero;

const AREA: Rect = Rect { x: 0, y: 0, width: 30, height: 3 };

/// Returns a frame with a text in each row from a column on, and a frame's border at the right.
fn frame(rows: &[(u16, String)]) -> Buffer {
    let mut buf = Buffer::empty(AREA);
    for (y, (x, text)) in (0..).zip(rows) {
        let mut canvas = Canvas::new(&mut buf, AREA);
        canvas.text(*x, y, AREA.width - 1, text, Style::default());
        canvas.text(AREA.width - 1, y, 1, "│", Style::default());
    }
    buf
}

/// A terminal that counts each character by itself, as tmux and xterm do.
struct Emulator {
    parser: vt100::Parser,
    shown: Buffer,
}

impl Emulator {
    fn new() -> Self {
        let cells = |cells| NonZero::new(cells).expect("cells");
        let parser = vt100::Parser::new(cells(AREA.height), cells(AREA.width), 0);
        Self { parser, shown: Buffer::empty(AREA) }
    }

    /// Draws what differs from the frame before.
    fn draw(&mut self, next: Buffer) {
        let mut bytes = Vec::new();
        ClusterBackend::new(&mut bytes).draw(self.shown.diff_iter(&next)).expect("a frame can be written to memory");
        self.parser.process(&bytes);
        self.shown = next;
    }

    fn rows(&self) -> Vec<String> {
        self.parser.screen().rows(0, AREA.width).collect()
    }
}

fn rows() -> impl Strategy<Value = Vec<(u16, String)>> {
    let row = (0_u16..28, crate::domain::text::cells::tests::awkward());
    proptest::collection::vec(row, usize::from(AREA.height))
}

proptest! {
    /// A frame over another one looks as on an empty screen, whatever stood there, and its border is in its column.
    #[test]
    fn nothing_of_the_frame_before_stays(before in rows(), after in rows()) {
        let mut emulator = Emulator::new();
        emulator.draw(frame(&before));
        emulator.draw(frame(&after));
        let mut fresh = Emulator::new();
        fresh.draw(frame(&after));
        prop_assert_eq!(emulator.rows(), fresh.rows());
        for y in 0..AREA.height {
            let cell = emulator.parser.screen().cell(y, AREA.width - 1).expect("a cell of the screen");
            prop_assert_eq!(cell.contents(), "│");
        }
    }
}
