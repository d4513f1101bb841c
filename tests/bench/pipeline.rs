//! Measures the syncs per second of one process, with everything included: claim, HTTP, conversion, comparison, one
//! transaction each. The pages are on loopback and answer at once, so the figure is the program's own cost.
//!
//! `cargo bench --bench pipeline [-- DOCUMENTS]`; prints one line per run.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run says so by its panic")]

mod page;

use page::page;
use quarterdeck::domain::id::{AccountId, AssistantId};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::link::Link;
use quarterdeck::domain::request::{Request, RequestKind, RequestScope};
use quarterdeck::fetch::{FetchSettings, Fetcher};
use quarterdeck::runner::{self, Mode, Services, Settings};
use quarterdeck::store::{Access, AddResult, NewDocument, Store, open};
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Number of hosts that share the pages, large enough that no host's cap limits the run.
const HOSTS: usize = 16;
async fn serve(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut buffer = [0; 2048];
            let mut head = Vec::new();
            loop {
                match stream.read(&mut buffer).await {
                    Ok(read) if read > 0 => head.extend_from_slice(&buffer[..read]),
                    _ => return,
                }
                if !head.ends_with(b"\r\n\r\n") {
                    continue;
                }
                let path = String::from_utf8_lossy(&head).split(' ').nth(1).unwrap_or("/").to_owned();
                head.clear();
                let body = page(&path);
                let head =
                    format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n", body.len());
                if stream.write_all((head + &body).as_bytes()).await.is_err() {
                    return;
                }
            }
        });
    }
}

#[tokio::main]
async fn main() {
    let documents = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(2_000_usize);
    let mut addresses = Vec::new();
    for _ in 0..HOSTS {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        addresses.push(listener.local_addr().unwrap());
        tokio::spawn(serve(listener));
    }
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("bench.db").display());
    let store = open(&url, Access::Create).await.unwrap();
    let new: Vec<_> = (0..documents)
        .map(|number| NewDocument {
            link: Link::parse(&format!("http://{}/{number}", addresses[number % HOSTS])).unwrap(),
            name: None,
            account_id: AccountId(i64::try_from(number % 20).unwrap()),
            assistant_id: AssistantId(1),
        })
        .collect();
    let ids: Vec<_> = store
        .add(&new)
        .await
        .unwrap()
        .into_iter()
        .map(|added| match added {
            AddResult::New(id) | AddResult::Exists(id) => id,
        })
        .collect();
    let allow_private_hosts = addresses.iter().map(|address| address.to_string().parse().unwrap()).collect();
    let fetcher = Arc::new(Fetcher::new(FetchSettings { allow_private_hosts, ..FetchSettings::default() }).unwrap());
    let rounds = [
        ("first content", RequestKind::Sync),
        ("unchanged, converted", RequestKind::SyncWhole),
        ("unchanged, identical", RequestKind::Sync),
    ];
    for (round, kind) in rounds {
        let request = Request { kind, class: QueueClass::Auto, by: "bench".into(), scope: RequestScope::Bulk };
        let asked = Instant::now();
        store.request(&ids, &request).await.unwrap();
        let asked = asked.elapsed();
        let started = Instant::now();
        drain(&store, &fetcher).await;
        let took = started.elapsed().as_secs_f64();
        println!(
            "{documents} documents, {round}: {:.0} a second ({took:.2} s; asked for in {:.2} s)",
            documents as f64 / took,
            asked.as_secs_f64()
        );
    }
    store.close().await;
}

async fn drain(store: &Arc<dyn Store>, fetcher: &Arc<Fetcher>) {
    let parts = Services {
        store: store.clone(),
        fetcher: Arc::clone(fetcher),
        redis: None,
        subscribers: Vec::new(),
        name: "bench:1".into(),
    };
    runner::start(parts, Settings::default(), Mode::Drain).ended().await;
}
