//! Tests plans with times (`at`) and windows (`between`) in the store: documents are due at the times of their plan, and
//! automatic jobs wait for its window.

use super::schedule::{name, order};
use super::support::*;
use quarterdeck::domain::calendar::DayWindow;
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::id::AccountId;
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::plan::{Cadence, Plan, Timetable};
use quarterdeck::domain::schedule::ScheduleSettings;
use quarterdeck::domain::time::Timestamp;
use quarterdeck::store::{
    JobProgress, JobStore as _, JobsQuery, PassRequest, PassTrigger, Queries as _, ScheduleStore as _, StoreBase as _,
};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

fn terms(plan: Plan) -> ScheduleSettings {
    let mut terms = ScheduleSettings::default();
    terms.plans.plans.insert(name("own"), plan);
    terms.plans.accounts.insert(AccountId(1), name("own"));
    terms
}

fn at(rule: &str) -> Plan {
    Plan { at: Some(Timetable::parse(rule).unwrap()), ..Plan::default() }
}

fn hour_of(at: Timestamp) -> String {
    at.rfc3339()[..13].to_owned()
}

impl Scene {
    /// Makes a pass every hour for `hours`, and syncs what is ready at once. Returns the times of the syncs.
    async fn hours(&self, hours: u32, terms: &ScheduleSettings) -> Vec<String> {
        let mut synced = Vec::new();
        for _ in 0..hours {
            self.pass(terms).await;
            for job in self.claim(64).await {
                self.finish(&job, fetched("T", "text", ContentChange::Same)).await;
                synced.push(hour_of(self.store.now()));
            }
            self.clock.advance(HOUR);
        }
        synced
    }
}

async fn documents_are_due_at_the_times_of_their_plan(on: Backend) {
    // Monday, 24 November 2025, 16:00 UTC; 17:00 in Berlin.
    let scene = Scene::new(on).await;
    let terms = terms(at("0 3 * * 1-5 Europe/Berlin"));
    scene.add(1, "https://a.test/1").await;
    let synced = scene.hours(8 * 24, &terms).await;
    let expected = [
        "2025-11-24T16",
        "2025-11-25T02",
        "2025-11-26T02",
        "2025-11-27T02",
        "2025-11-28T02",
        "2025-12-01T02",
        "2025-12-02T02",
    ];
    assert_eq!(synced, expected, "a new document is due at once");
    // A clock that is set back by two days and on again: nothing that was synced since is due.
    let now = scene.store.now();
    scene.clock.set(now.minus(48 * HOUR));
    assert_eq!(scene.hours(1, &terms).await, [] as [&str; 0]);
    scene.clock.set(now);
    assert_eq!(scene.hours(1, &terms).await, [] as [&str; 0]);
    // Set forward over several times: it is due once.
    scene.clock.advance(72 * HOUR);
    assert_eq!(scene.hours(5, &terms).await.len(), 1);
}

async fn a_page_that_is_gone_is_checked_at_the_times_and_less_and_less_often(on: Backend) {
    let scene = Scene::new(on).await;
    let terms = terms(at("0 3 * * *"));
    scene.add(1, "https://a.test/1").await;
    let mut checks = 0;
    for _ in 0..30 {
        scene.pass(&terms).await;
        for job in scene.claim(64).await {
            scene.finish(&job, permanent()).await;
            checks += 1;
        }
        scene.clock.advance(24 * HOUR);
    }
    assert!((3..=6).contains(&checks), "{checks}");
}

async fn automatic_jobs_wait_for_the_window_and_others_do_not(on: Backend) {
    let scene = Scene::new(on).await;
    let hourly = Plan {
        cadence: Cadence::new(HOUR),
        between: Some(DayWindow::parse("22:00-06:00").unwrap()),
        ..Plan::default()
    };
    let terms = terms(hourly);
    let [automatic, manual] = [scene.add(1, "https://a.test/1").await, scene.add(1, "https://a.test/2").await];
    scene.pass(&terms).await;
    scene.clock.advance(HOUR);
    assert_eq!(scene.claim(64).await, [], "it is 17:00");
    scene.ask(&[manual], QueueClass::Manual).await;
    let claimed = scene.claim(64).await;
    assert_eq!(claimed.iter().map(|job| job.document_id).collect::<Vec<_>>(), [manual]);
    scene.finish(&claimed[0], fetched("T", "text", ContentChange::First)).await;
    let queue = scene.store.queue().await.unwrap();
    let opens = START.plus(6 * HOUR);
    assert_eq!((queue.ready + queue.scheduled, queue.next_due_at.is_some_and(|at| at <= opens)), (1, true));
    // It opens by itself, without a pass.
    scene.clock.set(opens.minus(Duration::from_secs(1)));
    assert_eq!(scene.claim(64).await, []);
    let queue = scene.store.queue().await.unwrap();
    assert_eq!((queue.ready, queue.paused, queue.next_due_at), (1, 1, Some(opens)));
    assert!(!scene.store.has_fetchable_jobs(&worker("w1").id).await.unwrap());
    scene.clock.set(opens);
    let claimed = scene.claim(64).await;
    assert_eq!(claimed.iter().map(|job| job.document_id).collect::<Vec<_>>(), [automatic]);
    // A retry of it waits for the next night.
    scene.clock.set(START.plus(14 * HOUR));
    scene.pass(&terms).await;
    scene.finish(&claimed[0], timeout()).await;
    scene.clock.advance(HOUR);
    assert_eq!(scene.claim(64).await, [], "it is 07:00");
    // With the other document, which is due by then.
    scene.clock.set(START.plus(30 * HOUR));
    assert!(scene.claim(64).await.iter().any(|job| job.document_id == automatic));
}

async fn what_is_due_now_is_listed_whatever_the_limits_are(on: Backend) {
    let scene = Scene::new(on).await;
    let terms = ScheduleSettings { per_account: Some(1), ..terms(at("0 3 * * *")) };
    let mut documents = Vec::new();
    for number in 0..4 {
        documents.push(scene.add(1, &format!("https://a.test/{number}")).await);
    }
    scene.add(2, "https://a.test/5").await;
    let due = async || scene.store.due_documents(&order(&terms, "")).await.unwrap();
    assert_eq!(due().await, documents, "another account has no plan");
    scene.pass(&terms).await;
    assert_eq!(due().await, documents, "one of them has a job by now");
    assert_eq!(scene.hours(5, &terms).await.len(), 4);
    assert_eq!(due().await, []);
}

async fn the_next_time_is_the_one_at_which_a_pass_takes_the_document(on: Backend) {
    for plan in [
        at("0 3 * * 1-5 Europe/Berlin"),
        Plan { between: Some(DayWindow::parse("22:00-06:00").unwrap()), ..at("0 12,20 * * *") },
        Plan {
            cadence: Cadence::new(20 * HOUR),
            between: Some(DayWindow::parse("22:00-06:00").unwrap()),
            ..Plan::default()
        },
    ] {
        let scene = Scene::new(on).await;
        let terms = terms(plan.clone());
        let [good, gone] = [scene.add(1, "https://a.test/1").await, scene.add(1, "https://a.test/2").await];
        let mut expected = std::collections::HashMap::new();
        let mut runs = 0;
        for _ in 0..9 * 24 {
            let periodic = PassTrigger::Interval(Duration::from_secs(15));
            let order = PassRequest { trigger: periodic, ..order(&terms, "test") };
            scene.store.schedule(&order).await.unwrap();
            let now = scene.store.now();
            for job in scene.claim(64).await {
                if let Some(at) = expected.remove(&job.document_id) {
                    // The delay at random of a plan with an interval comes on top; a window may then be over.
                    let is_late = plan.at.is_none() && now > at;
                    assert!(hour_of(at) == hour_of(now) || is_late, "{plan:?}: {at:?}, not {now:?}");
                    runs += 1;
                }
                let end = if job.document_id == good { fetched("T", "text", ContentChange::Same) } else { permanent() };
                scene.finish(&job, end).await;
            }
            for document in [good, gone] {
                let row = scene.row(document).await;
                let next = row.next_attempt_at.or(row.window.map(|window| window.opens_at)).or(row.next_check_at);
                if let Some(next) = next.filter(|next| *next > now) {
                    expected.insert(document, next);
                }
            }
            scene.clock.advance(HOUR);
        }
        assert!(runs >= 10, "{plan:?}: {runs}");
    }
}

async fn a_job_that_waits_for_its_window_says_so(on: Backend) {
    let scene = Scene::new(on).await;
    let window = DayWindow::parse("22:00-06:00 Europe/Berlin").unwrap();
    let terms = terms(Plan { cadence: Cadence::new(HOUR), between: Some(window), ..Plan::default() });
    let [automatic, manual] = [scene.add(1, "https://a.test/1").await, scene.add(1, "https://a.test/2").await];
    scene.pass(&terms).await;
    // 17:00 in UTC, 18:00 in Berlin.
    let opens = START.plus(5 * HOUR);
    assert_eq!(scene.row(automatic).await.next_attempt_at, Some(opens), "its time is within the window");
    scene.clock.advance(HOUR);
    assert_eq!(scene.claim(64).await, [], "it is ready, and waits");
    scene.ask(&[manual], QueueClass::Manual).await;
    let row = scene.row(automatic).await;
    let says = row.window.as_ref().map(quarterdeck::format::closed_window);
    assert_eq!(says.as_deref(), Some("waits for its window, opens 22:00 Europe/Berlin"));
    assert_eq!((row.window.map(|window| window.opens_at), scene.row(manual).await.window), (Some(opens), None));
    let jobs = scene.store.jobs(&JobsQuery { limit: 10 }).await.unwrap();
    let windows: Vec<_> = jobs
        .ready
        .iter()
        .map(|job| match &job.progress {
            JobProgress::Ready { blockers, .. } => {
                (job.document, blockers.window.as_ref().map(|window| window.opens_at))
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(windows, [(manual, None), (automatic, Some(opens))]);
    let accounts = scene.store.accounts().await.unwrap();
    assert_eq!(accounts.rows[0].window.as_ref().map(|window| window.opens_at), Some(opens));
    scene.clock.set(opens);
    assert_eq!(scene.row(automatic).await.window, None);
}

on_both! {
    ()
    the_next_time_is_the_one_at_which_a_pass_takes_the_document,
    a_job_that_waits_for_its_window_says_so,
    documents_are_due_at_the_times_of_their_plan,
    a_page_that_is_gone_is_checked_at_the_times_and_less_and_less_often,
    automatic_jobs_wait_for_the_window_and_others_do_not,
    what_is_due_now_is_listed_whatever_the_limits_are,
}
