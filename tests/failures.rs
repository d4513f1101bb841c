//! Tests that failures are grouped by their cause, on both databases: what is counted, and that a success ends it.

use crate::support::deck::Deck;
use crate::support::place::Backend;
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::failure::ErrorCode;
use quarterdeck::domain::failure_cause::FailureCause;
use quarterdeck::domain::filter::{Filter, Subject};
use quarterdeck::store::{FailureSummary, Sort};
use std::time::Duration;

on_both! {
    (flavor = "multi_thread", worker_threads = 2)
    failures_of_one_cause_are_one_row_and_a_success_takes_its_document_out,
    a_cause_is_a_filter,
}

/// Serves pages that are gone below `/gone`, forbidden below `/no`, and mended at the second try below `/mended`.
async fn site() -> Site {
    Site::start(|path, hit| match path {
        path if path.starts_with("/gone") => Reply::Status(404, Vec::new()),
        path if path.starts_with("/no") => Reply::Status(403, Vec::new()),
        path if path.starts_with("/mended") && hit == 1 => Reply::Status(404, Vec::new()),
        _ => html("Page", "words"),
    })
    .await
}

async fn causes(deck: &Deck) -> Vec<FailureSummary> {
    let listing = deck.store.failures().await.expect("the store answers");
    assert_eq!(listing.total, listing.rows.len() as u64);
    listing.rows
}

async fn failures_of_one_cause_are_one_row_and_a_success_takes_its_document_out(on: Backend) {
    let mut deck = Deck::start(on, site().await).await;
    assert!(causes(&deck).await.is_empty());
    let mut documents = Vec::new();
    for path in ["/gone/1", "/gone/22", "/mended", "/no", "/fine"] {
        let document = deck.add(path).await;
        deck.sync(document).await;
        documents.push(document);
        deck.until(documents.len()).await;
    }
    let begun = deck.store.now();
    let rows = causes(&deck).await;
    let figures = |row: &FailureSummary| (row.code, row.http_status, row.documents, row.hosts);
    assert_eq!(
        rows.iter().map(figures).collect::<Vec<_>>(),
        [(ErrorCode::NotFound, Some(404), 3, 1), (ErrorCode::AccessDenied, Some(403), 1, 1),]
    );
    assert_eq!((rows[0].first_at, rows[0].last_at), (Some(begun), Some(begun)));
    assert_eq!(rows[0].trend.iter().sum::<u64>(), 3);

    deck.pass(Duration::from_secs(7_200));
    for (count, document) in [(6, documents[2]), (7, documents[0])] {
        deck.sync(document).await;
        deck.until(count).await;
    }
    let rows = causes(&deck).await;
    let gone = rows.iter().find(|row| row.code == ErrorCode::NotFound).expect("two are gone still");
    assert_eq!(gone.documents, 2, "the mended one is synced");
    // The document that failed again has failed since its first failure.
    assert_eq!((gone.first_at, gone.last_at), (Some(begun), Some(deck.store.now())));
    assert_eq!(gone.trend.iter().sum::<u64>(), 1, "the other one failed before the last hour");
}

async fn a_cause_is_a_filter(on: Backend) {
    let mut deck = Deck::start(on, site().await).await;
    for (count, path) in (1..).zip(["/gone/1", "/no", "/gone/2", "/fine"]) {
        let document = deck.add(path).await;
        deck.sync(document).await;
        deck.until(count).await;
    }
    for row in causes(&deck).await {
        let text = format!("cause:{}", row.cause);
        let filter = Filter::parse_for(&text, Subject::Documents).expect("a filter");
        let found = deck.store.matching(&filter, Sort::BY_ID, None).await.expect("the store answers");
        assert_eq!(found.len() as u64, row.documents, "{text}");
        for document in deck.store.rows(&found).await.expect("the store answers") {
            assert!(filter.matches(&document, deck.store.now()), "the same as in the database: {document:?}");
            let code = document.error_code.expect("it failed");
            let cause = FailureCause::of(code, document.http_status, document.detail.as_deref(), &document.host);
            assert_eq!(cause, row.cause);
        }
    }
    let refused = Filter::parse_for("cause:1", Subject::Outcomes).expect_err("outcomes have no cause");
    assert!(refused.message.contains("does not apply to outcomes"), "{}", refused.message);
}
