//! Tests the schedule by this program's own rules: continuous, round robin, spaced after failures, one process at a
//! time.

use super::schedule::{DAY, HOUR, MINUTE, WEEK, name, order, pass_on, terms};
use super::support::{Backend, Scene, fetched, permanent};
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::Status;
use quarterdeck::domain::filter::Filter;
use quarterdeck::domain::id::{AccountId, DocumentId};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::domain::schedule::{DueRules, Pass, ScheduleSettings};
use quarterdeck::domain::time::Timestamp;
use quarterdeck::store::{
    BulkVerb, DocumentStore, PassMode, PassRequest, PassResult, PassTrigger, Queries, ScheduleStore, Sort, StoreBase,
    Targets,
};
use std::time::Duration;

fn ours(plan: &str) -> ScheduleSettings {
    terms(DueRules::Continuous, plan)
}

async fn due_once_the_cadence_has_passed(backend: Backend) {
    let scene = Scene::new(backend).await;
    scene.standing("https://a.test/early", "1", WEEK - MINUTE).await;
    let due = scene.standing("https://a.test/due", "1", WEEK + MINUTE).await;
    let never = scene.add(1, "https://a.test/never").await;
    let timeless = scene.standing("https://a.test/timeless", "1", 0).await;
    scene.set_time(timeless, "last_synced_at", None).await;
    // A row that says `syncing` in this program's own store has no owner once the lease is over.
    let leftover = scene.standing("https://a.test/leftover", "0", MINUTE).await;
    scene.standing("https://a.test/at-it", "0", 20).await;
    let pass = scene.pass(&ours("business")).await;
    assert_eq!(scene.scheduled().await, [due.0, never.0, timeless.0, leftover.0]);
    assert_eq!(pass.accounts[0].stopped_by, None);
    assert_eq!(scene.pass(&ours("business")).await.enqueued(), 0, "a live job is not made twice");
    let row = scene.row(never).await;
    assert_eq!((row.status, row.queue), (Status::Never, Some(QueueClass::Auto)), "only `next` has changed");
    assert!(row.next_attempt_at.is_some());
}

async fn failures_are_looked_at_with_growing_distance(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (id, job) = scene.running("https://a.test/gone").await;
    scene.finish(&job, permanent()).await;
    for (failures, days) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 30), (7, 30)] {
        assert_eq!(scene.number("SELECT failures FROM document_state").await, failures);
        scene.clock.advance(Duration::from_secs(days * DAY - MINUTE));
        assert_eq!(scene.pass(&ours("business")).await.enqueued(), 0, "{failures} failures: not within {days} days");
        scene.clock.advance(Duration::from_secs(2 * MINUTE));
        assert_eq!(scene.pass(&ours("business")).await.enqueued(), 1, "{failures} failures: after {days} days");
        scene.clock.advance(Duration::from_secs(DAY));
        let job = scene.claim(1).await.remove(0);
        scene.finish(&job, permanent()).await;
    }
    scene.ask(&[id], QueueClass::Manual).await;
    let job = scene.claim(1).await.remove(0);
    scene.finish(&job, fetched("T", "x", ContentChange::First)).await;
    assert_eq!(scene.number("SELECT failures FROM document_state").await, 0, "a success ends the row of failures");
}

async fn the_next_pass_goes_on_after_the_account_served_last(backend: Backend) {
    let scene = Scene::new(backend).await;
    let mut terms = ScheduleSettings { per_account: Some(2), total: Some(5), ..ours("business") };
    terms.plans.default = Some(name("business"));
    for account in 1..=4 {
        for n in 0..6 {
            scene.add(account, &format!("https://a.test/{account}/{n}")).await;
        }
    }
    let mut served = Vec::new();
    for _ in 0..5 {
        let pass = scene.pass(&terms).await;
        assert!(pass.enqueued() <= 5);
        let accounts = pass.accounts.iter().filter(|account| account.enqueued > 0);
        served.push(accounts.map(|account| (account.account.0, account.enqueued)).collect::<Vec<_>>());
    }
    assert_eq!(
        served,
        [
            vec![(1, 2), (2, 2), (3, 1)],
            vec![(3, 2), (4, 2), (1, 1)],
            vec![(1, 2), (2, 2), (3, 1)],
            vec![(3, 2), (4, 2), (1, 1)],
            vec![(2, 2), (4, 2)],
        ],
        "one that was cut short is the next pass's first, and nobody is starved"
    );
}

async fn one_acts_at_a_time(backend: Backend) {
    let scene = Scene::new(backend).await;
    for n in 0..20 {
        scene.add(1, &format!("https://a.test/{n}")).await;
    }
    let terms = ScheduleSettings { per_account: Some(3), ..ours("business") };
    let others = [scene.another().await, scene.another().await, scene.another().await];
    let names = ["a", "b", "c"];
    let every = PassTrigger::Interval(Duration::from_secs(15));
    let orders = names.map(|holder| PassRequest { trigger: every, ..order(&terms, holder) });
    let [a, b, c] = &others;
    let answers = tokio::join!(
        ScheduleStore::schedule(&**a, &orders[0]),
        ScheduleStore::schedule(&**b, &orders[1]),
        ScheduleStore::schedule(&**c, &orders[2])
    );
    let answers = [answers.0.unwrap(), answers.1.unwrap(), answers.2.unwrap()];
    assert!(answers.iter().any(|answer| matches!(answer, PassResult::Completed(..))), "{answers:?}");
    // A pass that starts after the first has finished finds nothing to do.
    let again = ScheduleStore::schedule(&**b, &orders[1]).await.unwrap();
    assert_eq!(again, PassResult::NotDue);
    // A process that dies during a pass delays the others by one lease at most.
    let until = scene.store.now().plus(Duration::from_secs(30)).micros();
    scene.sql(&format!("UPDATE scheduler SET holder = 'dead', held_until = {until}")).await;
    scene.clock.advance(Duration::from_secs(20));
    assert_eq!(ScheduleStore::schedule(&**a, &orders[0]).await.unwrap(), PassResult::LeaseTaken);
    scene.clock.advance(Duration::from_secs(11));
    assert!(matches!(ScheduleStore::schedule(&**a, &orders[0]).await.unwrap(), PassResult::Completed(..)));
    // A clock that is set back by an hour blocks nobody.
    scene.clock.set(Timestamp::from_micros(scene.store.now().micros() - 3_600_000_000));
    assert!(matches!(ScheduleStore::schedule(&**a, &orders[0]).await.unwrap(), PassResult::Completed(..)));
}

async fn an_account_with_nothing_due_is_left_alone_until_something_may_be(backend: Backend) {
    let scene = Scene::new(backend).await;
    let terms = ours("business");
    let passes = async |seconds: u64| {
        scene.clock.advance(Duration::from_secs(seconds));
        let every = PassRequest { trigger: PassTrigger::Interval(Duration::from_secs(15)), ..order(&terms, "test") };
        match ScheduleStore::schedule(&*scene.store, &every).await.unwrap() {
            PassResult::Completed(passes, _) => passes[0].enqueued(),
            other => panic!("{other:?}"),
        }
    };
    scene.standing("https://a.test/soon", "1", WEEK - 40).await;
    assert_eq!(passes(0).await, 0);
    assert_eq!(passes(15).await, 0);
    // A document is scheduled exactly when it is due, whatever was remembered.
    assert_eq!(passes(24).await, 0);
    assert_eq!(passes(15).await, 1);
    assert_eq!(passes(15).await, 0);
    // Changes by other programs are found within five minutes, and at once when a person requests a pass.
    scene.add(1, "https://a.test/new").await;
    assert_eq!(passes(15).await, 0);
    assert_eq!(scene.pass(&terms).await.enqueued(), 1);
    scene.add(1, "https://a.test/newer").await;
    assert_eq!(passes(15).await, 0);
    assert_eq!(passes(300).await, 1);
    // Another cadence makes a different schedule.
    assert_eq!(passes(15).await, 0);
    scene.standing("https://a.test/old", "1", 2 * DAY).await;
    assert_eq!(passes(15).await, 0, "not within its week");
    let terms = ours("enterprise");
    let every = PassRequest { trigger: PassTrigger::Interval(Duration::from_secs(15)), ..order(&terms, "test") };
    scene.clock.advance(Duration::from_secs(15));
    let PassResult::Completed(made, _) = ScheduleStore::schedule(&*scene.store, &every).await.unwrap() else {
        panic!("held")
    };
    assert_eq!(made[0].enqueued(), 1);
}

async fn a_link_that_is_no_address_is_told_once_and_costs_no_limit(backend: Backend) {
    let scene = Scene::new(backend).await;
    let terms = ScheduleSettings { per_account: Some(2), ..ours("business") };
    let mut ids = Vec::new();
    for n in 0..4 {
        ids.push(scene.standing(&format!("https://a.test/{n}"), "1", 8 * DAY).await);
    }
    for id in &ids[..2] {
        scene.set(*id, &format!("external_link = 'no address {id}'")).await;
        scene.set_time(*id, "last_sync_attempted_at", None).await;
    }
    let dry = PassRequest { mode: PassMode::DryRun, ..order(&terms, "test") };
    let PassResult::Completed(passes, _) = ScheduleStore::schedule(&*scene.store, &dry).await.unwrap() else {
        panic!("held")
    };
    assert_eq!((passes[0].skipped.len(), scene.scheduled().await.len()), (2, 0), "a dry run writes nothing");
    let pass = scene.pass(&terms).await;
    assert_eq!(pass.skipped.iter().map(|row| row.document).collect::<Vec<_>>(), ids[..2]);
    assert!(pass.skipped[0].reason.starts_with("its link is not a valid page URL"), "{}", pass.skipped[0].reason);
    assert_eq!(scene.scheduled().await, [ids[2].0, ids[3].0], "both places of the limit are used");
    assert!(scene.pass(&terms).await.skipped.is_empty(), "told once");
    scene.set(ids[0], "external_link = 'https://a.test/mended'").await;
    assert_eq!(scene.pass(&terms).await.enqueued(), 1, "another link is another look");
    // A missing link counts as unavailable, too.
    scene.set(ids[1], "external_link = ''").await;
    let told = |pass: &Pass| pass.skipped.iter().map(|row| row.document).collect::<Vec<_>>();
    assert_eq!(told(&scene.pass(&terms).await), [ids[1]]);
    assert!(told(&scene.pass(&terms).await).is_empty(), "told once");
}

async fn a_deep_queue_holds_the_schedule_back(backend: Backend) {
    let scene = Scene::new(backend).await;
    let mut ids = Vec::new();
    for n in 0..4 {
        ids.push(scene.add(1, &format!("https://a.test/{n}")).await);
    }
    scene.ask(&ids[..3], QueueClass::Manual).await;
    let terms = ScheduleSettings { queue_depth: 2, ..ours("business") };
    let pass = scene.pass(&terms).await;
    assert_eq!((pass.enqueued(), pass.blocked_at_depth), (0, Some(3)));
    assert_eq!(pass.accounts[0].stopped_by.map(|by| by.as_str()), Some("the queue has reached its depth limit"));
    scene.claim(1).await;
    assert_eq!(scene.pass(&terms).await.enqueued(), 1);
}

async fn stale_is_the_word_everywhere(backend: Backend) {
    let scene = Scene::new(backend).await;
    let fresh = scene.standing("https://a.test/fresh", "1", WEEK).await;
    let stale = scene.standing("https://a.test/stale", "1", WEEK + 1).await;
    let other = scene.standing("https://a.test/other", "1", 80 * DAY).await;
    scene.set(other, "account_id = 2").await;
    assert_eq!(scene.row(stale).await.status, Status::Synced, "no plan is known yet");
    let business = ours("business");
    let plans = PassRequest { mode: PassMode::PlansOnly, ..order(&business, "test") };
    ScheduleStore::schedule(&*scene.store, &plans).await.unwrap();
    assert!(scene.scheduled().await.is_empty(), "the plans alone");
    for (id, status) in [(fresh, Status::Synced), (stale, Status::Stale), (other, Status::Synced)] {
        assert_eq!(scene.row(id).await.status, status);
    }
    let counts = scene.store.counts().await.unwrap();
    assert_eq!((counts.of(Status::Stale), counts.of(Status::Synced)), (1, 2));
    let filter = Filter::parse("status:stale").unwrap();
    assert_eq!(scene.store.matching(&filter, Sort::BY_ID, None).await.unwrap(), [stale]);
    let retry = BulkVerb::Request(quarterdeck::domain::request::RequestKind::Retry);
    let preview = scene.store.preview(&Targets::Ids(vec![stale]), retry).await.unwrap();
    assert!(preview.skipped[0].0.to_string().starts_with("is stale;"), "{:?}", preview.skipped);
    // A document whose account leaves the plan is no longer stale.
    let mut free = terms(DueRules::Continuous, "free");
    free.plans.accounts.insert(AccountId(2), name("business"));
    pass_on(&scene.store, &free).await;
    assert_eq!(scene.row(stale).await.status, Status::Synced);
    assert_eq!(scene.row(other).await.status, Status::Stale);
}

async fn an_auto_job_whose_document_was_synced_since_ends_cancelled(backend: Backend) {
    let scene = Scene::new(backend).await;
    let id = scene.standing("https://a.test/x", "1", 8 * DAY).await;
    scene.pass(&ours("business")).await;
    assert_eq!(scene.ask(&[id], QueueClass::Auto).await.len(), 1, "an auto request changes nothing");
    assert_eq!(scene.scheduled().await, [id.0]);
    scene.clock.advance(Duration::from_secs(HOUR));
    // Chatwoot's worker has synced this document.
    scene.set_time(id, "last_synced_at", Some(MINUTE)).await;
    scene.clock.advance(Duration::from_secs(DAY));
    assert!(scene.claim(1).await.is_empty());
    let outcomes = scene.outcomes().await;
    assert_eq!(outcomes.len(), 1);
    assert_eq!(
        (outcomes[0].result, outcomes[0].detail.as_deref()),
        (OutcomeResult::Cancelled, Some("synced elsewhere"))
    );
    assert_eq!(scene.row(id).await.status, Status::Synced);
}

async fn a_purge_drops_waiting_auto_jobs_and_nothing_else(backend: Backend) {
    let scene = Scene::new(backend).await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(scene.standing(&format!("https://a.test/{n}"), "1", 8 * DAY).await);
    }
    let [manual, running, ready, tried, waits] = ids[..] else { panic!("five") };
    scene.ask(&[running], QueueClass::Auto).await;
    let job = scene.claim(1).await.remove(0);
    scene.ask(&[tried], QueueClass::Auto).await;
    let first = scene.claim(1).await.remove(0);
    scene.finish(&first, super::support::timeout()).await;
    scene.ask(&[manual], QueueClass::Manual).await;
    scene.ask(&[ready], QueueClass::Auto).await;
    scene.pass(&ours("business")).await;
    assert_eq!(scene.store.purgeable().await.unwrap(), 2);
    let before = scene.outcomes().await.len();
    assert_eq!(scene.store.purge(&"ana".into()).await.unwrap(), 2);
    let purged: Vec<_> = scene.outcomes().await.split_off(before);
    assert_eq!(purged.iter().map(|line| line.document_id).collect::<Vec<DocumentId>>(), [ready, waits]);
    assert!(purged.iter().all(|line| line.result == OutcomeResult::Purged));
    assert_eq!(purged[0].detail.as_deref(), Some("purged by ana"));
    let states =
        [(manual, Status::Queued), (running, Status::Syncing), (ready, Status::Stale), (tried, Status::Waiting)];
    for (id, status) in states {
        assert_eq!(scene.row(id).await.status, status, "{id}");
    }
    assert_eq!(scene.store.purge(&"ana".into()).await.unwrap(), 0);
    assert_eq!(scene.store.rederive_lanes().await.unwrap(), 0);
    scene.finish(&job, fetched("T", "x", ContentChange::First)).await;
}

async fn chatwoots_trigger_comes_once_a_day(backend: Backend) {
    let scene = Scene::new(backend).await;
    scene.clock.set(Timestamp::parse_rfc3339("2026-05-23T23:50:00Z").unwrap());
    let mut terms = terms(DueRules::HalfCadence, "business");
    terms.plans.accounts.insert(AccountId(2), name("enterprise"));
    scene.standing("https://a.test/1", "1", 80 * DAY).await;
    let of_two = scene.standing("https://a.test/2", "1", 80 * DAY).await;
    scene.set(of_two, "account_id = 2").await;
    let daily = PassRequest { trigger: PassTrigger::Daily, ..order(&terms, "test") };
    let look = async || match ScheduleStore::schedule(&*scene.store, &daily).await.unwrap() {
        PassResult::Completed(passes, _) => passes.iter().map(|pass| pass.enqueued()).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert!(look().await.is_empty(), "the first look of all is not a day's first");
    assert_eq!(ScheduleStore::schedule(&*scene.store, &daily).await.unwrap(), PassResult::NotDue);
    scene.clock.advance(Duration::from_secs(11 * MINUTE));
    assert_eq!(look().await, [1, 1], "enterprise, then business: a Sunday");
    scene.clock.advance(Duration::from_secs(HOUR));
    assert_eq!(ScheduleStore::schedule(&*scene.store, &daily).await.unwrap(), PassResult::NotDue);
    scene.store.purge(&"ana".into()).await.unwrap();
    scene.clock.advance(Duration::from_secs(DAY));
    assert_eq!(look().await, [1], "enterprise alone on a Monday");
}

on_both! {
    ()
    due_once_the_cadence_has_passed,
    failures_are_looked_at_with_growing_distance,
    the_next_pass_goes_on_after_the_account_served_last,
    one_acts_at_a_time,
    an_account_with_nothing_due_is_left_alone_until_something_may_be,
    a_link_that_is_no_address_is_told_once_and_costs_no_limit,
    a_deep_queue_holds_the_schedule_back,
    stale_is_the_word_everywhere,
    an_auto_job_whose_document_was_synced_since_ends_cancelled,
    a_purge_drops_waiting_auto_jobs_and_nothing_else,
    chatwoots_trigger_comes_once_a_day,
}
