//! Tests `work --health` with the requests of a supervisor.

use crate::support::db;
use crate::support::install::{Install, Process};
use crate::support::limit::{PATIENCE, until_blocking};
use crate::support::site::{Reply, Site, html};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Sends one request; returns the status, and the body if it is JSON.
fn ask(address: &str, request: &str) -> Option<(u16, Value)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    write!(stream, "{request} HTTP/1.1\r\nHost: {address}\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    Some((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}

/// Repeats the request until the status is `status` and the body satisfies `is`.
pub fn until(address: &str, status: u16, is: impl Fn(&Value) -> bool) -> Value {
    until_of(address, "/health", status, is)
}

fn until_of(address: &str, path: &str, status: u16, is: impl Fn(&Value) -> bool) -> Value {
    until_blocking(format_args!("{status} of {path} with what is to be told"), || {
        let (code, told) = ask(address, &format!("GET {path}"))?;
        (code == status && is(&told)).then_some(told)
    })
}

/// Returns the address that a worker prints for its health port.
pub fn address(work: &Process) -> String {
    let line = work.until_says("health is served at http://");
    let (_, rest) = line.split_once("http://").expect("an address");
    rest.trim_end_matches("/health").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_tells_whether_it_does_its_work() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let site = Site::start(move |_, _| Reply::When(Arc::clone(&held), Box::new(html("A", "Text.")))).await;
    let install = Install::new(site, "");
    install.store().await.close().await;
    let work = install.start(&["work", "--health", "0", "--concurrency", "3"]);
    let at = address(&work);
    assert!(at.starts_with("127.0.0.1:"), "{at}");
    assert_eq!(until_of(&at, "/ready", 200, |_| true), json!({"status": "ok", "busy": 0, "slots": 3}));
    for (request, status) in [
        ("GET /", 200),
        ("HEAD /health", 200),
        ("GET /ready", 200),
        ("GET /live", 200),
        ("GET /other", 404),
        ("POST /health", 405),
    ] {
        assert_eq!(ask(&at, request).map(|(status, _)| status), Some(status), "{request}");
    }

    // The database file is moved away, and later moved back.
    let (file, aside) = (install.file().to_owned(), install.folder().join("aside.db"));
    std::fs::rename(&file, &aside).expect("moved");
    let away = until(&at, 503, |_| true);
    assert_eq!(away["status"], "unreachable");
    assert!(away["reason"].as_str().is_some_and(|why| why.contains("moved or removed")), "{away}");
    let (status, ready) = ask(&at, "GET /ready").expect("an answer");
    assert_eq!((status, &ready["status"], &ready["reason"]), (503, &away["status"], &away["reason"]));
    // A restart would not bring the database back.
    assert_eq!(ask(&at, "GET /live"), Some((200, json!({"status": "ok", "busy": 0, "slots": 3}))));
    std::fs::rename(&aside, &file).expect("moved");
    until(&at, 200, |_| true);

    // A running job delays the worker's drain.
    install.fill(&["/a".to_owned(), "/b".to_owned()]).await;
    assert_eq!(until(&at, 200, |told| told["busy"] == 2)["slots"], 3);
    work.signal(Signal::TERM);
    let draining = until(&at, 503, |told| told["status"] == "draining");
    assert_eq!(
        (&draining["reason"], &draining["busy"]),
        (&json!("the worker takes no more jobs; jobs still running: 2"), &json!(2))
    );
    gate.add_permits(2);
    let ended = work.ended();
    assert_eq!((ended.code, ended.out.len()), (Some(0), 2), "{ended:?}");
    assert_eq!(ask(&at, "GET /health"), None, "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_taken_is_said_before_anything_runs() {
    let install = Install::new(Site::start(|_, _| html("A", "Text.")).await, "");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port().to_string();
    let ran = install.run(&["work", "--drain", "--health", &port]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains(&format!("--health {port}")) && ran.err.contains("in use"), "{}", ran.err);
    assert!(!install.file().exists(), "no store was made");
    // A client that connects and sends nothing does not delay the worker's exit.
    let work = install.start(&["work", "--health", "0"]);
    let silent = TcpStream::connect(address(&work)).expect("it listens");
    work.signal(Signal::TERM);
    assert_eq!(work.ended().code, Some(0));
    drop(silent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_keep_nobody_from_an_answer() {
    let install = Install::new(Site::start(|_, _| html("A", "Text.")).await, "");
    let work = install.start(&["work", "--health", "0"]);
    let at = address(&work);
    let mut idle = Vec::new();
    for round in 0..3 {
        for _ in 0..16 {
            let mut stream = TcpStream::connect(&at).expect("a connection");
            write!(stream, "GET /hea").expect("sent");
            idle.push(stream);
        }
        assert_eq!(ask(&at, "GET /health").map(|(status, _)| status), Some(200), "round {round}");
    }
    // Those that were open last could still send the rest.
    let last = idle.last_mut().expect("a connection");
    write!(last, "lth HTTP/1.1\r\nHost: x\r\n\r\n").expect("sent");
    last.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let mut answer = String::new();
    last.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// A store that another process has locked is waited for; that worker lives, and a supervisor leaves it alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_waits_for_its_store_lives_and_takes_no_jobs() {
    let install = Install::new(Site::start(|_, _| html("A", "Text.")).await, "");
    install.store().await.close().await;
    let mut writer = db::connect(install.file()).await;
    sqlx::query("begin immediate").execute(&mut writer).await.expect("the lock");
    let work = install.start(&["work", "--health", "0"]);
    let at = address(&work);
    let told = |path: &str| ask(&at, &format!("GET {path}")).expect("an answer while the store is being opened");
    let (status, ready) = told("/ready");
    assert_eq!((status, &ready["status"]), (503, &json!("starting")), "{ready}");
    assert_eq!((told("/health").0, told("/live").0), (200, 200));
    sqlx::query("rollback").execute(&mut writer).await.expect("unlocked");
    drop(work);
}

/// A worker whose store a newer program has migrated ends; until then it says why it takes no jobs, and that a restart of
/// the same program would not help.
#[cfg(feature = "faults")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_whose_store_is_newer_is_outdated_and_not_ready() {
    let install = Install::new(Site::start(|_, _| html("A", "Text.")).await, "runner.heartbeat = \"300ms\"\n");
    install.store().await.close().await;
    let work = install.start_with(&[("QUARTERDECK_FAULT", "shut_down:sleep:")], &["work", "--health", "0"]);
    let at = address(&work);
    until_of(&at, "/ready", 200, |_| true);
    db::execute(install.file(), &format!("pragma user_version = {}", quarterdeck::store::SCHEMA_VERSION + 1)).await;
    let outdated = until_of(&at, "/ready", 503, |told| told["status"] == "outdated");
    let reason = outdated["reason"].as_str().expect("a reason");
    assert!(reason.contains("by a newer quarterdeck") && reason.contains("upgrade and restart"), "{outdated}");
    assert_eq!(ask(&at, "GET /live").map(|(status, _)| status), Some(200), "a restart does not help");
    // How such a worker ends is another test.
    work.signal(Signal::KILL);
    work.ended();
}

/// A claim loop that has ended by a panic claims nothing any more, while the process and its port go on.
#[cfg(feature = "faults")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_whose_loop_is_stuck_is_not_live() {
    let install = Install::new(Site::start(|_, _| html("A", "Text.")).await, "");
    let faults = [("QUARTERDECK_FAULT", "claim_loop:panic:"), ("QUARTERDECK_LIMIT", "stall:1")];
    let work = install.start_with(&faults, &["work", "--health", "0"]);
    let at = address(&work);
    for path in ["/live", "/ready"] {
        let stuck = until_of(&at, path, 503, |told| told["status"] == "stalled");
        assert!(stuck["reason"].as_str().is_some_and(|why| why.contains("claim loop")), "{path}: {stuck}");
    }
}
