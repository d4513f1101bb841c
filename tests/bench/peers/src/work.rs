//! The work of a job, up to the row that it writes, and the count of the jobs that are done.

use crate::Outcome;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Table of the rows that the jobs write, in the SQL that both databases know.
pub const TABLE: &str = "CREATE TABLE synced_pages (url text PRIMARY KEY, hash BYTES NOT NULL, content text NOT NULL)";

/// Statement that writes the row of a page.
pub const UPSERT: &str = "INSERT INTO synced_pages (url, hash, content) VALUES ($1, $2, $3) \
    ON CONFLICT (url) DO UPDATE SET hash = excluded.hash, content = excluded.content";

/// Argument of a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Page {
    pub url: String,
}

/// Row of a page.
pub struct Row {
    pub url: String,
    pub hash: Vec<u8>,
    pub content: String,
}

/// The HTTP client of all jobs, and the number of jobs that are not done.
#[derive(Clone)]
pub struct Work {
    client: reqwest::Client,
    left: Arc<AtomicUsize>,
}

impl Work {
    /// Makes a client for this many jobs.
    ///
    /// # Errors
    ///
    /// Fails if the client cannot be made.
    pub fn new(jobs: usize) -> Outcome<Self> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { client, left: Arc::new(AtomicUsize::new(jobs)) })
    }

    /// Fetches a page and hashes its body.
    ///
    /// # Errors
    ///
    /// Fails if the page is not answered with 200 and text.
    pub async fn fetch(&self, page: Page) -> Outcome<Row> {
        let response = self.client.get(&page.url).send().await?.error_for_status()?;
        let body = response.bytes().await?;
        let hash = Sha256::digest(&body).to_vec();
        Ok(Row { url: page.url, hash, content: String::from_utf8(body.to_vec())? })
    }

    /// Counts a job whose row is written; returns true for the last one.
    pub fn is_last(&self) -> bool {
        self.left.fetch_sub(1, Ordering::Relaxed) == 1
    }
}
