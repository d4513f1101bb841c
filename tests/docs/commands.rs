//! Tests that the program accepts every command of the pages and of the README.

use super::pages::pages;
use super::{code_spans, fences, prose};
use crate::readme::README;
use clap::{CommandFactory as _, Parser as _};
use quarterdeck::cli::Cli;

/// Languages of fences that contain commands: a shell's, a crontab's, a systemd unit's.
const SHELLS: [&str; 3] = ["sh", "cron", "ini"];

/// Returns the commands of a shell line as words: splits at pipes and lists, removes quotes, and drops redirection
/// targets and comments.
fn shell_commands(line: &str) -> Vec<Vec<String>> {
    let (mut commands, mut word, mut quote) = (vec![Vec::new()], None::<String>, None);
    let mut redirected = false;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, '<' | '>') => {
                // In `2>` the number belongs to the redirection.
                word = word.filter(|word| word != "2");
                redirected = true;
            }
            (None, c) if c.is_whitespace() || "|;&".contains(c) => {
                let last = commands.last_mut().expect("never empty");
                last.extend(word.take().filter(|_| !redirected));
                if !c.is_whitespace() {
                    commands.push(Vec::new());
                    redirected = false;
                }
            }
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    commands.last_mut().expect("never empty").extend(word.filter(|_| !redirected));
    commands.retain(|command| !command.is_empty());
    commands
}

/// Returns the commands of a code line that run the program: by its name or its path, with or without variables before
/// it.
fn commands(language: &str, line: &str) -> Vec<Vec<String>> {
    let code = match language {
        // The first five fields are the time.
        "cron" => line.split_whitespace().skip(5).collect::<Vec<_>>().join(" "),
        "ini" => line.strip_prefix("ExecStart=").unwrap_or_default().to_owned(),
        _ => line.to_owned(),
    };
    let is_program =
        |command: &Vec<String>| command.first().is_some_and(|name| name.rsplit('/').next() == Some("quarterdeck"));
    let without_variables = |command: Vec<String>| command.into_iter().skip_while(|word| word.contains('=')).collect();
    shell_commands(&code).into_iter().map(without_variables).filter(is_program).collect()
}

/// Returns the program's error message about a command; `None` if the command is valid. Asking for the version is
/// valid.
fn refused(command: &[String]) -> Option<String> {
    // `VERB` stands for any verb, as in "quarterdeck help VERB".
    let given = command.iter().filter(|word| *word != "VERB");
    let error = Cli::try_parse_from(given).err()?;
    error.use_stderr().then(|| error.to_string())
}

#[test]
fn the_commands_of_a_line() {
    let of = |language: &str, line: &str| {
        let commands = commands(language, line);
        commands.iter().map(|command| command[1..].join("|")).collect::<Vec<_>>()
    };
    assert_eq!(
        of("sh", "quarterdeck sync --filter 'synced:>1d -a' --yes # all"),
        ["sync|--filter|synced:>1d -a|--yes"]
    );
    assert_eq!(of("sh", "A=b quarterdeck log -f 2>/dev/null | jq . && quarterdeck add 'a'"), ["log|-f", "add|a"]);
    assert_eq!(of("sh", "quarterdeck add https://a.b/#c \"\" > quarterdeck"), ["add|https://a.b/#c|"]);
    assert_eq!(of("cron", "5 2 * * * /usr/bin/quarterdeck work --drain >/dev/null"), ["work|--drain"]);
    assert_eq!(of("ini", "ExecStart=/usr/bin/quarterdeck work"), ["work"]);
    assert_eq!(of("sh", "pg_dump -n quarterdeck chatwoot"), [] as [&str; 0]);
    assert!(refused(&["quarterdeck".into(), "nonsense".into()]).is_some());
}

#[test]
fn every_command_of_the_pages_is_understood() {
    let mut found = 0;
    for (name, text) in pages().into_iter().chain([("README".to_owned(), README.to_owned())]) {
        for (language, lines) in fences(&text) {
            if !SHELLS.contains(&language.as_str()) {
                continue;
            }
            let code = lines.join("\n").replace("\\\n", " ");
            for command in code.lines().flat_map(|line| commands(&language, line)) {
                found += 1;
                assert_eq!(refused(&command), None, "{name}: {}", command.join(" "));
            }
        }
        for span in prose(&text).flat_map(code_spans).filter(|span| span.starts_with("quarterdeck ")) {
            // A command with an ellipsis is incomplete.
            if span.contains('…') {
                continue;
            }
            found += 1;
            for command in commands("sh", span) {
                // A sentence may name a verb alone, without its required arguments.
                let names_verb = command.len() == 2 && Cli::command().find_subcommand(&command[1]).is_some();
                assert!(names_verb || refused(&command).is_none(), "{name}: {:?}", refused(&command));
            }
        }
    }
    assert!(found > 40, "only {found} commands");
}
