//! Tests the help of every verb: it has examples that the parser accepts, and it changes only on purpose.

use clap::Command;
use quarterdeck::cli::examples::command;
use quarterdeck::cli::man;

/// Width for which help is rendered, so that the terminal of the test does not matter.
const WIDTH: usize = 100;

/// Returns every verb, with the words that lead to it.
fn verbs(command: &Command, path: &str) -> Vec<(String, Command)> {
    let own = |verb: &Command| {
        let path = format!("{path}{}", verb.get_name());
        let within = verbs(verb, &format!("{path} "));
        [(path, verb.clone())].into_iter().chain(within).collect::<Vec<_>>()
    };
    command.get_subcommands().filter(|verb| !verb.is_hide_set()).flat_map(own).collect()
}

/// Returns what `quarterdeck VERB --help` prints; of the program itself for an empty `verb`.
fn help(verb: &str) -> String {
    let words = ["quarterdeck"].into_iter().chain(verb.split_whitespace()).chain(["--help"]);
    command().term_width(WIDTH).try_get_matches_from(words).expect_err("the help").render().to_string()
}

/// Returns the commands under `Examples:`.
fn examples(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Examples:").skip(1).take_while(|line| !line.is_empty());
    lines.filter(|line| line.starts_with("  ") && !line.starts_with("   ")).map(|line| line.trim().to_owned()).collect()
}

/// Splits a command of an example at spaces outside quotes, and leaves out what is no command of this program.
fn commands(line: &str) -> Vec<Vec<String>> {
    let of_program = |part: &str| {
        let mut words = vec![String::new()];
        let mut quoted = false;
        for c in part.trim().chars() {
            match (c, words.last_mut()) {
                ('\'', _) => quoted = !quoted,
                (' ', _) if !quoted => words.push(String::new()),
                (c, Some(word)) => word.push(c),
                (_, None) => {}
            }
        }
        words
    };
    line.trim_start_matches("source <(")
        .trim_end_matches(')')
        .split(" | ")
        .map(of_program)
        .filter(|words| words[0] == "quarterdeck")
        .collect()
}

#[test]
fn every_help_has_examples_that_the_parser_accepts() {
    let mut all = vec![String::new()];
    all.extend(verbs(&command(), "").into_iter().map(|(path, _)| path));
    assert!(all.len() > 25, "{all:?}");
    for verb in &all {
        let help = help(verb);
        let examples = examples(&help);
        assert!(!examples.is_empty(), "{verb}: no example\n{help}");
        let mut names_itself = false;
        for line in &examples {
            for words in commands(line) {
                names_itself |= words[1..].join(" ").contains(verb.as_str());
                let parsed = command().try_get_matches_from(&words);
                // A cursor is a placeholder.
                assert!(parsed.is_ok() || line.contains("CURSOR"), "{line}: {:?}", parsed.err());
            }
        }
        assert!(names_itself, "{verb}: no example of it in {examples:?}");
    }
}

#[test]
fn the_help_of_each_verb_changes_only_on_purpose() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("snapshots");
    settings.bind(|| {
        insta::assert_snapshot!("help", help(""));
        for (path, _) in verbs(&command(), "") {
            insta::assert_snapshot!(format!("help-{}", path.replace(' ', "-")), help(&path));
        }
    });
}

#[test]
fn the_manual_page_of_each_verb_changes_only_on_purpose() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("snapshots");
    let pages = man::pages();
    assert_eq!(pages.len(), verbs(&command(), "").len() + 1, "one for each verb, and one for the program");
    settings.bind(|| {
        for page in pages {
            insta::assert_snapshot!(format!("man-{}", page.name), page.text);
        }
    });
}

#[test]
fn help_fits_a_terminal_and_describes_only_flags_that_the_verb_has() {
    let everywhere: Vec<_> = command().get_arguments().filter_map(|arg| arg.get_long().map(str::to_owned)).collect();
    for (path, verb) in verbs(&command(), "") {
        let help = help(&path);
        assert!(help.lines().all(|line| line.chars().count() <= WIDTH), "{path}: {help}");
        let own: Vec<_> = verb.get_arguments().filter_map(|arg| arg.get_long()).collect();
        for text in verb.get_arguments().filter_map(|arg| arg.get_help()).map(ToString::to_string) {
            // Between back ticks are commands, perhaps of other verbs.
            let own_words = text.split('`').step_by(2).flat_map(|part| part.split(' '));
            for flag in own_words.filter_map(|word| word.strip_prefix("--")) {
                let flag = flag.trim_end_matches([',', ';', ':', ')']);
                assert!(own.contains(&flag) || everywhere.iter().any(|known| known == flag), "{path}: {text}");
            }
        }
    }
}
