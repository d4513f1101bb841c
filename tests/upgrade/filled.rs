//! A store with rows of every kind: the content of the fixtures, and the source of new ones.

use crate::store::support::{Backend, START, Scene, fetched, limits, permanent, request, timeout, unexpected, worker};
use quarterdeck::chatwoot::faq_job::FaqSettings;
use quarterdeck::domain::content::{ContentChange, Page};
use quarterdeck::domain::document::Status;
use quarterdeck::domain::failure::Failure;
use quarterdeck::domain::id::{AccountId, DocumentId};
use quarterdeck::domain::job::{AttemptEnd, QueueClass};
use quarterdeck::domain::pause::PauseScope;
use quarterdeck::domain::plan::{Cadence, Plan, PlanName};
use quarterdeck::domain::schedule::{DueRules, ScheduleSettings};
use quarterdeck::domain::time::Timestamp;
use quarterdeck::lock::FaqJobs;
use quarterdeck::store::{
    ClaimedJob, DocumentStore, FinishResult, JobStore, MarkTiming, OutboxStore, PassMode, PassRequest, PassTrigger,
    ScheduleStore, Store, StoreBase,
};
use sqlx::{AssertSqlSafe, Connection as _};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// Documents of a filled store, with their statuses at the final time of its clock.
pub const STATUSES: [(&str, Status); 12] = [
    ("https://a.test/never", Status::Never),
    ("https://a.test/synced", Status::Synced),
    ("https://a.test/queued", Status::Queued),
    ("https://a.test/waiting", Status::Waiting),
    ("https://a.test/failed", Status::Failed),
    ("https://a.test/between", Status::Waiting),
    ("https://a.test/held", Status::Synced),
    ("https://a.test/stuck", Status::Stuck),
    ("https://a.test/stale", Status::Stale),
    ("https://a.test/lost", Status::Queued),
    ("https://a.test/cancelled", Status::Never),
    ("https://a.test/running", Status::Syncing),
];
/// Time from the first sync to the others.
const AGE: Duration = Duration::from_secs(26 * 3_600);
/// Time between the changes of the page that changes.
const PAUSE: Duration = Duration::from_secs(60);

/// Returns the final time of a filled store's clock.
pub fn left_at() -> Timestamp {
    START.plus(AGE + 3 * PAUSE)
}

/// Tables of this program except its administrative ones; none of them is empty in a filled store.
pub const TABLES: [&str; 14] = [
    "captain_documents",
    "document_state",
    "document_versions",
    "held_contents",
    "jobs",
    "lanes",
    "accounts_sched",
    "sched_clock",
    "scheduler",
    "outcomes",
    "workers",
    "outbox",
    "pauses",
    "hosts_sched",
];

/// Makes a filled store and closes it in the state left by a process that was killed while it ran a job.
pub async fn filled(on: Backend) -> Scene {
    let scene = Scene::new(on).await;
    fill(&scene).await;
    scene.store.close().await;
    scene
}

async fn fill(scene: &Scene) {
    scene.store.subscribe(Arc::new(FaqJobs::new(FaqSettings::default(), None)));
    scene.store.register(&worker("w1")).await.unwrap();
    let mut ids = Vec::new();
    for (url, _) in STATUSES {
        ids.push(scene.add(1, url).await);
    }
    let [_, synced, queued, waiting, failed, between, held, stuck, stale, lost, cancelled, running] = ids[..] else {
        panic!("{ids:?}")
    };
    sync(scene, stale, fetched("Stale", "Synced once, a day ago.", ContentChange::First)).await;
    scene.clock.advance(AGE);
    for n in 1..=3 {
        let change = if n == 1 { ContentChange::First } else { ContentChange::Changed };
        sync(scene, synced, fetched("Synced", &format!("Text number {n} of a page \u{1f6a2} that changes."), change))
            .await;
        scene.clock.advance(PAUSE);
    }
    sync(
        scene,
        held,
        fetched("Held", "A long text that is worth keeping, with many words in it.", ContentChange::First),
    )
    .await;
    let doubtful = |job: &ClaimedJob| {
        let mut page = Page::new(Some("Sign in"), "# Sign in".to_owned(), 9, 200).unwrap();
        let (change, doubt) = job.stored.compare(&page);
        page.quarantine_reason = doubt;
        let fingerprint = page.fingerprint.clone();
        AttemptEnd::Fetched { page: Box::new(page), fingerprint, change }
    };
    let job = claimed(scene, held).await;
    end(scene, &job, doubtful(&job)).await;
    sync(scene, failed, permanent()).await;
    scene.ask(&[cancelled], QueueClass::Manual).await;
    scene.store.cancel(&[cancelled], &"bo".into()).await.unwrap();
    of_another_host(scene).await;
    scheduled(scene).await;
    // Last, while no other document is due: the waiting job, and the running one.
    sync(scene, waiting, timeout()).await;
    sync(scene, between, unexpected()).await;
    claimed(scene, running).await;
    let job = claimed(scene, lost).await;
    assert!(scene.store.break_lease(job.lease.job_id, &"ana".into()).await.unwrap().is_some());
    scene.ask(&[queued], QueueClass::Manual).await;
    let long_ago = scene.place.at(scene.store.now().minus(Duration::from_secs(3 * 3_600)).micros());
    let row = format!("sync_status = 0, last_sync_attempted_at = {long_ago}");
    scene.sql(&format!("UPDATE captain_documents SET {row} WHERE id = {stuck}")).await;
    for (id, (url, status)) in ids.iter().zip(STATUSES) {
        assert_eq!(scene.row(*id).await.status, status, "{url}");
    }
}

/// Adds a host that asks three documents to come back in an hour.
async fn of_another_host(scene: &Scene) {
    for n in 1..=3 {
        let busy = scene.add(1, &format!("https://busy.test/{n}")).await;
        let wait = Some(Duration::from_secs(3_600));
        let failure = Failure::from_status(429, "Too Many Requests").with_retry_after(wait);
        sync(scene, busy, AttemptEnd::Failed(failure)).await;
    }
}

/// Adds an account with a plan, whose documents are due and scheduled, and which is paused.
async fn scheduled(scene: &Scene) {
    for n in 1..=3 {
        scene.add(2, &format!("https://c.test/{n}")).await;
    }
    let mut terms = ScheduleSettings { rules: DueRules::default(), ..ScheduleSettings::default() };
    let plans = [(1, "daily", 24), (2, "weekly", 7 * 24)].map(|(account, name, hours)| {
        let (name, every) = (PlanName::new(name).unwrap(), Cadence::new(Duration::from_secs(hours * 3_600)));
        terms.plans.plans.insert(name.clone(), Plan { cadence: every, ..Plan::default() });
        terms.plans.accounts.insert(AccountId(account), name.clone());
        name
    });
    let order = PassRequest {
        terms: &terms,
        only_plan: Some(&plans[1]),
        trigger: PassTrigger::Now,
        mode: PassMode::Enqueue,
        holder: "w1",
        lease: Duration::from_secs(30),
        seed: 7,
    };
    ScheduleStore::schedule(&*scene.store, &order).await.unwrap();
    let order = PassRequest { only_plan: None, mode: PassMode::PlansOnly, ..order };
    ScheduleStore::schedule(&*scene.store, &order).await.unwrap();
    scene.store.pause(&PauseScope::Account(AccountId(2)), &"ana".into()).await.unwrap();
}

async fn claimed(scene: &Scene, document: DocumentId) -> ClaimedJob {
    scene.store.request(&[document], &request(QueueClass::Manual)).await.unwrap();
    let limits = quarterdeck::store::ClaimLimits { mark_timing: MarkTiming::AtClaim, ..limits(1) };
    let mut claimed = scene.store.claim(&worker("w1").id, limits).await.unwrap();
    assert_eq!(claimed.iter().map(|job| job.document_id).collect::<Vec<_>>(), [document]);
    claimed.remove(0)
}

async fn end(scene: &Scene, job: &ClaimedJob, end: AttemptEnd) {
    assert!(matches!(scene.finish(job, end).await, FinishResult::Written { .. }));
}

async fn sync(scene: &Scene, document: DocumentId, how: AttemptEnd) {
    let job = claimed(scene, document).await;
    end(scene, &job, how).await;
}

async fn no_table_of_a_filled_store_is_empty(on: Backend) {
    let scene = filled(on).await;
    for table in TABLES {
        assert!(scene.number(&format!("SELECT CAST(count(*) AS bigint) FROM {table}")).await > 0, "{table}");
    }
    if let Ok(folder) = std::env::var("QUARTERDECK_FIXTURES") {
        write_fixture(&scene, std::path::Path::new(&folder)).await;
    }
}

/// Writes the store to `folder`: run `QUARTERDECK_FIXTURES=tests/fixtures tests/run no_table_of_a_filled_store` at the
/// current version, before a migration is added.
async fn write_fixture(scene: &Scene, folder: &std::path::Path) {
    let version = quarterdeck::store::SCHEMA_VERSION;
    if scene.either("sqlite", "postgres") == "sqlite" {
        let file = folder.join(format!("store-v{version}.db"));
        let _ = std::fs::remove_file(&file);
        let mut conn = crate::support::db::connect(&scene.path()).await;
        let copy = format!("VACUUM INTO '{}'", file.display());
        sqlx::query(AssertSqlSafe(copy)).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
        return;
    }
    let dump = Command::new("pg_dump")
        .args(["--no-owner", "--no-privileges", "--inserts", "--dbname", &scene.place.url()])
        .output()
        .expect("pg_dump is installed");
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let text = String::from_utf8(dump.stdout).unwrap();
    // Drops settings that only newer servers know, and commands that only psql knows.
    let lines = text.lines().filter(|line| {
        !line.starts_with('\\') && !line.starts_with("SET ") && !line.starts_with("--") && !line.is_empty()
    });
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    std::fs::write(folder.join(format!("store-v{version}.sql")), text).unwrap();
}

on_both! {
    ()
    no_table_of_a_filled_store_is_empty,
}
