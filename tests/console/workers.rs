//! Tests the workers view: what each worker does is one key away.

use super::{quiet_store, with};
use crate::support::seen::{job, jobs};
use quarterdeck::domain::id::WorkerId;
use quarterdeck::store::{JobProgress, WorkerHealth, WorkerSummary};
use std::sync::Arc;

#[tokio::test(start_paused = true)]
async fn a_worker_is_shown_with_what_it_syncs_and_a_document_is_opened_from_there() {
    let store = quiet_store(70);
    store.with(|facts| {
        facts.jobs = jobs();
        let started_at = crate::support::facts::ago(72);
        facts.jobs.running.push(job(
            33,
            "Slow page",
            JobProgress::Running {
                worker: Some("web-2:99".into()),
                started_at: Some(started_at),
                lease_until: None,
                heartbeat_at: Some(started_at),
                cancelled_by: None,
            },
        ));
        facts.workers = vec![WorkerSummary {
            id: WorkerId("w2".into()),
            name: "web-2:99".into(),
            capacity: 8,
            running: 1,
            started_at,
            heartbeat_at: started_at,
            unfetchable: Vec::new(),
            health: WorkerHealth::Alive,
        }];
    });
    with(Arc::clone(&store), async |operator| {
        operator.press(&["6"]);
        operator.sees("1 of 8 busy").await;
        operator.sees("Slow page").await;
        operator.sees("running").await;
        operator.press(&["s"]);
        operator.sees("this is a worker: go to one of its documents first").await;
        operator.press(&["j", "enter"]);
        operator.sees("workers › ").await;
        operator.press(&["esc"]);
        operator.sees("1 of 8 busy").await;
        assert!(operator.cursor_line().contains("Slow page"), "{}", operator.screen());
    })
    .await;
}
