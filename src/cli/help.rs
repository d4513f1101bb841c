//! `quarterdeck help`: the help of a verb, or a page of the documentation, which is embedded in the program.
//!
//! `topics` lists the pages, and `page` renders a page for a terminal, with `inline` for text and `table` for tables.

mod inline;
mod page;
mod table;
mod topics;

use super::exit::{CliError, Exit};
use super::output::Output;
use super::{examples, style};
use crate::domain::suggest::nearest;
use crate::domain::text::{SafeLine, safe_block};
use crate::tui;
use clap::Command;
use inline::Styling;
use page::RenderOptions;
use topics::{TOPICS, Topic};

/// Maximum width of a printed line, in cells: longer lines are hard to read, however wide the terminal is.
const MAX_WIDTH: usize = 100;
/// Minimum width for which lines are wrapped, in cells; a narrower terminal wraps them once more.
const MIN_WIDTH: usize = 40;

/// Arguments of `help`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A verb or a topic; without one, both are listed
    #[arg(value_name = "VERB|TOPIC")]
    pub about: Option<String>,
}

/// Prints the help of a verb, a page of the documentation, or the list of both. A page is rendered for a terminal, and
/// printed as plain Markdown elsewhere.
///
/// # Errors
/// There is neither a verb nor a topic of that name.
pub(super) fn run(args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let cli = examples::command();
    let options = options();
    match &args.about {
        None => out.text(&listing(&cli, TOPICS, options.map_or(MAX_WIDTH, |options| options.width)))?,
        Some(word) => match resolve(word, &cli, TOPICS)? {
            HelpTarget::Verb(name) => out.text(&verb_help(cli, &name))?,
            HelpTarget::Topic(topic) => match options {
                Some(options) => out.text(&page::render(topic.text, options))?,
                None => out.text(&safe_block(topic.text))?,
            },
        },
    }
    Ok(Exit::Done)
}

/// Returns width and styles for the terminal on standard output; `None` when standard output is no terminal.
fn options() -> Option<RenderOptions> {
    let (columns, _) = tui::screen_size()?;
    let styling = match (style::is_dumb(), style::is_mono()) {
        (true, _) => Styling::None,
        (false, true) => Styling::Bold,
        (false, false) => Styling::Colours,
    };
    Some(RenderOptions { width: usize::from(columns).clamp(MIN_WIDTH, MAX_WIDTH), styling })
}

/// The verb or the topic that the argument names.
#[derive(Debug)]
enum HelpTarget<'t> {
    Verb(String),
    Topic(&'t Topic),
}

/// Returns the verb with the name `word`, else the topic with that name.
///
/// # Errors
/// There is neither such a verb nor such a topic. The message suggests the nearest name.
fn resolve<'t>(word: &str, cli: &Command, topics: &'t [Topic]) -> Result<HelpTarget<'t>, CliError> {
    if let Some(verb) = cli.get_subcommands().find(|verb| verb.get_name() == word) {
        return Ok(HelpTarget::Verb(verb.get_name().to_owned()));
    }
    if let Some(topic) = topics.iter().find(|topic| topic.name == word) {
        return Ok(HelpTarget::Topic(topic));
    }
    Err(unknown(word))
}

/// Returns the error for a word that is neither a verb nor a topic. It suggests the nearest name.
pub(super) fn unknown(word: &str) -> CliError {
    let names = names();
    let hint = nearest(word, names.iter().map(String::as_str));
    let hint = hint.map(|suggestion| format!(" (did you mean {suggestion}?)")).unwrap_or_default();
    let word = SafeLine::new(word);
    CliError::Usage(format!("there is no verb or topic \"{word}\"{hint}; `quarterdeck help` lists them"))
}

/// Returns the names of all verbs, then those of all topics.
pub(super) fn names() -> Vec<String> {
    let cli = examples::command();
    let verbs = cli.get_subcommands().map(|verb| verb.get_name().to_owned());
    verbs.chain(TOPICS.iter().map(|topic| topic.name.to_owned())).collect()
}

/// Returns the text of `quarterdeck VERB --help`, rendered by clap.
fn verb_help(cli: Command, verb: &str) -> String {
    match cli.try_get_matches_from(["quarterdeck", verb, "--help"]) {
        Err(help) => help.render().to_string(),
        // Cannot happen: clap gives --help to every verb.
        Ok(_) => String::new(),
    }
}

/// Returns all verbs with their summaries, and all topics with their titles.
fn listing(cli: &Command, topics: &[Topic], width: usize) -> String {
    let verbs = cli.get_subcommands().map(|verb| {
        let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
        [verb.get_name().to_owned(), about]
    });
    let topics = topics.iter().map(|topic| [topic.name.to_owned(), topic.title().to_owned()]);
    let verbs = table::columns(&verbs.collect::<Vec<_>>(), width);
    let topics = table::columns(&topics.collect::<Vec<_>>(), width);
    format!("Verbs: quarterdeck help VERB\n\n{verbs}\nTopics: quarterdeck help TOPIC\n\n{topics}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_wins_over_a_topic() {
        let topics = [Topic { name: "list", text: "# A page" }, Topic { name: "filters", text: "# Filters" }];
        let cli = examples::command();
        assert!(matches!(resolve("list", &cli, &topics), Ok(HelpTarget::Verb(name)) if name == "list"));
        assert!(matches!(resolve("filters", &cli, &topics), Ok(HelpTarget::Topic(topic)) if topic.name == "filters"));
    }

    #[test]
    fn an_unknown_word_is_wrong_use_and_the_nearest_is_named() {
        let refused = |word| match resolve(word, &examples::command(), TOPICS) {
            Err(error) => (error.exit(), error.to_string()),
            Ok(found) => panic!("{found:?}"),
        };
        let (exit, said) = refused("fliters");
        assert_eq!(exit, Exit::WrongUse);
        assert!(said.contains("\"fliters\" (did you mean filters?)"), "{said}");
        assert!(refused("snyc").1.contains("(did you mean sync?)"));
        assert!(!refused("xylophone").1.contains("did you mean"));
        assert!(!refused("\x1b[31mred").1.contains('\x1b'));
    }

    #[test]
    fn the_listing_names_every_verb_and_every_topic() {
        let cli = examples::command();
        let listing = listing(&cli, TOPICS, 80);
        let begins = |name: &str| listing.lines().any(|line| line.trim_start().split(' ').next() == Some(name));
        for verb in cli.get_subcommands() {
            assert!(begins(verb.get_name()), "{}", verb.get_name());
        }
        for topic in TOPICS {
            let flat = listing.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(begins(topic.name) && flat.contains(topic.title()), "{}: {listing}", topic.name);
        }
        assert!(listing.lines().all(|line| line.chars().count() <= 80), "{listing}");
    }
}
