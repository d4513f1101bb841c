//! awa on PostgreSQL.

use crate::Outcome;
use crate::work::{Page, TABLE, UPSERT, Work};
use awa::{Client, InsertOpts, JobArgs, JobError, JobResult, QueueConfig};
use serde::{Deserialize, Serialize};
use sqlx_of_awa::PgPool;
use sqlx_of_awa::postgres::PgPoolOptions;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Jobs of one insertion.
const BATCH: usize = 1_000;
const QUEUE: &str = "pages";

/// Argument of a job.
#[derive(Debug, Serialize, Deserialize, JobArgs)]
struct SyncPage {
    url: String,
}

async fn open(store: &str) -> Outcome<PgPool> {
    Ok(PgPoolOptions::new().max_connections(20).acquire_timeout(Duration::from_secs(600)).connect(store).await?)
}

/// Makes a client that runs nothing before it is started.
fn client(pool: &PgPool, concurrency: u32, work: Work, ended: Arc<Notify>) -> Outcome<Client> {
    let rows = pool.clone();
    let client = Client::builder(pool.clone())
        .queue(QUEUE, QueueConfig { max_workers: concurrency, ..QueueConfig::default() })
        .register::<SyncPage, _, _>(move |page, _| {
            let (work, rows, ended) = (work.clone(), rows.clone(), Arc::clone(&ended));
            async move {
                let row =
                    work.fetch(Page { url: page.url }).await.map_err(|error| JobError::terminal(error.to_string()))?;
                let statement = sqlx_of_awa::query(UPSERT).bind(row.url).bind(row.hash).bind(row.content);
                statement.execute(&rows).await.map_err(JobError::retryable)?;
                if work.is_last() {
                    ended.notify_one();
                }
                Ok(JobResult::Completed)
            }
        })
        .build()?;
    Ok(client)
}

/// Sets up the store and adds a job for each URL.
pub async fn fill(store: &str, urls: Vec<String>) -> Outcome<()> {
    let pool = open(store).await?;
    awa::migrations::run(&pool).await?;
    // The first start on a new database selects the tables of the queue; jobs that exist by then keep the old ones.
    let first = client(&pool, 1, Work::new(0)?, Arc::default())?;
    first.start().await?;
    first.shutdown(Duration::from_secs(60)).await;
    sqlx_of_awa::query(&TABLE.replace("BYTES", "bytea")).execute(&pool).await?;
    let options = InsertOpts { queue: QUEUE.to_owned(), ..InsertOpts::default() };
    for urls in urls.chunks(BATCH) {
        let jobs =
            urls.iter().map(|url| awa::model::insert::params_with(&SyncPage { url: url.clone() }, options.clone()));
        awa::insert_many_copy_from_pool(&pool, &jobs.collect::<Result<Vec<_>, _>>()?).await?;
    }
    pool.close().await;
    Ok(())
}

/// Runs this many jobs.
pub async fn work(store: &str, concurrency: usize, jobs: usize) -> Outcome<()> {
    let pool = open(store).await?;
    let ended = Arc::new(Notify::new());
    let client = client(&pool, u32::try_from(concurrency)?, Work::new(jobs)?, Arc::clone(&ended))?;
    client.start().await?;
    ended.notified().await;
    client.shutdown(Duration::from_secs(60)).await;
    pool.close().await;
    Ok(())
}
