//! Tests that `json.md` lists exactly the fields that the program prints: runs every verb and compares its objects with
//! the tables of its section, in both directions: names, types, null, and optional fields.

use super::pages::page;
use crate::health;
use crate::support::db;
use crate::support::facts::documents;
use crate::support::install::Install;
use crate::support::postgres;
use crate::support::site::{Reply, Site, html};
use clap::CommandFactory as _;
use quarterdeck::cli::Cli;
use quarterdeck::cli::rows::DocumentDetailJson;
use quarterdeck::domain::chatwoot_job::{ChatwootJob, ChatwootJobKind, ChatwootJobState};
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::{Status, SyncStep};
use quarterdeck::domain::failure::ErrorCode;
use quarterdeck::domain::id::{AccountId, AssistantId, DocumentId, JobId, Seq};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::outcome::{Outcome, OutcomeResult};
use quarterdeck::domain::stages::{Stage, Stages};
use quarterdeck::domain::text::SafeLine;
use quarterdeck::domain::time::Timestamp;
use quarterdeck::store::migrate;
use rustix::process::Signal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Header of the tables that list fields.
const HEAD: &str = "| field | type | null | meaning |";
/// Objects whose keys are values of another field: they are documented under a placeholder.
const COUNTS: [(&str, &str); 2] = [("results", "results.<result>"), ("error_codes", "error_codes.<error_code>")];

/// A row of a table of fields.
#[derive(Debug)]
struct Field {
    kind: String,
    null: String,
}

/// Returns the fields of each section that has a table of fields, by the section's heading.
fn sections() -> BTreeMap<String, BTreeMap<String, Field>> {
    let mut sections = BTreeMap::<String, BTreeMap<String, Field>>::new();
    let (mut heading, mut listing) = (String::new(), false);
    let text = page("json");
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            heading = title.to_owned();
        }
        listing = line == HEAD || listing && line.starts_with('|');
        if !listing || line == HEAD || line.starts_with("| ---") {
            continue;
        }
        let cells: Vec<&str> = line.trim_matches('|').splitn(4, '|').map(str::trim).collect();
        let [name, kind, null, _] = cells[..] else { panic!("{line}") };
        let field = Field { kind: kind.to_owned(), null: null.to_owned() };
        assert!(["no", "yes", "left out"].contains(&null), "{heading}: {line}");
        let before = sections.entry(heading.clone()).or_default().insert(name.trim_matches('`').to_owned(), field);
        assert!(before.is_none(), "{heading}: {name} is listed twice");
    }
    sections
}

/// The objects that were printed, by section.
#[derive(Default)]
struct Printed(BTreeMap<&'static str, Vec<Value>>);

impl Printed {
    fn add(&mut self, section: &'static str, objects: impl IntoIterator<Item = Value>) {
        self.0.entry(section).or_default().extend(objects);
    }
}

/// Collects the fields of a printed object: a `null` field is included, an omitted one is not.
fn fields(object: &Value, prefix: &str, found: &mut Vec<(String, Value)>) {
    for (key, value) in object.as_object().expect("an object") {
        let path = format!("{prefix}{key}");
        found.push((path.clone(), value.clone()));
        let counted = COUNTS.iter().find(|(name, _)| *name == path);
        match (counted, value) {
            (Some((_, holder)), Value::Object(counts)) => {
                found.extend(counts.values().map(|count| ((*holder).to_owned(), count.clone())));
            }
            (None, Value::Object(_)) => fields(value, &format!("{path}."), found),
            // The attempts of a document are outcomes, which have their own section.
            (None, Value::Array(elements)) if path != "attempts" => {
                elements
                    .iter()
                    .filter(|element| element.is_object())
                    .for_each(|element| fields(element, &format!("{path}[]."), found));
            }
            _ => {}
        }
    }
}

/// Returns true if a value has the type that the table's word names.
fn is_of_kind(value: &Value, kind: &str) -> bool {
    match kind {
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "list" => value.is_array(),
        "string" => value.is_string(),
        "time" => value
            .as_str()
            .is_some_and(|text| text.len() == 27 && text.ends_with('Z') && Timestamp::parse_rfc3339(text).is_some()),
        _ => false,
    }
}

/// Compares the objects of a section with its table, and adds the differences to `wrong`.
fn compare(section: &str, documented: &BTreeMap<String, Field>, objects: &[Value], wrong: &mut Vec<String>) {
    let mut seen = BTreeMap::<String, Vec<Value>>::new();
    for object in objects {
        let mut found = Vec::new();
        fields(object, "", &mut found);
        for (path, value) in found {
            seen.entry(path).or_default().push(value);
        }
    }
    for path in seen.keys().filter(|path| !documented.contains_key(*path)) {
        wrong.push(format!("{section}: {path} is printed and not documented"));
    }
    for (path, field) in documented {
        let values = seen.get(path).map(Vec::as_slice).unwrap_or_default();
        let nulls = values.iter().filter(|value| value.is_null()).count();
        // Counts only the fields of the object itself: an inner field occurs as often as its list has elements.
        let is_inner = path.contains(['.', '[']);
        let missing = if is_inner { 0 } else { objects.len().saturating_sub(values.len()) };
        let may_be = match field.null.as_str() {
            "yes" => nulls > 0 && missing == 0,
            "left out" => nulls == 0 && missing > 0,
            _ => nulls == 0 && missing == 0,
        };
        if values.len() == nulls {
            wrong.push(format!("{section}: {path} is documented and never printed with a value"));
        } else if !may_be {
            let found = format!("{nulls} times null, {missing} times left out");
            wrong.push(format!("{section}: {path}: null is \"{}\", found {found}", field.null));
        }
        for value in values.iter().filter(|value| !value.is_null() && !is_of_kind(value, &field.kind)) {
            wrong.push(format!("{section}: {path} is {value}, which is no {}", field.kind));
        }
    }
}

/// Serves pages that exist, pages that are missing, and pages that become a login page at the second hit, with and
/// without a title.
fn reply(path: &str, hit: u32) -> Reply {
    let login = |title: &str| {
        Reply::Html(format!("<html>{title}<main><h1>Please sign in</h1><p>Your password, please.</p></main></html>"))
    };
    match path.split('/').nth(1) {
        Some("missing") => Reply::Status(404, Vec::new()),
        Some("feed") => {
            let entry =
                |n: u32| format!("<entry><link href='/listed/{n}'/><updated>2026-11-0{n}T00:00:00Z</updated></entry>");
            let entries: String = (1..=3).map(entry).collect();
            Reply::Bytes(format!("<feed xmlns='http://www.w3.org/2005/Atom'>{entries}</feed>").into_bytes())
        }
        Some("wall") if hit > 1 => login("<title>Sign in</title>"),
        Some("untitled-wall") if hit > 1 => login(""),
        _ => html("A page", "This is a page with a text, for as many people as like to read it."),
    }
}

/// Runs the verbs of an installation one after the other.
struct Session {
    install: Install,
    printed: Printed,
    verbs: BTreeSet<String>,
}

impl Session {
    /// Runs a verb that exits with `code`; returns the objects that it prints.
    fn run(&mut self, code: i32, args: &[&str]) -> Vec<Value> {
        let ran = self.install.run(args);
        assert_eq!(ran.code, Some(code), "{args:?}: {}", ran.err);
        let objects: Vec<Value> = ran.out.iter().map(|line| serde_json::from_str(line).expect(line)).collect();
        assert!(!objects.is_empty(), "{args:?} prints nothing: {}", ran.err);
        self.verbs.insert(args[0].to_owned());
        objects
    }

    /// Runs a verb and keeps its objects for a section.
    fn keep(&mut self, section: &'static str, code: i32, args: &[&str]) -> Vec<Value> {
        let objects = self.run(code, args);
        self.printed.add(section, objects.clone());
        objects
    }

    /// Runs `schedule`, which prints objects of accounts, then a summary.
    fn schedule(&mut self, args: &[&str]) {
        let objects = self.run(0, args);
        let (summaries, accounts): (Vec<_>, Vec<_>) =
            objects.into_iter().partition(|object| object.get("event").is_some());
        assert_eq!(summaries.len(), 1);
        self.printed.add("schedule", accounts);
        self.printed.add("schedule: the summary", summaries);
    }

    /// Runs `show`, which prints a document and its outcomes.
    fn show(&mut self, document: &str) {
        for object in self.keep("show", 0, &["show", document, "--json"]) {
            let attempts = object["attempts"].as_array().expect("a list").clone();
            self.printed.add("Outcomes", attempts);
        }
    }
}

/// Returns an outcome with every field and one with only the required fields: not all can be produced from outside.
fn full_and_bare_outcome() -> [Value; 3] {
    let mut stages = Stages::default();
    Stage::ALL.into_iter().for_each(|stage| stages.set(stage, Duration::from_millis(1)));
    let mut some = Stages::default();
    some.set(Stage::Body, Duration::from_millis(1));
    let full = Outcome {
        document_id: DocumentId(1),
        account_id: AccountId(1),
        assistant_id: AssistantId(1),
        result: OutcomeResult::UnexpectedFailure,
        error_code: Some(ErrorCode::SyncError),
        exception_class: Some("panic".to_owned()),
        duration_ms: Some(1),
        at: Timestamp::from_micros(1),
        seq: Seq(1),
        job_id: JobId(1),
        attempt: 1,
        queue: QueueClass::Manual,
        url: SafeLine::new("https://example.org"),
        http_status: Some(200),
        detail: Some(SafeLine::new("why")),
        content: Some(ContentChange::First),
        bytes: Some(1),
        next_attempt_at: Some(Timestamp::from_micros(1)),
        worker: Some(SafeLine::new("host:1")),
        requested_by: Some(SafeLine::new("ana")),
        stages: Some(stages),
        name: SafeLine::new("not part of the line"),
    };
    let bare = Outcome { worker: None, requested_by: None, detail: None, content: None, stages: None, ..full.clone() };
    let part = Outcome { stages: Some(some), ..bare.clone() };
    [full, bare, part].map(|outcome| serde_json::from_str(&outcome.json()).expect("JSON"))
}

/// Returns a document with a job of Chatwoot's that has every field and one with only the required fields.
fn with_jobs_of_chatwoot() -> Value {
    let full = ChatwootJob {
        jid: "a".into(),
        kind: ChatwootJobKind::Sync,
        state: ChatwootJobState::Retrying,
        document: Some(DocumentId(1)),
        account: None,
        name: None,
        queue: "low".into(),
        process: Some("host:1".into()),
        at: Some(Timestamp::from_micros(1)),
        attempts: 2,
        error: Some("Timeout".into()),
    };
    let bare = ChatwootJob { process: None, at: None, error: None, ..full.clone() };
    let row = documents().remove(0);
    let jobs = [full, bare];
    let shown = DocumentDetailJson::new(&row, None, &[], &[], None).with_chatwoot_jobs(Some(&jobs));
    serde_json::to_value(shown).expect("JSON")
}

async fn sql(install: &Install, statement: &str) {
    assert_eq!(db::execute(install.file(), statement).await, 1, "{statement}");
}

/// Adds documents, syncs them and shows them, with quarantined texts and with versions without a fingerprint.
async fn sync_and_decide(session: &mut Session) {
    let url = |path: &str| session.install.site.url(path);
    let (page, missing, wall, bare) = (url("/page"), url("/missing"), url("/wall"), url("/untitled-wall"));
    let (other, imported) = (url("/other"), url("/imported"));
    session.keep("add", 0, &["add", &page, &missing, &wall, &bare, "--json"]);
    session.keep("add", 0, &["add", &page, "--json"]);
    session.keep("add", 0, &["add", &other, "--account", "2", "--assistant", "2", "--json"]);
    let lines = format!("{{\"url\":\"{imported}\"}}\n{{\"url\":\"{page}\"}}\nnonsense\n");
    let file = session.install.write("pages.jsonl", lines).display().to_string();
    session.keep("import", 1, &["import", &file, "--json"]);
    session.keep("list", 0, &["list", "--json"]);
    session.keep("show", 0, &["show", "1", "--json"]);

    session.keep("Outcomes", 1, &["sync", "--all", "--wait", "--json"]);
    session.keep("Outcomes", 0, &["sync", "3", "4", "--wait", "--json"]);
    session.keep("list", 0, &["list", "--json"]);
    for document in ["1", "2", "3", "4"] {
        session.show(document);
    }
    session.keep("accept and reject", 0, &["accept", "3", "--json"]);
    session.keep("accept and reject", 0, &["reject", "4", "--json"]);
    session.keep("accept and reject", 2, &["accept", "1", "--json"]);
    session.keep("versions", 0, &["versions", "3", "--json"]);
    session.keep("diff", 0, &["diff", "3", "--json"]);
    session.keep("restore", 0, &["restore", "3", "1", "--json"]);
    session.keep("versions", 0, &["versions", "3", "--json"]);
    // Chatwoot writes texts without a fingerprint.
    sql(&session.install, "update captain_documents set content = 'of Chatwoot', metadata = '{}' where id = 1").await;
    session.keep("Outcomes", 0, &["sync", "1", "--wait", "--json"]);
    session.keep("versions", 0, &["versions", "1", "--json"]);
    let lines = "a line\n".repeat(20);
    let old = "document_versions where document_id = 3 and version = 2";
    for (row, end) in [("captain_documents where id = 3", "new"), (old, "old")] {
        let (table, which) = row.split_once(' ').expect("a table");
        let text = format!("update {table} set content = '{lines}{end}' {which}");
        sql(&session.install, &text).await;
    }
    session.keep("diff", 0, &["diff", "3", "--json"]);
    for document in ["1", "3"] {
        session.show(document);
    }
    session.keep("Outcomes", 1, &["retry", "2", "--wait", "--json"]);
    sql(
        &session.install,
        "update captain_documents set metadata = json_set(metadata, '$.sync_step', 'fetching') where id = 5",
    )
    .await;
    session.keep("list", 0, &["list", "--json"]);
    session.show("5");
}

/// Lists documents of a Chatwoot with their FAQs, and starts FAQ jobs.
async fn faqs(session: &mut Session) {
    let database = postgres::empty().await;
    let (tables, answers) = (postgres::CHATWOOT_TABLES, postgres::CHATWOOT_ANSWERS);
    let fill = "INSERT INTO captain_documents (name, external_link, content, assistant_id, account_id, created_at, \
        updated_at, status) SELECT 'Page', 'https://a.test/' || n, 'a text', 3, 2, now(), now(), 1 \
        FROM generate_series(1, 3) n; INSERT INTO captain_assistant_responses (question, answer, assistant_id, \
        documentable_id, account_id, created_at, updated_at, documentable_type, edited) \
        VALUES ('Who?', 'A', 3, 1, 2, now(), now(), 'Captain::Document', true), \
        ('What?', 'A', 3, 3, 2, now(), now(), 'Captain::Document', false);";
    database.script(&format!("{tables} {answers} {fill}")).await;
    migrate(&database.url, false, &mut |_| {}).await.expect("set up");
    let settings = session.install.write("faq.toml", "chatwoot.enqueue_faq_job = true\n").display().to_string();
    let on = |args: &[&'static str]| -> Vec<String> {
        let options = ["--store", &database.url, "--config", &settings, "--json"];
        args.iter().copied().chain(options).map(str::to_owned).collect()
    };
    let mut keep = |section, args: &[&'static str]| {
        let args = on(args);
        session.keep(section, 0, &args.iter().map(String::as_str).collect::<Vec<_>>());
    };
    keep("sync --dry-run", &["faq", "--all", "--dry-run"]);
    keep("sync", &["faq", "1", "2", "--yes"]);
    let told = "UPDATE quarterdeck.outbox SET last_error = 'no process'; DELETE FROM quarterdeck.outbox WHERE id = 2; \
        UPDATE quarterdeck.document_state SET validated = 'f', text_at = 1 WHERE document_id = 1; \
        INSERT INTO quarterdeck.document_state (document_id, host, validated, text_at) VALUES (1, 'a.test', 'f', 1) \
        ON CONFLICT DO NOTHING; UPDATE captain_documents SET metadata = '{\"content_fingerprint\":\"f\"}' WHERE id = 1";
    database.script(told).await;
    keep("list", &["list"]);
    keep("show", &["show", "1"]);
    database.script("ALTER TABLE captain_assistant_responses DROP COLUMN edited").await;
    keep("list", &["list"]);
    keep("sync --dry-run", &["faq", "1", "3", "--dry-run"]);
    keep("show", &["show", "1"]);
}

/// Extracts pages: with and without a document, a note, a doubt and a failure.
fn extract(session: &mut Session) {
    let url = |path: &str| session.install.site.url(path);
    let (page, missing, wall) = (url("/page"), url("/missing"), url("/wall"));
    let html = "<nav class=menu><a href=/a>News</a></nav><main><p>A page with a text.</p></main>";
    let file = session.install.write("page.html", html).display().to_string();
    session.keep("extract", 0, &["extract", &page, "--json"]);
    session.keep("extract", 1, &["extract", &missing, "--json"]);
    session.keep("extract", 0, &["extract", &wall, "--json"]);
    session.keep("extract", 0, &["extract", &file, "--why", "--include", "p, .gone", "--exclude", "h1", "--json"]);
}

/// Writes a backup and restores it.
fn back_up(session: &mut Session, name: &str) {
    let file = session.install.folder().join(name).display().to_string();
    session.keep("backup", 0, &["backup", &file, "--json"]);
    session.keep("backup", 0, &["backup", "--restore", &file, "--yes", "--json"]);
}

/// Runs the schedule, pauses, and requests for documents with jobs in the queue.
async fn schedule_and_request(session: &mut Session) {
    let scheduled = session.install.site.url("/scheduled");
    session.keep("add", 0, &["add", &scheduled, "--json"]);
    session.schedule(&["schedule", "--plan", "daily", "--dry-run", "--json"]);
    session.schedule(&["schedule", "--json"]);
    session.keep("list", 0, &["list", "--json"]);
    session.show("7");
    session.keep("purge", 0, &["purge", "--dry-run", "--json"]);
    session.keep("purge", 0, &["purge", "--yes", "--json"]);

    session.keep("pause", 0, &["pause", "--account", "7", "--json"]);
    session.keep("pause", 0, &["pause", "--all", "--json"]);
    session.keep("pause", 0, &["resume", "--json"]);
    session.keep("resume", 0, &["resume", "--all", "--json"]);
    session.keep("resume", 0, &["resume", "--account", "7", "--json"]);

    session.install.fill(&["/ready-1".to_owned(), "/ready-2".to_owned()]).await;
    let deep = session.install.write("deep.toml", "schedule.queue_depth = 1\nplans.daily.every = \"1 day\"\n");
    session.schedule(&["schedule", "--config", &deep.display().to_string(), "--json"]);
    session.keep("sync", 0, &["sync", "8", "1", "--json"]);
    session.keep("batch", 0, &["batch", "list", "--json"]);
    session.keep("sync", 0, &["retry", "1", "--json"]);
    session.keep("sync", 0, &["cancel", "1", "8", "--json"]);
    session.keep("sync --dry-run", 0, &["retry", "--all", "--dry-run", "--json"]);
    session.keep("sync --dry-run", 0, &["sync", "1", "--dry-run", "--json"]);
    let paid = session.install.write("paid.toml", "fetch.firecrawl.api_key = \"fc-0123\"\n");
    let paid = paid.display().to_string();
    session.keep("sync --dry-run", 0, &["sync", "1", "--dry-run", "--json", "--config", &paid]);
    session.keep("sync --dry-run", 0, &["cancel", "--all", "--dry-run", "--json"]);
    session.keep("sync --dry-run", 0, &["remove", "7", "--dry-run", "--json"]);
    session.keep("remove", 0, &["remove", "7", "--yes", "--json"]);
}

/// Tests, lists and forgets sinks: one of which nothing is known, one that has failed, and one that is disabled.
async fn notify(session: &mut Session) {
    let sinks = "[notify.new]\nkind = \"command\"\nargv = [\"/bin/true\"]\non = \"result:failed\"\n\
                 [notify.old]\nkind = \"command\"\nargv = [\"/bin/false\"]\non = \"result:failed\"\n";
    let config = session.install.write("sinks.toml", sinks).display().to_string();
    session.keep("notify", 0, &["notify", "list", "--json", "--config", &config]);
    session.keep("notify test", 0, &["notify", "test", "new", "--json", "--config", &config]);
    session.keep("notify test", 3, &["notify", "test", "old", "--json", "--config", &config]);
    assert_eq!(session.install.run(&["add", "https://example.org/sinks", "--config", &config]).code, Some(0));
    let disabled = "UPDATE sinks SET disabled_at = 1, disabled_reason = '410', delivered_at = 1 WHERE name = 'old'";
    sql(&session.install, disabled).await;
    let waits = "INSERT INTO outbox (subscriber, key, payload, created_at, next_at, last_error) \
                 VALUES ('notify:old', 'k', '{}', 1, 1, 'no')";
    sql(&session.install, waits).await;
    session.keep("notify", 0, &["notify", "list", "--json", "--config", &config]);
    session.keep("notify retry and forget", 0, &["notify", "retry", "old", "--json", "--config", &config]);
    session.keep("notify retry and forget", 0, &["notify", "forget", "old", "--json"]);
    session.keep("notify retry and forget", 0, &["notify", "forget", "new", "--json"]);
}

/// Adds sources of every kind of times, reads them, and decides on what they propose.
fn sources(session: &mut Session) {
    let url = session.install.site.url("/feed");
    session.keep("source add", 0, &["source", "add", &url, "--name", "docs", "--exclude", "/x/*", "--json"]);
    session.keep("source list", 0, &["source", "list", "--json"]);
    session.keep("source read --wait", 0, &["source", "read", "--due", "--wait", "--json"]);
    let timed = ["--name", "timed", "--at", "0 3 * * *", "--between", "02:00-05:00", "--json"];
    session.keep("source add", 0, &[&["source", "add", &url], &timed[..]].concat());
    session.keep("source add", 0, &["source", "add", &url, "--name", "manual", "--manual", "--json"]);
    session.keep("source read", 0, &["source", "read", "manual", "--json"]);
    session.keep("source read --wait", 0, &["source", "read", "docs", "manual", "--wait", "--json"]);
    session.keep("source list", 0, &["source", "list", "--json"]);
    session.keep("source list", 0, &["source", "show", "docs", "--json"]);
    session.keep("source edit", 0, &["source", "edit", "manual", "--every", "6h", "--json"]);
    let missing = session.install.site.url("/missing.xml");
    session.keep("source add", 0, &["source", "add", &missing, "--name", "broken", "--json"]);
    session.keep("source read --wait", 1, &["source", "read", "broken", "--wait", "--json"]);
    session.keep("source list", 0, &["source", "show", "broken", "--json"]);
    session.keep("source remove", 0, &["source", "remove", "manual", "--json"]);
    session.keep("source proposals", 0, &["source", "proposals", "docs", "--json"]);
    session.keep("source proposals", 0, &["source", "refuse", "3", "--dry-run", "--json"]);
    session.keep("source accept and refuse", 0, &["source", "refuse", "3", "--json"]);
    session.keep("source accept and refuse", 0, &["source", "accept", "1", "2", "--json"]);
    session.keep("source accept and refuse", 2, &["source", "accept", "99", "--json"]);
    session.keep("Outcomes", 0, &["sync", "--filter", "/listed/", "--wait", "--json"]);
    session.keep("source read --wait", 0, &["source", "read", "docs", "--wait", "--json"]);
    session.keep("source proposals", 0, &["source", "proposals", "--all", "--json"]);
    session.keep("list", 0, &["list", "--json"]);
}

/// Lists documents of a plan with a window, which is closed until the next century: one that is due, and one whose job
/// waits.
async fn waits_for_window(session: &mut Session) {
    assert_eq!(session.install.run(&["sync", "2"]).code, Some(0));
    for change in [
        "UPDATE jobs SET class = 2 WHERE state = 'ready'",
        "UPDATE scheduler SET passed_at = CAST(unixepoch() AS INTEGER) * 1000000",
        "INSERT INTO accounts_sched (account_id, weight, cadence, opens_at, day_window) \
         VALUES (1, 1, 86400000000, 4102444800000000, '22:00-06:00') ON CONFLICT (account_id) DO UPDATE SET \
         cadence = excluded.cadence, opens_at = excluded.opens_at, day_window = excluded.day_window",
    ] {
        sql(&session.install, change).await;
    }
    session.keep("list", 0, &["list", "--json"]);
    sql(&session.install, "UPDATE jobs SET class = 0 WHERE state = 'ready'").await;
    sql(&session.install, "UPDATE accounts_sched SET opens_at = NULL, day_window = NULL WHERE account_id = 1").await;
    assert_eq!(session.install.run(&["cancel", "2"]).code, Some(0));
}

/// Runs workers, the log, and the verbs that need no store.
async fn work_and_look(session: &mut Session) {
    session.keep("Outcomes", 0, &["work", "--drain"]);
    session.keep("remove", 0, &["remove", "1", "--yes", "--json"]);
    session.keep("Outcomes", 0, &["log", "--json"]);
    // Another program's text, without a fingerprint.
    sql(&session.install, "update captain_documents set content = 'a text' where id = 2").await;
    session.keep("changes", 0, &["changes", "--json"]);
    session.keep("export", 0, &["export", "-"]);
    session.keep("export", 0, &["export", "-", "--chunks", "100"]);
    let folder = session.install.folder().join("out").display().to_string();
    session.keep("export: the summary", 0, &["export", &folder, "--json"]);
    let store = |file: &str| format!("sqlite:{}", session.install.folder().join(file).display());
    let (from, to) = (store("q.db"), store("copied.db"));
    for _ in 0..2 {
        session.keep("copy", 0, &["copy", "--from", &from, "--to", &to, "--yes", "--json"]);
    }
    session.keep("doctor", 0, &["doctor", "--json"]);
    notify(session).await;
    sources(session);
    waits_for_window(session).await;
    session.keep("demo", 0, &["demo", "--headless", "--documents", "12"]);
    let work = session.install.start(&["work", "--health", "0", "--concurrency", "3"]);
    let address = health::address(&work);
    let well = health::until(&address, 200, |told| told["slots"] == 3);
    // The time is known while a worker runs.
    session.keep("sync --dry-run", 0, &["sync", "--all", "--dry-run", "--json"]);
    // A database whose file is missing is unavailable.
    let (file, aside) = (session.install.file().to_owned(), session.install.folder().join("aside.db"));
    std::fs::rename(&file, &aside).expect("moved");
    let unwell = health::until(&address, 503, |_| true);
    std::fs::rename(&aside, &file).expect("moved back");
    session.printed.add("work --health", [well, unwell]);
    work.signal(Signal::TERM);
    assert_eq!(work.ended().code, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_field_that_is_printed_is_documented_and_every_documented_one_is_printed() {
    let site = Site::start(reply).await;
    let settings = "retry.transient_waits = [\"10ms\"]\nplans.daily.every = \"1 day\"\naccounts.1 = \"daily\"\n";
    let install = Install::new(site, settings);
    let mut session = Session { install, printed: Printed::default(), verbs: BTreeSet::new() };
    assert_eq!(session.install.run(&["migrate"]).code, Some(0));
    back_up(&mut session, "empty.db");
    sync_and_decide(&mut session).await;
    faqs(&mut session).await;
    extract(&mut session);
    schedule_and_request(&mut session).await;
    work_and_look(&mut session).await;
    back_up(&mut session, "full.db");
    session.printed.add("Outcomes", full_and_bare_outcome());
    session.printed.add("show", [with_jobs_of_chatwoot()]);

    let mut sections = sections();
    // A shown document has the fields of a listed one, followed by its own.
    let is_own = |name: &&String| !name.contains('.');
    let listed: Vec<String> = sections["list"].keys().filter(is_own).cloned().collect();
    for object in session.printed.0.get_mut("show").into_iter().flatten() {
        let object = object.as_object_mut().expect("an object");
        for name in &listed {
            assert!(object.shift_remove(name).is_some(), "show: {name} of list is missing");
        }
    }
    let mut wrong = Vec::new();
    for (section, objects) in &session.printed.0 {
        match sections.remove(*section) {
            Some(documented) => compare(section, &documented, objects, &mut wrong),
            None => wrong.push(format!("there is no section \"{section}\" with a table of fields")),
        }
    }
    wrong.extend(sections.keys().map(|section| format!("{section}: nothing was printed for it")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // Every verb that can print JSON was run.
    let command = Cli::command();
    let has_json = |verb: &clap::Command| verb.get_arguments().any(|argument| argument.get_id() == "json");
    let with_json = command.get_subcommands().filter(|verb| has_json(verb)).map(|verb| verb.get_name().to_owned());
    let missed: Vec<String> = with_json.filter(|verb| !session.verbs.contains(verb)).collect();
    assert!(missed.is_empty(), "verbs with --json that were not run: {missed:?}");
}

fn section(text: &str, heading: &str) -> String {
    let (_, after) = text.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section {heading}"));
    after.split("\n## ").next().unwrap_or_default().to_owned()
}

#[test]
fn every_verb_has_a_section_and_every_word_of_a_field_is_explained() {
    let text = page("json");
    let command = Cli::command();
    for verb in command.get_subcommands() {
        let prints = verb.get_arguments().any(|argument| argument.get_id() == "json");
        let headings = text.lines().filter_map(|line| line.strip_prefix("## "));
        let has_section = headings.flat_map(str::split_whitespace).any(|word| word == verb.get_name());
        assert!(has_section || !prints, "{} has no section", verb.get_name());
        assert!(has_section || text.contains(&format!("`{}`", verb.get_name())), "{} is not named", verb.get_name());
    }
    let explains = |heading: &str, word: &str| {
        assert!(section(&text, heading).contains(&format!("`{word}`")), "{heading}: {word} is not explained");
    };
    OutcomeResult::ALL.iter().for_each(|result| explains("Outcomes", result.word()));
    ContentChange::words().for_each(|word| explains("Outcomes", word));
    ErrorCode::ALL.iter().for_each(|code| explains("Outcomes", code.word()));
    Status::ALL.iter().for_each(|status| explains("list", status.word()));
    for class in QueueClass::ALL {
        explains("Outcomes", class.word());
        explains("list", class.word());
    }
    for step in [SyncStep::Fetching, SyncStep::Comparing, SyncStep::Updating] {
        explains("list", step.word());
    }
}
