//! apalis on PostgreSQL.

use crate::Outcome;
use crate::work::{Page, TABLE, UPSERT, Work};
use apalis::prelude::*;
use apalis_postgres::{Config, PostgresStorage};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use std::time::Duration;

async fn open(store: &str) -> Outcome<PgPool> {
    Ok(PgPoolOptions::new().max_connections(10).acquire_timeout(Duration::from_secs(600)).connect(store).await?)
}

/// Sets up the store and adds a job for each URL.
pub async fn fill(store: &str, urls: Vec<String>) -> Outcome<()> {
    let pool = open(store).await?;
    PostgresStorage::setup(&pool).await?;
    sqlx::query(sqlx::AssertSqlSafe(TABLE.replace("BYTES", "bytea"))).execute(&pool).await?;
    let mut storage = PostgresStorage::<Page>::new(&pool);
    storage.push_bulk(urls.into_iter().map(|url| Page { url }).collect()).await?;
    pool.close().await;
    Ok(())
}

/// Runs this many jobs.
pub async fn work(store: &str, concurrency: usize, jobs: usize) -> Outcome<()> {
    let pool = open(store).await?;
    let config = Config::default().queue(std::any::type_name::<Page>()).batch_size(concurrency);
    let worker = WorkerBuilder::new("bench")
        .backend(PostgresStorage::<Page>::new(&pool).with_config(config))
        .data(Work::new(jobs)?)
        .data(pool.clone())
        .concurrency(concurrency)
        .parallelize(tokio::spawn)
        .build(sync);
    worker.run().await?;
    pool.close().await;
    Ok(())
}

async fn sync(page: Page, work: Data<Work>, pool: Data<PgPool>, worker: WorkerContext) -> Result<(), BoxDynError> {
    let row = work.fetch(page).await?;
    sqlx::query(UPSERT).bind(row.url).bind(row.hash).bind(row.content).execute(&*pool).await?;
    if work.is_last() {
        worker.stop()?;
    }
    Ok(())
}
