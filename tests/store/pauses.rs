//! Tests pauses and the caps of single accounts, as claims apply them.

use super::support::{Backend, Scene, limits, worker};
use crate::support::limit::{is_announced, within};
use crate::support::measure::{self, Stopwatch};
use quarterdeck::domain::id::AccountId;
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::pause::PauseScope;
use quarterdeck::domain::text::SafeLine;
use quarterdeck::store::{ClaimLimits, DocumentStore, JobStore, Queries, StoreBase};
use std::time::Duration;

async fn each_scope_holds_its_own_jobs_until_it_is_resumed(backend: Backend) {
    let scopes = [
        (PauseScope::Account(AccountId(1)), 1),
        (PauseScope::Host("a.test".into()), 1),
        (PauseScope::Class(QueueClass::Manual), 1),
        (PauseScope::All, 0),
    ];
    for (scope, others) in scopes {
        let scene = Scene::new(backend).await;
        let held = scene.add(1, "https://a.test/x").await;
        let other = scene.add(2, "https://b.test/x").await;
        scene.ask(&[held], QueueClass::Manual).await;
        scene.ask(&[other], QueueClass::Auto).await;
        assert!(scene.store.pause(&scope, &SafeLine::new("ana")).await.unwrap());
        // Another process claims and reads: a pause belongs to the store, not to an instance.
        let elsewhere = scene.another().await;
        assert_eq!(elsewhere.pauses().await.unwrap()[0].scope, scope);
        let claimed = scene.claim(8).await;
        assert_eq!(claimed.len(), others, "{scope}");
        assert!(claimed.iter().all(|job| job.document_id == other), "{scope}");
        assert!(elsewhere.resume(&scope).await.unwrap());
        assert!(scene.claim(8).await.iter().any(|job| job.document_id == held), "{scope}");
        assert!(!scene.store.resume(&scope).await.unwrap(), "it is over already");
    }
}

async fn the_first_pause_keeps_its_name_and_time(backend: Backend) {
    let scene = Scene::new(backend).await;
    let scope = PauseScope::Account(AccountId(1));
    assert!(scene.store.pause(&scope, &SafeLine::new("ana")).await.unwrap());
    let first = scene.store.pauses().await.unwrap();
    scene.clock.advance(Duration::from_secs(60));
    assert!(!scene.store.pause(&scope, &SafeLine::new("bo")).await.unwrap());
    assert_eq!(scene.store.pauses().await.unwrap(), first);
    assert_eq!(first[0].by.as_str(), "ana");
}

async fn an_accounts_own_cap_holds_and_others_go_on(backend: Backend) {
    let scene = Scene::new(backend).await;
    scene.sql("INSERT INTO accounts_sched (account_id, max_running) VALUES (1, 2)").await;
    for number in 0..5 {
        for account in [1, 2] {
            let id = scene.add(account, &format!("https://h{account}-{number}.test/x")).await;
            scene.ask(&[id], QueueClass::Auto).await;
        }
    }
    let first = scene.claim(16).await;
    assert_eq!(first.iter().filter(|job| job.account_id == AccountId(1)).count(), 2);
    assert_eq!(first.len(), 7);
    assert!(scene.claim(16).await.is_empty());
}

impl Scene {
    /// Inserts ready jobs by SQL, each in its own lane: `account` and `host` are SQL over the number `i`.
    async fn lanes(&self, first: i64, count: i64, account: &str, host: &str) {
        self.sql(&format!(
            "WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {first} + {count} - 1) \
             INSERT INTO jobs (document_id, account_id, assistant_id, url, host, class, state, run_at, vtime, \
             requested_at) SELECT 1000000 + i, {account}, 1, 'https://x.test/', {host}, 2, 'ready', 0, 1, 0 FROM n"
        ))
        .await;
    }
}

async fn piles_that_may_not_run_cost_the_next_claim_nothing(backend: Backend) {
    let time = async |pile: i64| {
        let scene = Scene::new(backend).await;
        let per_host = ClaimLimits { per_host: 2, ..limits(2) };
        for number in 0..2 {
            let id = scene.add(9, &format!("https://full.test/{number}")).await;
            scene.ask(&[id], QueueClass::Manual).await;
        }
        assert_eq!(scene.store.claim(&worker("w1").id, per_host).await.unwrap().len(), 2);
        if pile > 0 {
            scene.lanes(0, pile, "1", "'h' || i || '.test'").await;
            scene.lanes(100_000, pile, "i", "'full.test'").await;
            scene.lanes(200_000, pile, "i", "'held.test'").await;
            scene.lanes(300_000, pile, "2", "'h' || i || '.test'").await;
        }
        scene.sql("INSERT INTO accounts_sched (account_id, max_running) VALUES (2, 0)").await;
        scene.store.rederive_lanes().await.unwrap();
        for scope in [PauseScope::Account(AccountId(1)), PauseScope::Host("held.test".into())] {
            scene.store.pause(&scope, &SafeLine::new("ana")).await.unwrap();
        }
        let other = scene.add(3, "https://other.test/").await;
        scene.ask(&[other], QueueClass::Auto).await;
        let start = Stopwatch::start();
        let claimed = scene.store.claim(&worker("w1").id, per_host).await.unwrap();
        let took = start.took();
        assert_eq!(claimed.iter().map(|job| job.document_id).collect::<Vec<_>>(), [other]);
        let queue = scene.store.queue().await.unwrap();
        assert_eq!((queue.ready, queue.paused), (4 * pile as u64, 2 * pile as u64));
        took
    };
    let (none, piles) = (time(0).await, time(10_000).await);
    println!("{backend:?}: a claim takes {none:?} alone, {piles:?} behind 40,000 jobs in as many lanes");
    measure::at_most("a claim behind 40,000 jobs", piles, none * 2 + Duration::from_millis(10));
}

async fn a_pause_is_news_to_other_processes(backend: Backend) {
    let scene = Scene::new(backend).await;
    let elsewhere = scene.another().await;
    let mut changes = elsewhere.changes();
    scene.store.pause(&PauseScope::All, &SafeLine::new("ana")).await.unwrap();
    // The watcher may have started only now: its first reading announces nothing.
    while !is_announced(changes.changed(), Duration::from_millis(200)).await {
        scene.store.resume(&PauseScope::All).await.unwrap();
        scene.store.pause(&PauseScope::All, &SafeLine::new("ana")).await.unwrap();
    }
    for (paused, word) in [(false, "the end of a pause"), (true, "a pause")] {
        while is_announced(changes.changed(), Duration::from_millis(400)).await {}
        match paused {
            true => scene.store.pause(&PauseScope::All, &SafeLine::new("ana")).await.unwrap(),
            false => scene.store.resume(&PauseScope::All).await.unwrap(),
        };
        within(word, changes.changed()).await.unwrap();
        assert_eq!(elsewhere.pauses().await.unwrap().len(), usize::from(paused));
    }
}

on_both! {
    ()
    piles_that_may_not_run_cost_the_next_claim_nothing,
    a_pause_is_news_to_other_processes,
    each_scope_holds_its_own_jobs_until_it_is_resumed,
    the_first_pause_keeps_its_name_and_time,
    an_accounts_own_cap_holds_and_others_go_on,
}
