//! The parts of a sync without the program: the fetch of the same pages by the bare HTTP client, their conversion and
//! hash by the library, and commits of the converted texts in groups of 16. A process of its own measures them, so that
//! nothing else is in its processor time.

use super::groups::Group;
use super::pages::PageKind;
use super::sheet::Figure;
use super::subject::Run;
use futures_util::{StreamExt as _, stream};
use quarterdeck::fetch::convert;
use rusqlite::Connection;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};
use url::Url;

/// Concurrent requests of the bare client.
const AT_A_TIME: usize = 16;
/// Texts in one commit.
const IN_A_COMMIT: usize = 16;

/// Name of the row with the sum of the parts.
pub const SUM: &str = "sum of the parts";

/// Processor time of each part, in milliseconds a page.
#[derive(Serialize, Deserialize)]
struct Parts {
    fetch: f64,
    convert: f64,
    hash: f64,
    commit: f64,
}

/// Measures the parts in every round.
pub fn measure(run: &mut Run) -> Result<(), String> {
    for _ in 0..run.options.runs {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("urls"), run.server.urls(PageKind::Whole, run.options.pages)).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        let output = command.arg("parts").arg(folder.path()).stderr(Stdio::inherit()).output().unwrap();
        let parts: Parts = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
        let figure = |name| Figure::new(Group::Parts, name, "ms");
        run.sheet.add(0, figure("fetch by the bare client"), parts.fetch);
        run.sheet.add(0, figure("conversion"), parts.convert);
        run.sheet.add(0, figure("hash of the body"), parts.hash);
        run.sheet.add(0, figure("SQLite commit in groups of 16"), parts.commit);
        run.sheet.add(0, figure(SUM), parts.fetch + parts.convert + parts.hash + parts.commit);
    }
    Ok(())
}

/// Measures all parts with the URLs in `folder`, and prints them as JSON: the measuring process.
pub fn print(folder: &Path) {
    let urls = fs::read_to_string(folder.join("urls")).unwrap();
    let urls: Vec<Url> = urls.lines().map(|url| Url::parse(url).unwrap()).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let fetch = async |url: &Url| {
        let mut response = client.get(url.clone()).send().await.unwrap();
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.unwrap() {
            body.extend_from_slice(&piece);
        }
        body
    };
    let mut bodies = Vec::new();
    let fetching = timed(urls.len(), || {
        runtime.block_on(async {
            bodies = stream::iter(&urls).map(fetch).buffered(AT_A_TIME).collect::<Vec<_>>().await;
        });
    });
    let bodies: Vec<String> = bodies.into_iter().map(|body| String::from_utf8(body).unwrap()).collect();
    let mut texts = Vec::new();
    let converting = timed(urls.len(), || {
        texts = bodies.iter().zip(&urls).map(|(body, url)| convert(body, url).unwrap().markdown).collect();
    });
    let hashing = timed(urls.len(), || {
        for body in &bodies {
            black_box(Sha256::digest(body));
        }
    });
    let mut connection = Connection::open(folder.join("texts.db")).unwrap();
    let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384";
    connection.execute_batch(settings).unwrap();
    connection.execute_batch("CREATE TABLE texts (id INTEGER PRIMARY KEY, url TEXT, content TEXT)").unwrap();
    let committing = timed(urls.len(), || {
        for group in texts.iter().zip(&urls).collect::<Vec<_>>().chunks(IN_A_COMMIT) {
            let commit = connection.transaction().unwrap();
            for (text, url) in group {
                let mut insert = commit.prepare_cached("INSERT INTO texts (url, content) VALUES (?1, ?2)").unwrap();
                insert.execute((url.as_str(), text)).unwrap();
            }
            commit.commit().unwrap();
        }
    });
    let parts = Parts { fetch: fetching, convert: converting, hash: hashing, commit: committing };
    println!("{}", serde_json::to_string(&parts).unwrap());
}

/// Returns the processor time of `work` in milliseconds for each of `pages`.
fn timed(pages: usize, work: impl FnOnce()) -> f64 {
    let before = busy();
    work();
    (busy() - before) * 1e3 / pages as f64
}

fn busy() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
