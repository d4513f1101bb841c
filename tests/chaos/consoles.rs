//! Tests two consoles and three workers on one PostgreSQL that the program itself set up and filled: both screens show
//! every outcome at once, and one console shows jobs that the other requested as running.

use super::size;
use crate::support::fleet::{Fleet, dismiss, percentile};
use crate::support::install::Install;
use crate::support::limit::within;
use crate::support::measure;
use crate::support::place::Place;
use crate::support::postgres;
use crate::support::pty::Terminal;
use crate::support::redis::TestRedis;
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::time::Timestamp;
use quarterdeck::store::{Clock as _, SystemClock};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// Limit on the time from commit to both screens, at p99, with Redis.
const AT_ONCE: Duration = Duration::from_millis(300);
/// The same limit without Redis, where only the database announces commits.
const SOON: Duration = Duration::from_millis(1_500);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_outcome_is_on_both_screens_at_once_with_redis() {
    let redis = TestRedis::start();
    let late = outcomes_on_two_screens(Some(&redis)).await;
    measure::at_most("an outcome is on both screens, at p99, with Redis", late, AT_ONCE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_outcome_is_on_both_screens_soon_without_redis() {
    // NOTIFY is as fast; a lost notification is made good by the poll once a second.
    let late = outcomes_on_two_screens(None).await;
    measure::at_most("an outcome is on both screens, at p99, without Redis", late, SOON);
}

/// Returns the p99 delay from an outcome's commit to the screens.
async fn outcomes_on_two_screens(redis: Option<&TestRedis>) -> Duration {
    let (documents, _) = size(60, 0);
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let page = move |path: &str, _| Reply::When(Arc::clone(&held), Box::new(html(&path[1..], &format!("of {path}"))));
    let key = redis.map_or(String::new(), |redis| format!("redis.key = {:?}\n", redis.key_pattern()));
    let settings = format!("{key}runner.per_host = 64\nrunner.concurrency = 4\n");
    let install = Install::new(Site::start(page).await, &settings);
    let place = Place::on(postgres::empty().await);
    let url = place.url();
    let set_up = install.start_with(&[("QUARTERDECK_STORE", &url)], &["migrate", "--standalone"]).ended();
    assert_eq!(set_up.code, Some(0), "{set_up:?}");
    let mut fleet = Fleet::at(place, install).await;
    if let Some(redis) = redis {
        fleet = fleet.with("QUARTERDECK_REDIS", redis.url());
    }
    let line = |n| format!("{},doc-{n:04}\n", fleet.install.site.url(&format!("/doc-{n:04}")));
    let csv = format!("url,name\n{}", (0..documents).map(line).collect::<String>());
    let file = fleet.install.write("pages.csv", csv);
    let imported = fleet.start(&["import", file.to_str().expect("a path")]).ended();
    assert_eq!(imported.code, Some(0), "{imported:?}");

    let workers: Vec<_> = (0..3).map(|_| fleet.work()).collect();
    let consoles = [0, 1].map(|_| console(&fleet));
    for console in &consoles {
        // A key acts on the document under the cursor, which is read apart from the workers.
        console.until("three workers and a document", |screen| {
            let shown = screen.contents();
            shown.contains("3 workers") && shown.contains("Never synced. s syncs it now.")
        });
    }
    let [mut one, other] = consoles;
    // A key in one console; the other shows the job as running, with its step if steps are published.
    one.keys("s");
    let running = if redis.is_some() { "fetching" } else { "syncing" };
    let row = |screen: &vt100::Screen| {
        let (_, cols) = screen.size();
        screen.rows(0, cols.get() - 40).any(|line| line.contains("doc-") && line.contains(running))
    };
    other.until("the sync that the first asked for, running", row);
    gate.add_permits(1);

    let (watchers, mut counts): (Vec<_>, Vec<_>) = [one, other]
        .map(|console| {
            let (told, count) = watch::channel(0);
            (tokio::task::spawn_blocking(move || first_seen(&console, documents, &told)), count)
        })
        .into_iter()
        .unzip();
    all_see(&mut counts, 1).await;
    let asked = fleet.start(&["sync", "--filter", "status:never", "--yes"]).ended();
    assert_eq!(asked.code, Some(0), "{asked:?}");
    for count in 2..=documents {
        // One page at a time, so that each outcome is on the screen separately.
        gate.add_permits(1);
        all_see(&mut counts, count).await;
    }
    let mut screens = Vec::new();
    for watcher in watchers {
        screens.push(watcher.await.expect("it sees all"));
    }
    fleet.drained().await;
    workers.into_iter().for_each(|worker| drop(dismiss(worker)));
    let mut late = Vec::new();
    for outcome in fleet.outcomes() {
        let number: usize = outcome.name.trim_start_matches("doc-").parse().expect("its number");
        late.extend(screens.iter().map(|seen| seen[&number].since(outcome.at)));
    }
    assert_eq!(late.len(), 2 * documents, "each on each");
    late.sort();
    let (half, most) = (percentile(&late, 50), percentile(&late, 99));
    let with = if redis.is_some() { "with Redis" } else { "without Redis" };
    println!(
        "{documents} outcomes on two consoles, {with}: {half:.0?} at p50, {most:.0?} at p99, {:.0?} at most",
        late[late.len() - 1]
    );
    fleet.check(&format!("two consoles {with}"), documents, 0, late[late.len() - 1]).await;
    most
}

async fn all_see(counts: &mut [watch::Receiver<usize>], count: usize) {
    for seen in counts {
        let seen = within(format_args!("{count} outcomes on a screen"), seen.wait_for(|seen| *seen >= count)).await;
        seen.expect("watched");
    }
}

fn console(fleet: &Fleet) -> Terminal {
    let mut command = fleet.install.on_terminal(&[]);
    for (name, value) in fleet.env() {
        command.env(name, value);
    }
    Terminal::spawn(120, 40, command)
}

/// Returns the time at which each outcome first appeared in the panel. Entries begin with a time and a sign; names
/// follow.
fn first_seen(console: &Terminal, documents: usize, told: &watch::Sender<usize>) -> BTreeMap<usize, Timestamp> {
    let mut seen = BTreeMap::new();
    while seen.len() < documents {
        let before = seen.len();
        console.until("another outcome", |screen| {
            let now = SystemClock.now();
            let (rows, cols) = screen.size();
            for row in 0..rows.get() {
                let line = screen.contents_between(row, cols.get() - 40, row, cols.get());
                let Some((start, name)) = line.split_once("doc-") else { continue };
                if let (2, Some(Ok(number))) = (start.matches(':').count(), name.get(..4).map(str::parse)) {
                    seen.entry(number).or_insert(now);
                }
            }
            seen.len() > before
        });
        told.send_replace(seen.len());
    }
    seen
}
