//! Every command of the pages is one that the program understands.

use super::{code_spans, fences, pages, prose};
use clap::Parser as _;
use quarterdeck::cli::Cli;

/// The languages of fences that hold commands: a shell's, a crontab's, a unit's of systemd.
const SHELLS: [&str; 3] = ["sh", "cron", "ini"];

/// The words of a line of shell as far as its first command goes: quotes are taken away, and a comment, a pipe, a list or
/// a redirection ends it.
fn shell_words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote): (Vec<String>, Option<String>, Option<char>) = (Vec::new(), None, None);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '|' | ';' | '<' | '&') => break,
            (None, '>') => {
                // `2>` belongs to the redirection.
                word = word.filter(|word| word != "2");
                break;
            }
            (None, '#') if word.is_none() => break,
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The commands of a line of code: what begins with the program's name, at the start or after a path, a list or a pipe.
fn commands(line: &str) -> Vec<Vec<String>> {
    let starts = line.match_indices("quarterdeck").filter(|(at, name)| {
        let before = line[..*at].chars().next_back();
        let after = line[at + name.len()..].chars().next();
        before.is_none_or(|c| c.is_whitespace() || c == '/' || c == '=' || c == '(')
            && after.is_none_or(char::is_whitespace)
    });
    starts.map(|(at, _)| shell_words(&line[at..])).collect()
}

/// What the program says against a command; `None` when it understands it. Asking for the version is understood.
fn refused(command: &[String]) -> Option<String> {
    let error = Cli::try_parse_from(command).err()?;
    error.use_stderr().then(|| error.to_string())
}

#[test]
fn the_words_of_a_line_of_shell() {
    let words = |line: &str| shell_words(line).join("|");
    assert_eq!(
        words("quarterdeck sync --filter 'synced:>1d -a' --yes # all"),
        "quarterdeck|sync|--filter|synced:>1d -a|--yes"
    );
    assert_eq!(words("quarterdeck log -f 2>/dev/null | jq ."), "quarterdeck|log|-f");
    assert_eq!(words("quarterdeck add https://a.b/#c \"\""), "quarterdeck|add|https://a.b/#c|");
    let all = commands("5 2 * * * /usr/bin/quarterdeck work --drain && quarterdeck doctor");
    assert_eq!(all, [vec!["quarterdeck", "work", "--drain"], vec!["quarterdeck", "doctor"]]);
    assert!(commands("DROP SCHEMA quarterdeck CASCADE").len() == 1, "which is why SQL is not looked at");
    assert!(refused(&["quarterdeck".into(), "nonsense".into()]).is_some());
}

#[test]
fn every_command_of_the_pages_is_understood() {
    let mut found = 0;
    for (name, text) in pages() {
        for (language, lines) in fences(&text) {
            if !SHELLS.contains(&language.as_str()) {
                continue;
            }
            let code = lines.join("\n").replace("\\\n", " ");
            let wanted = |line: &&str| language != "ini" || line.starts_with("Exec");
            for command in code.lines().filter(wanted).flat_map(commands) {
                found += 1;
                assert_eq!(refused(&command), None, "{name}: {}", command.join(" "));
            }
        }
        for span in prose(&text).flat_map(code_spans).filter(|span| span.starts_with("quarterdeck ")) {
            // One with a place holder is no whole command.
            if span.contains('…') || span.contains("VERB") {
                continue;
            }
            found += 1;
            let command = shell_words(span);
            assert_eq!(refused(&command), None, "{name}: {}", command.join(" "));
        }
    }
    assert!(found > 40, "only {found} commands");
}
