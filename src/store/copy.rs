//! Copies of a store into another database: from one snapshot of the source, in the order of keys, in short
//! transactions of the target. After a kill, what the target has already is compared with the source, and the copy goes
//! on behind it. `tables` says what becomes of each table, `rows` reads, writes and compares, `state` has what a store
//! has once, `target` marks the target until the copy is complete.

mod rows;
mod state;
mod tables;
mod target;

use super::sql::conn::Purpose;
use super::sql::database::Database;
use super::sql::dialect::Dialect;
use super::sql::reader::Reader;
use super::sql::statement::query;
use super::sql::transaction::Tx;
use super::{Access, Options, Result, StoreError};
use crate::fault;
use rows::{RowPages, TableDigest, count, insert};
use state::StoreState;
use tables::{COPIED, TableShape};
use target::TargetState;

/// The stores of a copy.
#[derive(Clone, Copy)]
pub struct CopyRequest<'a> {
    /// URL of the store that is copied.
    pub from: &'a str,
    /// URL of the store that is filled.
    pub to: &'a str,
    /// The first URL for people, without secrets.
    pub address: &'a str,
}

/// Part of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyPhase {
    /// What an earlier run has copied is compared with the source.
    Comparing,
    Copying,
    /// The copied rows are read again.
    Verifying,
}

/// Progress of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyProgress {
    pub phase: CopyPhase,
    /// Number of rows of all tables that the phase is through with, of `total`.
    pub rows: u64,
    pub total: u64,
}

/// The result of a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopyReport {
    pub documents: u64,
    pub outcomes: u64,
    /// Rows of all tables.
    pub rows: u64,
    /// Rows that an earlier run had copied.
    pub found: u64,
    /// True if the target was this store already, and nothing was done.
    pub was_complete: bool,
}

/// Copies the store `request.from` into the empty store `request.to`, or goes on with an interrupted copy, and verifies it.
/// The copy has the id, the epoch and the numbers of the source, but no jobs: a document with a running attempt is
/// copied as it was before.
///
/// Errors: [`StoreError::Unusable`] if a store is Chatwoot's, or the target has something of its own.
pub async fn copy(request: CopyRequest<'_>, report: &mut (dyn FnMut(CopyProgress) + Send)) -> Result<CopyReport> {
    let source = Database::open(request.from, Options::new(Access::Read)).await?;
    let copied = match Database::open(request.to, Options::new(Access::CopyTarget)).await {
        Ok(target) => {
            let copied = copy_between(&source, &target, request.address, report).await;
            target.close().await;
            copied
        }
        Err(error) => Err(error),
    };
    source.close().await;
    copied
}

async fn copy_between(
    source: &Database,
    target: &Database,
    address: &str,
    report: &mut (dyn FnMut(CopyProgress) + Send),
) -> Result<CopyReport> {
    for db in [source, target] {
        if db.is_chatwoot_database() {
            let why = "its documents belong to Chatwoot; only a store of this program's own can be copied or filled";
            return Err(StoreError::Unusable(format!("{}: {why}", db.label())));
        }
    }
    let mut reader = snapshot(source).await?;
    let state = StoreState::read(&mut reader, source.now()).await?;
    let found = target::begin(target, &state, address).await?;
    if found == TargetState::Complete {
        return Ok(CopyReport { was_complete: true, ..CopyReport::default() });
    }
    let mut total = 0;
    for table in &COPIED {
        total += count(&mut reader, table).await?;
    }
    let mut copied: Vec<CopiedTable> = COPIED.map(CopiedTable::begin).into();
    if found == TargetState::Interrupted && !compare(&mut copied, &mut reader, target, total, report).await? {
        // The source has changed since: its rows of then and of now do not belong together.
        target::clear(target).await?;
        copied = COPIED.map(CopiedTable::begin).into();
    }
    let mut progress = CopyProgress { phase: CopyPhase::Copying, rows: rows_of(&copied), total };
    let found = progress.rows;
    for table in &mut copied {
        report(progress);
        table.copy(&mut reader, target, &mut progress, report).await?;
    }
    reader.leave_snapshot().await?;
    drop(reader);
    let done = CopyReport {
        documents: rows_in(&copied, "captain_documents"),
        outcomes: rows_in(&copied, "@outcomes"),
        rows: rows_of(&copied),
        found,
        was_complete: false,
    };
    verify(copied, target, total, report).await?;
    target::complete(target, &state).await?;
    Ok(done)
}

/// Begins a snapshot that may last long.
async fn snapshot(db: &Database) -> Result<Reader> {
    let mut reader = db.reader().await?;
    reader.enter_snapshot().await?;
    if reader.dialect() == Dialect::Postgres {
        reader.all(query("SET LOCAL idle_in_transaction_session_timeout = 0")).await?;
    }
    Ok(reader)
}

/// A table of which some rows are copied.
struct CopiedTable {
    table: TableShape,
    pages: RowPages,
    digest: TableDigest,
}

impl CopiedTable {
    fn begin(table: TableShape) -> Self {
        Self { table, pages: RowPages::of(table), digest: TableDigest::default() }
    }

    /// Copies the rows that are left.
    async fn copy(
        &mut self,
        reader: &mut Reader,
        target: &Database,
        progress: &mut CopyProgress,
        report: &mut (dyn FnMut(CopyProgress) + Send),
    ) -> Result<()> {
        loop {
            let records = self.pages.next(reader).await?;
            if records.is_empty() {
                return Ok(());
            }
            let mut tx = Tx::begin(target, Purpose::Rows).await?;
            insert(&mut tx, &self.table, &records).await?;
            tx.commit().await?;
            self.digest.add(&records);
            fault::point("copy", self.table.name);
            progress.rows += records.len() as u64;
            report(*progress);
        }
    }
}

/// Compares what the target has with the first rows of the source, and returns true if they are the same.
async fn compare(
    tables: &mut [CopiedTable],
    reader: &mut Reader,
    target: &Database,
    total: u64,
    report: &mut (dyn FnMut(CopyProgress) + Send),
) -> Result<bool> {
    let mut progress = CopyProgress { phase: CopyPhase::Comparing, rows: 0, total };
    let mut there = target.reader().await?;
    for copied in tables {
        let mut pages = RowPages::of(copied.table);
        loop {
            report(progress);
            let found = pages.next(&mut there).await?;
            if found.is_empty() {
                break;
            }
            if copied.pages.take(reader, found.len()).await? != found {
                return Ok(false);
            }
            copied.digest.add(&found);
            progress.rows += found.len() as u64;
        }
    }
    Ok(true)
}

/// Reads the rows of the target and compares their numbers and digests with those that were read of the source.
async fn verify(
    tables: Vec<CopiedTable>,
    target: &Database,
    total: u64,
    report: &mut (dyn FnMut(CopyProgress) + Send),
) -> Result<()> {
    let mut progress = CopyProgress { phase: CopyPhase::Verifying, rows: 0, total };
    let mut reader = snapshot(target).await?;
    for copied in tables {
        let mut pages = RowPages::of(copied.table);
        let mut digest = TableDigest::default();
        loop {
            report(progress);
            let records = pages.next(&mut reader).await?;
            if records.is_empty() {
                break;
            }
            digest.add(&records);
            progress.rows += records.len() as u64;
        }
        let (expected, rows) = (copied.digest.rows, digest.rows);
        if !digest.equals(copied.digest) {
            let table = copied.table.name.trim_start_matches('@');
            return Err(StoreError::Unusable(format!(
                "{}: the copy is not the same: table {table} has {rows} rows, of {expected}, or others; something else \
                 has written to it. Begin again with an empty store",
                target.label()
            )));
        }
    }
    reader.leave_snapshot().await
}

fn rows_of(tables: &[CopiedTable]) -> u64 {
    tables.iter().map(|copied| copied.digest.rows).sum()
}

fn rows_in(tables: &[CopiedTable], name: &str) -> u64 {
    tables.iter().filter(|copied| copied.table.name == name).map(|copied| copied.digest.rows).sum()
}
