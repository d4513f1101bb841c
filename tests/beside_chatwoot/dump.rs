//! Tests what is written into a database of Chatwoot: the whole database is dumped before and after, with its tables,
//! sequences, indexes, triggers and views, and the difference is looked up in the list of `chatwoot.md`.
//!
//! `QUARTERDECK_READ_ONLY_SECONDS` is the time for which the console is used read-only; by default it goes through its
//! views once.

use super::{Parser, Scene};
use crate::support::measure::Stopwatch;
use crate::support::ports;
use crate::support::postgres;
use crate::support::pty::Terminal;
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// More of what Chatwoot's database has: tables that are read, and kinds of objects.
const MORE: &str = "CREATE TABLE accounts (id bigserial PRIMARY KEY, name varchar, custom_attributes jsonb, \
     feature_flags bigint DEFAULT 0 NOT NULL); INSERT INTO accounts (id, name) VALUES (2, 'Acme'); \
     CREATE TABLE installation_configs (id bigserial PRIMARY KEY, name varchar NOT NULL, serialized_value jsonb); \
     CREATE TABLE schema_migrations (version varchar NOT NULL PRIMARY KEY); \
     INSERT INTO schema_migrations VALUES ('20260611184600'); \
     CREATE TABLE active_storage_blobs (id bigserial PRIMARY KEY, key varchar, content_type varchar); \
     CREATE TABLE active_storage_attachments (id bigserial PRIMARY KEY, name varchar, record_type varchar, \
     record_id bigint, blob_id bigint REFERENCES active_storage_blobs); \
     CREATE VIEW synced AS SELECT id, name FROM captain_documents WHERE sync_status = 1; \
     CREATE INDEX by_status ON captain_documents (account_id, sync_status);";

impl Scene {
    /// Returns the statements of a dump of the database, with (`all`) or without our own schema.
    fn dump(&self, all: bool) -> Vec<String> {
        let program = postgres::program("pg_dump").expect("pg_dump belongs to a PostgreSQL server");
        let mut dump = Command::new(program);
        dump.args(["--column-inserts", "--rows-per-insert=1", "--dbname", &self.database.url]);
        if !all {
            dump.args(["--exclude-schema", "quarterdeck"]);
        }
        let dumped = dump.output().expect("pg_dump runs");
        assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
        let text = String::from_utf8(dumped.stdout).expect("UTF-8");
        // Each dump has a new word in some lines, and its remarks stand before the row that happens to be the first.
        let is_statement = |line: &&str| !line.contains("restrict ") && !line.starts_with("--");
        let lines: Vec<&str> = text.lines().filter(is_statement).collect();
        lines.join("\n").split(";\n").map(|statement| statement.trim().to_owned()).collect()
    }

    /// Returns everything that Redis has.
    fn keys(&self) -> String {
        format!("{:?} {:?}", self.redis.run("DBSIZE", &[]), self.redis.run("KEYS", &["*"]))
    }

    async fn row(&self, id: i64) -> Value {
        let row =
            self.database.text(&format!("SELECT to_jsonb(d)::text FROM captain_documents d WHERE id = {id}")).await;
        serde_json::from_str(&row).expect("JSON")
    }
}

/// Statements of one dump that the other has not, or has not as often, in both directions.
fn difference(before: &[String], after: &[String]) -> (Vec<String>, Vec<String>) {
    let less = |one: &[String], other: &[String]| {
        let mut left = other.to_vec();
        let is_new = |statement: &&String| match left.iter().position(|known| known == *statement) {
            Some(at) => {
                left.swap_remove(at);
                false
            }
            None => true,
        };
        one.iter().filter(is_new).cloned().collect::<Vec<_>>()
    };
    (less(before, after), less(after, before))
}

/// Returns the names of columns and keys that `chatwoot.md` lists for an event of a sync.
fn listed(event: &str) -> BTreeSet<String> {
    let page = include_str!("../../assets/docs/chatwoot.md");
    let table = page.split("## What is written").nth(1).expect("the list is there");
    let row = |event: &str| -> BTreeSet<String> {
        let row = table.lines().find(|line| line.split('|').nth(2).is_some_and(|cell| cell.trim() == event));
        let names = row.unwrap_or_else(|| panic!("no row {event:?}")).split('|').nth(3).expect("a cell");
        let mut names: BTreeSet<_> = names.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        if names.contains("metadata") || names.is_empty() {
            names.remove("metadata");
        }
        names
    };
    let keys = table.split("The keys of `metadata` are ").nth(1).expect("the keys are there");
    let keys: Vec<_> = keys.split('`').skip(1).step_by(2).take(3).map(|key| format!("metadata.{key}")).collect();
    let mut names = row("a sync starts");
    names.extend(keys[..2].iter().cloned());
    match event {
        "it ends well" => names.extend(row(event)),
        "its text changed" => {
            names.extend(row("it ends well"));
            names.extend(row(event));
            names.insert(keys[2].clone());
        }
        _ => names.extend(row(event)),
    }
    names
}

/// Returns the names of the columns, and of the keys of `metadata`, in which two rows differ.
fn changed(before: &Value, after: &Value) -> BTreeSet<String> {
    let fields = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let differ = |one: &Value, other: &Value, prefix: &str| {
        let (one, other) = (fields(one), fields(other));
        let names: BTreeSet<_> = one.keys().chain(other.keys()).cloned().collect();
        let names = names.into_iter().filter(|name| one.get(name) != other.get(name));
        names.map(|name| format!("{prefix}{name}")).collect::<BTreeSet<_>>()
    };
    let mut names = differ(before, after, "");
    if names.remove("metadata") {
        names.extend(differ(&before["metadata"], &after["metadata"], "metadata."));
    }
    names
}

/// Goes through the views of a read-only console, tries what would change something, and quits.
fn looks(scene: &Scene) {
    let mut command = scene.install.on_terminal(&["--read-only"]);
    command.env("QUARTERDECK_STORE", &scene.database.url);
    command.env("QUARTERDECK_REDIS", scene.redis.url());
    let mut console = Terminal::spawn(120, 40, command);
    console.until_text("A name");
    let seconds = std::env::var("QUARTERDECK_READ_ONLY_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let begun = Stopwatch::start();
    loop {
        for (key, shows) in [("4", "127.0.0.1"), ("5", "Acme"), ("3", "No running"), ("1", "A name")] {
            console.keys(key);
            console.until_text(shows);
        }
        console.keys("s");
        console.until_text("read-only: ");
        console.keys("\r");
        console.until_text("versions");
        console.keys("\x1b");
        console.until("the list", |screen| !screen.contents().contains("versions"));
        if begun.took() >= Duration::from_secs(seconds) {
            break;
        }
    }
    console.keys("q");
    assert_eq!(console.ended(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_database_differs_in_nothing_but_what_is_listed() {
    let scene = Scene::unprepared(Parser::MainPart, 3).await;
    scene.database.script(&format!("{MORE} {}", postgres::CHATWOOT_ANSWERS)).await;
    let before = scene.dump(false);
    assert!(before.iter().any(|line| line.contains("CREATE TRIGGER")) && before.len() > 50, "{}", before.len());
    for args in [&["migrate", "--dry-run"][..], &["migrate"], &["migrate"]] {
        assert_eq!(scene.run(args).code, Some(0), "{args:?}");
        assert_eq!(difference(&before, &scene.dump(false)), (vec![], vec![]), "{args:?}");
    }
    // With our own schema, and Redis.
    let (whole, keys) = (scene.dump(true), scene.keys());
    for args in [&["doctor"][..], &["doctor", "--full"], &["doctor", "--sample"], &["list"], &["show", "1", "--probe"]]
    {
        scene.run(args);
        assert_eq!(difference(&whole, &scene.dump(true)), (vec![], vec![]), "{args:?}");
    }
    looks(&scene);
    assert_eq!(difference(&whole, &scene.dump(true)), (vec![], vec![]), "the console, read-only");
    assert_eq!(scene.keys(), keys);

    // Syncs: of a page that has not changed, of one that has, of one that cannot be fetched.
    let port = ports::free();
    let unreachable = format!("external_link = 'http://127.0.0.1:{port}/x'");
    scene.database.script(&format!("UPDATE captain_documents SET {unreachable} WHERE id = 3")).await;
    for (id, event) in [(1, "it ends well"), (2, "its text changed"), (3, "it failed")] {
        scene.edition.store(usize::from(id == 2), Ordering::SeqCst);
        let (dump, row) = (scene.dump(false), scene.row(id).await);
        scene.run(&["sync", &id.to_string(), "--wait"]);
        let (less, more) = difference(&dump, &scene.dump(false));
        let rows = |lines: &[String]| lines.iter().filter(|line| !line.contains("text_writes")).count();
        // The note of the trigger is the test's own. The row of another document is none of this sync.
        assert!(rows(&less) == 1 && rows(&more) == 1, "{event}: {less:?} {more:?}");
        assert!(more.iter().any(|line| line.contains("INSERT INTO public.captain_documents")), "{more:?}");
        let (changed, listed) = (changed(&row, &scene.row(id).await), listed(event));
        assert!(changed.is_subset(&listed), "{event}: {changed:?} beside {listed:?}");
        assert!(changed.contains("last_sync_attempted_at"), "{event}: {changed:?}");
        assert_eq!(changed.contains("content"), event == "its text changed", "{changed:?}");
    }
    let keys = scene.redis.run("KEYS", &["*"]);
    let keys: Vec<String> = redis::from_redis_value(keys).expect("a list");
    let theirs = ["queues", "processes", "web-1:7:ab", "queue:low"];
    let ours = |key: &&String| !theirs.contains(&key.as_str()) && !key.starts_with("quarterdeck:told:");
    assert_eq!(keys.iter().filter(ours).collect::<Vec<_>>(), Vec::<&String>::new(), "{keys:?}");
}
