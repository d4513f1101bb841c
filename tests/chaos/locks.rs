//! Tests Redis failures under real workers on PostgreSQL (F6, F7). `locks::faults` tests them on SQLite in one process.

use super::size;
use crate::support::fleet::{EAGER, Fleet, dismiss};
use crate::support::measure::{self, Stopwatch};
use crate::support::place::Backend;
use crate::support::pty::Terminal;
use crate::support::redis::TestRedis;
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::outcome::OutcomeResult;
use std::time::Duration;

/// Limit until a console shows that Redis is unavailable.
const SHOWN: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f6_a_redis_that_forgets_goes_or_comes_back_empty_loses_nothing_and_doubles_nothing() {
    let (documents, faults) = size(180, 3);
    let mut redis = TestRedis::own(None);
    let page =
        |path: &str, hit| Reply::After(Duration::from_millis(40), Box::new(html(path, &format!("answer {hit}"))));
    let fleet = Fleet::new(Backend::Postgres, Site::start(page).await, EAGER).await;
    let fleet = fleet.with("QUARTERDECK_REDIS", redis.url());
    let workers: Vec<_> = (0..2).map(|_| fleet.work()).collect();
    let mut command = fleet.install.on_terminal(&["--runner"]);
    for (name, value) in fleet.env() {
        command.env(name, value);
    }
    let console = Terminal::spawn(120, 40, command);
    // This console runs jobs itself: one that only watches takes no locks, so nothing would be degraded there.
    console.until("all workers", |screen| screen.contents().contains("3 workers"));
    fleet.fill(documents).await;
    let mut longest = Duration::ZERO;
    for fault in 0..faults {
        fleet.reached(documents * (fault + 1) / (faults + 2)).await;
        match fault % 3 {
            0 => drop((redis.run("FLUSHALL", &[]), redis.run("SCRIPT", &["FLUSH"]))),
            kind => {
                let begun = Stopwatch::start();
                if kind == 1 {
                    redis.stop()
                } else {
                    redis.freeze()
                }
                console.until_text("DEGRADED");
                longest = longest.max(begun.took());
                // A failover to an empty replica looks the same to the workers.
                if kind == 1 {
                    redis.start_again()
                } else {
                    redis.thaw()
                }
                console.until("that it is back", |screen| !screen.contents().contains("DEGRADED"));
                fleet.fault_is_over();
            }
        }
    }
    fleet.drained().await;
    workers.into_iter().for_each(|worker| drop(dismiss(worker)));
    drop(console);
    assert_eq!(redis.run("DBSIZE", &[]), redis::Value::Int(0), "every lock was given back");
    println!("a console says DEGRADED after {longest:.1?} at most");
    let outcomes = fleet.check("F6 Redis in trouble", documents, faults, longest).await;
    let ends = outcomes.iter().filter(|outcome| outcome.result == OutcomeResult::Unchanged).count();
    assert_eq!(ends, documents, "each was synced once");
    measure::at_most("DEGRADED is on a console", longest, SHOWN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f7_a_redis_that_is_gone_all_the_time_costs_little() {
    let (documents, _) = size(300, 0);
    let mut redis = TestRedis::own(None);
    // Alternating runs, so that load on the machine affects both kinds equally.
    let turns = 5;
    let fleet = Fleet::new(Backend::Postgres, Site::start(|path, _| html(path, "text")).await, EAGER).await;
    let without = fleet.work();
    fleet.fill(20).await;
    fleet.drained().await;
    dismiss(without);
    let fleet = fleet.with("QUARTERDECK_REDIS", redis.url());
    let (mut there, mut gone, mut next) = (Vec::new(), Vec::new(), 20);
    for turn in 0..2 * turns {
        let took = if turn % 2 == 0 { &mut there } else { &mut gone };
        if turn % 2 == 1 {
            redis.stop();
        } else if turn > 0 {
            redis.start_again();
        }
        // The worker is up and knows the state of Redis before its work begins.
        let worker = fleet.work();
        fleet.fill_from(next, 8).await;
        fleet.drained().await;
        let begun = Stopwatch::start();
        fleet.fill_from(next + 8, documents / turns).await;
        fleet.drained().await;
        took.push(begun.took());
        next += 8 + documents / turns;
        dismiss(worker);
    }
    there.sort();
    gone.sort();
    let ratio = there[turns / 2].as_secs_f64() / gone[turns / 2].as_secs_f64();
    println!("throughput without Redis is {:.0} % of that with it ({gone:.2?}, {there:.2?})", ratio * 100.0);
    fleet.check("F7 no Redis", next, turns, Duration::ZERO).await;
    measure::at_least("throughput without Redis, as a share of that with it", ratio, 0.8);
}
