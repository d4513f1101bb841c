//! The pictures in README and the documentation: screens of the real program, which `tests/pictures/run` draws anew.

mod svg;

use crate::support::pty::Terminal;
use std::path::PathBuf;

/// A picture: its file, what a reader that cannot see it is told, and the way to its screen.
struct Picture {
    name: &'static str,
    title: &'static str,
    take: fn(&mut Terminal) -> vt100::Screen,
}

const PICTURES: [Picture; 4] = [
    Picture { name: "documents", title: "The documents with the outcomes beside them", take: documents },
    Picture { name: "failures", title: "The failures, by cause", take: failures },
    Picture { name: "hosts", title: "The hosts, those in trouble first", take: hosts },
    Picture { name: "review", title: "A fetched text that needs review, beside the stored one", take: review },
];

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "assets/screenshots"].iter().collect()
}

/// Starts the demo and waits until there is something of each kind to see.
fn demo() -> Terminal {
    let terminal = Terminal::start(120, 32, &[("TZ", "UTC")], &["demo", "--documents", "120", "--seed", "1"]);
    terminal.until("failed and running documents, and two that need review", |screen| {
        let text = screen.contents();
        text.matches("✗ failed").count() >= 6 && text.contains("▸ syncing") && text.contains(" ? 2 ")
    });
    terminal
}

fn documents(terminal: &mut Terminal) -> vt100::Screen {
    terminal.keys("jj");
    terminal.until("the third row under the cursor", |screen| {
        screen.rows(0, 3).position(|row| row.contains('▌')).is_some_and(|row| row == 6)
    })
}

fn failures(terminal: &mut Terminal) -> vt100::Screen {
    terminal.keys("2");
    terminal.until("the causes", |screen| screen.contents().contains(" causes"))
}

fn hosts(terminal: &mut Terminal) -> vt100::Screen {
    terminal.keys("4");
    terminal.until("the hosts", |screen| screen.contents().contains(" worst first "))
}

fn review(terminal: &mut Terminal) -> vt100::Screen {
    terminal.keys("H");
    terminal.until_text("match content:held");
    terminal.keys("\r");
    terminal.until("the difference", |screen| {
        let text = screen.contents();
        text.contains("? needs review") && text.contains("│ + #") && text.contains("│ - ")
    })
}

/// Draws all pictures; the command is `tests/pictures/run`.
#[test]
#[ignore = "writes the pictures of the documentation"]
fn all_are_drawn() {
    for picture in PICTURES {
        let mut terminal = demo();
        let screen = (picture.take)(&mut terminal);
        let file = folder().join(picture.name).with_extension("svg");
        std::fs::write(file, svg::svg(&screen, picture.title)).expect("the folder can be written to");
    }
}

#[test]
fn each_is_a_drawn_screen_that_the_documentation_shows() {
    let mut names: Vec<_> = PICTURES.iter().map(|picture| format!("{}.svg", picture.name)).collect();
    let mut files: Vec<_> = std::fs::read_dir(folder())
        .expect("the folder")
        .map(|file| file.expect("a file").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    files.sort();
    assert_eq!(files, names);
    let pages = ["README.md", "assets/docs/console.md"]
        .map(|page| std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(page)).expect("a page"));
    for picture in PICTURES {
        let drawn = std::fs::read_to_string(folder().join(picture.name).with_extension("svg")).expect("a picture");
        assert!(drawn.contains(&format!("<title>{}</title>", picture.title)), "{}", picture.name);
        assert!(drawn.contains(">quarterdeck"), "{} shows the program's head", picture.name);
        let shown = format!("screenshots/{}.svg", picture.name);
        assert!(pages.iter().any(|page| page.contains(&shown)), "{shown} is shown nowhere");
    }
}
