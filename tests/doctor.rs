//! Tests `quarterdeck doctor` through the real binary: it names each problem and its cure, and changes nothing.

use crate::support::db;
use crate::support::install::{Install, allow};
use crate::support::postgres;
use crate::support::pty::Terminal;
use crate::support::site::{Reply, Site, html};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Semaphore;

async fn install() -> Install {
    Install::new(Site::start(|_, _| html("A page", "Some text.")).await, "")
}

/// Exit code and output of a run of `doctor`.
struct Report {
    code: Option<i32>,
    lines: Vec<Value>,
    err: String,
}

fn doctor(install: &Install, env: &[(&str, &str)], args: &[&str]) -> Report {
    let ran = install.start_with(env, &[args, &["doctor", "--json"]].concat()).ended();
    let lines = ran.out.iter().map(|line| serde_json::from_str(line).expect(line)).collect();
    Report { code: ran.code, lines, err: ran.err }
}

impl Report {
    /// Returns the lines of `check`: the result, and the finding with its cure.
    fn of(&self, check: &str) -> Vec<(&str, String)> {
        let text = |line: &Value| {
            let [says, cure] = ["says", "cure"].map(|key| line[key].as_str().unwrap_or_default().to_owned());
            format!("{says}; {cure}")
        };
        let of = self.lines.iter().filter(|line| line["check"] == check);
        of.map(|line| (line["result"].as_str().expect("a word"), text(line))).collect()
    }

    /// Asserts that `check` has a line with this result and all of `says`.
    fn assert(&self, check: &str, result: &str, says: &[&str]) {
        let found = self.of(check);
        let fits = |(is, text): &(&str, String)| *is == result && says.iter().all(|say| text.contains(say));
        assert!(found.iter().any(fits), "no {check} {result} {says:?} in {:#?}", self.lines);
    }
}

/// Returns every file below a path, with its bytes.
fn standing(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(path).expect("there").map(|entry| entry.expect("listed").path());
    let mut found: Vec<_> = entries
        .flat_map(|path| match path.is_dir() {
            true => [vec![(path.clone(), Vec::new())], standing(&path)].concat(),
            false => vec![(path.clone(), std::fs::read(&path).expect("there"))],
        })
        .collect();
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_machine_is_well_and_stays_as_it_is() {
    let install = install().await;
    let before = standing(install.folder());
    let report = doctor(&install, &[("LC_ALL", "C.UTF-8")], &[]);
    assert_eq!(report.code, Some(0), "{:#?}", report.lines);
    report.assert("config", "ok", &["config.toml"]);
    report.assert("addresses", "warn", &["127.0.0.1", "fetch.allow_private_hosts"]);
    report.assert("log", "ok", &["is created with the first outcome"]);
    report.assert("store", "warn", &["there is no store here yet", "quarterdeck add"]);
    report.assert("space", "ok", &["free in"]);
    report.assert("terminal", "ok", &["stdout is not a terminal"]);
    report.assert("locale", "ok", &["LC_ALL=C.UTF-8"]);
    assert!(standing(install.folder()) == before, "something was made");

    assert_eq!(install.run(&["add", "https://example.org/a"]).code, Some(0));
    let before = standing(install.folder());
    let report = doctor(&install, &[], &[]);
    assert_eq!(report.code, Some(0), "{:#?}", report.lines);
    report.assert("store", "ok", &["q.db", "SQLite 3."]);
    report.assert("schema", "ok", &["up to date, version"]);
    report.assert("integrity", "ok", &[]);
    report.assert("rights", "ok", &[]);
    report.assert("workers", "ok", &["no job is waiting"]);
    report.assert("queue", "ok", &["0 jobs ready"]);
    assert_eq!(report.err, "no errors; 1 warning");
    assert!(standing(install.folder()) == before, "something was changed");

    let plain = install.run(&["doctor"]);
    assert!(plain.out.iter().all(|line| ["✓ ok    ", "! warn  "].iter().any(|start| line.starts_with(start))));
    let ascii = install.start_with(&[("LANG", "C")], &["doctor"]).ended();
    assert!(ascii.out.iter().any(|line| line.starts_with("v ok    integrity")), "{ascii:?}");
    assert!(ascii.out.iter().any(|line| line.starts_with("! warn  locale        LANG=C is not UTF-8")), "{ascii:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_settings_are_all_named_and_the_rest_is_looked_at() {
    let install = install().await;
    let file = install.write("wrong.toml", "[runner]\nconcurency = 3\nlease = 30\n").display().to_string();
    let report = doctor(&install, &[("SSL_CERT_FILE", "/nowhere"), ("SSL_CERT_DIR", "/nowhere")], &["--config", &file]);
    assert_eq!(report.code, Some(1), "{:#?}", report.lines);
    report.assert("config", "fail", &["wrong.toml:2: unknown key runner.concurency", "quarterdeck config"]);
    report.assert("config", "fail", &["wrong.toml:3: runner.lease must be"]);
    report.assert("store", "warn", &["not checked while the settings cannot be read"]);
    report.assert("certificates", "fail", &["no https page", "ca-certificates"]);
    let file = install.write("old.toml", "\n[fetch]\nsources = []\n").display().to_string();
    let report = doctor(&install, &[], &["--config", &file]);
    report.assert("config", "ok", &["old.toml: every key is understood"]);
    report.assert("config", "warn", &["old.toml:3: fetch.sources is now called fetch.sites", "rename the key"]);
    let report = doctor(&install, &[], &["--config", "/nowhere/config.toml"]);
    report.assert("config", "fail", &["/nowhere/config.toml", "name an existing file"]);

    let log = install.write("a-file", "").display().to_string();
    let text = format!("store.url = \"postgres://ana:s3cret@127.0.0.1:1/x\"\nlog.dir = \"{log}\"\n");
    let file = install.write("secret.toml", text);
    allow(&file, 0o644);
    let at = format!("sqlite:{}", install.file().display());
    let args = ["--store", &at, "--config", &file.display().to_string()];
    let report = doctor(&install, &[], &args);
    assert_eq!(report.code, Some(1));
    report.assert("config", "warn", &["contains a password, and other users may read it", "chmod 600"]);
    report.assert("log", "fail", &["is a file, not a folder", "log.dir"]);
    allow(&file, 0o600);
    assert_eq!(doctor(&install, &[], &args).of("config").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_are_no_store_or_a_damaged_one_are_named_and_left_alone() {
    let made = install().await;
    assert_eq!(made.run(&["add", "https://example.org/kept"]).code, Some(0));
    let whole = std::fs::read(made.file()).expect("a store");
    // Damages pages of tables that opening the schema does not read: only the full check finds them.
    let mut torn = whole.clone();
    let page = db::integers(made.file(), "select rootpage from sqlite_master where name = 'jobs'").await[0];
    let start = (page.expect("a table") as usize - 1) * 4_096;
    torn[start..start + 4_096].fill(0x5a);
    let foreign = made.write("foreign.db", "");
    db::execute(&foreign, "create table people (name text)").await;
    let older = made.write("older.db", &whole);
    db::execute(&older, "pragma user_version = 0").await;
    let cases = [
        (made.write("damaged.db", &torn), "integrity", "fail", 1, ["the file is damaged", "backup"]),
        (made.write("notes.db", "these are my notes"), "store", "fail", 1, ["not an SQLite database", "another file"]),
        (foreign, "store", "fail", 1, ["belongs to another program", "name another file"]),
        (made.folder().to_owned(), "store", "fail", 1, ["is a folder", "name a file"]),
        (older, "schema", "warn", 0, ["made by an older quarterdeck", "quarterdeck migrate"]),
    ];
    for (path, check, result, code, says) in cases {
        let before = path.is_file().then(|| std::fs::read(&path).expect("there"));
        let report = doctor(&made, &[], &["--store", &format!("sqlite:{}", path.display())]);
        report.assert(check, result, &says);
        assert_eq!(report.code, Some(code), "{}: {:#?}", path.display(), report.lines);
        assert!(path.is_dir() || std::fs::read(&path).ok() == before, "{} was touched", path.display());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_and_queue_are_told_of() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let install =
        Install::new(Site::start(move |_, _| Reply::When(Arc::clone(&held), Box::new(html("A", "B")))).await, "");
    install.fill(&["/a".to_owned(), "/b".to_owned(), "/c".to_owned()]).await;
    let report = doctor(&install, &[], &[]);
    report.assert("workers", "warn", &["no worker is running, and 3 jobs are waiting", "quarterdeck work"]);
    report.assert("queue", "ok", &["3 jobs ready, 0 running", "the oldest has been ready for"]);

    let work = install.start(&["work", "--health", "0", "--concurrency", "7"]);
    let store = install.store().await;
    crate::support::install::until(&*store, "two run", async || {
        store.queue().await.expect("the store answers").running == 2
    })
    .await;
    let report = doctor(&install, &[], &[]);
    assert_eq!(report.of("workers").len(), 1);
    report.assert("workers", "ok", &["is alive: 2 of 7 slots busy, started", "last heartbeat"]);
    report.assert("queue", "ok", &["1 job ready, 2 running"]);
    assert_eq!(report.code, Some(0));
    // The worker is killed, and no other process rescues its jobs.
    drop(work);
    let report = doctor(&install, &[], &[]);
    report.assert("workers", "warn", &["is gone: 2 of 7 slots busy", "the next worker"]);
    report.assert("workers", "warn", &["no worker is running, and 3 jobs are waiting"]);
    assert_eq!(report.code, Some(0));

    db::execute(install.file(), "delete from jobs").await;
    db::execute(install.file(), "update captain_documents set sync_status = 0, last_sync_attempted_at = 1").await;
    doctor(&install, &[], &[]).assert("documents", "warn", &["3 documents", "retry --filter status:stuck"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_is_measured() {
    let install = install().await;
    let on = |cols, rows, env: &[(&str, &str)]| {
        let mut command = install.on_terminal(&["doctor"]);
        for (name, value) in env {
            command.env(name, value);
        }
        let mut terminal = Terminal::spawn(cols, rows, command);
        assert_eq!(terminal.ended(), 0);
        terminal.raw()
    };
    let usual = on(200, 50, &[]);
    assert!(usual.contains("terminal      xterm-256color, 200x50 cells, the terminal's 16 colours"), "{usual}");
    let mono = on(200, 50, &[("NO_COLOR", "1")]);
    assert!(mono.contains("no colours (NO_COLOR)"), "{mono}");
    let small = on(39, 50, &[("TERM", "dumb")]);
    assert!(small.contains("TERM is dumb") && small.contains("39x50 cells are too small"), "{small}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_server_is_named_with_its_cure_and_without_its_password() {
    let install = install().await;
    let (good, empty) = (postgres::store().await, postgres::empty().await);
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("a port").port();
    let role = format!("role_{}", good.name);
    good.script(&format!(
        "CREATE ROLE {role} LOGIN PASSWORD 's3cret'; GRANT USAGE ON SCHEMA quarterdeck TO {role}; \
         GRANT SELECT ON ALL TABLES IN SCHEMA quarterdeck TO {role}; GRANT SELECT ON captain_documents TO {role}"
    ))
    .await;
    let nowhere = format!("postgres://ana:s3cret@127.0.0.1:{port}/x");
    let cases = [
        (good.url_of("postgres", "s3cret"), 3, "store", ["password authentication failed", "QUARTERDECK_STORE"]),
        (nowhere, 3, "store", ["refused", "check host and port"]),
        (
            good.url_of("postgres", "s3cret").replace("postgres://", "postgres:/"),
            1,
            "store",
            ["the store URL", "write"],
        ),
        (empty.url.clone(), 1, "schema", ["is not set up yet", "quarterdeck migrate --standalone"]),
        (good.url_of(&role, "s3cret"), 1, "rights", ["UPDATE on captain_documents", "grant it"]),
    ];
    for (url, code, check, says) in cases {
        let report = doctor(&install, &[("QUARTERDECK_STORE", &url)], &[]);
        report.assert(check, "fail", &says);
        assert_eq!(report.code, Some(code), "{:#?}", report.lines);
        assert!(!format!("{:?}{}", report.lines, report.err).contains("s3cret"), "{:#?}", report.lines);
    }
    let tables = "SELECT count(*)::text FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')";
    assert_eq!(empty.text(tables).await, "0", "nothing was set up");

    let report = doctor(&install, &[("QUARTERDECK_STORE", &good.url)], &[]);
    assert_eq!(report.code, Some(0), "{:#?}", report.lines);
    report.assert("store", "ok", &["PostgreSQL at 127.0.0.1:", "role postgres, not encrypted"]);
    report.assert("connections", "ok", &["are in use"]);
    report.assert("clock", "ok", &["this machine's"]);
    report.assert("schema", "ok", &["up to date, version", "on quarterdeck's own table captain_documents"]);
    report.assert("rights", "ok", &[]);
    report.assert("workers", "ok", &["no job is waiting"]);
    good.script(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", good.name)).await;
    let report = doctor(&install, &[("QUARTERDECK_STORE", &good.url)], &[]);
    report.assert("rights", "fail", &["default_transaction_read_only", "--read-only"]);
    assert_eq!(report.code, Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_has_no_secret_and_no_page_and_overwrites_nothing() {
    let install = install().await;
    let settings = std::fs::read_to_string(install.folder().join("config.toml")).expect("settings");
    let log = install.folder().join("log");
    let secrets = "fetch.firecrawl.api_key = \"hunter2\"\nfetch.proxy = \"http://ana:hunter2@127.0.0.1:1\"\n\
         errors.sentry_dsn = \"http://hunter2@127.0.0.1:1/7\"\n# hunter2\n";
    install.write("config.toml", format!("{settings}log.dir = {log:?}\n"));
    install.fill(&["/page".to_owned(), "/other".to_owned()]).await;
    assert_eq!(install.run(&["work", "--drain"]).code, Some(0));
    install.write("config.toml", format!("{settings}log.dir = {log:?}\n{secrets}"));
    let line = "2026-11-30T08:00:00Z ERROR a job was given up exception_class=panic detail=it is inside `Some text.`";
    std::fs::write(log.join("quarterdeck.2026-11-30.log"), format!("first\n{line}\n")).expect("written");
    let file = install.folder().join("bundle.txt");
    let path = file.display().to_string();
    let ran = install.run(&["doctor", "--bundle", &path]);
    assert!(ran.err.contains(&path), "{ran:?}");
    let text = std::fs::read_to_string(&file).expect("written");
    for secret in ["hunter2", "Some text", "A page"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    for fact in [
        concat!("quarterdeck ", env!("CARGO_PKG_VERSION")),
        "fetch.firecrawl.api_key = ***",
        "documents synced: 2",
        "of the last 1000 outcomes unchanged: 2",
        "ok config: ",
        "exception_class=panic detail=***",
    ] {
        assert!(text.contains(fact), "{fact:?} in {text}");
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().expect("a file").permissions());
    assert_eq!(mode & 0o777, 0o600);
    let again = install.run(&["doctor", "--bundle", &path]);
    assert_eq!((again.code, std::fs::read_to_string(&file).expect("kept")), (Some(2), text), "{}", again.err);
}
