//! Tests claims: order, fairness, caps, marks.

use super::support::{Backend, LEASE, Scene, fetched, limits, new, permanent, request, timeout, unexpected, worker};
use crate::support::measure::{self, Stopwatch};
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::Status;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::job::{JobState, QueueClass};
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::store::{AddResult, ClaimLimits, DocumentStore, FinishResult, JobLease, JobStore, Store, StoreBase};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

impl Scene {
    /// Adds documents and requests their syncs.
    async fn pile(&self, account: i64, class: QueueClass, urls: impl Iterator<Item = String>) -> Vec<DocumentId> {
        let documents: Vec<_> = urls.map(|url| new(account, &url)).collect();
        let added = self.store.add(&documents).await.unwrap();
        let ids: Vec<_> = added
            .into_iter()
            .map(|added| match added {
                AddResult::New(id) | AddResult::Exists(id) => id,
            })
            .collect();
        self.store.request(&ids, &request(class)).await.unwrap();
        ids
    }

    /// Inserts hundreds of thousands of ready jobs by SQL, since single requests would be slow.
    async fn ready_jobs(&self, first: i64, count: i64, account: i64, host: &str, vtime: &str) {
        self.sql(&format!(
            "WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {first} + {count} - 1) \
             INSERT INTO captain_documents (id, name, external_link, assistant_id, account_id, status, created_at, \
             updated_at) \
             SELECT i, 'n', 'https://{host}/' || i, 1, {account}, 1, {zero}, {zero} FROM n; \
             INSERT INTO document_state (document_id, host) SELECT id, '{host}' FROM captain_documents \
             WHERE id >= {first} AND id < {first} + {count}; \
             INSERT INTO jobs (document_id, account_id, assistant_id, url, host, class, state, run_at, vtime, \
             requested_at) \
             SELECT id, {account}, 1, external_link, '{host}', 2, 'ready', 0, {vtime}, 0 FROM captain_documents \
             WHERE id >= {first} AND id < {first} + {count}",
            zero = self.place.at(0)
        ))
        .await;
        let on = self.either(
            "SELECT 1",
            "SELECT setval(pg_get_serial_sequence('captain_documents', 'id'), (SELECT max(id) FROM captain_documents))",
        );
        self.sql(on).await;
    }
}

async fn a_claim_marks_the_row_and_tells_all_that_an_attempt_needs(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (id, first) = scene.running("https://a.test/x").await;
    scene.finish(&first, fetched("T", "x", ContentChange::First)).await;
    let step =
        scene.either("json_set(metadata, '$.sync_step', 'updating')", r#"metadata || '{"sync_step": "updating"}'"#);
    scene.sql(&format!("UPDATE captain_documents SET metadata = {step}")).await;
    let before = scene.row(id).await;
    scene.clock.advance(Duration::from_secs(9));
    scene.ask(&[id], QueueClass::Manual).await;
    let claimed = scene.claim(8).await.remove(0);
    assert!(claimed.lease.token > first.lease.token, "the fence only grows");
    assert_eq!((claimed.url.as_str(), claimed.class), ("https://a.test/x", QueueClass::Manual));
    assert_eq!((claimed.counters.attempt, claimed.started_at), (1, scene.store.now()));
    let row = scene.row(id).await;
    assert_eq!((row.status, row.sync_step, row.attempted_at), (Status::Syncing, None, Some(scene.store.now())));
    assert_eq!((row.updated_at, row.synced_at), (before.updated_at, before.synced_at));
    assert_eq!((row.holder.as_deref(), row.requested_by.as_deref()), (Some("w1"), Some("ana")));
    assert_eq!(scene.number("SELECT fence FROM document_state").await, first.lease.token.0, "a claim raises no fence");
    assert!(scene.claim(8).await.is_empty());
}

async fn classes_go_in_order_and_the_lowest_keeps_its_share(backend: Backend) {
    let scene = Scene::new(backend).await;
    scene.pile(1, QueueClass::Auto, (0..40).map(|n| format!("https://a{n}.test/"))).await;
    scene.pile(1, QueueClass::Manual, (0..40).map(|n| format!("https://m{n}.test/"))).await;
    let mut order = Vec::new();
    while order.len() < 32 {
        order.extend(scene.claim(3).await.into_iter().map(|claimed| claimed.class));
    }
    for eight in order[..32].chunks(8) {
        let auto = eight.iter().filter(|class| **class == QueueClass::Auto).count();
        assert_eq!(auto, 1, "{order:?}");
    }
    assert_eq!(order[..7], [QueueClass::Manual; 7]);
}

async fn one_account_with_ten_thousand_does_not_keep_others_waiting(backend: Backend) {
    let scene = Scene::new(backend).await;
    scene.ready_jobs(1, 10_000, 1, "big.test", "id * 1000000").await;
    scene.store.rederive_lanes().await.unwrap();
    for account in 2..=9 {
        scene.pile(account, QueueClass::Auto, (0..10).map(|n| format!("https://s{account}.test/{n}"))).await;
    }
    let mut served = BTreeMap::<i64, usize>::new();
    for round in 1..=10 {
        let claimed = scene.claim(9).await;
        assert_eq!(claimed.len(), 9);
        for job in claimed {
            *served.entry(job.account_id.0).or_default() += 1;
        }
        if round == 2 {
            assert_eq!(served.len(), 9, "everybody within two rounds: {served:?}");
        }
    }
    assert!((2..=9).all(|account| served[&account] >= 9), "equal shares: {served:?}");
}

async fn weights_are_shares(backend: Backend) {
    let scene = Scene::new(backend).await;
    scene.sql("INSERT INTO accounts_sched (account_id, weight) VALUES (1, 3), (2, 2), (3, 1)").await;
    for account in 1..=3 {
        scene.pile(account, QueueClass::Auto, (0..70).map(|n| format!("https://s{account}.test/{n}"))).await;
    }
    let mut served = BTreeMap::<i64, i64>::new();
    for _ in 0..6 {
        for job in scene.claim(10).await {
            *served.entry(job.account_id.0).or_default() += 1;
        }
    }
    for (account, share) in [(1, 30), (2, 20), (3, 10)] {
        assert!((served[&account] - share).abs() <= 2, "{served:?}");
    }
}

async fn jobs_that_may_not_run_stand_in_nobodys_way(backend: Backend) {
    let time = async |full: i64| {
        let scene = Scene::new(backend).await;
        scene.ready_jobs(1, full, 1, "full.test", "1").await;
        scene.ready_jobs(50_000, full, 2, "paused.test", "1").await;
        scene.sql("INSERT INTO pauses (scope, key, since, paused_by) VALUES ('account', '2', 1, 'ana')").await;
        scene.store.rederive_lanes().await.unwrap();
        let limits = ClaimLimits { per_host: 2, ..limits(2) };
        assert_eq!(scene.store.claim(&worker("w1").id, limits).await.unwrap().len(), 2);
        let other = scene.pile(3, QueueClass::Auto, std::iter::once("https://other.test/".to_owned())).await;
        let start = Stopwatch::start();
        let claimed = scene.store.claim(&worker("w1").id, limits).await.unwrap();
        let took = start.took();
        assert_eq!(claimed.iter().map(|job| job.document_id).collect::<Vec<_>>(), other);
        took
    };
    let (few, many) = (time(10).await, time(10_000).await);
    // A claim must not become slower with a thousand times the jobs.
    measure::at_most("a claim beside 20,000 jobs that may not run", many, few * 2 + Duration::from_millis(10));
}

async fn caps_are_exact_over_all_workers(backend: Backend) {
    let scene = Scene::new(backend).await;
    for account in 1..=3 {
        let urls = (0..30).map(|n| format!("https://h{}.test/{account}/{n}", n % 5));
        scene.pile(account, QueueClass::Manual, urls).await;
    }
    let other = scene.another().await;
    let limits = ClaimLimits { per_host: 2, per_account: Some(3), ..limits(16) };
    let mut held = Vec::new();
    for round in 0..20 {
        let store = if round % 2 == 0 { &scene.store } else { &other };
        let claimed = store.claim(&worker("w1").id, limits).await.unwrap();
        held.extend(claimed);
        let hosts = "SELECT coalesce(max(n), 0) FROM (SELECT count(*) n FROM jobs WHERE state = 'running' GROUP BY host) AS hosts";
        let accounts = "SELECT coalesce(max(n), 0) FROM (SELECT count(*) n FROM jobs WHERE state = 'running' GROUP BY account_id) AS accounts";
        assert!(scene.number(hosts).await <= 2 && scene.number(accounts).await <= 3);
        assert_eq!(held.len(), 9, "three accounts at three each: every slot that the caps leave is used");
        scene.finish(&held.remove(0), permanent()).await;
        scene.finish(&held.remove(0), permanent()).await;
    }
    other.close().await;
}

impl Scene {
    async fn claim_with(&self, limits: ClaimLimits) -> Vec<quarterdeck::store::ClaimedJob> {
        self.store.claim(&worker("w1").id, limits).await.unwrap()
    }
}

async fn caps_that_fill_up_on_the_way_leave_slots_to_others(backend: Backend) {
    let scene = Scene::new(backend).await;
    // Four lanes of one host come first; the slots left by its cap go to later lanes.
    for account in 1..=4 {
        scene.pile(account, QueueClass::Manual, std::iter::once(format!("https://same.test/{account}"))).await;
    }
    scene.clock.advance(Duration::from_secs(1));
    for account in 5..=8 {
        scene.pile(account, QueueClass::Manual, (0..2).map(|n| format!("https://h{account}.test/{n}"))).await;
    }
    let claimed = scene.claim_with(ClaimLimits { per_host: 1, ..limits(4) }).await;
    assert_eq!(claimed.len(), 4);
    assert_eq!(claimed.iter().filter(|job| job.url.starts_with("https://same.test")).count(), 1);
}

async fn one_job_that_has_lost_two_workers_runs_at_a_time(backend: Backend) {
    let scene = Scene::new(backend).await;
    let ids = scene.pile(1, QueueClass::Manual, (0..4).map(|n| format!("https://a.test/{n}"))).await;
    for loss in 1..=2 {
        assert_eq!(scene.claim(4).await.len(), 4, "all run at the same time before loss {loss}");
        scene.clock.advance(LEASE + Duration::from_secs(1));
        assert_eq!(scene.store.rescue().await.unwrap().outcomes.len(), 4);
    }
    scene.pile(1, QueueClass::Manual, (0..2).map(|n| format!("https://b.test/{n}"))).await;
    let claimed = scene.claim(8).await;
    let (risky, sound): (Vec<_>, Vec<_>) = claimed.into_iter().partition(|job| job.counters.crashes > 0);
    assert_eq!((risky.len(), sound.len()), (1, 2));
    assert!(scene.claim(8).await.is_empty());
    scene.finish(&risky[0], permanent()).await;
    assert_eq!(scene.claim(8).await.len(), 1, "the next one follows");
    assert!(ids.contains(&risky[0].document_id));
}

async fn due_jobs_become_ready_within_the_claim(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (_, job) = scene.running("https://a.test/x").await;
    scene.finish(&job, unexpected()).await;
    scene.clock.advance(Duration::from_micros(4_999_999));
    assert!(scene.claim(1).await.is_empty());
    scene.clock.advance(Duration::from_micros(1));
    assert_eq!(scene.claim(1).await.len(), 1);
}

async fn a_retry_whose_document_was_synced_elsewhere_ends_without_a_fetch(backend: Backend) {
    let scene = Scene::new(backend).await;
    let id = scene.add(1, "https://a.test/x").await;
    scene.ask(&[id], QueueClass::Auto).await;
    let job = scene.claim(1).await.remove(0);
    scene.finish(&job, timeout()).await;
    scene.clock.advance(Duration::from_secs(60));
    let now = scene.store.now().micros();
    scene.sql(&format!("UPDATE captain_documents SET sync_status = 1, last_synced_at = {}", scene.place.at(now))).await;
    assert!(scene.claim(1).await.is_empty());
    let last = scene.outcomes().await.pop().unwrap();
    assert_eq!((last.result, last.detail.as_deref()), (OutcomeResult::Cancelled, Some("synced elsewhere")));
    let row = scene.row(id).await;
    assert_eq!((row.status, row.error_code), (Status::Synced, None));
}

async fn unfit_documents_end_on_the_way_and_cost_no_slot(backend: Backend) {
    let scene = Scene::new(backend).await;
    scene.pile(1, QueueClass::Manual, (0..6).map(|n| format!("https://a.test/{n}"))).await;
    scene.sql("DELETE FROM captain_documents WHERE id = 1").await;
    scene.sql("UPDATE captain_documents SET external_link = 'https://a.test/2.pdf' WHERE id = 2").await;
    scene.sql("UPDATE captain_documents SET status = 0 WHERE id = 3").await;
    let claimed = scene.claim(2).await;
    assert_eq!(claimed.iter().map(|job| job.document_id.0).collect::<Vec<_>>(), [4, 5]);
    let details: BTreeSet<_> =
        scene.outcomes().await.into_iter().map(|line| line.detail.unwrap().to_string()).collect();
    assert_eq!(details.len(), 3, "{details:?}");
}

async fn a_released_job_is_as_before_the_claim(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (id, job) = scene.running("https://a.test/x").await;
    scene.store.release(&[job.lease]).await.unwrap();
    let row = scene.row(id).await;
    assert_eq!((row.status, row.attempt, row.attempted_at), (Status::Queued, Some(0), None));
    assert!(scene.outcomes().await.is_empty());
    let again = scene.claim(1).await.remove(0);
    assert_eq!((again.counters.attempt, again.lease.job_id), (1, job.lease.job_id));
    scene.store.release(&[JobLease { token: job.lease.token, ..again.lease }]).await.unwrap();
    assert_eq!(scene.row(id).await.status, Status::Syncing, "an old token gives nothing back");
    let FinishResult::Written { state: JobState::Done, .. } =
        scene.finish(&again, fetched("T", "x", ContentChange::First)).await
    else {
        panic!("not written")
    };
}

async fn lanes_that_are_wrong_are_mended_on_opening(backend: Backend) {
    let scene = Scene::new(backend).await;
    scene.pile(1, QueueClass::Manual, (0..3).map(|n| format!("https://a{n}.test/"))).await;
    scene.sql("DELETE FROM lanes WHERE host = 'a0.test'; UPDATE lanes SET head = 7 WHERE host = 'a1.test'").await;
    scene.sql("INSERT INTO lanes VALUES (9, 'ghost.test', 0, false, 1)").await;
    let other = scene.another().await;
    assert_eq!(other.rederive_lanes().await.unwrap(), 0, "opening did it");
    assert_eq!(scene.claim(8).await.len(), 3);
    scene.sql("INSERT INTO lanes VALUES (9, 'ghost.test', 0, false, 1)").await;
    assert!(scene.claim(8).await.is_empty());
    assert_eq!(scene.store.rederive_lanes().await.unwrap(), 0, "a lane without a job is mended by the claim");
    scene.sql("INSERT INTO lanes VALUES (9, 'ghost.test', 0, false, 1)").await;
    assert_eq!(scene.store.rederive_lanes().await.unwrap(), 1);
}

on_both! {
    ()
    a_claim_marks_the_row_and_tells_all_that_an_attempt_needs,
    classes_go_in_order_and_the_lowest_keeps_its_share,
    one_account_with_ten_thousand_does_not_keep_others_waiting,
    weights_are_shares,
    jobs_that_may_not_run_stand_in_nobodys_way,
    caps_are_exact_over_all_workers,
    caps_that_fill_up_on_the_way_leave_slots_to_others,
    one_job_that_has_lost_two_workers_runs_at_a_time,
    due_jobs_become_ready_within_the_claim,
    a_retry_whose_document_was_synced_elsewhere_ends_without_a_fetch,
    unfit_documents_end_on_the_way_and_cost_no_slot,
    a_released_job_is_as_before_the_claim,
    lanes_that_are_wrong_are_mended_on_opening,
}
