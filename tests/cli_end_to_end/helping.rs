//! Tests `quarterdeck help` with a verb, with a topic and without either, in a pipe and on a terminal.

use super::place::Place;
use crate::support::pty::Terminal;

const FILTERS: &str = include_str!("../../assets/docs/filters.md");

#[test]
fn the_help_of_a_verb_is_that_of_its_flag() {
    let place = Place::new();
    for verb in ["list", "sync", "import", "log", "help"] {
        assert_eq!(place.run(["help", verb]).ok(), place.run([verb, "--help"]).ok(), "{verb}");
    }
}

#[test]
fn a_page_in_a_pipe_is_its_markdown() {
    let place = Place::new();
    assert_eq!(place.run(["help", "filters"]).ok(), FILTERS);
    // Help must work with broken settings, and creates no store.
    place.write("config.toml", "nonsense");
    assert_eq!(place.run(["help", "filters"]).ok(), FILTERS);
    assert!(!place.store().exists());
}

#[test]
fn without_a_word_verbs_and_topics_are_listed() {
    let listed = Place::new().run(["help"]).ok();
    for name in ["sync", "doctor", "help", "console", "filters", "fetching"] {
        assert!(listed.lines().any(|line| line.starts_with(&format!("  {name} "))), "{name}: {listed}");
    }
}

#[test]
fn an_unknown_word_is_wrong_use_with_a_suggestion() {
    let ran = Place::new().run(["help", "fliters"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    assert!(ran.err.contains("did you mean filters?") && ran.err.contains("`quarterdeck help`"), "{}", ran.err);
}

#[test]
fn a_page_on_a_terminal_is_rendered_for_it() {
    let shown = |env: &[(&str, &str)]| {
        let mut terminal = Terminal::start(64, 400, env, &["help", "filters"]);
        let screen =
            terminal.until("the end of the page", |screen| screen.contents().contains("result does not apply to"));
        assert_eq!(terminal.ended(), 0);
        (screen.contents(), terminal.raw())
    };
    let (text, raw) = shown(&[]);
    assert!(text.lines().next().is_some_and(|line| line.starts_with("Filters")), "{text}");
    assert!(!text.contains("| field |") && !text.contains("## "), "{text}");
    let mut broken = text.lines().filter(|line| !line.starts_with("      "));
    assert!(broken.all(|line| line.chars().count() <= 64), "code alone is not broken: {text}");
    assert!(raw.contains("\x1b[1mFilters") && raw.contains("\x1b[36mstatus"), "{raw}");
    let (text, raw) = shown(&[("NO_COLOR", "1")]);
    assert!(raw.contains("\x1b[1mFilters") && !raw.contains("\x1b[36m"), "{raw}");
    assert!(text.contains("`status`"), "{text}");
    let (_, raw) = shown(&[("TERM", "dumb")]);
    assert!(!raw.contains('\x1b'), "{raw}");
}
