//! Job runners beside which `tests/bench/run --only peers` measures Quarterdeck, each with the same work: a page is
//! fetched, its body hashed, and one row written to the database of the queue.
//!
//! usage: quarterdeck-peers fill RUNNER STORE FILE, with one URL per line of FILE
//!        quarterdeck-peers work RUNNER STORE CONCURRENCY JOBS
//!
//! `fill` sets up the store and adds the jobs; `work` runs until this many are done. RUNNER is apalis-sqlite,
//! apalis-postgres or awa.

mod on_awa;
mod on_postgres;
mod on_sqlite;
mod work;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Time after which a run has failed: a runner that waits for jobs that never end would not end either.
const LIMIT: Duration = Duration::from_secs(900);

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = tokio::time::timeout(LIMIT, run(&words)).await;
    match done.unwrap_or_else(|_| Err(format!("not done in {} s", LIMIT.as_secs()).into())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(words: &[&str]) -> Outcome<()> {
    match *words {
        ["fill", runner, store, file] => {
            let urls = std::fs::read_to_string(file)?.lines().map(str::to_owned).collect();
            match runner {
                "apalis-sqlite" => on_sqlite::fill(store, urls).await,
                "apalis-postgres" => on_postgres::fill(store, urls).await,
                "awa" => on_awa::fill(store, urls).await,
                _ => Err(format!("{runner} is no runner").into()),
            }
        }
        ["work", runner, store, concurrency, jobs] => {
            let (concurrency, jobs) = (concurrency.parse()?, jobs.parse()?);
            match runner {
                "apalis-sqlite" => on_sqlite::work(store, concurrency, jobs).await,
                "apalis-postgres" => on_postgres::work(store, concurrency, jobs).await,
                "awa" => on_awa::work(store, concurrency, jobs).await,
                _ => Err(format!("{runner} is no runner").into()),
            }
        }
        _ => Err("usage: quarterdeck-peers fill|work RUNNER STORE ...".into()),
    }
}
