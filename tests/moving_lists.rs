//! Tests that no row is left out of a list while others move: every verb that prints or acts on many rows, with a slow
//! reader, and the views of the console.

mod deciding;
mod views;

use crate::support::install::Install;
use crate::support::place::{Backend, Place};
use crate::support::site::{Site, html};
use quarterdeck::domain::filter::Filter;
use quarterdeck::domain::id::{AccountId, AssistantId, DocumentId};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::link::Link;
use quarterdeck::domain::request::{Request, RequestKind, RequestScope};
use quarterdeck::store::{
    Access, AddResult, NewDocument, OutcomeQuery, OutcomesFrom, PagePosition, PageQuery, Sort, SortBy, Store, open,
};
use serde_json::Value;
use std::collections::{BTreeSet, HashSet};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

const DOCUMENTS: usize = 5_000;
const MOVED: usize = 1_000;

/// A store with many queued documents.
struct Scene {
    install: Install,
    place: Place,
    store: Arc<dyn Store>,
    ids: Vec<DocumentId>,
}

impl Scene {
    async fn new(on: Backend) -> Self {
        Self::with(on, DOCUMENTS, 1).await
    }

    /// Makes a scene of so many documents, which belong in turn to so many accounts and hosts.
    async fn with(on: Backend, documents: usize, groups: usize) -> Self {
        let place = Place::new(on).await;
        let store = open(&place.url(), Access::Create).await.expect("a store");
        let new = |page| NewDocument {
            link: Link::parse(&format!("https://{:03}.example.org/{page:05}", page % groups)).expect("a link"),
            name: None,
            account_id: AccountId(1 + i64::try_from(page % groups).expect("fits")),
            assistant_id: AssistantId(1),
        };
        let documents: Vec<_> = (0..documents).map(new).collect();
        let added = store.add(&documents).await.expect("the store answers");
        let ids = added.into_iter().map(|(AddResult::New(id) | AddResult::Exists(id))| id).collect();
        let scene =
            Self { install: Install::new(Site::start(|path, _| html(path, "text")).await, ""), place, store, ids };
        scene.request(&scene.ids).await;
        scene
    }

    async fn request(&self, ids: &[DocumentId]) {
        let request =
            Request { kind: RequestKind::Sync, class: QueueClass::Auto, by: "test".into(), scope: RequestScope::Bulk };
        self.store.request(ids, &request).await.expect("the store answers");
    }

    async fn cancel(&self, ids: &[DocumentId]) {
        self.store.cancel(ids, &"test".into()).await.expect("the store answers");
    }

    /// Starts a verb and reads its first line.
    fn start(&self, args: &[&str]) -> (Child, BufReader<std::process::ChildStdout>, Value) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quarterdeck"));
        command.args(args).env_clear().envs(self.install.environment()).env("QUARTERDECK_STORE", self.place.url());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts");
        let mut lines = BufReader::with_capacity(512, child.stdout.take().expect("piped"));
        let mut first = String::new();
        lines.read_line(&mut first).expect("a line");
        (child, lines, serde_json::from_str(&first).expect("JSON"))
    }
}

/// Returns the numbers under `key` of the first line and of all others, in order.
fn numbers(first: &Value, lines: impl std::io::BufRead, key: &str) -> Vec<i64> {
    let rest = lines.lines().map(|line| serde_json::from_str::<Value>(&line.expect("a line")).expect("JSON"));
    std::iter::once(first.clone()).chain(rest).map(|line| line[key].as_i64().expect("a number")).collect()
}

async fn a_slow_reader_of_list_gets_every_row_that_matches_all_the_time(on: Backend) {
    let scene = Scene::new(on).await;
    let lists = [("id", ""), ("id", "status:queued"), ("-status", "")];
    for (round, (sort, filter)) in lists.into_iter().enumerate() {
        let (mut child, lines, first) = scene.start(&["list", "--json", "--sort", sort, "--filter", filter]);
        // Others than those that have been printed by then, and some of these.
        let moved: Vec<_> = scene.ids.iter().copied().skip(round * 100).take(MOVED).collect();
        scene.cancel(&moved).await;
        let printed = numbers(&first, lines, "id");
        assert!(child.wait().expect("it ends").success());
        let different: HashSet<_> = printed.iter().copied().collect();
        assert_eq!(different.len(), printed.len(), "{sort} {filter}: each once");
        let stayed = scene.ids.iter().filter(|id| filter.is_empty() || !moved.contains(id));
        let missing: Vec<_> = stayed.filter(|id| !different.contains(&id.0)).collect();
        assert!(missing.is_empty(), "{sort} {filter}: {} missing, the first {:?}", missing.len(), missing[0]);
        scene.request(&moved).await;
    }
    scene.store.close().await;
}

async fn a_slow_reader_of_the_log_gets_every_outcome_of_before(on: Backend) {
    let scene = Scene::new(on).await;
    scene.cancel(&scene.ids).await;
    scene.request(&scene.ids).await;
    for limit in [&[][..], &["--limit", "5000"]] {
        let before = scene.store.last_seq().await.expect("the store answers").0;
        let (mut child, lines, first) = scene.start(&[&["log", "--json"], limit].concat());
        let moved = &scene.ids[..MOVED];
        scene.cancel(moved).await;
        let printed = numbers(&first, lines, "seq");
        assert!(child.wait().expect("it ends").success());
        let start = if limit.contains(&"--limit") { before - 4_999 } else { 1 };
        let known: Vec<_> = printed.iter().copied().filter(|seq| *seq <= before).collect();
        assert_eq!(known, (start..=before).collect::<Vec<_>>(), "{limit:?}");
        scene.request(moved).await;
    }
    scene.store.close().await;
}

async fn bulk_verbs_act_on_every_row_that_matches_all_the_time(on: Backend) {
    let scene = Scene::new(on).await;
    let run = |args: &[&str]| scene.install.start_with(&[("QUARTERDECK_STORE", &scene.place.url())], args);
    let queued = |filter: &str| {
        let listed = run(&["list", "--json", "--filter", filter]).ended();
        listed
            .out
            .iter()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["id"].as_i64().expect("a number"))
            .collect::<BTreeSet<_>>()
    };
    let verbs = [("cancel", "status:queued"), ("sync", "status:never")];
    for (verb, filter) in verbs {
        // Other rows change their place and status while the verb runs.
        let moved = &scene.ids[..MOVED];
        let running = run(&[verb, "--filter", filter, "--yes"]);
        match verb {
            "sync" => scene.request(moved).await,
            _ => scene.cancel(moved).await,
        }
        let ended = running.ended();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let left = queued(filter);
        assert!(left.is_empty(), "{verb:?}: {} left, the first {:?}", left.len(), left.first());
    }
    scene.store.close().await;
}

async fn a_walk_through_the_pages_of_the_console_meets_every_row_that_matches_all_the_time(on: Backend) {
    const PAGE: u64 = 100;
    let scene = Scene::new(on).await;
    for descending in [false, true] {
        let filter = Filter::parse("status:queued").expect("a filter");
        let query = |position| PageQuery {
            filter: filter.clone(),
            sort: Sort { by: SortBy::Id, descending },
            position,
            limit: PAGE,
        };
        let mut met: Vec<DocumentId> = Vec::new();
        let mut cancelled: Vec<DocumentId> = Vec::new();
        let mut position = PagePosition::Offset(0);
        loop {
            let page = scene.store.page(&query(position)).await.expect("the store answers");
            let new: Vec<_> = page.rows.iter().map(|row| row.id).filter(|id| !met.contains(id)).collect();
            let Some(last) = new.last().copied() else { break };
            met.extend(&new);
            // Rows that were met, but not the one that the next page begins with, leave the list.
            let moved: Vec<_> = new.iter().copied().filter(|id| *id != last).take(20).collect();
            scene.cancel(&moved).await;
            cancelled.extend(moved);
            position = PagePosition::Document { document: last, rows_above: 0, fallback_offset: met.len() as u64 };
        }
        assert_eq!(met.len(), DOCUMENTS, "each once");
        assert_eq!(met.iter().collect::<HashSet<_>>().len(), DOCUMENTS);
        assert!(cancelled.len() >= MOVED / 2, "{} moved", cancelled.len());
        scene.request(&cancelled).await;
    }
    scene.store.close().await;
}

async fn a_walk_through_the_outcomes_of_the_console_meets_each_of_before_once(on: Backend) {
    const PAGE: u64 = 400;
    let scene = Scene::new(on).await;
    scene.cancel(&scene.ids).await;
    let before = scene.store.last_seq().await.expect("the store answers");
    let mut met = BTreeSet::new();
    let mut from = OutcomesFrom::Newest;
    loop {
        let query = OutcomeQuery { filter: Filter::default(), document: None, from, limit: PAGE };
        let page = scene.store.outcomes(&query).await.expect("the store answers");
        let Some(oldest) = page.iter().map(|outcome| outcome.seq).min() else { break };
        for outcome in page.iter().filter(|outcome| outcome.seq <= before) {
            assert!(met.insert(outcome.seq.0), "{:?} twice", outcome.seq);
        }
        // New outcomes come while a person scrolls to older ones.
        let moved = &scene.ids[..50];
        scene.request(moved).await;
        scene.cancel(moved).await;
        from = OutcomesFrom::Before(oldest);
    }
    assert_eq!(met, (1..=before.0).collect());
    scene.store.close().await;
}

on_both! {
    (flavor = "multi_thread", worker_threads = 2)
    a_slow_reader_of_list_gets_every_row_that_matches_all_the_time,
    a_slow_reader_of_the_log_gets_every_outcome_of_before,
    bulk_verbs_act_on_every_row_that_matches_all_the_time,
    a_walk_through_the_pages_of_the_console_meets_every_row_that_matches_all_the_time,
    a_walk_through_the_outcomes_of_the_console_meets_each_of_before_once,
}
