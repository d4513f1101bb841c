//! Tests a page that aborts the process (F15), and aborts beside the fold of observations. (`chaos::aborts` tests every
//! point of an attempt.)

use super::{assert_invariants, number, size};
use crate::support::db;
use crate::support::figures::Figures;
use crate::support::install::{Install, until};
use crate::support::invariants::figures_of;
use crate::support::measure::Stopwatch;
use crate::support::place::Place;
use crate::support::site::{Reply, Site, html};
use std::sync::Arc;
use tokio::sync::Semaphore;

const ABORTED: Option<i32> = Some(6);

async fn results(install: &Install) -> Vec<String> {
    let results = db::texts(install.file(), "select result from outcomes order by seq").await;
    results.into_iter().map(|result| result.expect("a word")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_aborts_the_process_is_given_up_and_takes_no_neighbour_with_it() {
    let (neighbours, _) = size(15, 0);
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    // In the first round every neighbour runs while the page aborts the process, so each has one loss from then on.
    let site = Site::start(move |path, hit| match (path, hit) {
        ("/poison", 1) => Reply::When(Arc::clone(&held), Box::new(html("T", "text"))),
        ("/poison", _) => html("T", "text"),
        (_, 1) => Reply::When(Arc::new(Semaphore::new(0)), Box::new(html("T", "never"))),
        (path, _) => html(path, "text"),
    });
    let slots = neighbours + 1;
    let install = Install::new(site.await, &format!("runner.per_host = {slots}\nrunner.concurrency = {slots}\n"));
    let mut paths = vec!["/poison".to_owned()];
    paths.extend((0..neighbours).map(|page| format!("/{page}")));
    let ids = install.fill(&paths).await;

    let started = Stopwatch::start();
    let (mut aborts, mut reports) = (0, 0);
    let store = install.store().await;
    let last = loop {
        let fault = ("QUARTERDECK_FAULT", "after_fetch:abort:/poison");
        let process = install.start_with(&[fault], &["work", "--drain"]);
        if aborts == 0 {
            install.site.until_hits(&paths, 1).await;
            gate.add_permits(1);
        }
        // After the first worker that it lost alone the page waits for half a minute; the test does not.
        if aborts == 3 {
            let waits = async || number(&install, "select count(*) from jobs where state = 'scheduled'").await == 1;
            until(&*store, "the page waits", waits).await;
            db::execute(install.file(), "update jobs set run_at = 0 where state = 'scheduled'").await;
        }
        let ended = process.ended();
        reports += ended.err.matches("given up: ").count();
        if ended.signal != ABORTED {
            break ended;
        }
        aborts += 1;
        assert!(aborts <= 4, "four losses are the most");
    };
    store.close().await;
    assert_eq!((last.code, aborts, reports), (Some(1), 4, 1), "one document failed, one report: {last:?}");

    let of = async |document| {
        let sql = format!("select result from outcomes where document_id = {document} order by seq");
        let results = db::texts(install.file(), &sql).await;
        results.into_iter().flatten().collect::<Vec<_>>()
    };
    assert_eq!(of(ids[0]).await, ["worker_lost", "worker_lost", "worker_lost", "worker_lost", "crash_exhausted"]);
    assert_eq!(number(&install, "select sync_status from captain_documents where id = 1").await, 2);
    for id in &ids[1..] {
        // Those that ran beside the page a second time run alone from then on, as the page does.
        let results = of(*id).await;
        let (last, lost) = results.split_last().expect("an outcome");
        assert_eq!(last, "unchanged");
        assert!((1..=2).contains(&lost.len()) && lost.iter().all(|result| result == "worker_lost"), "{results:?}");
    }
    assert_eq!(install.site.hits("/poison"), 4);
    assert_invariants(&install).await;
    let place = Place::of_file(install.file());
    Figures { size: neighbours + 1, faults: aborts, kills: aborts, ..figures_of(&place).await }.note();
    println!("poison: {neighbours} neighbours synced, {aborts} aborts, {:.1} s", started.took().as_secs_f64());
}

/// Serves a page with a menu that no name gives away, and words of its own.
fn in_a_frame(path: &str) -> Reply {
    let own = format!("Station {path} opened long before the line was built, and {path} has all of the figures.");
    let frame = "<div class=x-a><p>Buy our amber maps now</p></div>";
    Reply::Html(format!("<title>{path}</title><main>{frame}<h1>{path}</h1><p>{own}</p></main>"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_beside_the_fold_of_observations_costs_counts_and_nothing_else() {
    for (point, folded) in [("before_fold", 0), ("after_fold", 1)] {
        let site = Site::start(|path, _| in_a_frame(path)).await;
        let install = Install::new(site, "");
        install.fill(&(1..=4).map(|page| format!("/{page}")).collect::<Vec<_>>()).await;
        let broken = install.start_with(&[("QUARTERDECK_FAULT", &format!("{point}:abort:"))], &["work", "--drain"]);
        assert_eq!(broken.ended().signal, ABORTED, "{point}");
        assert_eq!(number(&install, "select count(*) from host_templates").await, folded, "{point}");
        assert!(results(&install).await.iter().all(|result| result == "unchanged"), "{point}");
        assert_invariants(&install).await;
        // The next conversions are counted, and nothing is written twice or reported as changed.
        for _ in 0..2 {
            let synced = install.run(&["sync", "--all", "--force", "--wait", "--yes"]);
            assert_eq!(synced.code, Some(0), "{point}: {synced:?}");
        }
        assert_eq!(number(&install, "select version from host_templates").await, 1, "{point}");
        // On a slow machine the first fold comes before the last page.
        let unexpected = "result not in ('unchanged', 'worker_lost')";
        assert_eq!(number(&install, &format!("select count(*) from outcomes where {unexpected}")).await, 0, "{point}");
        assert_eq!(
            number(&install, "select count(*) from captain_documents where content is null").await,
            0,
            "{point}"
        );
        let frame = "select count(*) from captain_documents where content like '%amber%'";
        assert_eq!(number(&install, frame).await, 0, "{point}");
        assert!(install.is_sound().await, "{point}");
    }
}
