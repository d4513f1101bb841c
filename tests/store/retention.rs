//! Tests the removal of what is old: always a prefix of the log, never past a message that was not delivered, in small
//! steps by one process, and unnoticed by who reads.

use super::guests::guest;
use super::support::*;
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::filter::Filter;
use quarterdeck::domain::id::{DocumentId, Seq};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::outbox::{OutboxMessage, OutcomeEvent, Subscriber};
use quarterdeck::domain::outcome::{Outcome, OutcomeResult};
use quarterdeck::domain::retention::Retention;
use quarterdeck::runner::tail::{TailItem, follow};
use quarterdeck::store::{
    Access, DocumentStore, Options, OutboxStore, OutcomeQuery, OutcomesFrom, Queries, Removed, RestoredText,
    RetentionStep, RetentionStore, SqlStore, StoreBase, TextStore,
};
use std::sync::Arc;
use std::time::Duration;

pub const DAY: Duration = Duration::from_secs(86_400);
/// Most rows that a step may remove.
const STEP: u64 = 500;

fn keep(days: u32) -> Retention {
    Retention { outcomes: Some(DAY * days), max_outcomes: None, jobs: None, ..Retention::default() }
}

/// Makes steps until nothing is left; returns what was removed, and the number of steps.
pub async fn remove_all(store: &dyn RetentionStore, keep: &Retention) -> (Removed, u64) {
    let (mut removed, mut steps) = (Removed::default(), 0);
    loop {
        match store.remove_old(keep, "one").await.unwrap() {
            RetentionStep::More(some) => {
                assert!(some.outcomes + some.jobs + some.versions <= STEP, "{some:?}");
                removed += some;
                steps += 1;
            }
            RetentionStep::Done => return (removed, steps),
            RetentionStep::LeaseTaken => panic!("nobody else acts"),
        }
    }
}

/// Adds `outcomes` of `documents` in turns, the last one now and each a `spacing` after the one before.
async fn fill(scene: &Scene, outcomes: i64, documents: &[DocumentId], spacing: Duration) {
    let first = scene.number("SELECT last FROM outcome_seq").await;
    let numbers = scene.either(
        "(WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count}) SELECT n FROM n) g",
        "generate_series(1, {count}) AS g(n)",
    );
    let ids: Vec<String> = documents.iter().map(|id| format!("WHEN {} THEN {id}", id.0 - documents[0].0)).collect();
    let modulo = documents.len();
    let now = StoreBase::now(&*scene.store).micros();
    let spacing = spacing.as_micros();
    let sql = format!(
        "INSERT INTO outcomes (seq, at, document_id, account_id, assistant_id, name, url, host, job_id, attempt, queue, \
         result) SELECT {first} + n, {now} - ({outcomes} - n) * {spacing}, CASE n % {modulo} {} END, 1, 1, 'N', \
         'https://a.test/', 'a.test', 1000000 + n, 1, 0, 'unchanged' FROM {}",
        ids.join(" "),
        numbers.replace("{count}", &outcomes.to_string())
    );
    scene.sql(&sql).await;
    scene.sql(&format!("UPDATE outcome_seq SET last = last + {outcomes}")).await;
}

async fn outcomes_of(scene: &Scene, document: DocumentId) -> Vec<Outcome> {
    let query = OutcomeQuery {
        filter: Filter::default(),
        document: Some(document),
        from: OutcomesFrom::Newest,
        limit: 1_000_000,
    };
    scene.store.outcomes(&query).await.unwrap()
}

async fn assert_prefix_was_removed(scene: &Scene) {
    let pruned = scene.store.pruned_up_to().await.unwrap().0;
    let last = scene.store.last_seq().await.unwrap().0;
    assert_eq!(scene.number("SELECT count(*) FROM outcomes").await, last - pruned, "what is kept has no gap");
    let lowest = scene.number("SELECT coalesce(min(seq), 0) FROM outcomes").await;
    assert!(lowest == pruned + 1 || last == pruned, "{lowest} {pruned} {last}");
    let undelivered =
        "SELECT count(*) FROM outbox m WHERE NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.seq = m.outcome_seq)";
    assert_eq!(scene.number(undelivered).await, 0, "the outcome of each message is there");
    let gone = "SELECT count(*) FROM captain_documents d WHERE NOT EXISTS (SELECT 1 FROM outcomes o \
                WHERE o.document_id = d.id) AND NOT EXISTS (SELECT 1 FROM last_outcomes o WHERE o.document_id = d.id) \
                AND d.sync_status IS NOT NULL";
    assert_eq!(scene.number(gone).await, 0, "each document that has had an outcome has one");
}

async fn the_oldest_outcomes_are_removed_and_documents_read_as_before(on: Backend) {
    let scene = Scene::new(on).await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(scene.add(1, &format!("https://a.test/{n}")).await);
    }
    // One whose only outcome is old, and one that is removed.
    let (quiet, gone) = (scene.add(1, "https://a.test/quiet").await, scene.add(1, "https://a.test/gone").await);
    scene.clock.advance(DAY);
    for id in [quiet, gone] {
        scene.ask(&[id], QueueClass::Manual).await;
        let job = scene.claim(64).await.remove(0);
        scene.finish(&job, permanent()).await;
    }
    scene.store.remove(&[gone], &"ana".into()).await.unwrap();
    scene.clock.advance(DAY * 200);
    fill(&scene, 3_000, &ids, DAY / 10).await;
    let newest = outcomes_of(&scene, quiet).await;
    let rows = scene.store.rows(&[ids[0], ids[1], ids[2], quiet]).await.unwrap();
    assert_eq!(scene.store.pruned_up_to().await.unwrap(), Seq::START);

    let old = scene.store.now().minus(DAY * 90).plus(Duration::from_micros(1));
    let used = scene.store.disk_use().await.unwrap();
    assert_eq!((used.outcomes, scene.store.outcomes_before(old).await.unwrap()), (3_003, 2_103));
    let (removed, _) = remove_all(&*scene.store, &keep(90)).await;
    assert_eq!(removed, Removed { outcomes: 2_103, ..Removed::default() }, "900 are younger than 90 days");
    assert_prefix_was_removed(&scene).await;
    let used = scene.store.disk_use().await.unwrap();
    assert_eq!((used.outcomes, scene.store.outcomes_before(old).await.unwrap()), (900, 0));
    assert!(used.bytes > 0 && used.oldest_outcome_at.unwrap() >= old);
    assert_eq!(used.tables.iter().any(|(name, _)| name == "outcomes"), on == Backend::Postgres);
    assert_eq!(scene.store.pruned_up_to().await.unwrap(), Seq(2_103));
    assert_eq!(scene.outcomes().await.first().unwrap().seq, Seq(2_104), "readers begin there");
    assert_eq!(outcomes_of(&scene, quiet).await, newest, "the newest one of a document stays");
    assert_eq!(scene.number("SELECT count(*) FROM last_outcomes").await, 1, "not that of a removed document");
    assert_eq!(outcomes_of(&scene, ids[0]).await.len(), 300);
    assert_eq!(scene.store.rows(&[ids[0], ids[1], ids[2], quiet]).await.unwrap(), rows, "lists answer the same");
    // A new outcome takes its place, and is the one that stays when it is old.
    scene.ask(&[quiet], QueueClass::Manual).await;
    let job = scene.claim(64).await.remove(0);
    scene.finish(&job, fetched("T", "text", ContentChange::First)).await;
    let latest = outcomes_of(&scene, quiet).await;
    assert_eq!(latest.len(), 1, "the older one is not shown beside it");
    scene.clock.advance(DAY * 91);
    remove_all(&*scene.store, &keep(90)).await;
    assert_eq!(scene.number("SELECT count(*) FROM outcomes").await, 0);
    assert_eq!(outcomes_of(&scene, quiet).await, latest);
    assert_prefix_was_removed(&scene).await;
    scene.store.remove(&[quiet], &"ana".into()).await.unwrap();
    let left: Vec<_> = outcomes_of(&scene, quiet).await.iter().map(|outcome| outcome.result).collect();
    assert_eq!(left, [OutcomeResult::Removed], "of a removed document only its removal");
    assert_eq!(remove_all(&*scene.store, &keep(90)).await, (Removed::default(), 0), "nothing is left to do");
}

/// Wants every outcome.
struct Wants;

impl Subscriber for Wants {
    fn name(&self) -> &str {
        "all"
    }

    fn message(&self, event: &OutcomeEvent<'_>) -> Option<OutboxMessage> {
        Some(OutboxMessage { key: event.outcome.seq.to_string(), payload: String::new() })
    }
}

/// A small generator of random numbers, so that a failure can be repeated by its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

async fn whatever_happens_a_prefix_is_removed_that_no_message_is_about(on: Backend) {
    for seed in 0..6 {
        let scene = Scene::new(on).await;
        scene.store.subscribe(Arc::new(Wants));
        let mut random = Random(seed);
        let mut ids = Vec::new();
        for n in 0..4 {
            ids.push(scene.add(1, &format!("https://a.test/{n}")).await);
        }
        for _ in 0..60 {
            match random.below(6) {
                0 | 1 => {
                    let id = ids[random.below(4) as usize];
                    scene.ask(&[id], QueueClass::Manual).await;
                    if let Some(job) = scene.claim(64).await.pop() {
                        scene.finish(&job, permanent()).await;
                    }
                }
                2 => {
                    let due = scene.store.due_deliveries("all", 3).await.unwrap();
                    if let Some(message) = due.get(random.below(3) as usize) {
                        scene.store.delivered(message.id, None).await.unwrap();
                    }
                }
                3 => scene.clock.advance(DAY * random.below(60) as u32),
                _ => {
                    let max = (random.below(2) == 0).then(|| random.below(5));
                    let keep = Retention { max_outcomes: max, ..keep(30) };
                    remove_all(&*scene.store, &keep).await;
                    assert_prefix_was_removed(&scene).await;
                }
            }
        }
        let due = scene.store.due_deliveries("all", 1_000).await.unwrap();
        for message in due {
            scene.store.delivered(message.id, None).await.unwrap();
        }
        scene.clock.advance(DAY * 31);
        remove_all(&*scene.store, &keep(30)).await;
        assert_eq!(scene.number("SELECT count(*) FROM outcomes").await, 0, "seed {seed}");
        assert_prefix_was_removed(&scene).await;
    }
}

async fn an_undelivered_message_keeps_its_outcome_and_all_after_it(on: Backend) {
    let scene = Scene::new(on).await;
    let id = scene.add(1, "https://a.test/1").await;
    fill(&scene, 10, &[id], Duration::ZERO).await;
    scene.store.subscribe(Arc::new(Wants));
    scene.ask(&[id], QueueClass::Manual).await;
    let job = scene.claim(64).await.remove(0);
    scene.finish(&job, permanent()).await;
    fill(&scene, 10, &[id], Duration::ZERO).await;
    scene.clock.advance(DAY * 100);
    let (removed, _) = remove_all(&*scene.store, &keep(90)).await;
    assert_eq!((removed.outcomes, scene.store.pruned_up_to().await.unwrap()), (10, Seq(10)));
    let message = scene.store.due_deliveries("all", 9).await.unwrap().remove(0);
    // Delivered, and still to be verified: it may become pending again.
    scene.store.delivered(message.id, Some(START)).await.unwrap();
    assert_eq!(remove_all(&*scene.store, &keep(90)).await.0.outcomes, 0);
    scene.store.verified(&[message.id]).await.unwrap();
    assert_eq!(remove_all(&*scene.store, &keep(90)).await.0.outcomes, 11);
}

async fn one_process_acts_and_another_takes_over_when_it_stops(on: Backend) {
    let scene = Scene::new(on).await;
    let id = scene.add(1, "https://a.test/1").await;
    fill(&scene, 1_000, &[id], Duration::ZERO).await;
    scene.clock.advance(DAY * 100);
    let another = scene.another().await;
    assert!(matches!(scene.store.remove_old(&keep(90), "one").await.unwrap(), RetentionStep::More(_)));
    assert_eq!(another.remove_old(&keep(90), "other").await.unwrap(), RetentionStep::LeaseTaken);
    assert!(matches!(scene.store.remove_old(&keep(90), "one").await.unwrap(), RetentionStep::More(_)));
    scene.clock.advance(Duration::from_secs(31));
    assert!(matches!(another.remove_old(&keep(90), "other").await.unwrap(), RetentionStep::More(_)));
    assert_eq!(scene.store.remove_old(&keep(90), "one").await.unwrap(), RetentionStep::LeaseTaken);
    assert_prefix_was_removed(&scene).await;
    // A lease of a process whose clock was far ahead.
    scene.sql("UPDATE retention SET held_until = 9000000000000000000").await;
    assert!(matches!(scene.store.remove_old(&keep(90), "one").await.unwrap(), RetentionStep::More(_)));
}

async fn writers_get_in_between_steps_of_at_most_500_rows(on: Backend) {
    let scene = Scene::new(on).await;
    let id = scene.add(1, "https://a.test/1").await;
    fill(&scene, 30_000, &[id], Duration::ZERO).await;
    scene.clock.advance(DAY * 100);
    let writer = scene.another().await;
    let store = Arc::clone(&scene.store);
    let removing = tokio::spawn(async move { remove_all(&*store, &keep(90)).await });
    // One after the other: each has to get the write lock while the removal wants it all the time.
    let mut added = 0;
    while !removing.is_finished() {
        writer.add(&[new(1, &format!("https://a.test/w{added}"))]).await.unwrap();
        added += 1;
    }
    let (removed, steps) = removing.await.unwrap();
    assert_eq!(removed.outcomes, 30_000);
    assert!(steps >= 30_000 / STEP, "{steps}");
    assert!(added > 1, "a writer was kept out");
    assert_prefix_was_removed(&scene).await;
}

async fn who_follows_the_log_while_it_is_pruned_sees_each_kept_outcome_once(on: Backend) {
    let scene = Scene::new(on).await;
    let id = scene.add(1, "https://a.test/1").await;
    fill(&scene, 5_000, &[id], Duration::ZERO).await;
    scene.clock.advance(DAY * 100);
    fill(&scene, 2_000, &[id], Duration::ZERO).await;
    let mut tail = follow(scene.store.clone(), Seq::START);
    let mut seen: Vec<Seq> = Vec::new();
    let mut is_pruned = false;
    while seen.last() != Some(&Seq(7_001)) {
        let Some(TailItem::Outcomes(outcomes)) = tail.recv().await else { panic!("the store is there") };
        seen.extend(outcomes.iter().map(|outcome| outcome.seq));
        if !is_pruned {
            is_pruned = true;
            remove_all(&*scene.store, &keep(90)).await;
            fill(&scene, 1, &[id], Duration::ZERO).await;
            // Another process's commit, which a hint announces.
            scene.add(1, "https://a.test/2").await;
            scene.ask(&[id], QueueClass::Manual).await;
            let job = scene.claim(64).await.remove(0);
            scene.finish(&job, permanent()).await;
        }
        if seen.last() == Some(&Seq(7_002)) {
            break;
        }
    }
    assert!(seen.is_sorted_by(|a, b| a < b), "none twice");
    let kept: Vec<Seq> = seen.iter().copied().filter(|seq| *seq > Seq(5_000)).collect();
    assert_eq!(kept, (5_001..=7_002).map(Seq).collect::<Vec<_>>(), "none of those that are kept is missing");
}

#[tokio::test]
async fn on_a_database_of_chatwoot_nothing_of_theirs_is_touched() {
    let scene = guest().await;
    let ids: Vec<DocumentId> = (2..=5).map(DocumentId).collect();
    fill(&scene, 400, &ids, DAY).await;
    let theirs = "SELECT md5(string_agg(d.xmin::text || d::text, ',' ORDER BY d.id)) FROM public.captain_documents d";
    let before = scene.place.text(theirs).await;
    scene.sql("SET statement_timeout = 0").await;
    let (removed, _) = remove_all(&*scene.store, &keep(90)).await;
    assert_eq!(removed.outcomes, 310);
    assert_eq!(scene.place.text(theirs).await, before);
    assert_eq!(scene.number("SELECT count(*) FROM outcomes").await, 90);
}

async fn old_jobs_and_surplus_versions_are_removed_once_a_day(on: Backend) {
    let scene = Scene::new(on).await;
    let changing = scene.add(1, "https://a.test/changing").await;
    for n in 0..9 {
        scene.ask(&[changing], QueueClass::Manual).await;
        let job = scene.claim(64).await.remove(0);
        scene.finish(&job, fetched("T", &format!("text {n}"), ContentChange::Changed)).await;
    }
    let numbers = async || -> Vec<u64> {
        scene.store.versions(changing).await.unwrap().iter().map(|found| found.version).collect()
    };
    assert_eq!(numbers().await, [8, 7, 6, 5, 4], "a finish keeps the newest five");
    let waiting = scene.add(1, "https://a.test/waiting").await;
    scene.ask(&[waiting], QueueClass::Manual).await;
    let keep = Retention { versions: 2, jobs: Some(DAY * 30), ..keep(90) };
    let (removed, _) = remove_all(&*scene.store, &keep).await;
    assert_eq!(removed, Removed { outcomes: 0, jobs: 0, versions: 3 });
    assert_eq!(numbers().await, [8, 7]);
    scene.clock.advance(DAY * 31);
    let row = scene.row(changing).await;
    let (removed, _) = remove_all(&*scene.store, &keep).await;
    assert_eq!(removed, Removed { outcomes: 0, jobs: 1, versions: 0 });
    assert_eq!(scene.number("SELECT count(*) FROM jobs").await, 1, "the live one stays, however old");
    let after = scene.row(changing).await;
    assert_eq!((after.attempt, after.status, after.synced_at), (None, row.status, row.synced_at));
    // Within a day nothing is checked again.
    let lower = Retention { versions: 1, ..keep };
    assert_eq!(remove_all(&*scene.store, &lower).await.0, Removed::default());
    scene.clock.advance(DAY);
    assert_eq!(remove_all(&*scene.store, &lower).await.0.versions, 1);
}

async fn a_store_keeps_as_many_versions_as_it_is_told(on: Backend) {
    let scene = Scene::new(on).await;
    let document = scene.add(1, "https://a.test/1").await;
    for (kept, expected) in [(7, vec![3, 2, 1]), (2, vec![7, 6]), (0, vec![])] {
        let options = Options { clock: scene.clock.clone(), kept_versions: kept, ..Options::new(Access::Write) };
        let store = SqlStore::open(&scene.place.url(), options).await.unwrap();
        let other = Scene { clock: scene.clock.clone(), store, place: Place::new(Backend::Sqlite).await };
        for n in 0..4 {
            other.ask(&[document], QueueClass::Manual).await;
            let job = other.claim(64).await.remove(0);
            other.finish(&job, fetched("T", &format!("{kept} {n}"), ContentChange::Changed)).await;
        }
        let found: Vec<u64> = other.store.versions(document).await.unwrap().iter().map(|found| found.version).collect();
        assert_eq!(found, expected, "{kept}");
    }
}

async fn earlier_texts_are_compressed_and_read_as_they_were(on: Backend) {
    let scene = Scene::new(on).await;
    let document = scene.add(1, "https://a.test/1").await;
    let text = |n: usize| format!("A text of a page \u{1f6a2} that changes, number {n}. ").repeat(400 + n);
    for n in 1..=4 {
        scene.ask(&[document], QueueClass::Manual).await;
        let job = scene.claim(64).await.remove(0);
        scene.finish(&job, fetched("T", &text(n), ContentChange::Changed)).await;
    }
    let sizes = "SELECT sum(length(content) + coalesce(length(packed), 0)) FROM document_versions";
    let (before, versions) = (scene.number(sizes).await, scene.store.versions(document).await.unwrap());
    assert_eq!(scene.store.version_text(document, 2).await.unwrap(), Some(text(2)), "one that is not compressed");
    remove_all(&*scene.store, &keep(90)).await;
    assert_eq!(scene.number("SELECT count(*) FROM document_versions WHERE packed IS NULL OR content <> ''").await, 0);
    assert!(scene.number(sizes).await * 10 < before);
    for n in 1..=3 {
        assert_eq!(scene.store.version_text(document, n as u64).await.unwrap(), Some(text(n)));
    }
    assert_eq!(
        scene.store.versions(document).await.unwrap(),
        versions,
        "lengths and fingerprints are those of the text"
    );
    assert_eq!(remove_all(&*scene.store, &keep(90)).await.1, 0, "none is left");
    let restored = scene.store.restore_text(document, 2, &"ana".into()).await.unwrap();
    assert_eq!(restored, RestoredText::Done { version: 5 });
    assert_eq!(scene.store.content(document).await.unwrap().unwrap().text, text(2));
}

#[tokio::test]
async fn a_new_file_shrinks_when_most_of_it_was_removed() {
    let scene = Scene::new(Backend::Sqlite).await;
    let id = scene.add(1, "https://a.test/1").await;
    fill(&scene, 40_000, &[id], Duration::ZERO).await;
    let pages = "SELECT page_count FROM pragma_page_count";
    let before = scene.number(pages).await;
    scene.clock.advance(DAY * 100);
    remove_all(&*scene.store, &keep(90)).await;
    let after = scene.number(pages).await;
    assert!(after * 4 < before, "{after} of {before} pages");
    assert_eq!(scene.place.text("SELECT integrity_check FROM pragma_integrity_check").await.unwrap(), "ok");
}

on_both! {
    (flavor = "multi_thread", worker_threads = 2)
    the_oldest_outcomes_are_removed_and_documents_read_as_before,
    whatever_happens_a_prefix_is_removed_that_no_message_is_about,
    an_undelivered_message_keeps_its_outcome_and_all_after_it,
    one_process_acts_and_another_takes_over_when_it_stops,
    writers_get_in_between_steps_of_at_most_500_rows,
    who_follows_the_log_while_it_is_pruned_sees_each_kept_outcome_once,
    old_jobs_and_surplus_versions_are_removed_once_a_day,
    a_store_keeps_as_many_versions_as_it_is_told,
    earlier_texts_are_compressed_and_read_as_they_were,
}
