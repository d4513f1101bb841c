//! Large stores for reads and for the console. The measured program sets up the empty store, so that its schema is that
//! program's; plain SQL fills it, and the triggers keep the statuses and the counts.

use super::harness::place::Place;
use super::harness::postgres;
use super::options::StoreKind;
use super::process::Home;
use super::subject::{Run, Subject};

/// Accounts and hosts that share the documents.
pub const ACCOUNTS: usize = 500;
/// Hosts that share the documents.
pub const HOSTS: usize = 1_000;
/// A word in the names of few documents.
pub const WORD: &str = "lighthouse";
/// One document in this many has [`WORD`] in its name.
const WORD_EVERY: usize = 1_000;
/// Rows of one statement, so that no journal becomes as large as the store.
const BATCH: usize = 100_000;
const WEEK: i64 = 604_800_000_000;

/// A filled store of one program.
pub struct Filled {
    pub kind: StoreKind,
    /// Index of the program.
    pub subject: usize,
    pub home: Home,
    place: Option<Place>,
}

impl Filled {
    async fn make(kind: StoreKind, subject: usize, program: &Subject, documents: usize) -> Result<Self, String> {
        let (home, place) = match kind {
            StoreKind::Sqlite => {
                let home = Home::on_sqlite();
                let nothing = home.write("urls", "");
                home.run(program, &["import", &nothing])?;
                (home, None)
            }
            StoreKind::Postgres => {
                let database = postgres::empty().await;
                let home = Home::on(database.url.clone());
                home.run(program, &["migrate", "--standalone"])?;
                (home, Some(Place::on(database)))
            }
        };
        let filled = Self { kind, subject, home, place };
        filled.fill(documents).await;
        Ok(filled)
    }

    async fn fill(&self, documents: usize) {
        let now = jiff::Timestamp::now().as_microsecond();
        self.sql(&format!(
            "{} INSERT INTO accounts_sched (account_id, plan, cadence) SELECT i, 'business', {WEEK} FROM n",
            numbers(0, ACCOUNTS - 1)
        ))
        .await;
        for first in (1..=documents).step_by(BATCH) {
            let last = (first + BATCH - 1).min(documents);
            for statement in self.documents(first, last, documents, now) {
                self.sql(&statement).await;
            }
        }
        for first in (1..=2 * documents).step_by(BATCH) {
            let last = (first + BATCH - 1).min(2 * documents);
            self.sql(&outcomes(first, last, documents, now)).await;
        }
        self.sql(&format!("UPDATE outcome_seq SET last = {}", 2 * documents)).await;
        // The planner's statistics, as autovacuum would keep them; SQLite's program keeps none.
        if self.kind == StoreKind::Postgres {
            self.sql("VACUUM ANALYZE").await;
        }
    }

    /// Returns the statements that insert documents and their jobs: of 40, two failed, two were never synced, one is
    /// queued and two are scheduled; the others were synced in the last eight days, which is longer than the interval
    /// of their plan.
    fn documents(&self, first: usize, last: usize, documents: usize, now: i64) -> [String; 3] {
        let synced = format!("{now} - (i * 7919 % {documents}) * {}", 8 * WEEK / 7 / documents as i64);
        let time = |micros: &str| match self.kind {
            StoreKind::Sqlite => micros.to_owned(),
            StoreKind::Postgres => format!("stamp(CAST({micros} AS bigint))"),
        };
        let (synced, made) = (time(&synced), time(&(now - 5 * WEEK).to_string()));
        let numbers = numbers(first, last);
        let content = "The text of a page, with some words. ".repeat(27);
        [
            format!(
                "{numbers} INSERT INTO captain_documents (id, name, external_link, assistant_id, account_id, status, \
                 sync_status, last_synced_at, last_sync_attempted_at, created_at, updated_at, content) \
                 SELECT i, 'Page ' || (i * 7919 % {documents}) || CASE WHEN i % {WORD_EVERY} = 7 THEN ' {WORD}' ELSE '' END, \
                 'https://h' || (i % {HOSTS}) || '.test/' || i, 1, i % {ACCOUNTS}, 1, \
                 CASE i % 20 WHEN 0 THEN NULL WHEN 1 THEN 2 ELSE 1 END, CASE WHEN i % 20 > 1 THEN {synced} END, \
                 CASE WHEN i % 20 > 0 THEN {synced} END, {made}, {made}, CASE WHEN i % 20 > 1 THEN '{content}' END FROM n"
            ),
            format!(
                "{numbers} INSERT INTO document_state (document_id, host, content_length, error_code, detail, http_status) \
                 SELECT i, 'h' || (i % {HOSTS}) || '.test', CASE WHEN i % 20 > 1 THEN {} END, \
                 CASE WHEN i % 20 = 1 THEN 'not_found' END, CASE WHEN i % 20 = 1 THEN 'the page does not exist' END, \
                 CASE WHEN i % 20 = 1 THEN 404 END FROM n",
                content.len()
            ),
            format!(
                "{numbers} INSERT INTO jobs (document_id, account_id, assistant_id, url, host, class, state, run_at, \
                 requested_at) SELECT i, i % {ACCOUNTS}, 1, 'https://h' || (i % {HOSTS}) || '.test/' || i, \
                 'h' || (i % {HOSTS}) || '.test', 2, CASE WHEN i % 40 = 2 THEN 'ready' ELSE 'scheduled' END, \
                 {now} + i * CAST(1000000 AS bigint), {now} FROM n WHERE i % 40 = 2 OR i % 20 = 3"
            ),
        ]
    }

    async fn sql(&self, statement: &str) {
        match &self.place {
            Some(place) => {
                place.sql(statement).await;
            }
            None => {
                let store = rusqlite::Connection::open(self.home.file()).unwrap();
                store.execute_batch(statement).unwrap();
            }
        }
    }
}

/// Starts a statement that knows the numbers from `first` to `last` as `n`.
fn numbers(first: usize, last: usize) -> String {
    format!("WITH RECURSIVE n(i) AS (SELECT CAST({first} AS bigint) UNION ALL SELECT i + 1 FROM n WHERE i < {last})")
}

fn outcomes(first: usize, last: usize, documents: usize, now: i64) -> String {
    format!(
        "{} INSERT INTO outcomes (seq, at, document_id, account_id, assistant_id, name, url, host, job_id, attempt, \
         token, queue, result, content, duration_ms, http_status, worker) SELECT i, {now} - ({} - i) * 100000, \
         1 + i % {documents}, (1 + i % {documents}) % {ACCOUNTS}, 1, 'Page', \
         'https://h' || (i % {HOSTS}) || '.test/' || (1 + i % {documents}), 'h' || (i % {HOSTS}) || '.test', i, 1, i, \
         2, 'unchanged', 'not_modified', i % 3000, 304, 'worker' FROM n",
        numbers(first, last),
        2 * documents
    )
}

/// Fills a store of each kind for each program.
pub async fn stores(run: &Run) -> Result<Vec<Filled>, String> {
    let mut filled = Vec::new();
    for kind in &run.stores {
        for (index, subject) in run.subjects.iter().enumerate() {
            eprintln!("  filling {} with {} documents", kind.name(), run.options.documents);
            filled.push(Filled::make(*kind, index, subject, run.options.documents).await?);
        }
    }
    Ok(filled)
}

/// Returns the stores of one kind, in the order of the programs.
pub fn of_kind(filled: &[Filled], kind: StoreKind) -> Vec<&Filled> {
    let mut found: Vec<&Filled> = filled.iter().filter(|store| store.kind == kind).collect();
    found.sort_by_key(|store| store.subject);
    found
}
