//! apalis on SQLite, with commits that survive a loss of power.

use crate::Outcome;
use crate::work::{Page, TABLE, UPSERT, Work};
use apalis::prelude::*;
use apalis_sqlite::{Config, SqliteStorage};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::str::FromStr as _;
use std::time::Duration;

/// Opens the database with the settings of `SqliteStorage::setup`, but with `synchronous = FULL`, which is off there.
async fn open(store: &str) -> Outcome<SqlitePool> {
    let options = SqliteConnectOptions::from_str(store)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(60))
        .pragma("temp_store", "MEMORY")
        .pragma("cache_size", "64000")
        .pragma("journal_size_limit", "67108864");
    // Writers wait for each other in any case; in the pool they wait without polling the file's lock.
    Ok(SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(600))
        .connect_with(options)
        .await?)
}

/// Sets up the store and adds a job for each URL.
pub async fn fill(store: &str, urls: Vec<String>) -> Outcome<()> {
    let pool = open(store).await?;
    SqliteStorage::migrations().run(&pool).await?;
    sqlx::query(sqlx::AssertSqlSafe(TABLE.replace("BYTES", "blob"))).execute(&pool).await?;
    let mut storage = SqliteStorage::<Page>::new(&pool);
    storage.push_bulk(urls.into_iter().map(|url| Page { url }).collect()).await?;
    pool.close().await;
    Ok(())
}

/// Runs this many jobs.
pub async fn work(store: &str, concurrency: usize, jobs: usize) -> Outcome<()> {
    let pool = open(store).await?;
    let config = Config::default().queue(std::any::type_name::<Page>()).batch_size(concurrency);
    let worker = WorkerBuilder::new("bench")
        .backend(SqliteStorage::<Page>::new(&pool).with_config(config))
        .data(Work::new(jobs)?)
        .data(pool.clone())
        .concurrency(concurrency)
        .parallelize(tokio::spawn)
        .build(sync);
    worker.run().await?;
    pool.close().await;
    Ok(())
}

async fn sync(page: Page, work: Data<Work>, pool: Data<SqlitePool>, worker: WorkerContext) -> Result<(), BoxDynError> {
    let row = work.fetch(page).await?;
    sqlx::query(UPSERT).bind(row.url).bind(row.hash).bind(row.content).execute(&*pool).await?;
    if work.is_last() {
        worker.stop()?;
    }
    Ok(())
}
