//! Tests a process that is killed within a removal of what is old.

use super::{number, size};
use crate::support::db;
use crate::support::install::Install;
use crate::support::site::{Site, html};

const ABORTED: Option<i32> = Some(6);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_within_a_removal_leaves_all_of_a_step_or_nothing() {
    let (_, rounds) = size(0, 3);
    let install = Install::new(Site::start(|_, _| html("T", "text")).await, "");
    install.fill(&["/page".to_owned()]).await;
    let ended = install.start(&["work", "--drain"]).ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // Old outcomes before the one of today.
    db::execute(install.file(), "UPDATE outcomes SET seq = 20001").await;
    let old = "INSERT INTO outcomes SELECT n, 1600000000000000, document_id, account_id, assistant_id, name, url, host, \
               job_id, 9, NULL, queue, result, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM outcomes, \
               (WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 20000) SELECT n FROM n)";
    db::execute(install.file(), old).await;
    db::execute(install.file(), "UPDATE outcome_seq SET last = 20001").await;
    // One statement, since it is read while the worker removes more.
    let state = async || {
        let read = "select pruned_up_to * 1000000 + (select min(seq) from outcomes) from retention";
        let (read, last) = (number(&install, read).await, 20_001);
        let (pruned, lowest) = (read / 1_000_000, read % 1_000_000);
        (pruned, lowest, last - lowest + 1)
    };
    assert_eq!(state().await, (0, 1, 20_001));
    for _ in 0..rounds {
        let ended = install.start_with(&[("QUARTERDECK_FAULT", "prune:abort:")], &["work"]).ended();
        assert_eq!(ended.signal, ABORTED, "{ended:?}");
        assert_eq!(state().await, (0, 1, 20_001), "nothing of a step that was not committed");
        assert!(install.is_sound().await);
        // The lease of the dead process ends later; the test does not wait for it.
        db::execute(install.file(), "UPDATE retention SET held_until = 0").await;
    }
    let worker = install.start(&["work"]);
    let mut least = 20_001;
    crate::support::install::until(&*install.store().await, "the old outcomes are removed", async || {
        let (pruned, lowest, count) = state().await;
        assert!(count <= least && (pruned, 20_001 - pruned) == (lowest - 1, count), "{pruned} {lowest} {count}");
        least = count;
        count == 1
    })
    .await;
    worker.stop();
    let log = install.run(&["log", "--json"]).out;
    assert_eq!(log.len(), 1, "the log begins where it is kept: {log:?}");
    assert!(install.is_sound().await);
}
