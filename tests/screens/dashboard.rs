//! Tests the dashboard: snapshots at every size, without colours and in ASCII, and its gaps.

use super::shot;
use crate::support::facts::{NOW, options};
use crate::support::screen::Screen;
use crate::support::seen_dashboard::figures;
use quarterdeck::domain::sample::MINUTE;
use quarterdeck::store::DashboardFigures;
use quarterdeck::tui::Options;
use quarterdeck::tui::msg::Msg;
use quarterdeck::tui::views::catalog::ViewRows;
use quarterdeck::tui::views::dashboard::state::DashboardData;
use ratatui::style::{Color, Modifier};

const SIZES: [(u16, u16); 4] = [(200, 60), (120, 40), (80, 24), (40, 12)];

fn show(screen: &mut Screen, figures: DashboardFigures) {
    screen.press(&["8"]);
    screen.send(Msg::Rows(ViewRows::Dashboard(Ok(Box::new(DashboardData::new(figures, NOW))))));
}

fn dashboard(options: Options, (width, height): (u16, u16)) -> Screen {
    let mut screen = Screen::with(options, width, height);
    show(&mut screen, figures());
    screen
}

#[test]
fn the_dashboard_at_four_sizes() {
    for size in SIZES {
        let mut screen = dashboard(options(), size);
        shot(&format!("dashboard-{}x{}", size.0, size.1), &screen);
        screen.press(&["G"]);
        shot(&format!("dashboard-end-{}x{}", size.0, size.1), &screen);
    }
}

#[test]
fn the_dashboard_in_ascii() {
    for size in SIZES {
        let screen = dashboard(Options { ascii: true, ..options() }, size);
        shot(&format!("dashboard-ascii-{}x{}", size.0, size.1), &screen);
        for line in screen.text().lines().filter(|line| !line.contains('\u{201c}')) {
            let own: String = line.chars().take(usize::from(size.0) * 3 / 5).collect();
            assert!(own.is_ascii(), "{own:?}");
        }
    }
}

#[test]
fn without_colours_the_dashboard_says_the_same() {
    for size in SIZES {
        let mono = dashboard(Options { mono: true, ..options() }, size);
        assert!(mono.buffer().content().iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
        assert_eq!(mono.text(), dashboard(options(), size).text());
    }
    let colours = dashboard(options(), (120, 40));
    assert!(colours.cell_of("attempts  ").modifier.contains(Modifier::REVERSED), "the cursor");
}

#[test]
fn a_gap_is_no_zero() {
    let mut data = figures();
    data.minutes.retain(|(at, _)| *at >= NOW.minus(MINUTE * 20));
    let mut screen = Screen::usual(200, 60);
    show(&mut screen, data);
    let text = screen.text();
    assert!(text.lines().any(|line| line.contains("updated") && line.contains("––––––––––")), "{text}");
    let mut screen = Screen::usual(120, 40);
    show(&mut screen, DashboardFigures::default());
    shot("dashboard-empty-120x40", &screen);
}

#[test]
fn the_dashboard_can_have_any_size() {
    let mut screen = dashboard(options(), (120, 40));
    for width in (1..=20).chain([38, 40, 41, 63, 64, 79, 80, 99, 100, 160, 400]) {
        for height in (1..=6).chain([9, 11, 12, 13, 17, 18, 20, 24, 25, 29, 30, 200]) {
            screen.send(Msg::Resize(width, height));
            screen.press(&["j", "G", "k", "g"]);
            let _ = screen.buffer();
            let mut small = ratatui::buffer::Buffer::empty(ratatui::layout::Rect::new(0, 0, width / 2, height / 2));
            quarterdeck::tui::view::draw(&screen.model, &mut small);
        }
    }
}
