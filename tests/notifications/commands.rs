//! Tests sinks that are commands, the verb `notify`, and the recipes of the documentation.

use super::{install, listed, paths, until_empty};
use crate::docs::pages::page;
use crate::support::install::{Install, allow};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Writes an executable script and returns its path.
fn script(install: &Install, name: &str, code: &str) -> PathBuf {
    let path = install.write(name, format!("#!/bin/sh\n{code}\n"));
    allow(&path, 0o755);
    path
}

fn command(name: &str, program: &Path, on: &str, more: &str) -> String {
    let program = program.display();
    format!("[notify.{name}]\nkind = \"command\"\nargv = [\"{program}\", \"an argument\"]\non = {on:?}\n{more}\n")
}

/// Appends sections to the settings.
fn add_settings(install: &Install, sections: &str) {
    let path = install.folder().join("config.toml");
    let settings = std::fs::read_to_string(&path).expect("written before");
    std::fs::write(path, settings + sections).expect("written");
}

fn read_lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_gets_records_and_texts_and_nothing_of_the_environment() {
    let install = install("").await;
    let (records, env) = (install.folder().join("tmp/records"), install.folder().join("tmp/env"));
    let code = format!(
        "env > {env}; echo \"$1\" \"$(pwd)\" >> {env}; cat >> {records}",
        env = env.display(),
        records = records.display()
    );
    let good = script(&install, "good.sh", &code);
    let bad = script(&install, "bad.sh", "cat > /dev/null; echo 'no \u{1b}[1mroom' >&2; exit 7");
    let deaf = script(&install, "deaf.sh", "exec 0<&-; exit 0");
    let missing = install.folder().join("missing.sh");
    add_settings(
        &install,
        &[
            command("good", &good, "content:first", "include_content = true"),
            command("bad", &bad, "", ""),
            command("deaf", &deaf, "", ""),
            command("missing", &missing, "", ""),
        ]
        .concat(),
    );
    assert_eq!(install.run(&["add", "https://example.org/"]).code, Some(0));
    install.fill(&paths(10)).await;
    let secret = [("AWS_SECRET_ACCESS_KEY", "hunter2")];
    let ended = install.start_with(&secret, &["work", "--drain"]).ended();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    // A worker that ends delivers what it can; another one delivers the rest.
    let work = install.start_with(&secret, &["work"]);
    let store = install.store().await;
    crate::support::limit::until("the records", async || (read_lines(&records).len() == 8).then_some(())).await;
    drop(work);
    for record in read_lines(&records) {
        let document = &record["data"]["document"];
        assert_eq!(
            (document["content"].as_str(), document["name"].as_str()),
            (Some("text 1\n"), Some("Title")),
            "{record}"
        );
        assert_eq!(document["url"], record["data"]["url"]);
    }
    let env = std::fs::read_to_string(&env).expect("written");
    let names: Vec<&str> = env.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    // A shell adds some of its own.
    let own = ["PATH", "PWD", "SHLVL", "_", "OLDPWD"];
    assert!(names.iter().all(|name| own.contains(name)) && !env.contains("hunter2"), "{env}");
    assert!(env.lines().any(|line| line == "an argument /"), "{env}");
    let bad = listed(&install, "bad");
    assert_eq!((bad["pending"].as_i64(), bad["last_error"].as_str()), (Some(10), Some("exit status: 7: no room")));
    assert_eq!(listed(&install, "deaf")["pending"], 0);
    let missing = listed(&install, "missing");
    assert!(missing["last_error"].as_str().is_some_and(|error| error.contains("No such file")), "{missing}");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_verb_tests_lists_and_forgets() {
    let install = install("").await;
    let records = install.folder().join("tmp/records");
    let good = script(&install, "good.sh", &format!("cat >> {}", records.display()));
    let bad = script(&install, "bad.sh", "exit 1");
    let before = std::fs::read_to_string(install.folder().join("config.toml")).expect("written");
    add_settings(&install, &(command("good", &good, "", "") + &command("bad", &bad, "", "")));
    let tested = install.run(&["notify", "test", "good", "--json"]);
    assert_eq!(tested.code, Some(0), "{tested:?}");
    let record = read_lines(&records).remove(0);
    let printed: Value = serde_json::from_str(&tested.out[0]).expect("JSON");
    assert_eq!((record["type"].as_str(), &record["id"]), (Some("test"), &printed["id"]));
    let tested = install.run(&["notify", "test", "bad"]);
    assert_eq!(tested.code, Some(3), "{tested:?}");
    assert!(tested.err.contains("exit status: 1"), "{tested:?}");
    for (arguments, message) in [
        (vec!["notify", "test", "god"], "did you mean good?"),
        (vec!["notify", "test"], "needs the name of a sink"),
        (vec!["notify", "list", "good"], "takes no name"),
        (vec!["notify", "retry", "No"], "there is no sink"),
        (vec!["--read-only", "notify", "forget", "bad"], "--read-only"),
    ] {
        let ended = install.run(&arguments);
        assert!(ended.code == Some(2) && ended.err.contains(message), "{arguments:?}: {ended:?}");
    }
    assert_eq!(install.run(&["add", "https://example.org/"]).code, Some(0));
    install.fill(&paths(5)).await;
    install.run(&["work", "--drain"]);
    assert_eq!(listed(&install, "bad")["pending"], 5);
    let forgotten = install.run(&["notify", "forget", "bad"]);
    assert_eq!(forgotten.out, ["bad: 5 records dropped"], "{forgotten:?}");
    assert_eq!(listed(&install, "bad")["state"], "enabled", "the settings have it");
    // Settings without it: it stays known until a person forgets it.
    std::fs::write(install.folder().join("config.toml"), before).expect("written");
    assert_eq!(listed(&install, "bad")["defined"], false);
    assert_eq!(install.run(&["notify", "forget", "bad"]).code, Some(0));
    assert_eq!(install.run(&["notify", "forget", "good"]).code, Some(0));
    let empty = install.run(&["notify", "list"]);
    assert!(empty.out.is_empty() && empty.err.contains("there is no sink"), "{empty:?}");
}

/// Returns the first code block of this language after a heading of the page.
fn block(heading: &str, language: &str) -> String {
    let text = page("notifications");
    let (_, after) = text.split_once(&format!("\n## {heading}\n")).expect("the heading");
    let (_, after) = after.split_once(&format!("```{language}\n")).expect("the block");
    after.split("```").next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recipe_for_mail_works() {
    let install = install("").await;
    let mails = install.folder().join("tmp/mails");
    let sendmail = script(&install, "sendmail", &format!("test \"$1\" = -t && cat >> {}", mails.display()));
    let recipe = block("Mail", "bash").replace("/usr/sbin/sendmail", &sendmail.display().to_string());
    let mail = install.write("mail-record", recipe);
    allow(&mail, 0o755);
    let settings = block("Mail", "toml").replace("/usr/local/bin/mail-record", &mail.display().to_string());
    add_settings(&install, &settings);
    assert_eq!(install.run(&["add", "https://example.org/"]).code, Some(0));
    install.fill(&["/gone/1".to_owned(), "/page/2".to_owned()]).await;
    install.run(&["work", "--drain"]);
    let work = install.start(&["work"]);
    let store = install.store().await;
    until_empty(&*store).await;
    drop(work);
    let mails = std::fs::read_to_string(&mails).expect("a mail was sent");
    let (head, body) = mails.split_once("\n\n").expect("a head and a body");
    assert!(head.starts_with("To: ops@example.org\nSubject: Quarterdeck"), "{head}");
    let record: Value = serde_json::from_str(body.lines().next().expect("a line")).expect("JSON");
    assert_eq!(record["data"]["result"], "permanent_failure", "{record}");
    store.close().await;
}

#[test]
fn the_settings_of_every_recipe_are_valid() {
    use quarterdeck::config::{Config, DefaultPaths, Environment, Flags};
    let paths = DefaultPaths { config_file: "c".into(), store_file: "s".into(), log_dir: "l".into() };
    let text = page("notifications");
    let blocks: Vec<&str> = text.split("```toml\n").skip(1).filter_map(|after| after.split("```").next()).collect();
    assert_eq!(blocks.len(), 4);
    for block in blocks {
        let config = Config::from_parts(&paths, Path::new("c.toml"), block, &Environment::default(), &Flags::default());
        assert!(config.is_ok(), "{block}: {config:?}");
        assert!(!format!("{config:?}").contains("T000"), "a URL is printed");
    }
}
