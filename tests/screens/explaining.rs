//! Tests the explanation of a document's text: its states at every size, and its styles.

use super::{SIZES, at_every_size};
use crate::support::facts::options;
use crate::support::screen::Screen;
use quarterdeck::domain::content::Page;
use quarterdeck::domain::extraction::{DroppedElement, ExplainedPage, ExtractionReport};
use quarterdeck::domain::text::SafeLine;
use quarterdeck::tui::Options;
use quarterdeck::tui::effect::Effect;
use quarterdeck::tui::msg::Msg;
use ratatui::style::Color;

fn explained(dropped: Vec<DroppedElement>) -> ExplainedPage {
    let text = "# Pricing and plans\n\nEvery plan has all channels.\n".to_owned();
    let page = Page::new(Some("Pricing and plans"), text, 53_113, 200).expect("not blank");
    let note = Some(SafeLine::new("no element of the page matches .rating"));
    ExplainedPage { page: Page { note, ..page }, report: Some(ExtractionReport { page_type: "service", dropped }) }
}

fn dropped(element: &str, reason: &'static str, characters: u32, linked: f32, prose: f32) -> DroppedElement {
    let text = if reason == "header" { "Home Products Pricing Docs" } else { "" };
    DroppedElement { element: element.into(), text: text.into(), reason: reason.into(), characters, linked, prose }
}

fn elements() -> Vec<DroppedElement> {
    let classes = "div#newsletter.box.box--wide.u-margin-top-large.u-margin-bottom-large.js-newsletter-form";
    vec![
        dropped("div.cookie-consent", "overlay", 188, 0.1, 0.9),
        dropped("header.site-header", "header", 426, 0.98, 0.0),
        dropped(classes, "promotion", 1, 0.0, 0.0),
        dropped("section.more", "outside the content", 12_405, 0.32, 0.58),
        dropped("日本語のフッター", "footer", 20, 0.35, 0.0),
    ]
}

fn opened(options: Options, width: u16, height: u16) -> Screen {
    let mut screen = Screen::with(options, width, height);
    screen.open_detail();
    screen.press(&["]", "i"]);
    screen
}

fn answer(screen: &mut Screen, answer: Result<Box<ExplainedPage>, SafeLine>) {
    let generation = screen.model.explanation.as_ref().expect("it was asked for").generation;
    screen.send(Msg::Explained { generation, answer });
}

#[test]
fn an_explanation_at_every_size() {
    at_every_size("why", |screen| {
        screen.open_detail();
        screen.press(&["]", "i"]);
        answer(screen, Ok(Box::new(explained(elements()))));
    });
    at_every_size("why-fetching", |screen| {
        screen.open_detail();
        screen.press(&["]", "i"]);
    });
    at_every_size("why-failed", |screen| {
        screen.open_detail();
        screen.press(&["]", "i"]);
        answer(screen, Err("404 Not Found".into()));
    });
}

#[test]
fn every_line_is_reached_by_scrolling_and_fits() {
    for (width, height) in SIZES {
        let mut screen = opened(options(), width, height);
        let many = (0..60).map(|n| dropped(&format!("div.part-{n}"), "navigation", n, 0.5, 0.25)).collect();
        answer(&mut screen, Ok(Box::new(explained(many))));
        assert!(screen.text().contains("more lines, j scrolls down"), "{}", screen.text());
        screen.press(&["G"]);
        assert!(screen.text().contains("div.part-59"), "{}", screen.text());
        let measures = ["59 chars, 50 % links", "     59   50 %       25 %  navigation"];
        assert!(measures.iter().any(|measures| screen.text().contains(measures)), "{}", screen.text());
        screen.press(&["i"]);
        assert!(!screen.text().contains("why this text"), "the key closes it, too: {}", screen.text());
    }
}

#[test]
fn reasons_stand_out_and_need_no_colour() {
    let mut screen = opened(options(), 120, 40);
    answer(&mut screen, Ok(Box::new(explained(elements()))));
    assert_eq!(screen.cell_of("overlay").fg, Color::Yellow);
    let mut mono = opened(Options { mono: true, ..options() }, 120, 40);
    answer(&mut mono, Ok(Box::new(explained(elements()))));
    assert_eq!(mono.cell_of("overlay").fg, Color::Reset);
    assert_eq!(mono.text(), screen.text());
    let mut none = opened(options(), 80, 24);
    answer(&mut none, Ok(Box::new(ExplainedPage { report: None, ..explained(Vec::new()) })));
    assert!(none.text().contains("was not converted here"), "{}", none.text());
    let mut whole = opened(options(), 80, 24);
    answer(&mut whole, Ok(Box::new(explained(Vec::new()))));
    assert!(whole.text().contains("Nothing is left out."), "{}", whole.text());
}

#[test]
fn every_tab_explains_also_read_only_and_the_newest_answer_counts() {
    let mut screen = Screen::with(Options { read_only: true, ..options() }, 120, 40);
    screen.open_detail();
    assert!(screen.text().contains("i why"), "{}", screen.text());
    screen.press(&["i"]);
    let asked =
        |screen: &Screen| screen.effects.iter().filter(|effect| matches!(effect, Effect::Explain { .. })).count();
    assert_eq!(asked(&screen), 1, "read-only: nothing is written");
    let old = screen.model.explanation.as_ref().expect("it was asked for").generation;
    screen.press(&["esc", "i"]);
    screen.send(Msg::Explained { generation: old, answer: Err("404 Not Found".into()) });
    assert!(screen.text().contains("Fetching the page anew. Nothing is stored."), "{}", screen.text());
}
