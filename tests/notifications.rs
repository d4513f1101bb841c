//! Tests notifications with the real program: webhooks and commands get every outcome that they want at least once, over
//! kills and whatever receivers do, and nothing that they must not get. `QUARTERDECK_NOTIFY` is the number of kills.

mod commands;
pub mod receiver;

use crate::support::db;
use crate::support::install::{Ended, Install};
use crate::support::limit::until;
use crate::support::site::{Reply, Site, html};
use quarterdeck::store::Store;
use receiver::{Behaviour, KEY, Receiver};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// Number of kills unless `QUARTERDECK_NOTIFY` names another.
const KILLS: usize = 12;

/// Pages that are there, and some that are gone.
fn page(path: &str, hit: u32) -> Reply {
    if path.starts_with("/gone") { Reply::Status(404, Vec::new()) } else { html("Title", &format!("text {hit}")) }
}

/// Settings of a webhook of this name that wants every outcome.
fn webhook(name: &str, url: &str, on: &str) -> String {
    format!(
        "notify.{name}.kind = \"webhook\"\nnotify.{name}.url = {url:?}\nnotify.{name}.on = {on:?}\n\
         notify.{name}.secret_file = \"key\"\n"
    )
}

fn allowing(receivers: &[&Receiver]) -> String {
    let hosts: Vec<&str> = receivers.iter().map(|receiver| receiver.host()).collect();
    format!("notify.allow_private_hosts = {hosts:?}\n")
}

async fn install(settings: &str) -> Install {
    let install = Install::new(Site::start(page).await, settings);
    install.write("key", format!("{KEY}\n"));
    install
}

fn paths(count: usize) -> Vec<String> {
    (0..count).map(|n| if n % 5 == 0 { format!("/gone/{n}") } else { format!("/page/{n}") }).collect()
}

/// Returns the numbers of the outcomes that the records have.
fn seqs(receiver: &Receiver) -> BTreeSet<i64> {
    let records = receiver.records();
    records.values().filter_map(|(record, _)| record["data"]["seq"].as_i64()).collect()
}

async fn outcomes(install: &Install) -> BTreeSet<i64> {
    db::integers(install.file(), "SELECT seq FROM outcomes").await.into_iter().flatten().collect()
}

/// Returns the sink `name` as `notify list` prints it.
fn listed(install: &Install, name: &str) -> Value {
    let ended = install.run(&["notify", "list", "--json"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let sinks = ended.out.iter().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    sinks.into_iter().find(|sink| sink["name"] == name).unwrap_or_else(|| panic!("no sink {name}"))
}

async fn until_empty(store: &dyn Store) {
    until("delivery of every record", async || {
        let sinks = store.sinks().await.ok()?;
        sinks.iter().all(|sink| sink.pending == 0).then_some(())
    })
    .await;
}

/// What the receiver does in the rounds of the kills, in turns. `victim` is a host that must never be connected to.
fn behaviours(victim: &Receiver) -> [Behaviour; 10] {
    let slow = Behaviour::AcceptsAfter(Duration::from_millis(40));
    let elsewhere = format!("Location: http://{}/x\r\n", victim.host());
    [
        Behaviour::Accepts,
        slow.clone(),
        Behaviour::Hangs,
        Behaviour::Accepts,
        Behaviour::Says("HTTP/1.1 2000 FINE\r\nContent-Length: -1\r\n\r\n"),
        Behaviour::AcceptsAndCuts,
        Behaviour::Answers("307 Temporary Redirect", elsewhere),
        slow,
        Behaviour::Answers("500 Internal Server Error", String::new()),
        Behaviour::Accepts,
    ]
}

/// Rounds after which a worker is restarted without a kill.
const RESTART: usize = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_outcome_is_delivered_over_kills_and_an_id_is_repeated_only_by_one() {
    let kills = std::env::var("QUARTERDECK_NOTIFY").map_or(KILLS, |kills| kills.parse().expect("a number"));
    let [receiver, victim] = [Receiver::start(Behaviour::Accepts).await, Receiver::start(Behaviour::Accepts).await];
    let install = install(&(allowing(&[&receiver]) + &webhook("ops", &receiver.url(), ""))).await;
    let paths = paths(90);
    // Known to the store before the first outcome.
    assert_eq!(install.run(&["add", "https://example.org/"]).code, Some(0));
    install.fill(&paths).await;
    let store = install.store().await;
    let behaviours = behaviours(&victim);
    let mut restarts = 0;
    for round in 0..kills {
        let behaviour = &behaviours[round % behaviours.len()];
        receiver.behave(behaviour.clone());
        let ends: &[Signal] = if round % RESTART == 0 { &[Signal::TERM, Signal::KILL] } else { &[Signal::KILL] };
        for end in ends {
            let work = install.start(&["work", "--concurrency", "8"]);
            let requests = || *receiver.requests.borrow();
            let before = (store.last_seq().await.expect("the store answers").0, requests());
            // Ended while it fetches and delivers.
            let grown = async || {
                let more = store.last_seq().await.is_ok_and(|seq| seq.0 >= before.0 + 6);
                (more && requests() > before.1 + round as u32 % 3).then_some(())
            };
            // What nobody answers is tried once by a worker.
            let once = async || {
                let more = store.last_seq().await.is_ok_and(|seq| seq.0 >= before.0 + 6);
                (more && requests() > before.1).then_some(())
            };
            let what = format!("outcomes in round {round}, {behaviour:?}");
            match behaviour {
                Behaviour::Hangs | Behaviour::Says(_) => until(what, once).await,
                _ => until(what, grown).await,
            }
            work.signal(*end);
            let ended = work.ended();
            if *end == Signal::TERM {
                restarts += 1;
                assert_eq!(ended.code, Some(0), "{ended:?}");
            }
            if store.queue().await.is_ok_and(|queue| queue.ready + queue.waiting < 30) {
                install.fill(&paths).await;
            }
        }
    }
    receiver.behave(Behaviour::Accepts);
    let work = install.start(&["work", "--concurrency", "8"]);
    until("an empty queue", async || {
        let queue = store.queue().await.ok()?;
        (queue.ready + queue.running == 0).then_some(())
    })
    .await;
    // What was refused is due later; a person need not wait for it.
    assert_eq!(install.run(&["notify", "retry", "ops"]).code, Some(0));
    until_empty(&*store).await;
    work.signal(Signal::TERM);
    assert_eq!(work.ended().code, Some(0));
    let records = receiver.records();
    assert_eq!(seqs(&receiver), outcomes(&install).await, "each outcome at least once");
    assert_eq!(records.len(), outcomes(&install).await.len(), "and by one id");
    let deliveries: u32 = records.values().map(|(_, deliveries)| deliveries).sum();
    let repeated = deliveries as usize - records.len();
    assert!(repeated <= kills, "{repeated} deliveries were repeated over {kills} kills");
    assert_eq!(*victim.requests.borrow(), 0, "nobody followed a redirect");
    let requests = *receiver.requests.borrow();
    println!(
        "{} records in {deliveries} deliveries and {requests} requests, {repeated} repeated, {kills} kills, {restarts} restarts",
        records.len()
    );
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_told_to_end_finishes_the_delivery_that_runs() {
    let receiver = Receiver::start(Behaviour::AcceptsAfter(Duration::from_millis(150))).await;
    let install = install(&(allowing(&[&receiver]) + &webhook("ops", &receiver.url(), ""))).await;
    assert_eq!(install.run(&["add", "https://example.org/"]).code, Some(0));
    let paths = paths(90);
    install.fill(&paths).await;
    let work = install.start(&["work", "--concurrency", "8"]);
    let store = install.store().await;
    until("outcomes, of which a few are delivered", async || {
        let all = store.last_seq().await.is_ok_and(|seq| seq.0 >= 90);
        (all && !receiver.accepted.borrow().is_empty()).then_some(())
    })
    .await;
    work.signal(Signal::TERM);
    assert_eq!(work.ended().code, Some(0));
    let left = listed(&install, "ops")["pending"].as_i64();
    assert!(left > Some(0), "more than it has time for: {left:?}");
    assert_eq!(receiver.accepted.borrow().len() as i64 + left.unwrap_or_default(), 90, "what it took is noted");
    receiver.behave(Behaviour::Accepts);
    let work = install.start(&["work"]);
    until_empty(&*store).await;
    work.signal(Signal::TERM);
    work.ended();
    assert!(receiver.records().values().all(|(_, deliveries)| *deliveries == 1), "nothing is repeated");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_hangs_lies_or_leads_elsewhere_holds_up_no_other_and_reaches_nothing() {
    let [good, victim] = [Receiver::start(Behaviour::Accepts).await, Receiver::start(Behaviour::Accepts).await];
    let hanging = Receiver::start(Behaviour::Hangs).await;
    let lying = Receiver::start(Behaviour::Says("HTTP/1.1 2000 FINE\r\nContent-Length: -1\r\n\r\n")).await;
    let leading = Behaviour::Answers("307 Temporary Redirect", format!("Location: http://{}/x\r\n", victim.host()));
    let leading = Receiver::start(leading).await;
    let broken = Receiver::start(Behaviour::Answers("500 Internal Server Error", String::new())).await;
    // Every receiver may be connected to but one, which the redirect and a sink of its own name.
    let mut settings = allowing(&[&good, &hanging, &lying, &leading, &broken]);
    for (name, receiver) in
        [("good", &good), ("hanging", &hanging), ("lying", &lying), ("leading", &leading), ("broken", &broken)]
    {
        settings += &webhook(name, &receiver.url(), "");
    }
    settings += &webhook("private", &victim.url(), "");
    let install = install(&settings).await;
    good.observe(&hanging);
    assert_eq!(install.run(&["add", "https://example.org/"]).code, Some(0));
    install.fill(&paths(20)).await;
    let work = install.start(&["work"]);
    let store = install.store().await;
    until("delivery to the good one", async || (seqs(&good).len() >= 20).then_some(())).await;
    assert_eq!(seqs(&good), outcomes(&install).await, "no sync waited");
    let beside = good.accepted.borrow().iter().filter(|delivery| delivery.is_beside_open).count();
    assert!(beside > 0, "it got records while another receiver hung");
    let error = async |name: &str, part: &str| {
        until(format!("the error of {name}"), async || {
            let sink = listed(&install, name);
            sink["last_error"].as_str().is_some_and(|error| error.contains(part)).then_some(())
        })
        .await;
    };
    error("leading", "redirects are not followed").await;
    error("broken", "500").await;
    error("private", "refused: 127.0.0.1 is").await;
    error("lying", "").await;
    error("hanging", "").await;
    assert_eq!(*victim.requests.borrow(), 0, "nothing has connected to it");
    for (name, receiver) in [("hanging", &hanging), ("lying", &lying), ("leading", &leading)] {
        let sink = listed(&install, name);
        assert_eq!((sink["pending"].as_i64(), sink["state"].as_str()), (Some(20), Some("enabled")), "{sink}");
        receiver.behave(Behaviour::Accepts);
    }
    // What waited arrives when the receiver is well again; a person need not wait for the next attempt.
    for name in ["hanging", "lying", "leading"] {
        assert_eq!(install.run(&["notify", "retry", name]).code, Some(0));
    }
    for receiver in [&hanging, &lying, &leading] {
        until("the records that waited", async || (seqs(receiver).len() == 20).then_some(())).await;
    }
    // None of the URLs, whose paths may be secrets, is printed.
    let said = [install.run(&["notify", "list"]), install.run(&["doctor"])];
    let err = |ended: &Ended| format!("{ended:?}");
    assert!(said.iter().all(|ended| !err(ended).contains("s3cret")), "{said:?}");
    work.signal(Signal::TERM);
    let ended = work.ended();
    assert!(ended.code == Some(0) && !err(&ended).contains("s3cret"), "{ended:?}");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_answers_410_is_disabled_until_a_person_retries() {
    let receiver = Receiver::start(Behaviour::Answers("410 Gone", String::new())).await;
    let install = install(&(allowing(&[&receiver]) + &webhook("ops", &receiver.url(), "result:failed"))).await;
    drop(install.store().await);
    assert_eq!(listed(&install, "ops")["state"], "new");
    assert_eq!(install.run(&["add", "https://example.org/"]).code, Some(0));
    install.fill(&paths(10)).await;
    let work = install.start(&["work"]);
    until("the end of the sink", async || (listed(&install, "ops")["state"] == "disabled").then_some(())).await;
    let requests = *receiver.requests.borrow();
    let doctor = install.run(&["doctor"]);
    assert!(doctor.out.iter().any(|line| line.contains("ops: disabled")), "{doctor:?}");
    let store = install.store().await;
    let all_synced = async || {
        until("an empty queue", async || {
            let queue = store.queue().await.ok()?;
            (queue.ready + queue.running == 0).then_some(())
        })
        .await;
    };
    // What was recorded at the same moment waits, too.
    all_synced().await;
    let pending = listed(&install, "ops")["pending"].as_i64();
    install.fill(&paths(10)).await;
    all_synced().await;
    assert_eq!((listed(&install, "ops")["pending"].as_i64(), *receiver.requests.borrow()), (pending, requests));
    receiver.behave(Behaviour::Accepts);
    let retried = install.run(&["notify", "retry", "ops", "--json"]);
    assert_eq!(retried.code, Some(0), "{retried:?}");
    until_empty(&*store).await;
    assert_eq!(Some(seqs(&receiver).len() as i64), pending);
    for (_, (record, _)) in receiver.records() {
        assert_eq!(record["data"]["result"], "permanent_failure");
    }
    store.close().await;
    drop(work);
}
