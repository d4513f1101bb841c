//! Tests the log of outcomes from several processes: none missing, none twice, in order.

use crate::support::limit::within;
use quarterdeck::domain::id::{AccountId, AssistantId, DocumentId, Seq};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::link::Link;
use quarterdeck::domain::request::{Request, RequestKind, RequestScope};
use quarterdeck::runner::tail::{TailItem, follow};
use quarterdeck::store::{Access, AddResult, NewDocument, Store, open};
use std::process::{Command, Stdio};

/// Documents of each of the two processes; each document is cancelled twice.
const DOCUMENTS: usize = 5_000;
const OUTCOMES: i64 = 20_000;

fn pages(account: i64) -> Vec<NewDocument> {
    (0..DOCUMENTS)
        .map(|page| NewDocument {
            link: Link::parse(&format!("https://example.org/{account}/{page}")).expect("a link"),
            name: None,
            account_id: AccountId(account),
            assistant_id: AssistantId(account),
        })
        .collect()
}

async fn ask_and_cancel(store: &dyn Store, documents: &[DocumentId]) {
    let request =
        Request { kind: RequestKind::Sync, class: QueueClass::Manual, by: "here".into(), scope: RequestScope::Bulk };
    for _ in 0..2 {
        store.request(documents, &request).await.expect("the store answers");
        store.cancel(documents, &"here".into()).await.expect("the store answers");
    }
}

fn other_process(url: &str) {
    for verb in ["sync", "cancel", "sync", "cancel"] {
        let status = Command::new(env!("CARGO_BIN_EXE_quarterdeck"))
            .args([verb, "--filter", "account:2", "--yes", "--store", url])
            .stdout(Stdio::null())
            .status()
            .expect("the program starts");
        assert!(status.success(), "{verb}: {status:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_misses_none_of_20_000_outcomes_of_two_processes() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("log.db").display());
    let store = open(&url, Access::Create).await.expect("a new store");
    let mut here = Vec::new();
    for added in store.add(&pages(1)).await.expect("the store answers") {
        match added {
            AddResult::New(id) | AddResult::Exists(id) => here.push(id),
        }
    }
    store.add(&pages(2)).await.expect("the store answers");
    let mut tail = follow(store.clone(), Seq::START);

    let watching = async {
        let mut last = 0;
        let mut of_here = 0;
        while last < OUTCOMES {
            match within(format_args!("the outcome after {last}"), tail.recv()).await {
                Some(TailItem::Outcomes(outcomes)) => {
                    for outcome in outcomes {
                        assert_eq!(outcome.seq, Seq(last + 1), "each number once, in order");
                        last += 1;
                        of_here += i64::from(outcome.account_id == AccountId(1));
                    }
                }
                // The two processes write concurrently; waiting for the database lock loses nothing.
                Some(TailItem::Unreachable(error)) => println!("{error}"),
                None => panic!("the tail ended"),
            }
        }
        of_here
    };
    let there = tokio::task::spawn_blocking({
        let url = url.clone();
        move || other_process(&url)
    });
    let (of_here, (), there) = tokio::join!(watching, ask_and_cancel(&*store, &here), there);
    there.expect("the other process did its part");
    assert_eq!(of_here, OUTCOMES / 2);
    assert_eq!(store.last_seq().await.expect("the store answers"), Seq(OUTCOMES));
}
