//! kill -9 of a worker in the middle of its syncs, again and again (engine.md 4.3, F1 and F2): nothing is lost, nothing is
//! written twice, nothing waits long. Small here; `QUARTERDECK_CHAOS=DOCUMENTS,KILLS tests/run chaos` for the full size.

use crate::support::db;
use crate::support::place::{Backend, Place};
use quarterdeck::demo::Site;
use quarterdeck::domain::document::Status;
use quarterdeck::domain::filter::Filter;
use quarterdeck::domain::id::{AccountId, AssistantId, DocumentId, JobId, Seq};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::link::Link;
use quarterdeck::domain::outcome::{Outcome, OutcomeResult};
use quarterdeck::domain::request::{Request, Scope, Verb};
use quarterdeck::domain::time::Timestamp;
use quarterdeck::store::{Access, Added, NewDocument, OutcomeQuery, OutcomesFrom, Store, open};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// The longest that a document may wait because of a kill (design.md 5.4, by lease).
const LONGEST_WAIT: Duration = Duration::from_secs(35);
/// How long one round may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

async fn kills_lose_nothing_and_write_nothing_twice(on: Backend) {
    let (documents, kills) = size();
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::new(on).await;
    let site = Site::start(7, documents).await.expect("the demo site");
    let config = folder.path().join("config.toml");
    std::fs::write(&config, config_for(&site)).expect("a config file");
    let url = place.url();
    let store = open(&url, Access::Create).await.expect("a new store");
    let ids = fill(&*store, &site).await;

    let mut killed_at = Vec::new();
    let mut random: u64 = 0x9e37_79b9_7f4a_7c15;
    for _ in 0..kills {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let share = u64::try_from(documents).expect("fits") / (u64::try_from(kills).expect("fits") + 2);
        let outcomes = i64::try_from(1 + (random >> 33) % share.max(1)).expect("fits");
        let worker = work(&url, &config, &[]);
        let until = Seq(store.last_seq().await.expect("the store answers").0 + outcomes);
        reached(&*store, until).await;
        killed_at.push(kill(worker, &*store));
    }
    let drained = Instant::now();
    let status = work(&url, &config, &["--drain"]).wait().expect("the worker ends");
    println!("drained in {:.1} s after {kills} kills", drained.elapsed().as_secs_f64());
    assert!(matches!(status.code(), Some(0 | 1)), "{status:?}: drained, some pages failed");

    check_documents(&*store, &ids).await;
    let outcomes = all_outcomes(&*store).await;
    check_attempts(&outcomes);
    check_waits(&outcomes, &killed_at);
    check_contents(&place, &ids, &outcomes).await;
    if on == Backend::Sqlite {
        assert_eq!(db::texts(&place.file(), "pragma integrity_check").await, [Some("ok".to_owned())]);
    }
    store.close().await;
}

fn size() -> (usize, usize) {
    let Ok(text) = std::env::var("QUARTERDECK_CHAOS") else { return (120, 3) };
    let (documents, kills) = text.split_once(',').expect("QUARTERDECK_CHAOS is DOCUMENTS,KILLS");
    (documents.parse().expect("a number"), kills.parse().expect("a number"))
}

fn config_for(site: &Site) -> String {
    let hosts = site.hosts();
    format!(
        "retry.transient_waits = [\"300ms\", \"300ms\", \"300ms\"]\nretry.unexpected_waits = [\"300ms\", \"300ms\"]\n\
         [fetch]\nconnect_timeout = \"500ms\"\nread_timeout = \"500ms\"\ntotal_timeout = \"1s\"\nallow_private_hosts = {hosts:?}\n"
    )
}

async fn fill(store: &dyn Store, site: &Site) -> Vec<DocumentId> {
    let documents: Vec<_> = site
        .documents()
        .iter()
        .map(|document| NewDocument {
            link: Link::parse(&document.url).expect("a link"),
            name: Some(document.name.as_str().into()),
            account_id: AccountId(document.account_id),
            assistant_id: AssistantId(document.assistant_id),
        })
        .collect();
    let added = store.add(&documents).await.expect("the store answers");
    let ids: Vec<_> = added
        .into_iter()
        .map(|added| match added {
            Added::New(id) | Added::Exists(id) => id,
        })
        .collect();
    let request = Request { verb: Verb::Sync, class: QueueClass::Auto, by: "chaos".into(), scope: Scope::Bulk };
    store.request(&ids, &request).await.expect("the store answers");
    ids
}

fn work(url: &str, config: &Path, args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_quarterdeck"))
        .args(["work", "--store", url, "--config"])
        .arg(config)
        .args(args)
        .env("XDG_STATE_HOME", config.parent().expect("a folder"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("a worker starts")
}

async fn reached(store: &dyn Store, seq: Seq) {
    let mut changes = store.changes();
    let waiting = async {
        while store.last_seq().await.expect("the store answers") < seq {
            let queue = store.queue().await.expect("the store answers");
            if queue.ready + queue.running + queue.waiting + queue.scheduled == 0 {
                return;
            }
            let _ = timeout(Duration::from_secs(1), changes.changed()).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("the worker gets on");
}

fn kill(mut worker: Child, store: &dyn Store) -> Timestamp {
    worker.kill().expect("the worker is there");
    worker.wait().expect("the worker is dead");
    store.now()
}

async fn check_documents(store: &dyn Store, ids: &[DocumentId]) {
    let counts = store.counts().await.expect("the store answers");
    let ended = counts.of(Status::Synced) + counts.of(Status::Failed);
    assert_eq!(usize::try_from(ended).expect("fits"), ids.len(), "every document ends in a final state: {counts:?}");
    let queue = store.queue().await.expect("the store answers");
    assert_eq!((queue.ready, queue.running, queue.waiting), (0, 0, 0));
}

async fn all_outcomes(store: &dyn Store) -> Vec<Outcome> {
    let mut all: Vec<Outcome> = Vec::new();
    loop {
        let after = all.last().map_or(Seq::START, |outcome| outcome.seq);
        let from = OutcomesFrom::After(after);
        let query = OutcomeQuery { filter: Filter::default(), document: None, from, limit: 1_000 };
        let more = store.outcomes(&query).await.expect("the store answers");
        if more.is_empty() {
            return all;
        }
        all.extend(more);
    }
}

/// Numbers are dense, attempts of a job have no gaps, and each attempt came to one end.
fn check_attempts(outcomes: &[Outcome]) {
    let mut attempts: BTreeMap<JobId, BTreeMap<u32, u32>> = BTreeMap::new();
    for (place, outcome) in (1..).zip(outcomes) {
        assert_eq!(outcome.seq, Seq(place), "numbers are dense");
        if !outcome.result.is_exhaustion() {
            *attempts.entry(outcome.job_id).or_default().entry(outcome.attempt).or_default() += 1;
        }
    }
    for (job, ends) in attempts {
        assert!(ends.values().all(|count| *count == 1), "job {job}: one end per attempt: {ends:?}");
        assert!(ends.keys().copied().eq(1..=u32::try_from(ends.len()).expect("fits")), "job {job}: no gaps: {ends:?}");
    }
}

fn check_waits(outcomes: &[Outcome], killed_at: &[Timestamp]) {
    let lost: Vec<_> = outcomes.iter().filter(|outcome| outcome.result == OutcomeResult::WorkerLost).collect();
    let mut longest = Duration::ZERO;
    for outcome in &lost {
        let killed = killed_at.iter().rev().find(|killed| **killed <= outcome.at).expect("lost after a kill");
        longest = longest.max(outcome.at.since(*killed));
    }
    println!("{} attempts lost and taken up again, the longest after {:.1} s", lost.len(), longest.as_secs_f64());
    assert!(longest <= LONGEST_WAIT, "{longest:?}");
}

/// Content was written once per outcome that says so.
async fn check_contents(place: &Place, ids: &[DocumentId], outcomes: &[Outcome]) {
    let mut written: HashMap<DocumentId, i64> = HashMap::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.content.is_some_and(|content| content.writes())) {
        *written.entry(outcome.document_id).or_default() += 1;
    }
    for document in ids {
        let version = format!("select content_version from document_state where document_id = {document}");
        let version = place.number(&version).await;
        assert_eq!(version.unwrap_or(0), written.get(document).copied().unwrap_or(0), "document {document}");
    }
}

on_both! {
    (flavor = "multi_thread", worker_threads = 2)
    kills_lose_nothing_and_write_nothing_twice,
}
