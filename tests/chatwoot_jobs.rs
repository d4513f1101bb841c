//! Tests that Chatwoot's own jobs are seen, and left alone: real Redis, real PostgreSQL, the real binary.

use crate::support::install::{Ended, Install};
use crate::support::limit::within;
use crate::support::postgres::{self, Database};
use crate::support::pty::Terminal;
use crate::support::redis::TestRedis;
use crate::support::screen::Screen;
use crate::support::seen::jobs;
use crate::support::site::{Site, html};
use quarterdeck::domain::chatwoot_job::{ChatwootJob, ChatwootJobKind, ChatwootJobState, ChatwootJobs};
use quarterdeck::domain::id::{AccountId, DocumentId};
use quarterdeck::domain::lock::{LockMode, StoreId};
use quarterdeck::domain::time::Timestamp;
use quarterdeck::lock::{ConnectionState, Redis};
use quarterdeck::store::migrate;
use quarterdeck::tui::msg::Msg;
use quarterdeck::tui::views::catalog::ViewRows;
use quarterdeck::tui::views::jobs::state::JobsData;
use serde_json::{Value, json};
use std::sync::Arc;

const SYNC: &str = "Captain::Documents::PerformSyncJob";
const FAQ: &str = "Captain::Documents::ResponseBuilderJob";
/// Time in seconds since 1970 that no test reaches.
const LATER: f64 = 4_000_000_000.0;

/// An entry as Rails and Sidekiq write it.
fn entry(class: &str, document: i64, executions: u32) -> Value {
    json!({
        "retry": true, "queue": "low", "wrapped": class,
        "args": [{
            "job_class": class, "job_id": "u", "provider_job_id": null, "queue_name": "low", "priority": null,
            "arguments": [{ "_aj_globalid": format!("gid://chatwoot/Captain::Document/{document}") }],
            "executions": executions, "exception_executions": {}, "locale": "en", "timezone": "UTC",
            "enqueued_at": "2026-05-27T10:00:00Z", "scheduled_at": null,
        }],
        "class": "Sidekiq::ActiveJob::Wrapper", "jid": format!("{document:024x}"),
        "created_at": 1_764_054_151.5, "enqueued_at": 1_764_054_151.5,
    })
}

/// Fills the lists, sets and records: each of the documents 1 to 4 has one job.
fn fill(redis: &TestRedis) {
    redis.sidekiq_serves(&["default", "low"]);
    let running = json!({ "queue": "low", "payload": entry(SYNC, 1, 0).to_string(), "run_at": 1_764_054_151 });
    redis.run("HSET", &["web-1:7:ab:work", "tid1", &running.to_string()]);
    redis.run("SADD", &["queues", "low"]);
    redis.run("LPUSH", &["queue:low", &entry(FAQ, 2, 0).to_string()]);
    redis.run("ZADD", &["schedule", &LATER.to_string(), &entry(SYNC, 3, 2).to_string()]);
    redis.run("ZADD", &["retry", &(LATER + 1.0).to_string(), &entry(FAQ, 4, 0).to_string()]);
    for other in ["nonsense", "{\"class\":\"Captain::\u{1b}[31m\"", &entry("SendReplyJob", 9, 0).to_string()] {
        redis.run("LPUSH", &["queue:default", other]);
    }
    let rule = "cron_job:default:daily";
    redis.run("SADD", &["cron_jobs:default", rule]);
    redis.run(
        "HSET",
        &[rule, "klass", "Internal::TriggerDailyScheduledItemsJob", "cron", "0 0 * * *", "status", "enabled"],
    );
}

struct Scene {
    install: Install,
    database: Database,
    redis: TestRedis,
}

impl Scene {
    async fn new() -> Self {
        let site = Site::start(|_, _| html("T", "text")).await;
        let (database, redis) = (postgres::empty().await, TestRedis::own(None));
        database.script(postgres::CHATWOOT_TABLES).await;
        database
            .script(&format!(
                "INSERT INTO captain_documents (name, external_link, assistant_id, account_id, created_at, updated_at, \
                 status) SELECT 'Page number ' || n, '{}' || n, 3, 2, now(), now(), 1 FROM generate_series(1, 4) n",
                site.url("/page-")
            ))
            .await;
        migrate(&database.url, false, &mut |_| {}).await.expect("set up");
        fill(&redis);
        Self { install: Install::new(site, ""), database, redis }
    }

    fn run_on(&self, redis: &str, args: &[&str]) -> Ended {
        let env = [("QUARTERDECK_STORE", self.database.url.as_str()), ("QUARTERDECK_REDIS", redis)];
        self.install.start_with(&env, args).ended()
    }

    fn run(&self, args: &[&str]) -> Ended {
        self.run_on(self.redis.url(), args)
    }

    fn shown(&self, document: &str) -> Value {
        let shown = self.run(&["show", document, "--json"]);
        serde_json::from_str(&shown.out[0]).unwrap_or_else(|_| panic!("{shown:?}"))
    }

    /// Returns everything that Redis has of Sidekiq.
    fn records(&self) -> Vec<redis::Value> {
        let mut found: Vec<_> =
            ["queue:low", "queue:default"].iter().map(|list| self.redis.run("LRANGE", &[list, "0", "-1"])).collect();
        found.extend(["retry", "schedule"].iter().map(|set| self.redis.run("ZRANGE", &[set, "0", "-1", "WITHSCORES"])));
        found.push(self.redis.run("HGETALL", &["web-1:7:ab:work"]));
        found
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn show_and_doctor_say_what_chatwoot_will_do_and_change_nothing() {
    let scene = Scene::new().await;
    let before = scene.records();
    let retried = scene.run(&["show", "3"]);
    let ending = ", also over a newer result: sync failed, attempt 3 next";
    let is_warning = |line: &&String| line.contains("Chatwoot will write it in ") && line.ends_with(ending);
    let found = retried.out.iter().find(is_warning).is_some();
    assert!(found, "{retried:?}");
    for (document, kind, state, attempts, process, writes) in [
        ("1", "sync", "running", 0, json!("web-1:7"), true),
        ("2", "faq", "queued", 0, Value::Null, false),
        ("3", "sync", "retrying", 2, Value::Null, true),
        ("4", "faq", "retrying", 0, Value::Null, false),
    ] {
        let jobs = scene.shown(document)["chatwoot_jobs"].clone();
        let job = &jobs[0];
        assert_eq!((&job["kind"], &job["state"]), (&json!(kind), &json!(state)), "{jobs}");
        assert_eq!((&job["attempts"], &job["process"]), (&json!(attempts), &process), "{jobs}");
        assert_eq!((&job["will_write"], &job["queue"]), (&json!(writes), &json!("low")), "{jobs}");
        assert_eq!(jobs.as_array().map(Vec::len), Some(1), "{jobs}");
    }
    let doctor = scene.run(&["doctor"]);
    let expected = "1 running, 1 queued, 2 retrying; its scheduler runs in ";
    assert!(doctor.out.iter().any(|line| line.contains("Chatwoot jobs") && line.contains(expected)), "{doctor:?}");
    assert_eq!(scene.records(), before);
    let nothing = Scene { redis: TestRedis::own(None), ..scene };
    assert_eq!(nothing.shown("3")["chatwoot_jobs"], json!([]));
}

/// A user of Redis who may lock and put jobs there, and see nothing of Sidekiq's sets.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_right_to_read_one_line_says_so_and_everything_else_works() {
    let scene = Scene::new().await;
    let all = ["SETUSER", "deck", "on", ">secret", "allkeys", "allchannels", "+@all", "-zrange", "-zcard", "-hscan"];
    scene.redis.run("ACL", &all);
    let url = scene.redis.url().replace("redis://", "redis://deck:secret@");
    let doctor = scene.run_on(&url, &["doctor"]);
    let lines: Vec<_> = doctor.out.iter().filter(|line| line.contains("may not read all of it")).collect();
    assert_eq!(lines.len(), 1, "{doctor:?}");
    assert!(lines[0].contains("warn") && lines[0].contains("'hscan'"), "{doctor:?}");
    assert!(doctor.out.iter().any(|line| line.contains("ok    FAQ jobs")), "{doctor:?}");
    let shown = scene.run_on(&url, &["show", "2", "--json"]);
    assert!(shown.err.contains("not all of Chatwoot's own jobs are known"), "{shown:?}");
    // What may be read is shown.
    assert!(shown.out[0].contains("\"chatwoot_jobs\":[{\"kind\":\"faq\",\"state\":\"queued\""), "{shown:?}");
    let settings = quarterdeck::lock::Settings { url: Some(url), ..scene.redis.settings(LockMode::Preferred) };
    let redis = joined(&settings).await;
    let number = redis.connection_number();
    let jobs = redis.chatwoot_jobs(Timestamp::from_micros(0)).await.expect("an answer");
    assert!(jobs.problem.is_some() && jobs.jobs.len() == 1, "{jobs:?}");
    assert!(redis.is_connected() && redis.connection_number() == number, "a refusal does not break the connection");
    redis.close().await;
}

async fn joined(settings: &quarterdeck::lock::Settings) -> Arc<Redis> {
    let role = quarterdeck::lock::Role::Watcher;
    let redis = Redis::start(settings, role, StoreId("s".into())).expect("an address").expect("it is used");
    let mut state = redis.connection_state();
    within("a connection", state.wait_for(|state| *state == ConnectionState::Connected)).await.expect("it runs");
    redis
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_queues_and_large_entries_are_read_within_bounds_from_the_end_that_runs_first() {
    let server = TestRedis::own(None);
    server.run("SADD", &["queues", "low"]);
    let redis = joined(&server.settings(LockMode::Preferred)).await;
    let fill = |first: &Value, number: usize, pad: usize| {
        server.run("DEL", &["queue:low"]);
        let other = json!({ "wrapped": "SendReplyJob", "pad": "x".repeat(pad) }).to_string();
        let mut all = vec!["queue:low".to_owned(), first.to_string()];
        all.extend(std::iter::repeat_n(other, number));
        all.push(entry(SYNC, 8, 0).to_string());
        server.run("LPUSH", &all.iter().map(String::as_str).collect::<Vec<_>>());
    };
    let now = Timestamp::from_micros(0);
    fill(&entry(SYNC, 7, 0), 3_000, 10);
    let jobs = redis.chatwoot_jobs(now).await.expect("an answer");
    assert_eq!((jobs.examined, jobs.total), (1_000, 3_002));
    assert_eq!(jobs.jobs.iter().map(|job| job.document).collect::<Vec<_>>(), [Some(DocumentId(7))]);
    assert!(jobs.is_cut());
    fill(&entry(SYNC, 7, 0), 400, 100_000);
    let jobs = redis.chatwoot_jobs(now).await.expect("an answer");
    assert!((50..200).contains(&jobs.examined), "{} entries of 100 kB", jobs.examined);
    // Not a queue, but another program's key.
    server.run("DEL", &["queue:low"]);
    server.run("SET", &["queue:low", "x"]);
    assert_eq!(redis.chatwoot_jobs(now).await.expect("an answer").jobs, []);
    redis.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_shows_chatwoots_jobs_among_its_own_and_in_the_details() {
    let scene = Scene::new().await;
    let mut command = scene.install.on_terminal(&["--read-only"]);
    command.env("QUARTERDECK_STORE", &scene.database.url);
    command.env("QUARTERDECK_REDIS", scene.redis.url());
    let mut console = Terminal::spawn(120, 40, command);
    console.until_text("Page number 3");
    console.keys("3");
    let shown = console.until_text("sync failed, attempt 3 next").contents();
    for text in
        ["Chatwoot 4", "its scheduler in ", "sync running on web-1:7", "FAQ job queued", "Page number 1", "account 2"]
    {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    // A job that is gone leaves the screen although nothing was committed.
    scene.redis.run("DEL", &["schedule"]);
    console.until("the end of a job", |screen| !screen.contents().contains("attempt 3 next"));
    scene.redis.run("ZADD", &["schedule", &LATER.to_string(), &entry(SYNC, 3, 2).to_string()]);
    console.until_text("sync failed, attempt 3 next");
    console.keys("jj\r");
    console.until_text("Chatwoot will write it in ");
    console.keys("q");
    console.keys("q");
}

fn chatwoot() -> ChatwootJobs {
    let now = crate::support::facts::ago(0);
    let job = |number: i64, kind, state, seconds| ChatwootJob {
        jid: format!("{number:024x}").as_str().into(),
        kind,
        state,
        document: Some(DocumentId(number)),
        account: Some(AccountId(2)),
        name: Some(format!("Page number {number}").as_str().into()),
        queue: "purgable".into(),
        process: (state == ChatwootJobState::Running).then(|| "chatwoot-worker-1:7".into()),
        at: Some(now.plus(std::time::Duration::from_secs(seconds))),
        attempts: 2,
        error: None,
    };
    let (sync, faq) = (ChatwootJobKind::Sync, ChatwootJobKind::Faq);
    ChatwootJobs {
        jobs: vec![
            job(1, sync, ChatwootJobState::Running, 0),
            job(2, faq, ChatwootJobState::Queued, 0),
            job(3, sync, ChatwootJobState::Retrying, 118),
            job(4, ChatwootJobKind::Crawl, ChatwootJobState::Scheduled, 4_000),
        ],
        examined: 1_000,
        total: 23_456,
        next_schedule: Some(now.plus(std::time::Duration::from_secs(30_000))),
        problem: None,
        read_at: Some(now),
    }
}

#[test]
fn a_row_of_chatwoots_opens_its_document_and_nothing_else() {
    for (width, height) in [(120, 40), (80, 24), (40, 12)] {
        let mut screen = Screen::usual(width, height);
        screen.press(&["3"]);
        let data = JobsData { page: quarterdeck::store::JobsPage::default(), chatwoot: Some(chatwoot()) };
        screen.send(Msg::Rows(ViewRows::Jobs(Ok(data))));
        let text = screen.text();
        assert!(text.contains("Chatwoot 4") && text.contains("Page n"), "{text}");
        assert_eq!(text.contains("first 1,000 of 23,456 entries"), width >= 80, "{text}");
        screen.press(&["j", "j", "B"]);
        assert!(screen.text().contains("a job of"), "{}", screen.text());
        screen.press(&["enter"]);
        assert_eq!(screen.model.detail.as_ref().map(|detail| detail.document), Some(DocumentId(3)));
    }
    let mut screen = Screen::usual(120, 40);
    screen.press(&["3"]);
    let refused = ChatwootJobs { problem: Some("this user may not".into()), ..ChatwootJobs::default() };
    screen.send(Msg::Rows(ViewRows::Jobs(Ok(JobsData { page: jobs(), chatwoot: Some(refused) }))));
    assert!(screen.text().contains("Chatwoot 0  this user may not"), "{}", screen.text());
    assert!(screen.text().find("Chatwoot 0") < screen.text().find("recent"), "{}", screen.text());
}
