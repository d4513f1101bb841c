//! Tests networks that fail between workers and their servers (F11, F12), and a PostgreSQL that ends all of its sessions
//! or has none left (L2, L3).

use super::size;
use crate::support::fleet::{EAGER, Fleet, dismiss};
use crate::support::install::Install;
use crate::support::limit::{lasts, until, within};
use crate::support::measure::{self, Stopwatch};
use crate::support::place::{Backend, Place};
use crate::support::postgres::Own;
use crate::support::proxy::Proxy;
use crate::support::redis::TestRedis;
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::outcome::OutcomeResult;
use rustix::process::Signal;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Limit from the last sign of a worker to the takeover, with a lease of 10 s: rescues run once a second.
const TAKEN_OVER: Duration = Duration::from_secs(15);

/// Starts a proxy to the server of a URL; returns the URL by way of the proxy.
async fn through_proxy(url: &str) -> (Proxy, String) {
    let mut url = url::Url::parse(url).expect("a URL");
    let proxy = Proxy::to(format!("127.0.0.1:{}", url.port().expect("a port"))).await;
    url.set_port(Some(proxy.port)).expect("a port");
    (proxy, url.into())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "tests/chaos/run --full runs it"]
async fn f11_a_half_open_connection_costs_one_lease_and_doubles_nothing() {
    const JOBS: usize = 4;
    let (_, faults) = size(0, 1);
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    // The first answer comes when the worker that asked has been silent for more than its lease.
    let page = move |path: &str, hit| {
        let page = html(path, &format!("answer {hit}"));
        if hit == 1 { Reply::When(Arc::clone(&held), Box::new(page)) } else { page }
    };
    let settings = "runner.per_host = 64\nrunner.concurrency = 4\nrunner.lease = \"10s\"\nrunner.heartbeat = \"1s\"\n";
    let fleet = Fleet::new(Backend::Postgres, Site::start(page).await, settings).await;
    let (proxy, far) = through_proxy(&fleet.place.url()).await;
    let mut longest = Duration::ZERO;
    for fault in 0..faults {
        let worker = fleet.start_with(&[("QUARTERDECK_STORE", &far)], &["work"]);
        fleet.fill_from(fault * JOBS, JOBS).await;
        fleet.running(JOBS as u64).await;
        let paths: Vec<_> = (fault * JOBS..(fault + 1) * JOBS).map(|page| format!("/{page}")).collect();
        fleet.install.site.until_hits(&paths, 1).await;
        proxy.fall_silent();
        let silent = Stopwatch::start();
        let other = fleet.work();
        fleet.drained().await;
        longest = longest.max(silent.took());
        // Everything that was kept back arrives, and the answers of the pages.
        gate.add_permits(JOBS);
        proxy.speak_again();
        fleet.fault_is_over();
        dismiss(other);
        worker.signal(Signal::TERM);
        let ended = worker.ended();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.out.is_empty(), "the late ends are refused: {:?}", ended.out);
    }
    let outcomes = fleet.check("F11 half-open connections", JOBS * faults, faults, longest).await;
    let lost = outcomes.iter().filter(|outcome| outcome.result == OutcomeResult::WorkerLost).count();
    assert_eq!(lost, JOBS * faults, "each was taken over once");
    measure::at_most("the documents of a silent worker are done", longest, TAKEN_OVER);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "tests/chaos/run --full runs it"]
async fn f12_a_slow_network_that_loses_connections_loses_no_sync() {
    let (documents, _) = size(60, 0);
    let redis = TestRedis::own(None);
    let fleet =
        Fleet::new(Backend::Postgres, Site::start(|path, hit| html(path, &format!("answer {hit}"))).await, EAGER);
    let fleet = fleet.await;
    let (to_postgres, postgres) = through_proxy(&fleet.place.url()).await;
    let (to_redis, redis_url) = through_proxy(redis.url()).await;
    for proxy in [&to_postgres, &to_redis] {
        proxy.delay(Duration::from_millis(100));
        proxy.reset_one_of(200);
    }
    let env = [("QUARTERDECK_STORE", postgres.as_str()), ("QUARTERDECK_REDIS", &redis_url)];
    let workers: Vec<_> = (0..3).map(|_| fleet.start_with(&env, &["work"])).collect();
    fleet.fill(documents).await;
    let begun = Stopwatch::start();
    fleet.drained().await;
    let rate = documents as f64 / begun.took().as_secs_f64();
    for proxy in [&to_postgres, &to_redis] {
        proxy.delay(Duration::ZERO);
        proxy.reset_one_of(0);
    }
    workers.into_iter().for_each(|worker| drop(dismiss(worker)));
    println!("{rate:.1} syncs a second with 200 ms there and back, one piece in 200 lost");
    // Two pieces are one round trip, so one round trip in a hundred is lost.
    fleet.check("F12 delay and resets", documents, 0, Duration::ZERO).await;
}

/// SQL that ends all sessions of the program.
const TERMINATE: &str = "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() \
                         and application_name <> 'hog' and pid <> pg_backend_pid()";

async fn run(conn: &mut PgConnection, sql: &str) -> i64 {
    let row = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(conn).await;
    row.expect("the superuser may do it")
}

/// Returns a fleet of three workers on a server of its own, busy with as many documents.
async fn busy(documents: usize) -> (Own, Fleet, Vec<crate::support::install::Process>) {
    let server = Own::start().await;
    let place = Place::on(server.store().await);
    let page =
        |path: &str, hit| Reply::After(Duration::from_millis(50), Box::new(html(path, &format!("answer {hit}"))));
    let settings = format!("{EAGER}runner.lease = \"6s\"\nrunner.heartbeat = \"1s\"\n");
    let fleet = Fleet::at(place, Install::new(Site::start(page).await, &settings)).await;
    fleet.fill(documents).await;
    let workers = (0..3).map(|_| fleet.work()).collect();
    (server, fleet, workers)
}

/// Ends a fault, and returns the time until the next outcome.
async fn recovery(fleet: &Fleet) -> Duration {
    fleet.fault_is_over();
    let begun = Stopwatch::start();
    fleet.reached(fleet.count() + 1).await;
    begun.took()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "tests/chaos/run --full runs it"]
async fn l2_all_sessions_of_the_server_ended_cost_seconds_and_nothing_else() {
    let (documents, faults) = size(240, 3);
    let (_server, fleet, workers) = busy(documents).await;
    let mut longest = Duration::ZERO;
    for fault in 0..faults {
        fleet.reached(documents * (fault + 1) / (faults + 2)).await;
        let ended = fleet.place.number(TERMINATE).await.expect("a count");
        assert!(ended >= 3, "{ended} sessions were there");
        longest = longest.max(recovery(&fleet).await);
    }
    fleet.drained().await;
    workers.into_iter().for_each(|worker| drop(dismiss(worker)));
    fleet.check("L2 sessions ended", documents, faults, longest).await;
}

/// Opens sessions until the server has none left.
async fn hog(url: &str, sessions: &mut Vec<PgConnection>) {
    let options = PgConnectOptions::from_str(url).expect("a URL").application_name("hog");
    while let Ok(session) = options.connect().await {
        sessions.push(session);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "tests/chaos/run --full runs it"]
async fn l3_a_server_without_a_free_session_costs_the_time_until_it_has_one() {
    let (documents, faults) = size(240, 1);
    let (_server, fleet, workers) = busy(documents).await;
    let url = fleet.place.url();
    let mut longest = Duration::ZERO;
    for fault in 0..faults {
        fleet.reached(documents * (fault + 1) / (faults + 2)).await;
        let mut sessions = Vec::new();
        hog(&url, &mut sessions).await;
        // Those that the program loses are taken before it connects again.
        let taken = until("all sessions", async || {
            run(&mut sessions[0], TERMINATE).await;
            hog(&url, &mut sessions).await;
            let left = "select count(*) from pg_stat_activity where datname = current_database() and \
                        application_name <> 'hog' and pid <> pg_backend_pid()";
            (run(&mut sessions[0], left).await == 0).then_some(())
        });
        taken.await;
        // The fault itself lasts.
        lasts(Duration::from_secs(3)).await;
        let free = async {
            for session in sessions {
                // The server is not asked: it forgets a session whose connection is gone.
                let _ = session.close_hard().await;
            }
        };
        within("the end of the sessions", free).await;
        longest = longest.max(recovery(&fleet).await);
    }
    fleet.drained().await;
    workers.into_iter().for_each(|worker| drop(dismiss(worker)));
    fleet.check("L3 no session free", documents, faults, longest).await;
}
