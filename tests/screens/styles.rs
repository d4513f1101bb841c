//! Tests the styles that carry meaning, and that the screen is readable without them.

use crate::support::facts::options;
use crate::support::screen::{Screen, find, lines};
use quarterdeck::tui::Options;
use quarterdeck::tui::keymap::TABLE;
use ratatui::style::{Color, Modifier};

#[test]
fn failed_is_red_waiting_yellow_running_cyan_lost_magenta() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&["G"]);
    screen.press(&["g", "j"]);
    for (text, colour) in [
        ("✗ failed  Pricing", Color::Red),
        ("↻ waiting Status page", Color::Yellow),
        ("▸ syncing Importing", Color::Cyan),
        ("! stuck   Legacy", Color::Magenta),
        ("✓ synced  Getting", Color::Green),
        ("timeout, 2 of 4", Color::Yellow),
        ("403 Forbidden  ", Color::Red),
    ] {
        assert_eq!(screen.cell_of(text).fg, colour, "{text}");
    }
    assert!(screen.cell_of("= CSAT surveys").modifier.contains(Modifier::DIM), "what brought nothing new is quiet");
}

#[test]
fn the_cursor_row_is_reversed_in_one_colour_and_only_where_the_focus_is() {
    let mut screen = Screen::usual(120, 40);
    let buffer = screen.buffer();
    let (x, y) = find(&buffer, "✗ failed  Pricing").expect("the first row");
    for x in x..70 {
        let cell = &buffer[(x, y)];
        assert!(cell.modifier.contains(Modifier::REVERSED) && cell.fg == Color::Reset, "cell {x}");
    }
    screen.press(&["tab", "k"]);
    assert!(!screen.cell_of("✗ failed  Pricing").modifier.contains(Modifier::REVERSED));
    assert!(screen.cell_of("14:02:30 = Working hours").modifier.contains(Modifier::REVERSED));
}

#[test]
fn the_focused_pane_has_the_coloured_border() {
    let mut screen = Screen::usual(120, 40);
    let corners = |screen: &Screen| {
        let buffer = screen.buffer();
        (buffer[(0, 2)].fg, buffer[(80, 2)].fg)
    };
    assert_eq!(corners(&screen), (Color::Cyan, Color::Reset));
    screen.press(&["tab"]);
    assert_eq!(corners(&screen), (Color::Reset, Color::Cyan));
    // A title has its own style, independent of the border's.
    assert_eq!(screen.cell_of("documents 1,204").modifier, Modifier::BOLD);
}

#[test]
fn a_dialog_dims_what_is_behind_it_and_focuses_cancel() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&["del"]);
    assert!(screen.cell_of("[ Keep ]").modifier.contains(Modifier::REVERSED));
    assert!(!screen.cell_of("  Remove  ").modifier.contains(Modifier::REVERSED));
    let behind = screen.cell_of("✗ failed  Partner");
    assert_eq!((behind.fg, behind.modifier), (Color::Reset, Modifier::DIM));
    screen.press(&["tab"]);
    assert!(screen.cell_of("[ Remove ]").modifier.contains(Modifier::REVERSED));
}

#[test]
fn only_the_terminals_own_colours_are_used_and_never_black_or_white() {
    let fine = [Color::Reset, Color::Red, Color::Green, Color::Yellow, Color::Magenta, Color::Cyan];
    for keys in [vec![], vec!["?"], vec![":"], vec!["R"], vec!["q"], vec!["enter"], vec!["tab", "k", "/", "p", "enter"]]
    {
        let mut screen = Screen::usual(120, 40);
        screen.press(&keys);
        for cell in screen.buffer().content() {
            assert!(fine.contains(&cell.fg) && cell.bg == Color::Reset, "{cell:?} after {keys:?}");
        }
    }
}

#[test]
fn without_colour_nothing_has_one_and_the_text_is_the_same() {
    let mono = Screen::with(Options { mono: true, ..options() }, 120, 40);
    assert!(mono.buffer().content().iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    assert_eq!(mono.text(), Screen::usual(120, 40).text());
    assert!(mono.cell_of("✗ failed  Pricing").modifier.contains(Modifier::REVERSED));
}

#[test]
fn in_ascii_the_programs_own_signs_are_ascii() {
    let ascii = Options { ascii: true, ..options() };
    for keys in [vec![], vec!["?"], vec![":"], vec!["del"], vec!["q"], vec!["enter"], vec!["tab", "k"], vec![","]] {
        let mut screen = Screen::with(ascii.clone(), 120, 40);
        // Document 40 is the only one with a name that is not ASCII.
        let rows = crate::support::facts::documents().into_iter().filter(|row| row.id.0 != 40).collect();
        screen.page(rows);
        screen.press(&keys);
        for line in lines(&screen.buffer()) {
            assert!(line.is_ascii(), "{line:?} after {keys:?}");
        }
    }
}

#[test]
fn old_rows_are_dim_but_the_cursors() {
    let mut screen = Screen::usual(120, 40);
    let generation = screen.model.documents.generation;
    let answer = Err("the database does not answer".into());
    screen.send(quarterdeck::tui::msg::Msg::Page { generation, answer });
    let old = screen.cell_of("✗ failed  Partner");
    assert_eq!((old.fg, old.modifier), (Color::Reset, Modifier::DIM));
    assert!(screen.text().contains("data 0s old: the database does not answer"), "{}", screen.text());
}

#[test]
fn the_help_on_the_screen_has_every_action() {
    let mut screen = Screen::usual(120, 24);
    screen.press(&["?"]);
    let mut seen = String::new();
    for _ in 0..TABLE.len() + 60 {
        seen.push_str(&screen.text());
        screen.press(&["j"]);
    }
    for binding in TABLE.iter() {
        let says: String = binding.description.chars().take(60).collect();
        assert!(seen.contains(&says), "{:?} is not in the help", binding.action);
        assert!(seen.contains(&binding.keys[0].label(false)), "{:?}", binding.action);
    }
}

#[test]
fn nothing_panics_at_any_size() {
    let openings: Vec<Vec<&str>> = vec![
        vec![],
        vec!["?"],
        vec!["!"],
        vec![":", "r", "e"],
        vec!["/", "s", ":"],
        vec!["a", "h", "t", "t", "p"],
        vec![","],
        vec!["del"],
        vec!["R"],
        vec!["q"],
        vec!["enter"],
        vec!["tab", "k", "/", "p", "enter"],
        vec!["z"],
        vec!["tab", "z", "k", "k"],
        vec!["*", "s"],
    ];
    for keys in &openings {
        let mut screen = Screen::usual(120, 40);
        screen.press(keys);
        if keys.contains(&"R") {
            screen.answer_preview(20);
        }
        if keys.contains(&"enter") && !keys.contains(&"tab") {
            screen.press(&["esc"]);
            screen.open_detail();
        }
        for width in (1..=20).chain([30, 38, 39, 40, 41, 46, 63, 64, 65, 99, 100, 160, 400]) {
            for height in (1..=6).chain([9, 11, 12, 13, 17, 18, 20, 29, 30, 200]) {
                screen.send(quarterdeck::tui::msg::Msg::Resize(width, height));
                screen.press(&["j", "k"]);
                let _ = screen.buffer();
                // A buffer of an older size than the state's.
                let mut small = ratatui::buffer::Buffer::empty(ratatui::layout::Rect::new(0, 0, width / 2, height / 2));
                quarterdeck::tui::view::draw(&screen.model, &mut small);
            }
        }
    }
}
