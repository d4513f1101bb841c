//! Tests pausing from the console: the menu offers the row under the cursor, pausing everything asks first, and the
//! screen shows what is paused.

use super::{quiet_store, with};
use quarterdeck::domain::document::Status;
use quarterdeck::domain::pause::PauseScope;
use std::sync::Arc;

#[tokio::test(start_paused = true)]
async fn p_offers_host_and_account_and_says_who_paused() {
    let store = quiet_store(1);
    store.with(|facts| facts.documents[0].status = Status::Queued);
    let (account, host) = store.with(|facts| (facts.documents[0].account_id, facts.documents[0].host.to_string()));
    with(Arc::clone(&store), async |operator| {
        operator.press(&["p"]);
        operator.sees("Pause account").await;
        operator.press(&["enter"]);
        operator.settle().await;
        assert!(operator.store.with(|facts| facts.pauses.is_empty()), "Keep has the focus");
        operator.press(&["p", "tab", "tab", "enter"]);
        operator.sees(&format!("paused account {account}")).await;
        operator.sees("paused by").await;
        operator.sees(&format!("Starts when account {account} is resumed: p.")).await;
        operator.press(&["p", "tab", "enter"]);
        operator.sees(&format!("paused host {host}")).await;
        operator.press(&["p", "tab", "tab", "enter"]);
        operator.sees(&format!("resumed account {account}")).await;
    })
    .await;
    let left = store.with(|facts| facts.pauses.iter().map(|pause| pause.scope.clone()).collect::<Vec<_>>());
    assert_eq!(left, [PauseScope::Host(host)]);
}

#[tokio::test(start_paused = true)]
async fn everything_is_asked_about_both_ways() {
    let store = quiet_store(1);
    with(Arc::clone(&store), async |operator| {
        operator.press(&["P"]);
        operator.sees("pause everything").await;
        operator.press(&["enter"]);
        operator.settle().await;
        assert!(operator.store.with(|facts| facts.pauses.is_empty()), "Keep has the focus");
        operator.press(&["P", "tab", "enter"]);
        operator.sees("paused everything; running jobs finish").await;
        operator.sees("everything paused by").await;
        operator.press(&["P"]);
        operator.sees("resume everything").await;
        operator.press(&["tab", "enter"]);
        operator.sees("resumed everything").await;
    })
    .await;
    assert!(store.with(|facts| facts.pauses.is_empty()));
}
