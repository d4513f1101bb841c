//! Draws the screen of a terminal as an SVG picture: text in cells, so that it stays sharp at every size and can be
//! searched.

use std::fmt::Write;

/// Width and height of a cell, and the height of its base line, in pixels.
const CELL: (u16, u16, u16) = (9, 20, 15);
const MARGIN: u16 = 10;
const FOREGROUND: &str = "#d4d7d6";
const BACKGROUND: &str = "#16191d";
/// The terminal's sixteen colours.
const PALETTE: [&str; 16] = [
    "#16191d", "#e0686a", "#8fbf7f", "#e6c07b", "#6fa8dc", "#c792c9", "#7cc4c0", "#d4d7d6", //
    "#6c7378", "#ef8d8f", "#b0d9a2", "#f2d9a0", "#9cc5ec", "#dcb4de", "#a5dcd8", "#ffffff",
];

/// The look of a cell.
#[derive(Clone, PartialEq)]
struct Style {
    foreground: String,
    background: String,
    bold: bool,
    dim: bool,
    italic: bool,
    underlined: bool,
}

impl Style {
    fn of(cell: &vt100::Cell) -> Self {
        let (mut foreground, mut background) = (colour(cell.fgcolor(), FOREGROUND), colour(cell.bgcolor(), BACKGROUND));
        if cell.inverse() {
            std::mem::swap(&mut foreground, &mut background);
        }
        Self {
            foreground,
            background,
            bold: cell.bold(),
            dim: cell.dim(),
            italic: cell.italic(),
            underlined: cell.underline(),
        }
    }
}

fn colour(colour: vt100::Color, default: &str) -> String {
    match colour {
        vt100::Color::Default => default.to_owned(),
        vt100::Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
        vt100::Color::Idx(index @ 0..16) => PALETTE[usize::from(index)].to_owned(),
        vt100::Color::Idx(index @ 16..232) => {
            let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
            let cube = index - 16;
            format!("#{:02x}{:02x}{:02x}", level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        }
        vt100::Color::Idx(index) => {
            let level = 8 + 10 * (index - 232);
            format!("#{level:02x}{level:02x}{level:02x}")
        }
    }
}

/// Neighbouring cells of one style. A wide character is a run of its own, since its advance depends on the font.
struct Run {
    col: u16,
    cells: u16,
    text: String,
    style: Style,
}

fn runs(screen: &vt100::Screen, row: u16) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut after_wide = false;
    for col in 0..screen.size().1.get() {
        let cell = screen.cell(row, col).expect("a cell within the screen");
        if cell.is_wide_continuation() {
            continue;
        }
        let (style, wide) = (Style::of(cell), cell.is_wide());
        let text = if cell.has_contents() { cell.contents() } else { " " };
        match runs.last_mut() {
            Some(run) if run.style == style && !wide && !after_wide => {
                run.text.push_str(text);
                run.cells += 1;
            }
            _ => runs.push(Run { col, cells: if wide { 2 } else { 1 }, text: text.to_owned(), style }),
        }
        after_wide = wide;
    }
    runs
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Returns the screen as an SVG document with `title` as its name for readers that cannot see it.
pub fn svg(screen: &vt100::Screen, title: &str) -> String {
    let (rows, cols) = screen.size();
    let (width, height) = (cols.get() * CELL.0 + 2 * MARGIN, rows.get() * CELL.1 + 2 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{}</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{BACKGROUND}\"/>\n\
         <g font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"15\" \
         xml:space=\"preserve\">\n",
        escaped(title)
    );
    for row in 0..rows.get() {
        for run in runs(screen, row) {
            draw(&mut svg, row, &run);
        }
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

fn draw(svg: &mut String, row: u16, run: &Run) {
    let (x, y, width) = (MARGIN + run.col * CELL.0, MARGIN + row * CELL.1, run.cells * CELL.0);
    let style = &run.style;
    if style.background != BACKGROUND {
        let (height, fill) = (CELL.1, &style.background);
        writeln!(svg, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"/>")
            .expect("a string takes it");
    }
    if run.text.trim().is_empty() {
        return;
    }
    let mut attributes = String::new();
    for (set, attribute) in [
        (style.bold, " font-weight=\"bold\""),
        (style.dim, " opacity=\"0.55\""),
        (style.italic, " font-style=\"italic\""),
        (style.underlined, " text-decoration=\"underline\""),
    ] {
        if set {
            attributes.push_str(attribute);
        }
    }
    writeln!(
        svg,
        "<text x=\"{x}\" y=\"{}\" fill=\"{}\" textLength=\"{width}\" lengthAdjust=\"spacingAndGlyphs\"{attributes}>{}\
         </text>",
        y + CELL.2,
        style.foreground,
        escaped(&run.text),
    )
    .expect("a string takes it");
}

#[test]
fn what_is_on_the_screen_is_in_the_picture() {
    let mut parser = vt100::Parser::new(2.try_into().expect("rows"), 12.try_into().expect("columns"), 0);
    parser.process("\x1b[31ma<b\x1b[0m \x1b[7m \x1b[0m\r\n章 \x1b[2;38;5;196mx".as_bytes());
    let picture = svg(parser.screen(), "a & b");
    assert!(picture.contains("<title>a &amp; b</title>"));
    assert!(picture.contains("fill=\"#e0686a\" textLength=\"27\" lengthAdjust=\"spacingAndGlyphs\">a&lt;b</text>"));
    assert!(picture.contains(&format!("height=\"20\" fill=\"{FOREGROUND}\"/>")), "the reversed cell: {picture}");
    assert!(picture.contains("textLength=\"18\" lengthAdjust=\"spacingAndGlyphs\">章</text>"));
    assert!(
        picture.contains("fill=\"#ff0000\" textLength=\"9\" lengthAdjust=\"spacingAndGlyphs\" opacity=\"0.55\">x<")
    );
}
