//! A terminal's screen as an SVG picture. Lines and bars are drawn as shapes, so that they join whatever the font.

use std::fmt::Write as _;

/// Width and height of a cell, and the margin around the screen, in pixels.
const CELL: (f64, f64) = (8.4, 18.0);
const MARGIN: f64 = 12.0;
const BACKGROUND: &str = "#15171c";
const FOREGROUND: &str = "#d8dbe2";
/// The sixteen colours of the terminal.
const PALETTE: [&str; 16] = [
    "#3b4048", "#e86671", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#abb2bf", "#6b7280", "#ef8a93",
    "#b5d99a", "#f0d197", "#8cc5f5", "#d7a1e8", "#83cfd9", "#f4f5f7",
];
const FONT: &str = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace";

/// The looks of a run of cells.
#[derive(Clone, Debug, PartialEq)]
struct Look {
    ink: String,
    paper: Option<String>,
    bold: bool,
    faint: bool,
    italic: bool,
    underline: bool,
}

impl Look {
    fn of(cell: &vt100::Cell) -> Self {
        let colour = |colour| match colour {
            vt100::Color::Default => None,
            vt100::Color::Idx(index) => {
                Some(PALETTE.get(usize::from(index)).map_or(FOREGROUND.to_owned(), ToString::to_string))
            }
            vt100::Color::Rgb(red, green, blue) => Some(format!("#{red:02x}{green:02x}{blue:02x}")),
        };
        let (ink, paper) = (colour(cell.fgcolor()), colour(cell.bgcolor()));
        let (ink, paper) = if cell.inverse() {
            (paper.unwrap_or_else(|| BACKGROUND.to_owned()), Some(ink.unwrap_or_else(|| FOREGROUND.to_owned())))
        } else {
            (ink.unwrap_or_else(|| FOREGROUND.to_owned()), paper)
        };
        let (bold, faint) = (cell.bold(), cell.dim());
        Self { ink, paper, bold, faint, italic: cell.italic(), underline: cell.underline() }
    }
}

/// Returns the picture of a screen. `title` is read to those who do not see it.
pub fn svg(screen: &vt100::Screen, title: &str) -> String {
    let (rows, cols) = screen.size();
    let (rows, cols) = (rows.get(), cols.get());
    let (width, height) = (f64::from(cols) * CELL.0 + 2.0 * MARGIN, f64::from(rows) * CELL.1 + 2.0 * MARGIN);
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"{FONT}\" font-size=\"14\">\n<title>{}</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n",
        escaped(title)
    );
    for row in 0..rows {
        for (col, text, cells, look) in runs(screen, row, cols) {
            draw(&mut picture, (col, row), &text, cells, &look);
        }
    }
    picture.push_str("</svg>\n");
    picture
}

/// Returns the runs of a row: column, text, number of cells, looks.
fn runs(screen: &vt100::Screen, row: u16, cols: u16) -> Vec<(u16, String, u16, Look)> {
    let mut runs: Vec<(u16, String, u16, Look)> = Vec::new();
    for col in 0..cols {
        let Some(cell) = screen.cell(row, col) else { continue };
        if cell.is_wide_continuation() {
            if let Some((_, _, cells, _)) = runs.last_mut() {
                *cells += 1;
            }
            continue;
        }
        let text = if cell.has_contents() { cell.contents() } else { " " };
        let look = Look::of(cell);
        let joins = |last: &(u16, String, u16, Look)| {
            last.3 == look
                && shape(text).is_none()
                && !last.1.chars().any(|c| shape(c.encode_utf8(&mut [0; 4])).is_some())
        };
        match runs.last_mut().filter(|last| joins(last)) {
            Some((_, run, cells, _)) => {
                run.push_str(text);
                *cells += 1;
            }
            None => runs.push((col, text.to_owned(), 1, look)),
        }
    }
    runs
}

fn draw(picture: &mut String, (col, row): (u16, u16), text: &str, cells: u16, look: &Look) {
    let (x, y) = (MARGIN + f64::from(col) * CELL.0, MARGIN + f64::from(row) * CELL.1);
    let width = f64::from(cells) * CELL.0;
    if let Some(paper) = &look.paper {
        let _ = writeln!(
            picture,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{paper}\"/>",
            CELL.1
        );
    }
    let opacity = if look.faint { " opacity=\".6\"" } else { "" };
    if let Some(shape) = shape(text) {
        let shape = match shape {
            Shape::Path(path) => format!("<path d=\"{path}\" fill=\"none\" stroke=\"{}\"", look.ink),
            Shape::Bar { left, top, width, height } => format!(
                "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{}\"",
                look.ink
            ),
        };
        let _ = writeln!(picture, "{shape} transform=\"translate({x:.1} {y:.1})\"{opacity}/>");
        return;
    }
    if text.trim().is_empty() && !look.underline {
        return;
    }
    let mut marks = String::from(opacity);
    for (has, mark) in [
        (look.bold, " font-weight=\"bold\""),
        (look.italic, " font-style=\"italic\""),
        (look.underline, " text-decoration=\"underline\""),
    ] {
        if has {
            marks.push_str(mark);
        }
    }
    let _ = writeln!(
        picture,
        "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\" \
         xml:space=\"preserve\" fill=\"{}\"{marks}>{}</text>",
        y + 13.0,
        look.ink,
        escaped(text)
    );
}

/// A sign that is drawn as a shape, from the cell's upper left corner on.
enum Shape {
    Path(&'static str),
    Bar { left: f64, top: f64, width: f64, height: f64 },
}

fn shape(text: &str) -> Option<Shape> {
    const BARS: &str = "▁▂▃▄▅▆▇█";
    let sign = text.chars().next().filter(|sign| sign.len_utf8() == text.len())?;
    Some(match sign {
        '─' => Shape::Path("M0 9H8.4"),
        '│' => Shape::Path("M4.2 0V18"),
        '╭' => Shape::Path("M4.2 18V13Q4.2 9 8.4 9"),
        '╮' => Shape::Path("M4.2 18V13Q4.2 9 0 9"),
        '╰' => Shape::Path("M4.2 0V5Q4.2 9 8.4 9"),
        '╯' => Shape::Path("M4.2 0V5Q4.2 9 0 9"),
        '▌' => Shape::Bar { left: 0.0, top: 0.0, width: 4.2, height: 18.0 },
        _ => {
            let eighths = BARS.chars().position(|bar| bar == sign)? as f64 + 1.0;
            let height = CELL.1 * eighths / 8.0;
            Shape::Bar { left: 0.0, top: CELL.1 - height, width: CELL.0, height }
        }
    })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[test]
fn a_picture_has_the_text_its_looks_and_no_markup_of_the_screen() {
    let size = |n| std::num::NonZero::new(n).expect("a size");
    let mut parser = vt100::Parser::new(size(2), size(20), 0);
    parser.process("\x1b[31mfa<il>ed\x1b[m ok\r\n\x1b[7mx\x1b[m│▄".as_bytes());
    let picture = svg(parser.screen(), "a & b");
    assert!(picture.contains("<title>a &amp; b</title>"), "{picture}");
    assert!(picture.contains(&format!("fill=\"{}\">fa&lt;il&gt;ed</text>", PALETTE[1])), "{picture}");
    assert!(picture.contains("height=\"9.0\""), "half a bar: {picture}");
    assert!(picture.contains(&format!("fill=\"{BACKGROUND}\">x</text>")), "{picture}");
    assert_eq!(picture.matches("<path").count(), 1);
}
