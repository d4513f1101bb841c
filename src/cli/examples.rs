//! Examples in the help of every verb. A test runs each through the parser.

use super::Cli;
use clap::{Command, CommandFactory as _};

/// Verbs, and for each the examples with what they do. The empty name is the program without a verb.
const EXAMPLES: &[(&str, &[(&str, &str)])] = &[
    (
        "",
        &[
            ("quarterdeck", "open the console"),
            ("quarterdeck --plain", "the same in lines, for screen readers"),
            ("quarterdeck add --sync https://example.org/docs", "add a page and request its first sync"),
            ("quarterdeck list --filter status:failed", "what failed, and why"),
        ],
    ),
    (
        "demo",
        &[
            ("quarterdeck demo", "look around"),
            ("quarterdeck demo --headless --documents 300 --seed 7", "without a screen, the same each time"),
        ],
    ),
    (
        "work",
        &[
            ("quarterdeck work", "until TERM or Ctrl-C; HUP reloads the settings"),
            ("quarterdeck work --drain", "only what is queued now, as in cron"),
            ("quarterdeck work --health 8080", "with health and metrics for a supervisor"),
        ],
    ),
    (
        "add",
        &[
            ("quarterdeck add https://example.org/a https://example.org/b", "two pages"),
            ("quarterdeck add --sync https://example.org/a", "and fetch it as soon as a worker runs"),
        ],
    ),
    (
        "import",
        &[
            ("quarterdeck import pages.csv", "a file with the column url"),
            ("quarterdeck import https://example.org/sitemap.xml --sync", "all pages of a site, once"),
            ("curl -sL https://example.org/sitemap.xml | quarterdeck import -", "a sitemap from a pipe"),
        ],
    ),
    (
        "list",
        &[
            ("quarterdeck list --filter 'status:failed host:example.org'", "what failed on a host"),
            ("quarterdeck list --sort -synced --limit 10", "the ten that were synced last"),
            ("quarterdeck list --filter error:timeout --json | quarterdeck retry -", "as input of another verb"),
        ],
    ),
    (
        "show",
        &[
            ("quarterdeck show 12", "text, attempts and versions"),
            ("quarterdeck show https://example.org/a --probe", "fetch it once, and say what a sync would change"),
        ],
    ),
    ("versions", &[("quarterdeck versions 12", "which earlier texts there are")]),
    (
        "diff",
        &[("quarterdeck diff 12", "what the last change was"), ("quarterdeck diff 12 3 5", "between two versions")],
    ),
    ("restore", &[("quarterdeck restore 12 3", "put version 3 in place of the stored text")]),
    (
        "extract",
        &[
            ("quarterdeck extract https://example.org/a", "what of a page would be stored"),
            ("quarterdeck extract page.html", "of a file"),
        ],
    ),
    (
        "sync",
        &[
            ("quarterdeck sync 12", "queue one document"),
            ("quarterdeck sync --filter 'synced:>20h' --wait --yes", "as in cron: run it here, wait for the end"),
            ("quarterdeck list --json | quarterdeck sync -", "documents from stdin"),
            ("quarterdeck sync --due --wait", "what is due by its plan, then end"),
        ],
    ),
    (
        "retry",
        &[
            ("quarterdeck retry --filter error:timeout", "all that timed out"),
            ("quarterdeck retry 12 --wait", "one, and wait for its end"),
        ],
    ),
    (
        "cancel",
        &[
            ("quarterdeck cancel 12", "one document"),
            ("quarterdeck cancel --filter host:example.org --dry-run", "what would be cancelled"),
        ],
    ),
    (
        "faq",
        &[
            ("quarterdeck faq --filter faq:stale --dry-run", "what would be made anew"),
            ("quarterdeck faq 12 --yes", "one document"),
        ],
    ),
    (
        "accept",
        &[
            ("quarterdeck list --filter content:review", "what waits for a decision"),
            ("quarterdeck accept 12", "take the fetched text"),
        ],
    ),
    ("reject", &[("quarterdeck show 12", "what would change"), ("quarterdeck reject 12", "keep the stored text")]),
    (
        "remove",
        &[
            ("quarterdeck remove 12", "one document; asks first"),
            ("quarterdeck remove --filter error:not_found --dry-run", "how many are gone from their sites"),
        ],
    ),
    (
        "batch",
        &[
            ("quarterdeck batch list", "acts on many documents: what is left, and what failed"),
            ("quarterdeck batch stop 12", "leave what has not begun as it was"),
        ],
    ),
    ("batch list", &[("quarterdeck batch list", "those that have not ended, and the newest others")]),
    ("batch show", &[("quarterdeck batch show 12", "what became of its documents")]),
    ("batch pause", &[("quarterdeck batch pause 12", "running attempts finish")]),
    ("batch resume", &[("quarterdeck batch resume 12", "go on, also where a killed console stopped")]),
    ("batch stop", &[("quarterdeck batch stop 12", "leave what has not begun as it was")]),
    (
        "schedule",
        &[
            ("quarterdeck schedule --dry-run", "what is due"),
            ("quarterdeck schedule --plan daily --dry-run", "as if every account had this plan"),
        ],
    ),
    (
        "pause",
        &[
            ("quarterdeck pause --host example.org", "leave a host alone"),
            ("quarterdeck pause --all", "start nothing more"),
        ],
    ),
    ("resume", &[("quarterdeck resume", "what is paused"), ("quarterdeck resume --all", "start again")]),
    ("purge", &[("quarterdeck purge --dry-run", "how many jobs wait"), ("quarterdeck purge --yes", "drop them")]),
    (
        "source",
        &[
            ("quarterdeck source add https://example.org/sitemap.xml", "keep the documents in step with a site"),
            ("quarterdeck source add https://example.org/docs/ --match '/docs/*' --every 6h", "by the links of a page"),
            ("quarterdeck source read --due --wait", "as in cron: read what is due, here and now"),
            ("quarterdeck source proposals", "which pages are new, gone or moved"),
            ("quarterdeck source accept --filter kind:new", "add all new pages"),
        ],
    ),
    (
        "source add",
        &[
            (
                "quarterdeck source add https://example.org/sitemap.xml --exclude '/tags/*'",
                "a sitemap, without some pages",
            ),
            (
                "quarterdeck source add https://example.org/feed --new add --every 1h",
                "a feed, whose pages are added at once",
            ),
            ("quarterdeck source add https://example.org/docs/ --match '/docs/*'", "the links of a page"),
        ],
    ),
    (
        "source edit",
        &[
            ("quarterdeck source edit docs --exclude '/tags/*'", "no pages of tags; what was decided stays decided"),
            ("quarterdeck source edit docs --limit 100000 --every 12h", "another limit, another interval"),
            ("quarterdeck source edit docs --url https://example.org/sitemap_index.xml", "the listing has moved"),
        ],
    ),
    ("source list", &[("quarterdeck source list", "pages, proposals, last and next read")]),
    ("source show", &[("quarterdeck source show docs", "settings and the last reads")]),
    (
        "source read",
        &[
            ("quarterdeck source read docs --wait", "here and now"),
            ("quarterdeck source read --due --wait -q", "as in cron"),
        ],
    ),
    ("source remove", &[("quarterdeck source remove docs", "its documents stay")]),
    (
        "source proposals",
        &[
            ("quarterdeck source proposals docs", "of one source"),
            ("quarterdeck source proposals --filter kind:gone,moved --json", "of some kinds"),
        ],
    ),
    (
        "source accept",
        &[
            ("quarterdeck source accept 12 13", "two proposals"),
            ("quarterdeck source accept --filter kind:new --sync", "add all new pages, and fetch them"),
        ],
    ),
    ("source refuse", &[("quarterdeck source refuse --filter /tags/", "never again")]),
    (
        "notify",
        &[
            ("quarterdeck notify list", "what waits for each receiver"),
            ("quarterdeck notify test ops", "send a record to the sink [notify.ops] now"),
            ("quarterdeck notify retry ops", "deliver what waits or was given up"),
        ],
    ),
    (
        "log",
        &[
            ("quarterdeck log --since today", "today's outcomes"),
            ("quarterdeck log -f --filter result:permanent_failure", "failures as they happen"),
            ("quarterdeck log --after 1200 --limit 100 --json", "go on after a number"),
        ],
    ),
    (
        "changes",
        &[
            ("quarterdeck changes --follow", "texts as they change"),
            ("quarterdeck changes --after CURSOR", "go on where you stopped"),
        ],
    ),
    (
        "export",
        &[
            ("quarterdeck export pages --prune", "a folder of Markdown files, kept current"),
            ("quarterdeck export - --chunks 2000", "JSON lines for a search index"),
        ],
    ),
    (
        "migrate",
        &[
            ("quarterdeck migrate --dry-run", "what would be done"),
            ("quarterdeck --store postgres://deck@db.example.org/deck migrate --standalone", "a new database"),
        ],
    ),
    (
        "copy",
        &[(
            "quarterdeck copy --from sqlite:quarterdeck.db --to postgres://deck@db.example.org/deck",
            "to a server; run it again if it was interrupted",
        )],
    ),
    (
        "backup",
        &[
            ("quarterdeck backup /backup/quarterdeck.db", "a checked copy, while workers run"),
            ("quarterdeck backup --restore /backup/quarterdeck.db", "the way back; asks first"),
        ],
    ),
    (
        "doctor",
        &[("quarterdeck doctor", "check everything"), ("quarterdeck doctor --full", "every page of the store, too")],
    ),
    (
        "config",
        &[
            ("quarterdeck config init", "write a file with every setting, to edit"),
            ("quarterdeck config check", "read the settings and report mistakes"),
        ],
    ),
    (
        "config init",
        &[
            ("quarterdeck config init", "into the usual place"),
            ("quarterdeck --config deck.toml config init", "elsewhere"),
        ],
    ),
    ("config check", &[("quarterdeck config check", "exit code 2 and each mistake with its line")]),
    ("config path", &[("quarterdeck config path", "the file that --config and QUARTERDECK_CONFIG lead to")]),
    ("keys", &[("quarterdeck keys", "all keys"), ("quarterdeck keys --markdown", "the default keys, as a table")]),
    (
        "completions",
        &[
            ("source <(quarterdeck completions bash)", "in ~/.bashrc"),
            ("quarterdeck completions fish", "for fish; zsh likewise"),
        ],
    ),
    (
        "man",
        &[
            ("quarterdeck man sync", "a verb's page, for example into man -l -"),
            ("quarterdeck man --dir man1", "all pages"),
        ],
    ),
    ("help", &[("quarterdeck help sync", "a verb"), ("quarterdeck help filters", "a topic")]),
];

/// Returns the command line with the examples in the help of each verb.
pub fn command() -> Command {
    let mut cli = with_examples(Cli::command(), "");
    let verbs: Vec<String> = cli.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    for verb in verbs {
        cli = cli.mut_subcommand(&verb, |command| {
            let own: Vec<String> = command.get_subcommands().map(|own| own.get_name().to_owned()).collect();
            let command = with_examples(command, &verb);
            own.iter().fold(command, |command, own| {
                command.mut_subcommand(own, |command| with_examples(command, &format!("{verb} {own}")))
            })
        });
    }
    cli
}

/// Adds the examples of `verb` to the text after its help.
fn with_examples(command: Command, verb: &str) -> Command {
    let Some((_, examples)) = EXAMPLES.iter().find(|(name, _)| *name == verb) else { return command };
    let lines: Vec<String> = examples.iter().map(|(line, does)| format!("  {line}\n      {does}")).collect();
    let examples = format!("Examples:\n{}", lines.join("\n"));
    let text = match command.get_after_help() {
        Some(text) => format!("{examples}\n\n{text}"),
        None => examples,
    };
    command.after_help(text)
}
