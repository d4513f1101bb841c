//! Tests Chatwoot's FAQ job: recorded in the transaction of the change, and pushed to Sidekiq's queue exactly once,
//! whichever process dies.

use crate::support::install::{Ended, Install, environment_of, until};
use crate::support::postgres::{self, Database};
use crate::support::redis::TestRedis;
use crate::support::site::{Site, html};
use quarterdeck::store::{Access, migrate, open};
use serde_json::Value;

const ABORTED: Option<i32> = Some(6);

struct Scene {
    install: Install,
    database: Database,
    redis: TestRedis,
}

impl Scene {
    /// Starts a Chatwoot whose one page has a different text each time.
    async fn new(settings: &str) -> Self {
        let site = Site::start(|_, hit| html("T", &format!("text {hit}"))).await;
        Self::on(site, settings).await
    }

    async fn on(site: Site, settings: &str) -> Self {
        let (database, redis) = (postgres::empty().await, TestRedis::own(None));
        database.script(postgres::CHATWOOT_TABLES).await;
        let install = Install::new(site, settings);
        migrate(&database.url, false, &mut |_| {}).await.expect("set up");
        let scene = Self { install, database, redis };
        scene.redis.sidekiq_serves(&["default", "low"]);
        let added = scene.run(&["add", &scene.install.site.url("/page"), "--assistant", "3"]);
        assert_eq!(added.code, Some(0), "{added:?}");
        scene
    }

    fn run(&self, args: &[&str]) -> Ended {
        self.run_with("none", args)
    }

    fn run_with(&self, fault: &str, args: &[&str]) -> Ended {
        let [store, redis] = environment_of(&self.database, &self.redis);
        self.install.start_with(&[store, redis, ("QUARTERDECK_FAULT", fault)], args).ended()
    }

    /// Runs one sync, with a worker that exits when the queue is empty.
    fn sync(&self) {
        assert_eq!(self.run(&["sync", "1"]).code, Some(0));
        let worked = self.run(&["work", "--drain"]);
        assert_eq!(worked.code, Some(0), "{worked:?}");
    }

    fn entries(&self, queue: &str) -> Vec<Value> {
        self.redis.entries(queue)
    }

    async fn noted(&self) -> String {
        self.database.text("SELECT count(*)::text FROM quarterdeck.outbox").await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_text_is_one_entry_in_chatwoots_form_and_an_unchanged_one_none() {
    let site = Site::start(|_, hit| html("T", if hit < 3 { "text" } else { "another" })).await;
    let scene = Scene::on(site, "").await;
    scene.sync();
    let entries = scene.entries("queue:low");
    assert_eq!((entries.len(), scene.noted().await.as_str()), (1, "0"), "the first text is one, and it is told");
    let entry = &entries[0];
    let keys: Vec<&String> = entry.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["retry", "queue", "wrapped", "args", "class", "jid", "created_at", "enqueued_at"]);
    assert_eq!((&entry["retry"], &entry["queue"]), (&Value::Bool(true), &Value::from("low")));
    assert_eq!(entry["class"], "ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper");
    assert_eq!(entry["wrapped"], "Captain::Documents::ResponseBuilderJob");
    let jid = entry["jid"].as_str().expect("a text");
    assert!(jid.len() == 24 && jid.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{jid}");
    assert!(entry["created_at"].is_f64() && entry["enqueued_at"].is_f64(), "{entry}");
    assert!(entry["created_at"].as_f64() <= entry["enqueued_at"].as_f64());
    let job = &entry["args"][0];
    assert_eq!(entry["args"].as_array().map(Vec::len), Some(1));
    assert_eq!(job["job_class"], "Captain::Documents::ResponseBuilderJob");
    assert_eq!(job["job_id"].as_str().map(str::len), Some(36));
    assert_eq!(job["arguments"], serde_json::json!([{ "_aj_globalid": "gid://chatwoot/Captain::Document/1" }]));
    assert_eq!((&job["queue_name"], &job["executions"], &job["locale"]), (&"low".into(), &0.into(), &"en".into()));
    assert_eq!((&job["exception_executions"], &job["provider_job_id"]), (&serde_json::json!({}), &Value::Null));
    assert_eq!(scene.redis.run("SISMEMBER", &["queues", "low"]), redis::Value::Int(1));
    scene.sync();
    assert_eq!(scene.entries("queue:low").len(), 1, "the same text is none");
    scene.sync();
    assert_eq!((scene.entries("queue:low").len(), scene.noted().await.as_str()), (2, "0"), "another text is one more");
    // FLUSHALL deletes the queued jobs, and nothing restores them.
    scene.redis.run("FLUSHALL", &[]);
    scene.redis.sidekiq_serves(&["default", "low"]);
    scene.sync();
    assert_eq!(scene.entries("queue:low").len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_at_any_point_leaves_one_entry() {
    // A fault point, and the recorded and delivered messages once the process is dead.
    for (point, noted, told) in [
        ("after_finish", "1", None),
        ("before_delivery", "1", Some(0)),
        ("after_delivery", "1", Some(1)),
        ("delivered", "0", Some(1)),
    ] {
        let scene = Scene::new("").await;
        assert_eq!(scene.run(&["sync", "1"]).code, Some(0));
        let broken = scene.run_with(&format!("{point}:abort:"), &["work", "--drain"]);
        assert_eq!(broken.signal, ABORTED, "{point}: {broken:?}");
        if let Some(told) = told {
            assert_eq!((scene.noted().await.as_str(), scene.entries("queue:low").len()), (noted, told), "{point}");
        }
        // Several workers start after it at once.
        let env = environment_of(&scene.database, &scene.redis);
        let after: Vec<_> = (0..3).map(|_| scene.install.start_with(&env, &["work", "--drain"])).collect();
        for process in after {
            assert_eq!(process.ended().code, Some(0), "{point}");
        }
        assert_eq!((scene.noted().await.as_str(), scene.entries("queue:low").len()), ("0", 1), "{point}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_away_means_later() {
    let mut scene = Scene::new("").await;
    scene.redis.stop();
    scene.sync();
    assert_eq!(scene.noted().await, "1", "the sync itself went on");
    assert_eq!(scene.database.text("SELECT sync_status::text FROM captain_documents").await, "1");
    scene.redis.start_again();
    scene.redis.sidekiq_serves(&["default", "low"]);
    let env = environment_of(&scene.database, &scene.redis);
    let worker = scene.install.start_with(&env, &["work"]);
    let store = open(&scene.database.url, Access::Write).await.expect("it is there");
    until(&*store, "told", async || store.pending_deliveries().await.is_ok_and(|pending| pending.is_empty())).await;
    worker.signal(rustix::process::Signal::TERM);
    assert_eq!(worker.ended().code, Some(0));
    store.close().await;
    assert_eq!(scene.entries("queue:low").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_redis_refuses_is_put_there_when_it_does_not() {
    let scene = Scene::new("").await;
    scene.redis.run("SET", &["queue:low", "somebody's text"]);
    scene.sync();
    assert_eq!(scene.noted().await, "1", "it is not there, so it is not told");
    assert_eq!(scene.redis.get("queue:low").as_deref(), Some("somebody's text"));
    scene.redis.run("DEL", &["queue:low"]);
    assert_eq!(scene.run(&["work", "--drain"]).code, Some(0));
    assert_eq!((scene.noted().await.as_str(), scene.entries("queue:low").len()), ("0", 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_switch_and_the_form_are_the_settings_or_what_is_seen() {
    let off = Scene::new("chatwoot.enqueue_faq_job = false\n").await;
    off.sync();
    assert_eq!((off.noted().await.as_str(), off.entries("queue:low").len()), ("0", 0));
    let says = off.run(&["doctor"]).out.join("\n");
    assert!(says.contains("not started when a text changes (chatwoot.enqueue_faq_job = false)"), "{says}");

    let auto = Scene::new("").await;
    auto.redis.run("DEL", &["queues", "processes"]);
    auto.sync();
    assert_eq!(auto.entries("queue:low").len(), 0, "has no Sidekiq");
    let says = auto.run(&["doctor"]).out.join("\n");
    assert!(says.contains("has no Sidekiq"), "{says}");

    let on = Scene::new("chatwoot.enqueue_faq_job = true\nchatwoot.faq_queue = \"faqs\"\n").await;
    on.redis.sidekiq_serves(&["faqs"]);
    on.redis.run("DEL", &["queues"]);
    let newer = r#"{"class":"Sidekiq::ActiveJob::Wrapper","wrapped":"X","created_at":1764054151123}"#;
    on.redis.run("ZADD", &["retry", "1", newer]);
    on.sync();
    let entries = on.entries("queue:faqs");
    assert_eq!((entries.len(), &entries[0]["class"]), (1, &Value::from("Sidekiq::ActiveJob::Wrapper")));
    assert!(entries[0]["created_at"].is_i64(), "{}", entries[0]);
    let says = on.run(&["doctor"]).out.join("\n");
    assert!(says.contains("queue faqs of Redis") && says.contains("Sidekiq::ActiveJob::Wrapper"), "{says}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_waits_until_a_live_process_serves_its_queue_and_goes_where_the_newest_one_went() {
    let scene = Scene::new("").await;
    let doctor = |scene: &Scene| {
        let ended = scene.run(&["doctor"]);
        (ended.code, ended.out.join("\n"))
    };
    // A process that is gone, one that serves other queues, and one that takes no more jobs.
    scene.redis.sidekiq_serves(&[]);
    scene.sync();
    assert_eq!((scene.noted().await.as_str(), scene.entries("queue:low").len()), ("1", 0));
    let (_, says) = doctor(&scene);
    assert!(says.contains("FAQ jobs are waiting: no process of Sidekiq is alive"), "{says}");
    assert!(says.contains("1 job not yet in Sidekiq's queue") && says.contains("last error: no process"), "{says}");
    scene.redis.sidekiq_serves(&["mailers"]);
    assert_eq!(scene.run(&["work", "--drain"]).code, Some(0));
    let (code, says) = doctor(&scene);
    let reason = "no live process of Sidekiq serves low, within_10_minutes, default";
    assert!(code == Some(1) && says.contains(reason), "{code:?} {says}");
    scene.redis.sidekiq_serves(&["within_10_minutes"]);
    scene.redis.run("HSET", &["web-1:7:ab", "quiet", "true"]);
    assert_eq!(scene.run(&["work", "--drain"]).code, Some(0));
    assert_eq!(scene.noted().await, "1", "nothing was put where nobody reads");
    // The name of a later Chatwoot.
    scene.redis.run("HSET", &["web-1:7:ab", "quiet", "false"]);
    assert_eq!(scene.run(&["work", "--drain"]).code, Some(0));
    assert_eq!((scene.noted().await.as_str(), scene.entries("queue:within_10_minutes").len()), ("0", 1));
    assert_eq!(scene.entries("queue:within_10_minutes")[0]["queue"], "within_10_minutes");
    // A served queue in which Chatwoot itself has put such a job last.
    scene.redis.sidekiq_serves(&["low", "captain", "within_10_minutes"]);
    scene.redis.run("SADD", &["queues", "captain"]);
    let newest = r#"{"class":"Sidekiq::ActiveJob::Wrapper","wrapped":"Captain::Documents::ResponseBuilderJob",
        "queue":"captain","enqueued_at":4000000000.5}"#;
    scene.redis.run("LPUSH", &["queue:captain", newest]);
    scene.sync();
    assert_eq!((scene.noted().await.as_str(), scene.entries("queue:captain").len()), ("0", 2));
    let (_, says) = doctor(&scene);
    assert!(says.contains("started when a text changes: queue captain of Redis"), "{says}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_that_a_verb_accepts_starts_a_job_too() {
    let site = Site::start(|_, hit| match hit {
        1 => html("T", "A long text that is worth keeping, with many words in it."),
        _ => html("Sign in", "# Sign in"),
    })
    .await;
    let scene = Scene::on(site, "").await;
    scene.sync();
    scene.sync();
    assert_eq!(scene.entries("queue:low").len(), 1, "a text that needs review starts none");
    assert_eq!(scene.run(&["reject", "1", "--json"]).code, Some(0));
    assert_eq!(scene.noted().await, "0", "nor does one that is rejected");
    scene.database.script("UPDATE quarterdeck.held_contents SET rejected_at = NULL, content = '# Sign in'").await;
    let accepted = scene.run(&["accept", "1"]);
    assert_eq!((accepted.code, scene.noted().await.as_str()), (Some(0), "1"), "{accepted:?}");
    let doctor = scene.run(&["doctor"]).out.join("\n");
    assert!(doctor.contains("1 job not yet in Sidekiq's queue, the oldest waiting for"), "{doctor}");
    let again = scene.run(&["accept", "1"]);
    assert_eq!((again.code, scene.noted().await.as_str()), (Some(2), "1"), "{again:?}");
    assert_eq!(scene.run(&["work", "--drain"]).code, Some(0));
    assert_eq!((scene.noted().await.as_str(), scene.entries("queue:low").len()), ("0", 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_of_a_chatwoot_belong_to_an_assistant_that_is_there() {
    let scene = Scene::new("").await;
    let page = scene.install.site.url("/more");
    for (args, says) in [
        (vec!["add", &page], "--assistant N"),
        (vec!["add", &page, "--assistant", "4"], "has no assistant with this ID"),
        (vec!["add", &page, "--assistant", "3", "--account", "9"], "belongs to account 2"),
    ] {
        let ended = scene.run(&args);
        assert!(ended.code == Some(2) && ended.err.contains(says), "{args:?}: {ended:?}");
    }
    let file = scene.install.write("pages.txt", format!("{page}\n"));
    let file = file.to_str().expect("a path");
    assert!(scene.run(&["import", file]).err.contains("--assistant N"));
    assert_eq!(scene.run(&["import", file, "--assistant", "3"]).code, Some(0));
    let owners = "SELECT string_agg(assistant_id || '/' || account_id, ' ') FROM captain_documents";
    assert_eq!(scene.database.text(owners).await, "3/2 3/2");
    let removed = scene.run(&["remove", "1", "--yes"]);
    assert!(removed.code != Some(0) && removed.err.contains("remove them in Chatwoot"), "{removed:?}");
}
