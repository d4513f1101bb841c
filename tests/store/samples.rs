//! Tests the samples of minutes: what they count, that there is one for each minute whoever takes it, what a clock that is
//! set back does, and that they are kept for a week.

use super::guests::guest;
use super::retention::remove_all;
use super::support::*;
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::job::{AttemptEnd, QueueClass};
use quarterdeck::domain::retention::Retention;
use quarterdeck::domain::sample::{KEPT, MINUTE, MinuteSample, minute_of};
use quarterdeck::domain::time::Timestamp;
use quarterdeck::store::{DashboardFigures, Queries, ScheduleStore, StoreBase};
use std::time::Duration;

/// Time after the end of a minute at which the samples of these tests are taken.
const AFTER: Duration = Duration::from_secs(5);

async fn take(scene: &Scene) -> bool {
    scene.store.take_sample("one").await.unwrap()
}

async fn figures(scene: &Scene) -> DashboardFigures {
    scene.store.dashboard().await.unwrap()
}

/// Returns the minutes of the figures, as minutes since the start of the test, with the numbers of their attempts.
fn attempts(figures: &DashboardFigures) -> Vec<(i64, u64)> {
    let minute = |at: &Timestamp| (at.micros() - START.micros()) / 60_000_000;
    figures.minutes.iter().map(|(at, sample)| (minute(at), sample.results.attempts())).collect()
}

fn of(figures: &DashboardFigures, minute: u32) -> &MinuteSample {
    let at = START.plus(MINUTE * minute);
    &figures.minutes.iter().find(|(of, _)| *of == at).unwrap().1
}

/// Ends an attempt of a new document now.
async fn attempt(scene: &Scene, name: &str, end: AttemptEnd) {
    let (_, claimed) = scene.running(&format!("https://a.test/{name}")).await;
    scene.finish(&claimed, end).await;
}

async fn a_sample_counts_what_ended_in_its_minute(backend: Backend) {
    let scene = Scene::new(backend).await;
    assert_eq!(minute_of(START), START);
    scene.clock.advance(AFTER);
    attempt(&scene, "new", fetched("T", "text", ContentChange::First)).await;
    attempt(&scene, "gone", permanent()).await;
    attempt(&scene, "late", timeout()).await;
    let (_, next) = scene.running("https://a.test/next").await;
    let waits = scene.add(1, "https://a.test/waits").await;
    scene.ask(&[waits], QueueClass::Manual).await;
    // Until the minute is sampled, its outcomes are counted when somebody looks.
    let live = figures(&scene).await;
    assert_eq!(attempts(&live), [(0, 3)]);
    assert_eq!((of(&live, 0).queue, live.queue.ready, live.queue.running), (None, 1, 1));
    assert!(take(&scene).await, "the minute before");
    assert!(!take(&scene).await, "the minute has not ended");
    scene.clock.advance(MINUTE + Duration::from_secs(1) - AFTER);
    assert!(!take(&scene).await, "an outcome of the minute may not be seen yet");
    scene.clock.advance(AFTER);
    scene.finish(&next, fetched("T", "text", ContentChange::First)).await;
    assert!(take(&scene).await);
    assert!(!take(&scene).await, "one for each minute");
    let sampled = figures(&scene).await;
    assert_eq!(attempts(&sampled), [(-1, 0), (0, 3), (1, 1)], "those of the next minute are not of this one");
    let first = of(&sampled, 0);
    let results = first.results;
    assert_eq!((results.unchanged(), results.updated(), results.failed(), results.retrying()), (1, 0, 1, 1));
    // 120 ms, between 100 and 250.
    let median = first.durations.quantile(0.5).unwrap();
    assert!((100..=250).contains(&median.as_millis()), "{median:?}");
    let queue = first.queue.unwrap();
    assert_eq!((queue.ready, queue.running, queue.oldest), (1, 0, Some(MINUTE + Duration::from_secs(1))));
    assert!(first.disk.unwrap() > 0 && sampled.disk > 0);
    assert_eq!(scene.number("SELECT max(last_seq) FROM samples").await, 3);
    let slowest = &sampled.slowest;
    assert_eq!((slowest[0].host.as_str(), slowest[0].attempts, slowest[0].median.as_millis()), ("a.test", 4, 120));
    assert_eq!(sampled.next.len(), 1, "the one that is tried again: {:?}", sampled.next);
}

async fn a_minute_that_nobody_sampled_is_unknown(backend: Backend) {
    let scene = Scene::new(backend).await;
    attempt(&scene, "a", permanent()).await;
    scene.clock.advance(MINUTE + AFTER);
    assert!(take(&scene).await);
    // The process stands still for two minutes, in which another program ends attempts.
    scene.clock.advance(MINUTE);
    attempt(&scene, "b", permanent()).await;
    scene.clock.advance(MINUTE);
    attempt(&scene, "c", permanent()).await;
    scene.clock.advance(MINUTE);
    assert!(take(&scene).await);
    assert_eq!(attempts(&figures(&scene).await), [(0, 1), (3, 1)], "a gap, and no heap in the minute after it");
    scene.clock.advance(MINUTE);
    assert!(take(&scene).await);
    assert_eq!(attempts(&figures(&scene).await), [(0, 1), (3, 1), (4, 0)], "a quiet minute is known");
    assert_eq!(scene.number("SELECT count(*) FROM samples").await, 3);
}

async fn two_processes_take_one_sample(backend: Backend) {
    let scene = Scene::new(backend).await;
    let other = scene.another().await;
    attempt(&scene, "a", permanent()).await;
    for _ in 0..10 {
        scene.clock.advance(MINUTE);
        scene.clock.set(minute_of(scene.store.now()).plus(AFTER));
        let (one, two) = tokio::join!(scene.store.take_sample("one"), other.take_sample("two"));
        assert!(one.unwrap() || two.unwrap());
    }
    assert_eq!(scene.number("SELECT count(*) FROM samples").await, 10);
    assert_eq!(scene.number("SELECT count(DISTINCT minute) FROM samples").await, 10);
    // Whoever has the lease of the passes keeps others from it.
    scene.clock.advance(MINUTE);
    let until = scene.store.now().plus(Duration::from_secs(20)).micros();
    scene.sql(&format!("UPDATE scheduler SET holder = 'pass', held_until = {until}")).await;
    assert!(!take(&scene).await);
    assert!(scene.store.take_sample("pass").await.unwrap());
}

async fn a_clock_that_is_set_back_stops_nothing(backend: Backend) {
    let scene = Scene::new(backend).await;
    for _ in 0..60 {
        scene.clock.advance(MINUTE);
        scene.clock.set(minute_of(scene.store.now()).plus(AFTER));
        assert!(take(&scene).await);
    }
    attempt(&scene, "before", permanent()).await;
    // Half an hour back: what was sampled of the future is forgotten, and the minutes are sampled again.
    scene.clock.step(START.plus(MINUTE * 30).plus(AFTER));
    assert!(!take(&scene).await);
    assert_eq!(scene.number("SELECT count(*) FROM samples").await, 31);
    scene.clock.advance(MINUTE);
    attempt(&scene, "after", permanent()).await;
    let mut taken = 0;
    for _ in 0..4 {
        scene.clock.advance(MINUTE);
        taken += u32::from(take(&scene).await);
    }
    assert_eq!(taken, 4);
    let figures = figures(&scene).await;
    assert!(figures.minutes.iter().all(|(at, _)| *at <= scene.store.now()));
    assert_eq!(figures.minutes.iter().map(|(_, sample)| sample.results.attempts()).sum::<u64>(), 1, "no heap");
}

async fn samples_are_kept_for_a_week(backend: Backend) {
    let scene = Scene::new(backend).await;
    let now = scene.store.now();
    let numbers = scene.either(
        "(WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 12000) SELECT n FROM n) g",
        "generate_series(1, 12000) AS g(n)",
    );
    scene
        .sql(&format!(
            "INSERT INTO samples (minute, last_seq, updated, unchanged, permanent_failures, transient_failures, \
             unexpected_failures, workers_lost, gave_up, durations, ready, running, disk_bytes) \
             SELECT {} - CAST(n AS BIGINT) * 60000000, 0, 1, 0, 0, 0, 0, 0, 0, '[1]', 0, 0, 4096 FROM {numbers}",
            now.micros()
        ))
        .await;
    let (_, steps) = remove_all(&*scene.store, &Retention::default()).await;
    assert!(steps >= 4, "at most 500 at a time: {steps}");
    let week = i64::try_from(KEPT.as_secs() / 60).unwrap();
    assert_eq!(scene.number("SELECT count(*) FROM samples").await, week);
    assert_eq!(scene.number("SELECT min(minute) FROM samples").await, now.minus(KEPT).micros());
    let figures = figures(&scene).await;
    assert_eq!(figures.minutes.len(), 24 * 60 - 1, "the last day, without the current minute");
}

on_both! {
    (flavor = "multi_thread", worker_threads = 2)
    a_sample_counts_what_ended_in_its_minute,
    a_minute_that_nobody_sampled_is_unknown,
    two_processes_take_one_sample,
    a_clock_that_is_set_back_stops_nothing,
    samples_are_kept_for_a_week,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_chatwoot_is_sampled_too() {
    let scene = guest().await;
    scene.clock.advance(MINUTE + AFTER);
    assert!(take(&scene).await);
    let figures = figures(&scene).await;
    assert_eq!(figures.minutes.len(), 1);
    assert!(figures.disk > 0);
}
