//! The views of jobs, hosts and accounts while jobs move from one section and one count to another: each read shows one
//! instant.

use super::Scene;
use crate::support::place::Backend;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::store::{Access, JobsQuery, MAX_SECTION_ROWS, Store, open};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// Accounts and hosts.
const GROUPS: usize = 20;
/// Fewer than a section shows.
const DOCUMENTS: usize = 160;
const READS: usize = 15;

/// Requests and cancels documents without end: jobs leave the section of ready ones and come back, and documents change
/// their status.
fn keep_moving(store: Arc<dyn Store>, ids: Vec<DocumentId>, stop: CancellationToken) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        while !stop.is_cancelled() {
            store.cancel(&ids, &"test".into()).await.expect("the store answers");
            store.request(&ids, &crate::support::fleet::bulk()).await.expect("the store answers");
        }
    }))
}

async fn views_show_every_row_that_stays_and_one_instant(on: Backend) {
    let scene = Scene::with(on, DOCUMENTS, GROUPS).await;
    assert!((DOCUMENTS as u64) < MAX_SECTION_ROWS);
    let (moved, stay) = scene.ids.split_at(DOCUMENTS / 2);
    let stay: BTreeSet<_> = stay.iter().copied().collect();
    let other = open(&scene.place.url(), Access::Write).await.expect("the store opens");
    let stop = CancellationToken::new();
    let moving = keep_moving(Arc::clone(&other), moved.to_vec(), stop.clone());
    let each = (DOCUMENTS / GROUPS) as u64;
    let mut seen = BTreeSet::new();
    let mut read = 0;
    // On a busy machine the jobs may stand still for some reads.
    while read < READS || seen.len() < 2 {
        read += 1;
        assert!(read < 100 * READS, "the jobs move while they are read");
        let jobs = scene.store.jobs(&JobsQuery { limit: MAX_SECTION_ROWS }).await.expect("the store answers");
        let ready: BTreeSet<_> = jobs.ready.iter().map(|job| job.document).collect();
        assert_eq!(ready.len(), jobs.ready.len(), "read {read}: each once");
        assert_eq!(ready.len() as u64, jobs.ready_total, "read {read}: rows and their number are of one instant");
        assert!(stay.is_subset(&ready), "read {read}: {:?} left out", stay.difference(&ready).next());
        let ended: BTreeSet<_> = jobs.recent.iter().map(|job| job.document).collect();
        let both: Vec<_> = ready.intersection(&ended).collect();
        assert!(both.is_empty(), "read {read}: ready and ended: {both:?}");
        seen.insert(ready.len());

        let hosts = scene.store.hosts().await.expect("the store answers");
        let rows: Vec<_> = hosts.rows.iter().map(|host| (host.host.to_string(), host.documents)).collect();
        let expected: Vec<_> = (0..GROUPS).map(|group| (format!("{group:03}.example.org"), each)).collect();
        assert_eq!((rows, hosts.total), (expected, GROUPS as u64), "read {read}");

        let accounts = scene.store.accounts().await.expect("the store answers");
        assert_eq!(accounts.total, GROUPS as u64, "read {read}");
        for (number, account) in (1..).zip(&accounts.rows) {
            assert_eq!((account.id.0, account.counts.total()), (number, each), "read {read}: each document once");
            let queued = account.counts.of(quarterdeck::domain::document::Status::Queued);
            assert_eq!(queued, account.ready, "read {read}: statuses and jobs are of one instant");
        }
    }
    stop.cancel();
    drop(moving);
    other.close().await;
    scene.store.close().await;
}

on_both! {
    (flavor = "multi_thread", worker_threads = 2)
    views_show_every_row_that_stays_and_one_instant,
}
