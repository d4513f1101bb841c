//! Verbs that act on documents after their syncs: `retry`, `accept` and `reject`, while others do the same.

use super::Scene;
use crate::store::support::{limits, permanent, worker};
use crate::support::install::{Ended, Process};
use crate::support::place::Backend;
use quarterdeck::domain::content::{ContentChange, Page};
use quarterdeck::domain::content_guard::QuarantineReason;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::job::AttemptEnd;
use quarterdeck::domain::retry::RetryPolicy;
use quarterdeck::store::{Decision, Finish, FinishResult, ReviewTarget};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

const DOCUMENTS: usize = 1_200;
/// Documents that another person moves while the verb runs.
const MOVED: usize = 300;

impl Scene {
    /// Lets the attempts of all queued documents end in this way.
    async fn end_all(&self, end: impl Fn() -> AttemptEnd) {
        let worker = worker("w1");
        self.store.register(&worker).await.expect("the store answers");
        loop {
            let claimed = self.store.claim(&worker.id, limits(64)).await.expect("the store answers");
            if claimed.is_empty() {
                return;
            }
            let policy = RetryPolicy::default();
            let ends = claimed.iter().map(|job| {
                let finish = Finish { lease: job.lease, end: end(), duration: Duration::from_millis(1), stages: None };
                self.store.finish(finish, &policy)
            });
            for ended in futures_util::future::join_all(ends).await {
                assert!(matches!(ended.expect("the store answers"), FinishResult::Written { .. }));
            }
        }
    }

    fn run(&self, args: &[&str]) -> Process {
        self.install.start_with(&[("QUARTERDECK_STORE", &self.place.url())], args)
    }

    /// Returns the ids of the documents that `list` prints.
    fn listed(&self, filter: &str) -> BTreeSet<i64> {
        ids(&self.run(&["list", "--json", "--filter", filter]).ended(), "id").collect()
    }
}

/// Returns the numbers under `key` of the lines that a verb printed.
fn ids<'e>(ended: &'e Ended, key: &'e str) -> impl Iterator<Item = i64> + 'e {
    let line = move |line: &String| serde_json::from_str::<Value>(line).expect("JSON")[key].as_i64().expect("a number");
    ended.out.iter().map(line)
}

async fn retry_acts_on_every_row_that_matches_all_the_time(on: Backend) {
    let scene = Scene::with(on, DOCUMENTS, 1).await;
    scene.end_all(permanent).await;
    assert_eq!(scene.listed("status:failed").len(), DOCUMENTS);
    let running = scene.run(&["retry", "--filter", "status:failed", "--yes"]);
    // Those at the beginning leave the list.
    scene.request(&scene.ids[..MOVED]).await;
    let ended = running.ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(scene.listed("status:failed"), BTreeSet::new(), "left out");
    assert_eq!(scene.listed("status:queued").len(), DOCUMENTS);
    scene.store.close().await;
}

/// The end of an attempt whose text waits for a decision.
fn doubtful() -> AttemptEnd {
    let mut page = Page::new(Some("Sign in"), "# Sign in".to_owned(), 9, 200).expect("a page");
    page.quarantine_reason = Some(QuarantineReason::Login);
    let fingerprint = page.fingerprint.clone();
    AttemptEnd::Fetched { page: Box::new(page), fingerprint, change: ContentChange::Quarantined }
}

async fn decisions_reach_every_row_that_is_named(on: Backend) {
    for (verb, other) in [("accept", Decision::Reject), ("reject", Decision::Accept)] {
        let scene = Scene::with(on, DOCUMENTS, 1).await;
        scene.end_all(doubtful).await;
        let waiting: Vec<_> = scene.listed("content:review").into_iter().collect();
        assert_eq!(waiting.len(), DOCUMENTS);
        let names: Vec<_> = waiting.iter().map(i64::to_string).collect();
        let args: Vec<_> = [verb, "--json"].into_iter().chain(names.iter().map(String::as_str)).collect();
        let running = scene.run(&args);
        // Another person decides on the first ones.
        let target = |id: &DocumentId| ReviewTarget { document: *id, fingerprint: None };
        for some in scene.ids[..MOVED].chunks(20) {
            let some: Vec<_> = some.iter().map(target).collect();
            scene.store.decide(&some, other, &"bo".into()).await.expect("the store answers");
        }
        let ended = running.ended();
        // 2 if the other person was first on one of them.
        assert!(matches!(ended.code, Some(0 | 2)), "{ended:?}");
        assert_eq!(ids(&ended, "document_id").collect::<Vec<_>>(), waiting, "{verb}: a line for each that was named");
        assert_eq!(scene.listed("content:review"), BTreeSet::new(), "{verb}: left out");
        let done = |line: &&String| !line.contains("skipped");
        let done = ended.out.iter().filter(done).count();
        assert!(done >= DOCUMENTS - MOVED, "{verb}: {done} of those that nobody else decided on");
        scene.store.close().await;
    }
}

on_both! {
    (flavor = "multi_thread", worker_threads = 2)
    retry_acts_on_every_row_that_matches_all_the_time,
    decisions_reach_every_row_that_is_named,
}
