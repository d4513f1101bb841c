//! Tests the reports of jobs that were given up, with a double of Sentry: over many failures and kills, each job that
//! errors of the program or dead workers have exhausted has one event, and no other job has one.

use crate::support::db;
use crate::support::install::Install;
use crate::support::limit::{until, within};
use crate::support::site::{Reply, Site, html};
use quarterdeck::store::Store;
use rustix::process::Signal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// Part of a page, of its URL, and of the DSN, none of which may be sent.
const TEXT: &str = "the text of the page";
const TOKEN: &str = "hunter2";
const KEY: &str = "k3yofth3proj3ct";

/// A server that takes the events of a project.
struct Sentry {
    address: String,
    /// Head and envelope of each request that was accepted.
    accepted: watch::Receiver<Vec<(String, String)>>,
    /// Number of requests to refuse before the next is accepted.
    refusals: Arc<AtomicU32>,
    _serving: AbortOnDropHandle<()>,
}

impl Sentry {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let (sender, accepted) = watch::channel(Vec::new());
        let refusals = Arc::new(AtomicU32::new(0));
        let left = Arc::clone(&refusals);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (sender, left) = (sender.clone(), Arc::clone(&left));
                tokio::spawn(async move { serve(stream, &sender, &left).await });
            }
        });
        Self { address, accepted, refusals, _serving: AbortOnDropHandle::new(serving) }
    }

    fn dsn(&self) -> String {
        format!("http://{KEY}@{}/42", self.address)
    }

    /// Returns the events by id, each with the number of its deliveries.
    fn events(&self) -> BTreeMap<String, (Value, u32)> {
        let mut events = BTreeMap::<String, (Value, u32)>::new();
        for (_, envelope) in &*self.accepted.borrow() {
            let lines: Vec<Value> = envelope.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
            let [head, item, event] = &lines[..] else { panic!("{envelope}") };
            assert_eq!(item["type"], "event");
            assert_eq!(item["length"], envelope.lines().next_back().expect("an event").len());
            assert_eq!(head["event_id"], event["event_id"]);
            let id = event["event_id"].as_str().expect("an id").to_owned();
            assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
            let known = events.entry(id).or_insert_with(|| (event.clone(), 0));
            assert_eq!(known.0, *event, "each delivery is the same");
            known.1 += 1;
        }
        events
    }
}

async fn serve(mut stream: TcpStream, accepted: &watch::Sender<Vec<(String, String)>>, refusals: &AtomicU32) {
    let mut request = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if length == Some(body.len()) {
                let is_refused =
                    refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
                if !is_refused {
                    accepted.send_modify(|all| all.push((head.to_owned(), body.to_owned())));
                }
                let status = if is_refused { "503 Unavailable" } else { "200 OK" };
                let _ = stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes()).await;
                return;
            }
        }
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => request.extend_from_slice(&buffer[..read]),
            _ => return,
        }
    }
}

/// Settings without waits between attempts.
fn settings(sentry: &Sentry) -> String {
    format!(
        "errors.sentry_dsn = {:?}\nretry.unexpected_waits = [\"0s\", \"0s\"]\nretry.transient_waits = [\"0s\"]\n\
         runner.per_host = 64\n",
        sentry.dsn()
    )
}

/// Pages that are well, gone or rate limited, and some whose attempts panic.
fn page(path: &str, _: u32) -> Reply {
    let reply = match path {
        path if path.starts_with("/gone") => Reply::Status(404, Vec::new()),
        path if path.starts_with("/busy") => Reply::Status(429, Vec::new()),
        _ => html("Title", TEXT),
    };
    Reply::After(Duration::from_millis(20), Box::new(reply))
}

/// Returns job and result of each outcome that must be reported.
async fn exhausted(install: &Install) -> BTreeMap<i64, String> {
    let of = "FROM outcomes WHERE result IN ('unexpected_retry_exhausted', 'crash_exhausted') ORDER BY seq";
    let jobs = db::integers(install.file(), &format!("SELECT job_id {of}")).await;
    let results = db::texts(install.file(), &format!("SELECT result {of}")).await;
    let count = jobs.len();
    let by_job: BTreeMap<_, _> = jobs.into_iter().flatten().zip(results.into_iter().flatten()).collect();
    assert_eq!(by_job.len(), count, "a job is given up once");
    by_job
}

async fn until_delivered(store: &dyn Store, sentry: &Sentry) {
    until("delivery of every report", async || {
        let pending = store.pending_deliveries().await.ok()?;
        pending.is_empty().then_some(())
    })
    .await;
    assert!(!sentry.accepted.borrow().is_empty());
}

#[cfg(feature = "faults")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_job_that_was_given_up_has_one_event_over_failures_and_kills() {
    let (failures, kills) = (200, 20);
    let sentry = Sentry::start().await;
    let install = Install::new(Site::start(page).await, &settings(&sentry));
    let kinds = ["panic", "gone", "busy", "well"];
    let paths: Vec<String> =
        (0..failures + failures / 3).map(|n| format!("/{}/{n}?token={TOKEN}", kinds[n % kinds.len()])).collect();
    install.fill(&paths).await;
    let store = install.store().await;
    let faults = [("QUARTERDECK_FAULT", "after_fetch:panic:/panic/"), ("RUST_BACKTRACE", "0")];
    for round in 0..kills {
        // Some deliveries are refused, and some are in progress when the worker is killed.
        sentry.refusals.fetch_add(2, Ordering::Relaxed);
        let work = install.start_with(&faults, &["work", "--concurrency", "32"]);
        let before = store.last_seq().await.expect("the store answers").0;
        let grown = async || store.last_seq().await.is_ok_and(|seq| seq.0 >= before + 15).then_some(());
        within(format!("outcomes in round {round}"), async { until("outcomes", grown).await }).await;
        work.signal(Signal::KILL);
        work.ended();
        if store.queue().await.is_ok_and(|queue| queue.ready + queue.waiting < 40) {
            install.fill(&paths).await;
        }
    }
    sentry.refusals.store(0, Ordering::Relaxed);
    let last = install.start_with(&faults, &["work", "--drain", "--concurrency", "32"]).ended();
    assert!(last.code.is_some(), "{last:?}");
    until_delivered(&*store, &sentry).await;

    let (expected, events) = (exhausted(&install).await, sentry.events());
    let mut reported = BTreeMap::new();
    for (event, _) in events.values() {
        let job = event["extra"]["job_id"].as_i64().expect("a job");
        let result = event["tags"]["result"].as_str().expect("a result").to_owned();
        assert!(reported.insert(job, result).is_none(), "two events about job {job}");
    }
    assert_eq!(reported, expected);
    let kinds: BTreeSet<_> = expected.values().cloned().collect();
    assert!(kinds.contains("unexpected_retry_exhausted"), "{kinds:?}");
    let failed = db::integers(install.file(), "SELECT count(*) FROM outcomes WHERE result LIKE '%fail%'").await[0];
    assert!(failed >= Some(200), "{failed:?}");
    let deliveries: u32 = events.values().map(|(_, deliveries)| deliveries).sum();
    println!("{} events of {} deliveries, {failed:?} failures, {kills} kills", events.len(), deliveries);
    assert_private(&sentry);
    store.close().await;
}

/// Nothing of a page, no parameter of a URL, and the key only where it belongs.
fn assert_private(sentry: &Sentry) {
    for (head, envelope) in &*sentry.accepted.borrow() {
        assert!(head.starts_with("POST /api/42/envelope/ ") && head.contains(&format!("sentry_key={KEY}")), "{head}");
        for secret in [TEXT, TOKEN, KEY, "a fault at"] {
            assert!(!envelope.contains(secret), "{secret} in {envelope}");
        }
    }
}

#[cfg(feature = "faults")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_waits_for_sentry_and_the_key_is_printed_nowhere() {
    let sentry = Sentry::start().await;
    sentry.refusals.store(1_000_000, Ordering::Relaxed);
    let install = Install::new(Site::start(page).await, &settings(&sentry));
    install.fill(&["/panic/1".to_owned(), "/gone/2".to_owned()]).await;
    let faults = [("QUARTERDECK_FAULT", "after_fetch:panic:/panic/"), ("RUST_BACKTRACE", "0")];
    let first = install.start_with(&faults, &["work", "--drain"]).ended();
    assert_eq!(sentry.events().len(), 0);
    let doctor = install.run(&["doctor"]);
    assert!(doctor.out.iter().any(|line| line.contains("subscriber sentry: 1 message undelivered")), "{doctor:?}");
    assert!(doctor.out.iter().any(|line| line.contains("503")), "{doctor:?}");
    for said in [&first, &doctor] {
        assert!(!format!("{said:?}").contains(KEY), "{said:?}");
    }
    sentry.refusals.store(0, Ordering::Relaxed);
    let work = install.start(&["work"]);
    let store = install.store().await;
    until_delivered(&*store, &sentry).await;
    assert_eq!(sentry.events().len(), 1);
    store.close().await;
    drop(work);
}
