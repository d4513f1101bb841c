//! Tests `quarterdeck faq` with the real binary, PostgreSQL and Redis: what it says before it starts anything, and that
//! each document gets one job, whoever dies.

use crate::support::install::{Ended, Install, environment_of};
use crate::support::postgres::{self, Database};
use crate::support::redis::{TestRedis, document_of};
use crate::support::site::{Site, html};
use quarterdeck::store::migrate;
use serde_json::Value;
use std::collections::BTreeSet;

const ABORTED: Option<i32> = Some(6);

struct Scene {
    install: Install,
    database: Database,
    redis: TestRedis,
}

impl Scene {
    /// Starts a Chatwoot with `documents` pages, which have a text and no FAQs, and a live Sidekiq.
    async fn start(settings: &str, documents: usize) -> Self {
        let (database, redis) = (postgres::empty().await, TestRedis::own(None));
        database.script(postgres::CHATWOOT_TABLES).await;
        database.script(postgres::CHATWOOT_ANSWERS).await;
        let install = Install::new(Site::start(|_, hit| html("T", &format!("text {hit}"))).await, settings);
        migrate(&database.url, false, &mut |_| {}).await.expect("set up");
        let scene = Self { install, database, redis };
        scene.redis.sidekiq_serves(&["default", "low"]);
        let url = scene.install.site.url("/p");
        scene
            .database
            .script(&format!(
                "INSERT INTO captain_documents (name, external_link, content, assistant_id, account_id, created_at, \
                 updated_at, status) SELECT 'Page ' || n, '{url}' || n, 'a text', 3, 2, now(), now(), 1 \
                 FROM generate_series(1, {documents}) n"
            ))
            .await;
        scene
    }

    fn run(&self, args: &[&str]) -> Ended {
        self.run_with("none", args)
    }

    fn run_with(&self, fault: &str, args: &[&str]) -> Ended {
        let [store, redis] = environment_of(&self.database, &self.redis);
        self.install.start_with(&[store, redis, ("QUARTERDECK_FAULT", fault)], args).ended()
    }

    async fn answers(&self, document: i64, number: u32, edited: bool) {
        self.database
            .script(&format!(
                "INSERT INTO captain_assistant_responses (question, answer, assistant_id, documentable_id, account_id, \
                 created_at, updated_at, documentable_type, edited) SELECT 'Who is \x1b[31m' || n || '?', 'A', 3, \
                 {document}, 2, now(), now(), 'Captain::Document', {edited} FROM generate_series(1, {number}) n"
            ))
            .await;
    }

    /// Returns the documents of the jobs in a queue of Sidekiq.
    fn jobs(&self, queue: &str) -> Vec<String> {
        self.redis.entries(queue).iter().map(|job| document_of(job).to_string()).collect()
    }

    async fn waiting(&self) -> String {
        self.database.text("SELECT count(*)::text FROM quarterdeck.outbox").await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_started_once_and_a_second_request_is_refused() {
    let scene = Scene::start("", 3).await;
    scene.answers(2, 4, false).await;
    let started = scene.run(&["faq", "--filter", "faq:none", "--yes"]);
    assert_eq!((started.code, started.out.join("\n").as_str()), (Some(0), "faq: faq_noted 2"), "{started:?}");
    assert!(started.err.contains("no worker is running: the jobs wait"), "{started:?}");
    let shown = scene.run(&["show", "1"]).out.join("\n");
    assert!(shown.contains("FAQs        none\nFAQs        job waits for "), "{shown}");
    let again = scene.run(&["faq", "1", "--yes"]);
    assert!(again.code == Some(2) && again.err.contains("1 has an FAQ job that waits already"), "{again:?}");
    assert_eq!(scene.run(&["work", "--drain"]).code, Some(0));
    assert_eq!(scene.jobs("queue:low").into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(["1".into(), "3".into()]));
    let minutes = "UPDATE quarterdeck.faq_jobs SET started_at = started_at - 185000000";
    scene.database.script(minutes).await;
    let again = scene.run(&["faq", "1", "--yes"]);
    assert!(again.code == Some(2) && again.err.contains("1 has an FAQ job already started 3m ago"), "{again:?}");
    let all = scene.run(&["faq", "--filter", "faq:none", "--yes"]);
    let says = "skipped 2 documents: FAQ job already started, the last 3m ago";
    assert!(all.code == Some(0) && all.err.contains(says) && all.err.contains("no FAQ job to start"), "{all:?}");
    let both = scene.run(&["faq", "1", "2", "--yes", "--json"]);
    let says = r#"{"document_id":1,"answer":"skipped","reason":"has an FAQ job already started 3m ago","id":1}"#;
    assert_eq!(
        (both.code, both.out.as_slice()),
        (Some(2), &[says.to_owned(), r#"{"document_id":2,"answer":"faq_noted","id":2}"#.to_owned()][..])
    );
    let json = scene.run(&["show", "1", "--json"]).out.join("");
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["faqs"]["state"], &json["faqs"]["count"]), (&"none".into(), &0.into()));
    assert!(json["faqs"]["job_started_at"].is_string() && json["faqs"]["job_waits_since"].is_null(), "{json}");
    assert_eq!(scene.run(&["work", "--drain"]).code, Some(0));
    assert_eq!((scene.jobs("queue:low").len(), scene.waiting().await.as_str()), (3, "0"));
    // Chatwoot's job has run: what a verb selects is exact, a list may be 30 seconds old.
    scene.answers(1, 3, false).await;
    scene.answers(3, 3, false).await;
    let none = scene.run(&["sync", "--filter", "faq:none", "--dry-run"]).out;
    assert_eq!(none, ["would sync 0 documents on 0 hosts"]);
    let known = scene.run(&["sync", "--filter", "faq:unknown", "--dry-run"]).out;
    assert_eq!(known, ["would sync 3 documents on 1 host"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_text_starts_the_job_as_any_change_does_and_stays_until_somebody_forces() {
    let scene = Scene::start("", 1).await;
    let text = async || scene.database.text("SELECT content FROM captain_documents").await;
    let drain = || assert_eq!(scene.run(&["work", "--drain"]).code, Some(0));
    assert_eq!(scene.run(&["sync", "1"]).code, Some(0));
    drain();
    let (fetched, jobs) = (text().await, scene.jobs("queue:low").len());
    assert!(fetched.contains("text 1"), "{fetched}");
    let restored = scene.run(&["restore", "1", "0"]);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    assert_eq!((text().await.as_str(), scene.waiting().await.as_str()), ("a text", "1"));
    drain();
    assert_eq!((scene.jobs("queue:low").len(), scene.waiting().await.as_str()), (jobs + 1, "0"));
    assert_eq!(scene.run(&["sync", "1", "--force"]).code, Some(0));
    drain();
    assert!(text().await.contains("text 2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_in_the_middle_and_the_same_command_again_start_none_twice() {
    for (point, noted) in [("before_faq_commit", "0"), ("faq_jobs_noted", "250")] {
        let scene = Scene::start("", 600).await;
        let broken = scene.run_with(&format!("{point}:abort:"), &["faq", "--all", "--yes"]);
        assert_eq!((broken.signal, scene.waiting().await.as_str()), (ABORTED, noted), "{point}: {broken:?}");
        // A worker delivers some of them, and dies as well.
        let broken = scene.run_with("after_delivery:abort:", &["work", "--drain"]);
        assert_eq!(broken.signal.is_some(), noted != "0", "{point}: {broken:?}");
        let again = scene.run(&["faq", "--all", "--yes"]);
        assert_eq!(again.code, Some(0), "{point}: {again:?}");
        let env = environment_of(&scene.database, &scene.redis);
        let workers: Vec<_> = (0..2).map(|_| scene.install.start_with(&env, &["work", "--drain"])).collect();
        for worker in workers {
            assert_eq!(worker.ended().code, Some(0), "{point}");
        }
        let jobs = scene.jobs("queue:low");
        let different: BTreeSet<_> = jobs.iter().cloned().collect();
        assert_eq!((jobs.len(), different.len(), scene.waiting().await.as_str()), (600, 600, "0"), "{point}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_have_edited_is_named_before_anything_is_started() {
    let scene = Scene::start("", 4).await;
    scene.answers(1, 5, false).await;
    scene.answers(2, 3, false).await;
    scene.answers(2, 2, true).await;
    scene.answers(3, 4, true).await;
    scene.database.script("UPDATE captain_documents SET external_link = 'PDF: a_1' WHERE id = 4").await;
    let facts = [
        "8 answers removed and made anew",
        "6 answers edited by people on 2 documents: not removed, new ones may repeat them",
        "  Page 2 (2), 2 answers: \"Who is 1?\", \"Who is 2?\"",
        "  Page 3 (3), 4 answers: \"Who is 1?\", \"Who is 2?\", \"Who is 3?\", …",
    ];
    let preview = scene.run(&["faq", "--all", "--dry-run"]);
    assert_eq!(preview.code, Some(0));
    let first = "would start the FAQ jobs of 3 documents on 1 host";
    let last = "would skip 1 document: PDFs, for which Chatwoot starts no FAQ job again";
    assert_eq!(preview.out, [&[first][..], &facts, &[last]].concat());
    // Nobody can be asked without a terminal.
    for args in [&["faq", "--all"][..], &["faq", "2"]] {
        let refused = scene.run(args);
        assert_eq!((refused.code, scene.waiting().await.as_str()), (Some(2), "0"), "{refused:?}");
        assert!(refused.err.contains("confirm with --yes") && refused.err.contains(facts[2]), "{refused:?}");
    }
    let json = scene.run(&["faq", "2", "--dry-run", "--json"]).out.join("");
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["faqs"]["answers"], &json["faqs"]["edited_answers"]), (&5.into(), &2.into()));
    assert_eq!(json["faqs"]["edited"][0]["questions"][1]["question"], "Who is 2?");
    let pdf = scene.run(&["faq", "4", "--yes"]);
    assert!(pdf.code == Some(2) && pdf.err.contains("4 is a PDF, for which Chatwoot starts no"), "{pdf:?}");
    assert_eq!(scene.waiting().await, "0");
    // An older Chatwoot notes no edits, and its job removes all.
    scene.database.script("ALTER TABLE captain_assistant_responses DROP COLUMN edited").await;
    let preview = scene.run(&["faq", "2", "--dry-run"]).out.join("\n");
    assert!(preview.contains("5 answers removed and made anew\nthis Chatwoot does not note which"), "{preview}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_never_put_where_nobody_reads_and_the_settings_may_forbid_it() {
    let scene = Scene::start("", 2).await;
    scene.redis.sidekiq_serves(&["mailers"]);
    assert_eq!(scene.run(&["faq", "1", "--yes"]).code, Some(0));
    assert_eq!(scene.run(&["work", "--drain"]).code, Some(0));
    assert_eq!((scene.jobs("queue:low").len(), scene.waiting().await.as_str()), (0, "1"));
    let shown = scene.run(&["show", "1"]).out.join("\n");
    assert!(shown.contains("no live process of Sidekiq serves low, within_10_minutes, default"), "{shown}");
    scene.redis.sidekiq_serves(&["within_10_minutes"]);
    assert_eq!(scene.run(&["work", "--drain"]).code, Some(0));
    assert_eq!((scene.jobs("queue:within_10_minutes"), scene.waiting().await.as_str()), (vec!["1".into()], "0"));

    let off = Scene::start("chatwoot.enqueue_faq_job = false\n", 1).await;
    let refused = off.run(&["faq", "1", "--yes"]);
    assert!(refused.code == Some(2) && refused.err.contains("chatwoot.enqueue_faq_job is false"), "{refused:?}");
    let env = [("QUARTERDECK_STORE", scene.database.url.as_str())];
    let refused = scene.install.start_with(&env, &["faq", "1", "--yes"]).ended();
    assert!(refused.code == Some(2) && refused.err.contains("without Chatwoot's Redis"), "{refused:?}");
    assert_eq!((off.waiting().await.as_str(), scene.waiting().await.as_str()), ("0", "0"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_chatwoot_there_are_no_faqs_and_nothing_says_more() {
    let install = Install::new(Site::start(|_, _| html("T", "A text.")).await, "");
    assert_eq!(install.run(&["add", &install.site.url("/a")]).code, Some(0));
    let says = "FAQs need a database of Chatwoot, and this store is not one";
    for args in [
        &["faq", "1", "--yes"][..],
        &["faq", "--all", "--dry-run"],
        &["list", "--filter", "faq:none"],
        &["sync", "--filter", "-faq:ok"],
        &["retry", "--filter", "faq:stale", "--dry-run"],
    ] {
        let refused = install.run(args);
        assert!(refused.code == Some(2) && refused.err.contains(says), "{args:?}: {refused:?}");
    }
    for args in [&["list"][..], &["show", "1"], &["doctor"]] {
        let ended = install.run(args);
        assert!(!format!("{ended:?}").contains("FAQ"), "{args:?}: {ended:?}");
    }
    let json: Value = serde_json::from_str(&install.run(&["list", "--json"]).out.join("")).expect("JSON");
    assert_eq!(json["faqs"], Value::Null);
}
