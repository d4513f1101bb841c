//! `quarterdeck completions`: scripts that make a shell ask this program for completions, and the answers: verbs, flags
//! and their words, the fields and words of filters, and documents of the store.

mod documents;
mod words;

use super::examples;
use super::exit::{CliError, Exit};
use super::output::Output;
use crate::domain::filter::{self, Subject};
use clap::{Arg, Command, ValueEnum};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::Shells;
use documents::DocumentCompleter;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};

/// Variable by which a shell's script asks for completions; its value is the name of the shell.
const VARIABLE: &str = "QUARTERDECK_COMPLETE";
/// Name of the program that scripts ask. It is looked for in PATH, so that packages can ship the scripts.
const PROGRAM: &str = "quarterdeck";

/// For bash, which splits words at colons: the script passes the line up to the cursor and the part of the last word that
/// bash would replace, and gets replacements of that part.
const BASH: &str = "\
_quarterdeck() {
    local word=\"$2\"
    mapfile -t COMPREPLY < <(QUARTERDECK_COMPLETE=bash quarterdeck -- \"${COMP_LINE:0:COMP_POINT}\" \"$word\" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[:/=] ]]; then
        compopt -o nospace
    fi
}
complete -o nosort -o bashdefault -F _quarterdeck quarterdeck
";

/// Shell for which there is a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// For ~/.bashrc: source <(quarterdeck completions bash)
    Bash,
    /// For ~/.zshrc, after compinit: source <(quarterdeck completions zsh)
    Zsh,
    /// For ~/.config/fish/config.fish: quarterdeck completions fish | source
    Fish,
}

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Shell for which the script is printed
    #[arg(value_enum)]
    pub shell: Shell,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let name = match args.shell {
        Shell::Bash => {
            out.text(BASH)?;
            return Ok(Exit::Done);
        }
        Shell::Zsh => "zsh",
        Shell::Fish => "fish",
    };
    let mut script = Vec::new();
    if let Some(shell) = Shells::builtins().completer(name) {
        shell.write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script)?;
    }
    out.text(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

/// Prints completions if a shell's script asks for them; returns false for an ordinary run. Must be called before the
/// process has threads. A failure prints nothing: it would be drawn into the line that is typed.
pub fn answer() -> bool {
    let Some(shell) = env::var_os(VARIABLE).filter(|shell| !shell.is_empty()) else { return false };
    if shell == "bash" {
        let arguments: Vec<String> = env::args_os().skip(2).map(|word| word.to_string_lossy().into_owned()).collect();
        if let [line, replaced] = &arguments[..] {
            let _ = io::stdout().write_all(answer_bash(line, replaced).as_bytes());
        }
        return true;
    }
    let words: Vec<OsString> = env::args_os().collect();
    let typed: Vec<OsString> = words.iter().skip_while(|word| *word != "--").skip(1).cloned().collect();
    let asked = CompleteEnv::with_factory(|| command(&typed_options(&typed))).var(VARIABLE);
    let _ = asked.try_complete(words, env::current_dir().ok().as_deref());
    true
}

/// Returns the replacements of `replaced`, the end of the last word of `line`, one per line.
fn answer_bash(line: &str, replaced: &str) -> String {
    let words = words::split(line);
    let Some(last) = words.last() else { return String::new() };
    let typed: Vec<OsString> = words.iter().map(OsString::from).collect();
    // What bash keeps of the word.
    let kept = last.strip_suffix(replaced).unwrap_or_default();
    let mut command = command(&typed_options(&typed));
    let index = typed.len() - 1;
    let found = clap_complete::engine::complete(&mut command, typed, index, env::current_dir().ok().as_deref());
    let values = found.unwrap_or_default().into_iter().filter_map(|candidate| {
        let value = candidate.get_value().to_string_lossy().into_owned();
        // Flags among documents, without descriptions, would only confuse.
        if value.starts_with('-') && !last.starts_with('-') {
            return None;
        }
        value.strip_prefix(kept).map(|rest| format!("{rest}\n"))
    });
    values.collect()
}

/// Options of the typed line that say which store is meant.
#[derive(Clone, Debug, Default)]
struct TypedOptions {
    store: Option<String>,
    config: Option<OsString>,
}

fn typed_options(typed: &[OsString]) -> TypedOptions {
    let value = |flag: &str| {
        let mut words = typed.iter();
        while let Some(word) = words.next() {
            let text = word.to_string_lossy();
            match text.strip_prefix(flag) {
                Some("") => return words.next().cloned(),
                Some(rest) => {
                    if let Some(value) = rest.strip_prefix('=') {
                        return Some(value.into());
                    }
                }
                None => {}
            }
        }
        None
    };
    TypedOptions { store: value("--store").map(|url| url.to_string_lossy().into_owned()), config: value("--config") }
}

/// Returns the command line, in which arguments that take documents or a filter know their completions.
fn command(options: &TypedOptions) -> Command {
    let verbs: Vec<String> = examples::command().get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    verbs.iter().fold(examples::command(), |cli, verb| {
        cli.mut_subcommand(verb, |command| with_completers(command, verb, options))
    })
}

fn with_completers(command: Command, verb: &str, options: &TypedOptions) -> Command {
    let ids: Vec<clap::Id> = command.get_arguments().map(|arg| arg.get_id().clone()).collect();
    ids.into_iter().fold(command, |command, id| command.mut_arg(id, |arg| with_completer(arg, verb, options)))
}

fn with_completer(arg: Arg, verb: &str, options: &TypedOptions) -> Arg {
    let names = |wanted: &str| {
        let values = arg.get_value_names().unwrap_or_default();
        values.iter().any(|name| name.split('|').any(|part| part == wanted))
    };
    if arg.get_long() == Some("filter") {
        let subject = match verb {
            "log" => Subject::Outcomes,
            "changes" => Subject::Texts,
            _ => Subject::Documents,
        };
        return arg.add(ArgValueCompleter::new(move |typed: &OsStr| {
            // The shell opens no store for a filter.
            let found = filter::completions(&typed.to_string_lossy(), subject, std::iter::empty());
            found.into_iter().map(CompletionCandidate::new).collect()
        }));
    }
    if arg.get_long() == Some("sort") {
        return arg.add(ArgValueCompleter::new(|typed: &OsStr| {
            let values = super::list::sort_completions(&typed.to_string_lossy());
            values.into_iter().map(CompletionCandidate::new).collect()
        }));
    }
    if arg.is_positional() && names("ID") {
        return arg.add(ArgValueCompleter::new(DocumentCompleter::new(verb, options.clone())));
    }
    if names("VERB") {
        return arg.add(ArgValueCompleter::new(|typed: &OsStr| {
            let typed = typed.to_string_lossy().into_owned();
            let fits = super::help::names().into_iter().filter(move |name| name.starts_with(&typed));
            fits.map(CompletionCandidate::new).collect()
        }));
    }
    arg
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what bash would replace the end of the line by.
    fn bash(line: &str, replaced: &str) -> Vec<String> {
        answer_bash(line, replaced).lines().map(str::to_owned).collect()
    }

    #[test]
    fn verbs_flags_and_words_are_completed() {
        assert_eq!(bash("quarterdeck ex", "ex"), ["extract", "export"]);
        assert!(bash("quarterdeck sync --", "--").contains(&"--wait".to_owned()));
        assert_eq!(bash("quarterdeck help filt", "filt"), ["filters"]);
        assert_eq!(bash("quarterdeck --color al", "al"), ["always"]);
        assert_eq!(bash("quarterdeck completions ", ""), ["bash", "zsh", "fish"]);
        assert_eq!(bash("quarterdeck list --sort s", "s"), ["status", "synced"]);
        assert_eq!(bash("quarterdeck list --sort=-na", "-na"), ["-name"]);
    }

    #[test]
    fn a_filter_is_completed_behind_the_colon_where_bash_splits_words() {
        assert_eq!(bash("quarterdeck list --filter sta", "sta"), ["status:"]);
        assert_eq!(bash("quarterdeck list --filter status:fa", "fa"), ["failed"]);
        assert_eq!(bash("quarterdeck list --filter 'host:a status:fa", "fa"), ["failed"]);
        assert_eq!(bash("quarterdeck log --filter=result:upd", "upd"), ["updated"]);
    }

    #[test]
    fn the_store_of_the_line_is_the_one_that_is_asked() {
        let typed = |line: &str| typed_options(&words::split(line).into_iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(typed("quarterdeck --store sqlite:a.db show ").store.as_deref(), Some("sqlite:a.db"));
        assert_eq!(typed("quarterdeck show --store=sqlite:a.db --config c.toml ").config, Some("c.toml".into()));
        assert_eq!(typed("quarterdeck show --storey x").store, None);
    }
}
