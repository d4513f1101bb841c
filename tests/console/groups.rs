//! Tests the views of hosts and accounts, operated by keys on the real event loop.

use super::{quiet_store, with};
use crate::support::live::Operator;
use crate::support::memory::Memory;
use crate::support::seen::{account, accounts, host, hosts};
use quarterdeck::domain::host_backoff::{BackoffKind, HostBackoff};
use quarterdeck::domain::id::AccountId;
use quarterdeck::domain::pause::PauseScope;
use std::sync::Arc;
use std::time::Duration;

fn store() -> Arc<Memory> {
    let store = quiet_store(70);
    store.with(|facts| {
        (facts.hosts, facts.accounts) = (hosts(), accounts());
        facts.documents[30].host = "wiki.example".into();
        facts.documents[31].account_id = AccountId(3);
    });
    store
}

#[tokio::test(start_paused = true)]
async fn enter_shows_the_documents_of_a_host_and_of_an_account() {
    with(store(), async |operator| {
        operator.press(&["4"]);
        operator.sees("wiki.example").await;
        operator.press(&["j", "enter"]);
        operator.sees("1 of 70 match host:wiki.example").await;
        assert!(operator.cursor_line().contains("Document 0031"), "{}", operator.screen());
        operator.press(&["esc"]);
        operator.sees("hosts 7").await;
        assert!(operator.cursor_line().contains("wiki.example"), "{}", operator.screen());
        operator.press(&["5"]);
        operator.sees("Bluebird").await;
        operator.press(&["enter"]);
        operator.sees("1 of 70 match account:3").await;
        assert!(operator.cursor_line().contains("Document 0032"), "{}", operator.screen());
        operator.press(&["5"]);
        operator.sees("Bluebird").await;
        operator.press(&["esc"]);
        operator.sees("match account:3").await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_cursor_follows_its_host_wherever_that_goes() {
    with(store(), async |operator| {
        operator.press(&["4"]);
        operator.sees("slow.example").await;
        assert!(operator.cursor_line().contains("slow.example"), "the worst: {}", operator.screen());
        operator.press(&["j", "j"]);
        operator.settle().await;
        assert!(operator.cursor_line().contains("failing.example"), "{}", operator.screen());
        operator.store.commit(|facts| {
            for seen in facts.hosts.rows.iter_mut().filter(|seen| seen.host.starts_with("failing")) {
                seen.failed = 0;
            }
        });
        operator.sees_cursor(|line| line.contains("failing.example") && !line.contains("42%")).await;
        operator.store.commit(|facts| facts.hosts.rows.retain(|seen| !seen.host.starts_with("failing")));
        operator.wait(3_000).await;
        operator.sees_no("failing.example");
        let _ = operator.cursor_line();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn p_pauses_and_resumes_the_host_or_the_account_in_hand() {
    let store = store();
    with(Arc::clone(&store), async |operator| {
        operator.press(&["4"]);
        operator.sees("wiki.example").await;
        operator.press(&["j", "p"]);
        operator.sees("host    wiki.example: not paused").await;
        operator.sees("[ Keep ]").await;
        operator.sees_no("Pause account");
        operator.press(&["esc"]);
        operator.settle().await;
        assert!(operator.store.with(|facts| facts.pauses.is_empty()));
        operator.press(&["p", "tab", "enter"]);
        operator.sees("paused host wiki.example; running jobs finish").await;
        operator.sees("paused by ana").await;
        operator.press(&["p", "tab", "enter"]);
        operator.sees("resumed host wiki.example").await;
        operator.press(&["5"]);
        operator.sees("Bluebird").await;
        operator.press(&["j", "p", "tab", "enter"]);
        operator.sees("paused account 7; running jobs finish").await;
        operator.press(&["P", "tab", "enter"]);
        operator.sees("paused everything").await;
        operator.sees("everything is paused by ana").await;
    })
    .await;
    let left = store.with(|facts| facts.pauses.iter().map(|pause| pause.scope.clone()).collect::<Vec<_>>());
    assert_eq!(left, [PauseScope::All, PauseScope::Account(AccountId(7))]);
}

#[tokio::test(start_paused = true)]
async fn files_have_no_host_to_pause_or_to_look_for() {
    with(store(), async |operator| {
        operator.press(&["4"]);
        operator.sees("(files)").await;
        operator.press(&["G", "p"]);
        operator.sees("no host: the documents of this row are files").await;
        operator.press(&["enter"]);
        operator.settle().await;
        operator.sees("(files)").await;
    })
    .await;
}

/// Keys and palette commands for documents do nothing in these views.
#[tokio::test(start_paused = true)]
async fn keys_of_the_list_do_nothing_where_no_document_is() {
    let store = store();
    with(Arc::clone(&store), async |operator| {
        for view in ["4", "5"] {
            operator.press(&[view]);
            operator.settle().await;
            operator.press(&["s", "r", "x", "S", "space", "B", "del", "a"]);
            operator.press(&[":", "s", "y", "n", "c", "enter"]);
            operator.sees("sync: works in documents").await;
        }
    })
    .await;
    assert!(store.with(|facts| facts.requests.is_empty() && facts.removed.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn they_are_read_on_view_and_after_changes_calmly() {
    let reads = |operator: &Operator| operator.store.with(|facts| facts.counted);
    with(store(), async |operator| {
        operator.store.commit(|_| {});
        operator.wait(5_000).await;
        assert_eq!(reads(operator), 0, "nobody looks at them");
        operator.press(&["4"]);
        operator.settle().await;
        assert_eq!(reads(operator), 1);
        for _ in 0..100 {
            operator.store.commit(|_| {});
            operator.wait(100).await;
        }
        let busy = reads(operator) - 1;
        assert!((4..=6).contains(&busy), "ten seconds of changes: {busy} readings");
        operator.wait(4_000).await;
        let before = reads(operator);
        operator.wait(50_000).await;
        let quiet = reads(operator) - before;
        assert_eq!(quiet, 0, "nothing is committed");
        operator.wait(600_000).await;
        let quiet = reads(operator) - before;
        assert!((9..=12).contains(&quiet), "attempts of the last hour become fewer: {quiet}");
        operator.press(&["1"]);
        operator.settle().await;
        let before = reads(operator);
        operator.store.commit(|_| {});
        operator.wait(10_000).await;
        assert_eq!(reads(operator), before);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn slow_readings_come_one_at_a_time_and_seldom_and_say_how_old_they_are() {
    let store = store();
    store.with(|facts| facts.counting_takes = Duration::from_secs(3));
    with(Arc::clone(&store), async |operator| {
        operator.press(&["4", "5", "4"]);
        operator.sees("Reading the hosts").await;
        operator.press(&["j", "k", "t"]);
        operator.settle().await;
        operator.sees("wiki.example").await;
        operator.press(&["5"]);
        operator.sees("Bluebird").await;
        assert_eq!(operator.store.with(|facts| facts.counting.1), 1, "never two at once");
        let before = operator.store.with(|facts| facts.counted);
        for _ in 0..60 {
            operator.store.commit(|_| {});
            operator.wait(1_000).await;
        }
        let readings = operator.store.with(|facts| facts.counted) - before;
        assert!((3..=5).contains(&readings), "of three seconds each in a minute: {readings}");
        operator.sees("s old").await;
        assert_eq!(operator.store.with(|facts| facts.counting.1), 1, "never two at once");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_database_that_was_away_is_asked_again() {
    with(store(), async |operator| {
        operator.press(&["4"]);
        operator.sees("wiki.example").await;
        operator.store.with(|facts| facts.away = Some("it is away".into()));
        operator.store.commit(|_| {});
        operator.sees("it is away").await;
        operator.store.with(|facts| {
            facts.away = None;
            facts.hosts.rows.push(host("new.example", 1, 0));
        });
        operator.sees("new.example").await;
        operator.sees_no("it is away");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_hold_counts_down_and_ends_on_the_screen_though_the_store_still_has_it() {
    let store = quiet_store(3);
    store.with(|facts| {
        let until = crate::support::facts::within(20);
        let held =
            Some(HostBackoff { until, kind: BackoffKind::CoolDown, reason: "5 documents in a row timed out".into() });
        facts.hosts.rows = vec![quarterdeck::store::HostSummary { backoff: held, ..host("slow.example", 3, 1) }];
        facts.accounts.rows = vec![account(1, None, 3)];
    });
    with(store, async |operator| {
        operator.press(&["4"]);
        operator.sees("cool-down 0:1").await;
        operator.sees("cool-down 0:03").await;
        operator.wait(4_000).await;
        operator.sees_no("cool-down");
    })
    .await;
}
