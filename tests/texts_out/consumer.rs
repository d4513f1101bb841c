//! Follows the changes by a cursor while workers and the consumer are killed, an earlier text and a backup are put back,
//! and the store moves to another database: every change is seen once, or the cursor is refused.

use crate::support::install::Install;
use crate::support::place::{Backend, Place};
use crate::support::site::{Reply, Site, html};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const PAGES: usize = 6;
const ROUNDS: usize = 12;
/// Rounds in which a backup is made, a backup replaces the store, and the store moves.
const BACKUP: usize = 2;
const RESTORE: usize = 5;
const MOVE: usize = 8;
/// Points at which a worker dies: before the outcomes of a sync are written, before and after their commit.
const DEATHS: [&str; 3] = ["before_outcomes", "after_outcomes", "after_commit"];

#[derive(Default)]
struct Consumer {
    cursor: Option<String>,
    /// Documents and versions that were seen.
    seen: BTreeSet<(i64, i64)>,
    /// Version and fingerprint of the text of each document.
    texts: BTreeMap<i64, (i64, String)>,
}

impl Consumer {
    /// Reads the changes after the cursor, and is killed after `most` of them. Begins anew and returns true if the cursor
    /// is refused.
    fn follow(&mut self, install: &Install, store: &str, most: usize) -> bool {
        let mut args = vec!["changes", "--store", store];
        args.extend(self.cursor.iter().flat_map(|cursor| ["--after", cursor]));
        let read = install.run(&args);
        if read.code == Some(2) {
            assert!(read.err.contains("cursor"), "{read:?}");
            *self = Self::default();
            return true;
        }
        assert_eq!(read.code, Some(0), "{read:?}");
        for line in read.out.iter().take(most) {
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
        false
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_sees_every_change_once_or_its_cursor_is_refused() {
    let editions: Arc<[AtomicU32; PAGES]> = Arc::default();
    let shown = Arc::clone(&editions);
    let reply = move |path: &str, _| -> Reply {
        let page: usize = path.trim_start_matches("/p").parse().unwrap_or_default();
        html("Page", &format!("{path} has the text {}, and more words.", shown[page].load(Ordering::Relaxed)))
    };
    let install = Install::new(Site::start(reply).await, "");
    install.fill(&(0..PAGES).map(|page| format!("/p{page}")).collect::<Vec<_>>()).await;
    let moved = Place::new(Backend::Postgres).await;
    let backup = install.folder().join("backup.db").display().to_string();
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
    let (mut refused, mut deaths) = (Vec::new(), 0);
    for round in 0..ROUNDS {
        for edition in editions.iter() {
            edition.fetch_add(u32::from(random(2) == 0), Ordering::Relaxed);
        }
        done(&["sync", "--all", "--store", &store]);
        let fault = format!("{}:abort:/p{}", DEATHS[random(DEATHS.len())], random(PAGES));
        let killed = install.start_with(&[("QUARTERDECK_FAULT", &fault)], &["work", "--drain", "--store", &store]);
        deaths += u32::from(killed.ended().signal.is_some());
        if consumer.follow(&install, &store, random(4)) {
            refused.push(round);
        }
        if random(2) == 0 {
            done(&["work", "--drain", "--store", &store]);
        }
        match round {
            BACKUP => {
                // The cursor that is refused later is of a text that the backup has not.
                done(&["work", "--drain", "--store", &store]);
                done(&["backup", &backup, "--store", &store]);
            }
            RESTORE => done(&["backup", "--restore", &backup, "--yes", "--store", &store]),
            MOVE => {
                done(&["work", "--drain", "--store", &store]);
                done(&["restore", "1", "1", "--store", &store]);
                done(&["copy", "--from", &store, "--to", &moved.url()]);
                store = moved.url();
            }
            _ => {}
        }
    }
    done(&["work", "--drain", "--store", &store]);
    assert!(!consumer.follow(&install, &store, usize::MAX) && consumer.seen.len() > PAGES);
    let mut fresh = Consumer::default();
    fresh.follow(&install, &store, usize::MAX);
    assert_eq!((consumer.texts, fresh.texts.len()), (fresh.texts, PAGES));
    assert_eq!(refused, [RESTORE + 1], "by the backup alone");
    assert!(deaths > 5, "{deaths}");
}
