//! Imports, exports and copies a store in little memory, killed in between. `QUARTERDECK_TEXTS` is the number of documents
//! and `QUARTERDECK_TEXTS_KILLS` that of the kills of each verb; figures of a large run stand in `benchmarks.md`.

use super::files_below;
use crate::support::install::{Install, Process};
use crate::support::limit::{lasts, until_blocking};
use crate::support::measure::Stopwatch;
use crate::support::place::{Backend, Place};
use crate::support::resident::ResidentMemory;
use crate::support::site::{Reply, Site};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

const DOCUMENTS: usize = 2_000;
const KILLS: usize = 2;
/// Limit of a process's resident memory, in kB.
const MOST_MEMORY: u64 = 60 * 1_024;
/// Rows of one statement, so that no journal becomes as large as the store.
const BATCH: usize = 20_000;

fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).map_or(default, |value| value.parse().unwrap())
}

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).into()
}

/// The runs of the test, and their figures.
struct Runs<'a> {
    install: &'a Install,
    kills: usize,
    figures: Vec<String>,
}

impl Runs<'_> {
    fn start(&self, args: &[String]) -> Process {
        self.install.start(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Runs the program to its end, and notes its time and the peak of its memory under `name`. Returns the time.
    fn whole(&mut self, name: &str, args: &[String]) -> Duration {
        let watch = Stopwatch::start();
        let process = self.start(args);
        let mut memory = 0;
        until_blocking(format_args!("{args:?}"), || {
            let now = ResidentMemory::of(process.id());
            memory = memory.max(now.as_ref().map_or(0, ResidentMemory::counted));
            // A process that has ended has no memory any more.
            now.is_none().then_some(())
        });
        let (ended, took) = (process.ended(), watch.took());
        assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
        self.figures.push(format!("{name}: {:.1} s, {} MB", took.as_secs_f64(), memory / 1_024));
        assert!(memory > 0 && memory < MOST_MEMORY, "{:?}", self.figures);
        took
    }

    /// Kills runs, each later than the one before within the time `whole`, then runs the program to its end. `args` is
    /// given the number of runs that came to an end before they were killed.
    async fn killed(&mut self, name: &str, whole: Duration, args: impl Fn(usize) -> Vec<String>) -> usize {
        let (mut kills, mut ends) = (0, 0);
        while kills < self.kills {
            let process = self.start(&args(ends));
            // A run that was faster than its kill makes the next kills earlier.
            let share = (kills + 1) as f64 / (self.kills + 1) as f64 * 0.8_f64.powi(ends as i32);
            lasts(whole.mul_f64(share)).await;
            process.signal(Signal::KILL);
            let ended = process.ended();
            match ended.signal {
                Some(_) => kills += 1,
                None => {
                    assert_eq!(ended.code, Some(0), "{ended:?}");
                    ends += 1;
                    assert!(ends <= self.kills, "{name}: {ends} runs were faster than their kill");
                }
            }
        }
        self.whole(&format!("{name} after {kills} kills"), &args(ends));
        ends
    }
}

/// Returns a digest of every file below a folder, by its path; files of the export itself are left out.
fn digests(folder: &Path) -> BTreeMap<PathBuf, u64> {
    let is_own = |path: &PathBuf| path.file_name().unwrap().as_encoded_bytes().starts_with(b".quarterdeck-export");
    let digest = |path: PathBuf| {
        let mut digest = DefaultHasher::new();
        fs::read(&path).unwrap().hash(&mut digest);
        (path.strip_prefix(folder).unwrap().to_owned(), digest.finish())
    };
    files_below(folder).into_iter().filter(|path| !is_own(path)).map(digest).collect()
}

/// Gives each document a text of some 2,000 characters, an earlier version of it, and an outcome.
async fn fill(store: &Place, documents: usize) {
    let sentence = "' The page ' || id || ' says how it is set up, and what to do when it fails.'";
    let text = format!(
        "'# Page ' || id || char(10) || char(10) || replace(hex(zeroblob(14)), '00', {sentence} || {sentence})"
    );
    for first in (1..=documents).step_by(BATCH) {
        let these = format!("BETWEEN {first} AND {}", first + BATCH - 1);
        store
            .sql(&format!(
                "UPDATE captain_documents SET content = {text}, name = 'Page ' || id, sync_status = 1, \
                 last_synced_at = created_at, last_sync_attempted_at = created_at WHERE id {these}; \
                 UPDATE document_state SET content_version = 2, text_seq = document_id, first_text_seq = document_id, \
                 content_length = (SELECT length(content) FROM captain_documents WHERE id = document_id) \
                 WHERE document_id {these}; \
                 INSERT INTO document_versions (document_id, version, replaced_at, fingerprint, content_length, content) \
                 SELECT id, 1, created_at, 'f' || id, length({sentence}), {sentence} FROM captain_documents WHERE id {these}; \
                 INSERT INTO outcomes (seq, at, document_id, account_id, assistant_id, name, url, host, job_id, attempt, \
                 token, queue, result, content, duration_ms, http_status, worker) SELECT id, created_at, id, account_id, \
                 assistant_id, name, external_link, 'h.test', id, 1, id, 2, 'updated', 'first', 20, 200, 'w' \
                 FROM captain_documents WHERE id {these}"
            ))
            .await;
    }
    store.sql(&format!("UPDATE outcome_seq SET last = {documents}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn import_export_and_copy_are_whole_after_kills_and_need_little_memory() {
    let documents = number("QUARTERDECK_TEXTS", DOCUMENTS);
    let install = Install::new(Site::start(|_: &str, _| Reply::Status(404, Vec::new())).await, "");
    let folder = |name: &str| install.folder().join(name).display().to_string();
    let mut runs = Runs { install: &install, kills: number("QUARTERDECK_TEXTS_KILLS", KILLS), figures: Vec::new() };

    let urls: String =
        (0..documents).map(|page| format!("https://h{}.test/{}/{page}\n", page % 997, page % 7)).collect();
    let urls = install.write("urls.txt", urls).display().to_string();
    let took = runs.whole("import", &words(["import", &urls]));
    let again: Vec<Place> = places(Backend::Sqlite, runs.kills).await;
    let ends = runs.killed("import", took, |ends| words(["import", &urls, "--store", &again[ends].url()])).await;
    let imported = again[ends].number("SELECT count(*) FROM captain_documents").await;
    assert_eq!(imported, i64::try_from(documents).ok());
    drop(again);

    let store = Place::of_file(install.file());
    fill(&store, documents).await;
    let took = runs.whole("export", &words(["export", &folder("whole")]));
    let expected = digests(Path::new(&folder("whole")));
    assert_eq!(expected.len(), documents);
    let ends = runs.killed("export", took, |ends| words(["export", &folder(&format!("parts{ends}"))])).await;
    let parts = folder(&format!("parts{ends}"));
    assert!(digests(Path::new(&parts)) == expected, "the export that was killed has other files");
    runs.whole("export of what is unchanged", &words(["export", &parts]));
    let lines = folder("texts.jsonl");
    let took = runs.whole("export as JSON lines", &words(["export", &lines]));
    let whole = fs::read(&lines).unwrap();
    assert_eq!(whole.iter().filter(|byte| **byte == b'\n').count(), documents);
    let again = folder("again.jsonl");
    runs.killed("export as JSON lines", took, |_| words(["export", &again])).await;
    assert!(fs::read(&again).unwrap() == whole, "the file that was killed has other lines");

    for (on, name) in [(Backend::Sqlite, "copy to SQLite"), (Backend::Postgres, "copy to PostgreSQL")] {
        let copies = places(on, runs.kills + 1).await;
        let copy = |at: usize| words(["copy", "--from", &store.url(), "--to", &copies[at].url()]);
        let took = runs.whole(name, &copy(0));
        let ends = runs.killed(name, took, |ends| copy(ends + 1)).await;
        let moved = folder(name);
        runs.whole("export of the copy", &words(["export", &moved, "--store", &copies[ends + 1].url()]));
        assert!(digests(Path::new(&moved)) == expected, "{name}: other texts");
    }
    println!("{documents} documents\n{}", runs.figures.join("\n"));
}

/// Makes empty stores, one more than `kills`: a run that ends before its kill is followed by one with the next.
async fn places(on: Backend, kills: usize) -> Vec<Place> {
    let mut places = Vec::new();
    for _ in 0..=kills {
        places.push(Place::new(on).await);
    }
    places
}
