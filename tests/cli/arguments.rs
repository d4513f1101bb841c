//! Tests the parsing of verbs, flags and document names, and the exit codes.

use clap::{CommandFactory as _, Parser as _};
use quarterdeck::cli::exit::{CliError, Exit};
use quarterdeck::cli::selection::{read_filter, read_name};
use quarterdeck::cli::{Cli, Verb};
use quarterdeck::config::ConfigError;
use quarterdeck::domain::filter::Subject;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::store::{DocumentRef, SortBy, StoreError};
use std::io;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("quarterdeck").chain(line.split_whitespace()))
}

#[test]
fn the_tree_of_verbs_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_verb_of_the_contract_parses() {
    for line in [
        "",
        "--no-runner",
        "--read-only",
        "demo",
        "demo --headless --documents 300 --seed 7",
        "work",
        "work --drain --concurrency 4",
        "add https://example.org/a https://example.org/b --account 3 --assistant 4 --sync",
        "add https://example.org/a --name Start",
        "import pages.csv --account 3",
        "import - --sync",
        "list",
        "list --filter -status:failed --sort -attempted --limit 5 --json",
        "show 812",
        "show https://example.org/a --json",
        "sync 812 https://example.org/a",
        "sync --filter status:failed --dry-run",
        "sync --all --yes --wait --json",
        "retry --filter error:timeout --yes --wait",
        "cancel --all",
        "cancel 1 2",
        "remove 812 --yes",
        "remove --filter host:example.org --dry-run",
        "log",
        "log -f --since 2h --filter by:ana --json",
        "log --format rails --limit 10",
        "config",
        "keys",
        "keys --markdown",
        "help",
        "help list",
        "help filters",
        "--ascii",
        "demo --ascii",
        "--store sqlite:q.db --config q.toml list",
        "list --store sqlite:q.db --config q.toml --read-only",
    ] {
        assert!(parse(line).is_ok(), "{line}: {}", parse(line).expect_err("refused"));
    }
}

#[test]
fn wrong_use_is_code_2() {
    for line in [
        "frobnicate",
        "--frobnicate",
        "sync",
        "sync 1 --all",
        "sync 1 --filter a",
        "sync --filter a --all",
        "sync 1 --wait --dry-run",
        "retry",
        "cancel",
        "remove",
        "remove --all",
        "remove 1 --filter a",
        "add",
        "add https://example.org --account 0",
        "import",
        "show",
        "show 1 --version x",
        "list --sort age",
        "list --limit many",
        "log --json --format rails",
        "log --format yaml",
        "demo --documents 0",
    ] {
        let error = parse(line).expect_err(line);
        assert_eq!(error.exit_code(), 2, "{line}");
    }
    assert_eq!(parse("--help").expect_err("help").exit_code(), 0);
    assert_eq!(parse("--version").expect_err("version").exit_code(), 0);
}

#[test]
fn a_sort_names_its_column_and_its_way() {
    let sort = |line: &str| match parse(line).expect("parses").verb {
        Some(Verb::List(args)) => (args.sort.by, args.sort.descending),
        other => panic!("{other:?}"),
    };
    assert_eq!(sort("list"), (SortBy::Id, false));
    assert_eq!(sort("list --sort status"), (SortBy::Status, false));
    assert_eq!(sort("list --sort -next"), (SortBy::Next, true));
    assert_eq!(sort("list --sort=-error"), (SortBy::Error, true));
}

#[test]
fn documents_are_named_by_id_or_url() {
    assert_eq!(read_name("812").expect("an id"), DocumentRef::Id(DocumentId(812)));
    match read_name(" https://Example.org/a/ ").expect("a URL") {
        DocumentRef::Url(link) => assert_eq!(link.as_str(), "https://example.org/a"),
        other => panic!("{other:?}"),
    }
    for (name, said) in [
        ("99999999999999999999", "99999999999999999999: no document has this ID"),
        ("example.org", "example.org: is neither a document's ID nor a URL"),
        ("-1", "-1: is neither a document's ID nor a URL"),
        ("", ": is neither a document's ID nor a URL"),
        ("ftp://example.org", "ftp://example.org: must begin with http:// or https://"),
        ("http://", "http://: is not a URL"),
    ] {
        let error = read_name(name).expect_err(name);
        assert_eq!((error.to_string().as_str(), error.exit()), (said, Exit::WrongUse));
    }
}

#[test]
fn a_bad_filter_is_shown_with_its_place() {
    let error = read_filter("docs stauts:failed", Subject::Documents).expect_err("a slip");
    assert_eq!(error.exit(), Exit::WrongUse);
    assert_eq!(
        error.to_string(),
        "filter, at byte 6: unknown field \"stauts\" (did you mean status?)\ndocs stauts:failed\n     ^"
    );
    let error = read_filter("status:failed", Subject::Outcomes).expect_err("means nothing");
    assert!(error.to_string().starts_with("filter, at byte 1: status does not apply to outcomes\n"));
}

#[test]
fn every_error_has_its_code() {
    let text = || "x".to_owned();
    for (error, exit) in [
        (CliError::Usage(text()), Exit::WrongUse),
        (CliError::Config(ConfigError::NoHome), Exit::WrongUse),
        (CliError::Store(StoreError::ReadOnly), Exit::WrongUse),
        (CliError::Store(StoreError::Unavailable(text())), Exit::Unreachable),
        (CliError::Store(StoreError::Unusable(text())), Exit::Unreachable),
        (CliError::Store(StoreError::Refused(text())), Exit::Unreachable),
        (CliError::Store(StoreError::Corrupt(text())), Exit::Unreachable),
        (CliError::Output(io::ErrorKind::StorageFull.into()), Exit::Unreachable),
        (CliError::Io(io::ErrorKind::StorageFull.into()), Exit::Unreachable),
    ] {
        assert_eq!(error.exit(), exit, "{error:?}");
        assert!(error.message().is_some());
    }
    let pipe = CliError::Io(io::ErrorKind::BrokenPipe.into());
    assert_eq!((pipe.exit(), pipe.message()), (Exit::Done, None), "a broken pipe ends quietly");
    let codes = [Exit::Done, Exit::SomeFailed, Exit::WrongUse, Exit::Unreachable].map(Exit::code);
    assert_eq!(codes, [0, 1, 2, 3]);
}
