//! Follows the changes by a cursor while workers and the consumer are killed, an earlier text and a backup are put back,
//! and the store moves to the other database and back: every change is seen once, or the cursor is refused.
//! `QUARTERDECK_CONSUMER` is the number of kills after which the test ends.

use crate::support::install::Install;
use crate::support::limit::until_blocking;
use crate::support::place::{Backend, Place};
use crate::support::site::{Reply, Site, html};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const PAGES: usize = 6;
/// Number of kills unless `QUARTERDECK_CONSUMER` names another.
const KILLS: usize = 12;
/// Rounds after which the same happens again.
const CYCLE: usize = 14;
/// Rounds of a cycle in which a backup is made, a backup replaces the store, and the store moves to PostgreSQL and back.
const BACKUP: usize = 2;
const RESTORE: usize = 5;
const MOVE: usize = 8;
const MOVE_BACK: usize = 11;
/// Points at which a worker dies: before the outcomes of a sync are written, before and after their commit.
const DEATHS: [&str; 3] = ["before_outcomes", "after_outcomes", "after_commit"];

#[derive(Debug, Default)]
struct Consumer {
    cursor: Option<String>,
    /// Documents and versions that were seen.
    seen: BTreeSet<(i64, i64)>,
    /// Version and fingerprint of the text of each document.
    texts: BTreeMap<i64, (i64, String)>,
}

/// End of a reading of the changes.
#[derive(Debug, PartialEq, Eq)]
enum Reading {
    Whole,
    /// The program was killed while it followed.
    Killed,
    /// The cursor was refused, and the consumer begins anew.
    Refused,
}

impl Consumer {
    /// Reads the changes after the cursor. With `killed_after`, the program follows and is killed once it has written so
    /// many, if it ever has; the consumer has then worked off no more than that.
    fn follow(&mut self, install: &Install, store: &str, killed_after: Option<usize>) -> Reading {
        let args = self.args(store);
        let (read, reading) = match killed_after {
            None => (install.run(&args), Reading::Whole),
            Some(most) => {
                let left = self.left(install, store);
                let process = install.start(&[&args[..], &["--follow"]].concat());
                until_blocking("changes, or the refusal of a cursor", || {
                    (left.is_none_or(|left| process.lines().len() >= most.min(left))).then_some(())
                });
                if left.is_some() {
                    process.signal(Signal::KILL);
                }
                (process.ended(), Reading::Killed)
            }
        };
        if read.code == Some(2) {
            assert!(read.err.contains("cursor"), "{read:?}");
            *self = Self::default();
            return Reading::Refused;
        }
        assert!(read.code == Some(0) || reading == Reading::Killed, "{read:?}");
        // The last line of a killed process may be cut off.
        for line in read.out.iter().take(killed_after.unwrap_or(usize::MAX)) {
            self.take(line);
        }
        reading
    }

    /// Returns the arguments that print the changes after the cursor.
    fn args<'a>(&'a self, store: &'a str) -> Vec<&'a str> {
        let mut args = vec!["changes", "--store", store];
        args.extend(self.cursor.iter().flat_map(|cursor| ["--after", cursor]));
        args
    }

    /// Returns the number of changes after the cursor; `None` if it is refused.
    fn left(&self, install: &Install, store: &str) -> Option<usize> {
        let read = install.run(&self.args(store));
        (read.code == Some(0)).then_some(read.out.len())
    }

    fn take(&mut self, line: &str) {
        let change: Value = serde_json::from_str(line).unwrap();
        let id = change["document_id"].as_i64().unwrap();
        match change["version"].as_i64() {
            Some(version) => {
                assert!(self.seen.insert((id, version)), "seen twice: {line}");
                self.texts.insert(id, (version, change["fingerprint"].as_str().unwrap().to_owned()));
            }
            None => drop(self.texts.remove(&id)),
        }
        self.cursor = Some(change["cursor"].as_str().unwrap().to_owned());
    }
}

/// Returns the first version of document 1 that is kept, if it has an earlier one.
fn earliest_version(install: &Install, store: &str) -> Option<String> {
    let listed = install.run(&["versions", "1", "--json", "--store", store]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let version = |line: &String| serde_json::from_str::<Value>(line).unwrap()["version"].as_u64().unwrap();
    let versions: Vec<u64> = listed.out.iter().map(version).collect();
    (versions.len() > 1).then(|| versions.iter().min().unwrap().to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_sees_every_change_once_or_its_cursor_is_refused() {
    let kills = std::env::var("QUARTERDECK_CONSUMER").map_or(KILLS, |kills| kills.parse().unwrap());
    let editions: Arc<[AtomicU32; PAGES]> = Arc::default();
    let shown = Arc::clone(&editions);
    let reply = move |path: &str, _| -> Reply {
        let page: usize = path.trim_start_matches("/p").parse().unwrap_or_default();
        html("Page", &format!("{path} has the text {}, and more words.", shown[page].load(Ordering::Relaxed)))
    };
    let install = Install::new(Site::start(reply).await, "");
    install.fill(&(0..PAGES).map(|page| format!("/p{page}")).collect::<Vec<_>>()).await;
    let mut places = Vec::new();
    let mut store = format!("sqlite:{}", install.file().display());
    let mut state = 11_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let done = |args: &[&str]| {
        let ended = install.run(args);
        assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
    };
    let mut consumer = Consumer::default();
    let (mut refused, mut deaths, mut killed) = (Vec::new(), 0, 0);
    let mut backup = String::new();
    for round in 0.. {
        // A whole cycle has all that can happen.
        if deaths + killed >= kills && round % CYCLE == 0 && round > 0 {
            break;
        }
        for edition in editions.iter() {
            edition.fetch_add(u32::from(random(2) == 0), Ordering::Relaxed);
        }
        done(&["sync", "--all", "--store", &store]);
        let fault = format!("{}:abort:/p{}", DEATHS[random(DEATHS.len())], random(PAGES));
        let worker = install.start_with(&[("QUARTERDECK_FAULT", &fault)], &["work", "--drain", "--store", &store]);
        deaths += usize::from(worker.ended().signal.is_some());
        match consumer.follow(&install, &store, Some(random(4))) {
            Reading::Refused => refused.push(round % CYCLE),
            Reading::Killed => killed += 1,
            Reading::Whole => {}
        }
        if random(2) == 0 {
            done(&["work", "--drain", "--store", &store]);
        }
        match round % CYCLE {
            BACKUP => {
                // The cursor that is refused later is of a text that the backup has not.
                done(&["work", "--drain", "--store", &store]);
                backup = install.folder().join(format!("backup{round}.db")).display().to_string();
                done(&["backup", &backup, "--store", &store]);
            }
            RESTORE => {
                consumer.follow(&install, &store, None);
                done(&["backup", "--restore", &backup, "--yes", "--store", &store]);
            }
            MOVE | MOVE_BACK => {
                done(&["work", "--drain", "--store", &store]);
                if let Some(earliest) = earliest_version(&install, &store) {
                    done(&["restore", "1", &earliest, "--store", &store]);
                }
                let on = if round % CYCLE == MOVE { Backend::Postgres } else { Backend::Sqlite };
                let place = Place::new(on).await;
                done(&["copy", "--from", &store, "--to", &place.url()]);
                store = place.url();
                places.push(place);
            }
            _ => {}
        }
    }
    done(&["work", "--drain", "--store", &store]);
    assert_eq!(consumer.follow(&install, &store, None), Reading::Whole);
    assert!(consumer.seen.len() > PAGES, "{consumer:?}");
    let mut fresh = Consumer::default();
    fresh.follow(&install, &store, None);
    assert_eq!((consumer.texts, fresh.texts.len()), (fresh.texts, PAGES));
    assert!(!refused.is_empty() && refused.iter().all(|round| *round == RESTORE + 1), "by backups alone: {refused:?}");
    assert!(deaths > 5 && killed > 5, "{deaths} workers and {killed} readings were killed");
    println!("{deaths} workers and {killed} readings were killed, {} cursors refused", refused.len());
}
