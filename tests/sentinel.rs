//! Tests Redis Sentinel: real servers that fail over while documents are synced.

use crate::support::install::{Ended, Install};
use crate::support::limit::{until, within};
use crate::support::postgres::{self, Database};
use crate::support::sentinels::{FIRST, PASSWORD, SENTINEL_PASSWORD, Sentinels};
use crate::support::site::{Site, html};
use quarterdeck::domain::id::{DocumentId, JobId, Token};
use quarterdeck::domain::lock::{Lock, StoreId};
use quarterdeck::lock::{ConnectionState, LockResult, PushResult, Redis, Role};
use quarterdeck::store::migrate;
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// SQL that counts the writes of texts.
const COUNT_OF_WRITES: &str = "CREATE TABLE text_writes (document bigint); \
    CREATE FUNCTION note_text() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
    INSERT INTO text_writes (document) VALUES (NEW.id); RETURN NULL; END $$; \
    CREATE TRIGGER note_text AFTER UPDATE OF content ON captain_documents FOR EACH ROW EXECUTE FUNCTION note_text();";
const DOCUMENTS: usize = 1_000;

fn lock(document: i64) -> Lock {
    Lock { document: DocumentId(document), job: JobId(document), token: Token(document) }
}

async fn connected(redis: &Redis) {
    let mut state = redis.connection_state();
    within("a connection", state.wait_for(|state| *state == ConnectionState::Connected)).await.expect("it runs");
}

fn joined(sentinels: &Sentinels) -> Arc<Redis> {
    let role = Role::Worker { renew: Duration::from_secs(10) };
    Redis::start(&sentinels.settings(), role, StoreId("s".into())).expect("an address").expect("it is used")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_a_failover_lost_is_set_again_on_the_new_master() {
    let mut sentinels = Sentinels::start();
    let redis = joined(&sentinels);
    connected(&redis).await;
    assert_eq!(sentinels.master(), FIRST);
    sentinels.kill_sentinel(0);
    // One sentinel less is no matter.
    let redis_of_two = joined(&sentinels);
    connected(&redis_of_two).await;
    redis_of_two.close().await;
    redis.close().await;

    let mut sentinels = Sentinels::start();
    let redis = joined(&sentinels);
    connected(&redis).await;
    sentinels.cut_replication();
    assert_eq!(redis.acquire(lock(7)).await, Ok(LockResult::Acquired));
    let number = redis.connection_number();
    sentinels.fail_over();
    let new = sentinels.master();
    until("the lock on the new master", async || {
        let key = "alfred:CAPTAIN_DOCUMENT_SYNC_LOCK::7";
        sentinels.ask::<Option<String>>(new, &["GET", key]).map(|value| assert_eq!(value, "quarterdeck:s:7:7"))
    })
    .await;
    assert!(redis.connection_number() > number);
    redis.release(lock(7)).await;
    assert_eq!(sentinels.ask::<i64>(new, &["EXISTS", "alfred:CAPTAIN_DOCUMENT_SYNC_LOCK::7"]), 0);
    redis.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_becomes_a_replica_is_left_for_the_new_one() {
    let sentinels = Sentinels::start();
    let redis = joined(&sentinels);
    connected(&redis).await;
    let number = redis.connection_number();
    sentinels.hand_over();
    until("another connection", async || (redis.connection_number() > number).then_some(())).await;
    connected(&redis).await;
    assert_eq!(redis.acquire(lock(9)).await, Ok(LockResult::Acquired));
    let key = "alfred:CAPTAIN_DOCUMENT_SYNC_LOCK::9";
    assert_eq!(sentinels.ask::<i64>(sentinels.master(), &["EXISTS", key]), 1);
    redis.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_names_master_and_sentinels_and_never_a_password() {
    let mut sentinels = Sentinels::start();
    let install = Install::new(Site::start(|_, _| html("T", "text")).await, "");
    let doctor = |url: &str| install.start_with(&[("QUARTERDECK_REDIS", url)], &["doctor"]).ended();
    let secret = |ended: &Ended| {
        let all = format!("{}{}", ended.out.join("\n"), ended.err);
        [PASSWORD, SENTINEL_PASSWORD, "horse", "staple", "%20"].iter().any(|word| all.contains(word))
    };
    let fine = doctor(&sentinels.url());
    let line = fine.out.iter().find(|line| line.contains("Redis 7")).unwrap_or_else(|| panic!("{fine:?}"));
    assert!(line.contains(", the master deck (127.0.0.1:") && !secret(&fine), "{fine:?}");
    sentinels.kill_sentinel(2);
    let one_less = doctor(&sentinels.url());
    let missing = format!("the sentinel at {} cannot be used", sentinels.nodes()[2]);
    assert!(one_less.out.iter().any(|line| line.contains("warn") && line.contains(&missing)), "{one_less:?}");
    assert!(one_less.out.iter().any(|line| line.contains("Redis 7")) && !secret(&one_less), "{one_less:?}");
    for (from, to, says) in [
        ("correct%20horse", "wrong%20horse", "check user and password"),
        ("battery%20staple", "wrong%20staple", "check user and password"),
        ("/deck/", "/other/", "check the master's name in redis.sentinel_master or redis.url"),
        ("@127.0.0.1:", "@bad host:", "a sentinel is not written as host or host:port"),
    ] {
        let wrong = doctor(&sentinels.url().replace(from, to));
        let found = wrong.out.iter().any(|line| line.contains(says)) && wrong.code == Some(1);
        assert!(found && !secret(&wrong), "{says}: {wrong:?}");
    }
}

/// What `chatwoot.md` tells to permit.
fn documented_rights() -> Vec<String> {
    let page = include_str!("../assets/docs/chatwoot.md");
    let rule = page.split_once("ACL SETUSER deck").and_then(|(_, rest)| rest.split_once("```")).expect("the rule").0;
    let words = rule.split_whitespace().filter(|word| *word != "\\");
    ["ACL", "SETUSER", "deck"].into_iter().chain(words).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_with_tls_and_a_user_of_few_rights_serve_locks_and_jobs() {
    let sentinels = Sentinels::start_with_tls();
    let rights = documented_rights();
    for server in 0..2 {
        let rights: Vec<&str> = rights.iter().map(String::as_str).collect();
        let _: redis::Value = sentinels.ask(server, &rights);
    }
    let plain = Install::new(Site::start(|_, _| html("T", "text")).await, "");
    let ca_file = sentinels.authority(plain.folder());
    let settings = format!("redis.ca_file = {:?}\n", ca_file.display().to_string());
    let install = Install::new(Site::start(|_, _| html("T", "text")).await, &settings);
    let url = sentinels.url().replace("redis+", "rediss+").replace("//:correct%20horse@", "//deck:secret@");
    let environment = [("QUARTERDECK_REDIS", url.as_str())];
    let trusted = install.start_with(&environment, &["doctor"]).ended();
    assert!(trusted.out.iter().any(|line| line.contains("ok    redis") && line.contains("Redis 7")), "{trusted:?}");
    let not_trusted = plain.start_with(&environment, &["doctor"]).ended();
    assert!(not_trusted.out.iter().any(|line| line.contains("fail  redis")), "{not_trusted:?}");

    let settings = quarterdeck::lock::Settings { url: Some(url), ca_file: Some(ca_file), ..sentinels.settings() };
    let settings = quarterdeck::lock::Settings { sentinel: Default::default(), ..settings };
    let role = Role::Worker { renew: Duration::from_secs(10) };
    let redis = Redis::start(&settings, role, StoreId("s".into())).expect("an address").expect("it is used");
    connected(&redis).await;
    assert_eq!(redis.acquire(lock(7)).await, Ok(LockResult::Acquired));
    redis.release(lock(7)).await;
    assert_eq!(redis.push_job("low", "0123456789abcdef01234567", "{}").await, Ok(PushResult::Enqueued));
    assert_eq!(redis.has_pushed(&["0123456789abcdef01234567".into(), "x".into()]).await, Ok(vec![true, false]));
    assert_eq!(redis.sidekiq_processes().await, Ok(Vec::new()));
    assert_eq!(redis.sidekiq_form("low").await, Ok(None));
    assert!(redis.is_connected());
    redis.close().await;
}

struct Scene {
    sentinels: Sentinels,
    database: Database,
    install: Install,
}

impl Scene {
    /// Starts a Chatwoot with documents that each have a new text.
    async fn start() -> Self {
        let site = Site::start(|path, _| html("T", &format!("the text of {path}"))).await;
        let database = postgres::empty().await;
        database.script(postgres::CHATWOOT_TABLES).await;
        database
            .script(&format!(
                "INSERT INTO captain_documents (external_link, assistant_id, account_id, created_at, updated_at, status) \
                 SELECT '{}' || n, 3, 2, now(), now(), 1 FROM generate_series(1, {DOCUMENTS}) n",
                site.url("/page-")
            ))
            .await;
        database.script(COUNT_OF_WRITES).await;
        migrate(&database.url, false, &mut |_| {}).await.expect("set up");
        let sentinels = Sentinels::start();
        let info =
            serde_json::json!({ "hostname": "web-1", "pid": 7, "concurrency": 10, "queues": ["low"] }).to_string();
        let _: i64 = sentinels.ask(FIRST, &["SADD", "processes", "web-1:7:ab"]);
        let _: i64 = sentinels.ask(FIRST, &["HSET", "web-1:7:ab", "info", &info, "busy", "0", "quiet", "false"]);
        let install = Install::new(site, "runner.per_host = 16\n");
        Self { sentinels, database, install }
    }

    fn environment(&self) -> [(&'static str, String); 2] {
        [("QUARTERDECK_STORE", self.database.url.clone()), ("QUARTERDECK_REDIS", self.sentinels.url())]
    }

    async fn rows(&self, sql: &str) -> String {
        self.database.text(sql).await
    }
}

/// The replication is cut before the master dies, so the last FAQ jobs and the locks of that moment are lost with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_in_the_middle_of_a_thousand_syncs_doubles_no_write_and_loses_no_faq_job() {
    let mut scene = Scene::start().await;
    let environment = scene.environment();
    let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
    let queued = scene.install.start_with(&environment, &["sync", "--all", "--yes"]).ended();
    assert_eq!(queued.code, Some(0), "{queued:?}");
    let worker = scene.install.start_with(&environment, &["work"]);
    let pushed = |sentinels: &Sentinels, server| sentinels.ask::<usize>(server, &["LLEN", "queue:low"]);
    until("the first FAQ jobs", async || (pushed(&scene.sentinels, FIRST) >= DOCUMENTS / 10).then_some(())).await;
    scene.sentinels.cut_replication();
    let replicated = pushed(&scene.sentinels, 1 - FIRST);
    let lost = until("FAQ jobs that will be lost", async || {
        let lost = pushed(&scene.sentinels, FIRST) - replicated;
        (lost >= 20).then_some(lost)
    })
    .await;
    let synced = "SELECT count(*)::text FROM captain_documents WHERE sync_status = 1";
    let before: usize = scene.rows(synced).await.parse().expect("a number");
    assert!(before < DOCUMENTS, "in the middle");
    tokio::task::block_in_place(|| scene.sentinels.fail_over());
    let new = scene.sentinels.master();
    assert_ne!(new, FIRST);
    until(format!("all syncs, and all jobs, of which {lost} were lost"), async || {
        (scene.rows(synced).await == DOCUMENTS.to_string() && pushed(&scene.sentinels, new) >= DOCUMENTS).then_some(())
    })
    .await;
    worker.signal(Signal::TERM);
    let worked = worker.ended();
    assert_eq!(worked.code, Some(0), "{worked:?}");
    let writes = "SELECT count(*)::text || ' ' || count(DISTINCT document)::text FROM text_writes";
    assert_eq!(scene.rows(writes).await, format!("{DOCUMENTS} {DOCUMENTS}"), "each text is written once");
    let entries: Vec<String> = scene.sentinels.ask(new, &["LRANGE", "queue:low", "0", "-1"]);
    let mut jobs: BTreeMap<String, usize> = BTreeMap::new();
    for entry in &entries {
        let entry: Value = serde_json::from_str(entry).expect("JSON");
        *jobs.entry(entry["args"][0]["arguments"][0]["_aj_globalid"].to_string()).or_default() += 1;
    }
    assert!(jobs.values().all(|number| *number == 1), "{jobs:?}");
    assert_eq!((entries.len(), jobs.len()), (DOCUMENTS, DOCUMENTS));
    let pending = "SELECT count(*)::text FROM quarterdeck.outbox WHERE subscriber NOT LIKE '%:delivered'";
    assert_eq!(scene.rows(pending).await, "0");
}
