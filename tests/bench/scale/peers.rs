//! Other job runners with the work of a sync of 22 bytes, in turns with Quarterdeck: the same pages from the same
//! server, on the same kind of store, each in a process of its own.

use super::groups::Group;
use super::harness::postgres::{self, Database};
use super::options::StoreKind;
use super::pages::PageKind;
use super::peer_builds::Builds;
use super::process::{Home, Usage};
use super::server_time::ServerTime;
use super::sheet::Figure;
use super::subject::Run;
use rusqlite::{Connection, OpenFlags};

/// Numbers of concurrent jobs.
const SLOTS: [usize; 2] = [16, 64];

/// Language of a runner, which decides how it is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Rust,
    Node,
}

/// Another job runner on one kind of store.
#[derive(Clone, Copy)]
struct Peer {
    /// Its name in the table, with the settings that are not its defaults.
    name: &'static str,
    /// Its word on the command line of the program that contains it.
    word: &'static str,
    language: Language,
    store: StoreKind,
    /// Counts the jobs that it does not regard as done.
    unfinished: &'static str,
}

const PEERS: [Peer; 5] = [
    Peer {
        name: "apalis 1.0.0",
        word: "apalis-sqlite",
        language: Language::Rust,
        store: StoreKind::Sqlite,
        unfinished: "SELECT count(*) FROM Jobs WHERE status <> 'Done'",
    },
    Peer {
        name: "apalis 1.0.0",
        word: "apalis-postgres",
        language: Language::Rust,
        store: StoreKind::Postgres,
        unfinished: "SELECT count(*) FROM apalis.jobs WHERE status <> 'Done'",
    },
    Peer {
        name: "awa 0.6.9",
        word: "awa",
        language: Language::Rust,
        store: StoreKind::Postgres,
        unfinished: "SELECT count(*) FROM awa.jobs WHERE state <> 'completed'",
    },
    Peer {
        name: "graphile-worker 0.18.0 with batches",
        word: "graphile-worker",
        language: Language::Node,
        store: StoreKind::Postgres,
        unfinished: "SELECT count(*) FROM graphile_worker.jobs",
    },
    Peer {
        name: "pg-boss 12.38.0 with batches",
        word: "pg-boss",
        language: Language::Node,
        store: StoreKind::Postgres,
        unfinished: "SELECT count(*) FROM pgboss.job WHERE name = 'pages' AND state <> 'completed'",
    },
];

/// Runner whose turn it is: a program of Quarterdeck by its index, or another.
#[derive(Clone, Copy)]
enum Turn {
    Own(usize),
    Other(Peer),
}

impl Turn {
    /// Returns its name in the table.
    const fn name(self) -> &'static str {
        match self {
            Self::Own(_) => "quarterdeck",
            Self::Other(peer) => peer.name,
        }
    }
}

/// Measures every runner on every store in every round. A runner that fails has no more turns, and the others go on.
pub async fn measure(run: &mut Run) -> Result<(), String> {
    let builds =
        Builds::make(|language| PEERS.iter().any(|peer| peer.language == language && run.stores.contains(&peer.store)));
    for note in builds.notes() {
        run.sheet.note(note);
    }
    let mut peers: Vec<Peer> = PEERS.into_iter().filter(|peer| builds.has(peer.language)).collect();
    let mut failures = Vec::new();
    for round in 0..run.options.runs {
        for store in run.stores.clone() {
            for slots in SLOTS {
                let others = peers.clone().into_iter().filter(|peer| peer.store == store).map(Turn::Other);
                let mut turns: Vec<Turn> = (0..run.subjects.len()).map(Turn::Own).chain(others).collect();
                if round % 2 == 1 {
                    turns.reverse();
                }
                for turn in turns {
                    let Err(failure) = measure_one(run, &builds, turn, store, slots).await else { continue };
                    let failure = format!("{} on {} with {slots} slots: {failure}", turn.name(), store.name());
                    match turn {
                        Turn::Own(_) => return Err(failure),
                        Turn::Other(failed) => peers.retain(|peer| peer.word != failed.word),
                    }
                    failures.push(failure);
                }
            }
        }
    }
    add_ratios(run);
    if failures.is_empty() { Ok(()) } else { Err(failures.join("; ")) }
}

/// Measures one run of one runner.
async fn measure_one(run: &mut Run, builds: &Builds, turn: Turn, store: StoreKind, slots: usize) -> Result<(), String> {
    let database = match store {
        StoreKind::Sqlite => None,
        StoreKind::Postgres => Some(postgres::empty().await),
    };
    let home = database.as_ref().map_or_else(Home::on_sqlite, |database| Home::on(database.url.clone()));
    let measured = run_jobs(run, builds, turn, slots, &home, database.as_ref()).await;
    if let Some(database) = database {
        postgres::drop_database(database).await;
    }
    let (usage, server) = measured?;
    let subject = match turn {
        Turn::Own(index) => index,
        Turn::Other(_) => 0,
    };
    let jobs = run.options.jobs as f64;
    let figure = |what, unit| Figure::new(Group::Peers, row(turn.name(), store, slots, what), unit);
    run.sheet.add(subject, figure(RATE, "1/s"), jobs / usage.wall);
    run.sheet.add(subject, figure(CPU, "ms"), usage.cpu * 1e3 / jobs);
    if let Some(server) = server {
        run.sheet.add(subject, figure(SERVER, "ms"), server * 1e3 / jobs);
    }
    run.sheet.add(subject, figure("peak memory", "MB"), usage.peak);
    Ok(())
}

/// Makes the jobs, runs them, and checks that all are done; returns the costs of the run and the processor seconds of
/// the server, if it has one on this machine.
async fn run_jobs(
    run: &mut Run,
    builds: &Builds,
    turn: Turn,
    slots: usize,
    home: &Home,
    database: Option<&Database>,
) -> Result<(Usage, Option<f64>), String> {
    let jobs = run.options.jobs;
    let urls = home.write("urls", &run.server.urls(PageKind::Tiny, jobs));
    let store = database.map_or_else(|| format!("sqlite:{}", home.file().display()), |database| database.url.clone());
    let command = match turn {
        Turn::Own(index) => {
            let subject = &run.subjects[index];
            if database.is_some() {
                home.run(subject, &["migrate", "--standalone"])?;
            }
            home.run(subject, &["import", &urls])?;
            home.run(subject, &["sync", "--all", "--yes"])?;
            let words =
                [&subject.program.display().to_string(), "work", "--drain", "--concurrency", &slots.to_string()];
            words.map(str::to_owned).to_vec()
        }
        Turn::Other(peer) => {
            let words = |words: &[&str]| {
                let own = builds.command(peer.language).iter().map(String::as_str);
                own.chain(words.iter().copied()).map(str::to_owned).collect::<Vec<String>>()
            };
            measure_words(home, &words(&["fill", peer.word, &store, &urls]))?;
            words(&["work", peer.word, &store, &slots.to_string(), &jobs.to_string()])
        }
    };
    let mut server = None;
    if let Some(database) = database {
        // The planner's statistics, as autovacuum would keep them; it is off on the server of the benchmark.
        database.script("VACUUM ANALYZE").await;
        server = ServerTime::of(database).await;
        if server.is_none() {
            run.sheet.note_once("no processor time of the server: it is not on this machine");
        }
        run.sheet.note_once(format!(
            "peers: PostgreSQL has fsync {}, synchronous_commit {}",
            database.text("SHOW fsync").await,
            database.text("SHOW synchronous_commit").await,
        ));
    }
    let before = server.as_ref().map(ServerTime::seconds);
    let usage = measure_words(home, &command)?;
    let after = server.as_ref().map(ServerTime::seconds);
    check(home, database, turn, jobs).await?;
    Ok((usage, after.zip(before).map(|(after, before)| after - before)))
}

fn measure_words(home: &Home, words: &[String]) -> Result<Usage, String> {
    home.measure(&words.iter().map(String::as_str).collect::<Vec<_>>(), &[0])
}

/// Checks that every page has been written once and that no job is left.
async fn check(home: &Home, database: Option<&Database>, turn: Turn, jobs: usize) -> Result<(), String> {
    let schema = if database.is_some() { "quarterdeck." } else { "" };
    let (written, unfinished) = match turn {
        Turn::Own(_) => (
            format!("SELECT count(*) FROM {schema}outcomes WHERE content = 'first'"),
            format!("SELECT count(*) FROM {schema}jobs WHERE state <> 'done'"),
        ),
        Turn::Other(peer) => ("SELECT count(*) FROM synced_pages".to_owned(), peer.unfinished.to_owned()),
    };
    let (written, unfinished) = (count(home, database, &written).await?, count(home, database, &unfinished).await?);
    if (written, unfinished) == (jobs, 0) {
        return Ok(());
    }
    Err(format!("{written} of {jobs} pages are written, {unfinished} jobs are left"))
}

async fn count(home: &Home, database: Option<&Database>, query: &str) -> Result<usize, String> {
    if let Some(database) = database {
        let text = database.text(&format!("SELECT CAST(({query}) AS text)")).await;
        return text.parse().map_err(|error| format!("{text}: {error}"));
    }
    let count = || {
        let store = Connection::open_with_flags(home.file(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        store.query_row(query, (), |row| row.get::<_, u32>(0))
    };
    count().map(|count| count as usize).map_err(|error| error.to_string())
}

/// Names of the figures of a run that the ratios are made of.
const RATE: &str = "jobs a second";
const CPU: &str = "CPU a job";
const SERVER: &str = "CPU of the server a job";

fn row(name: &str, store: StoreKind, slots: usize, what: &str) -> String {
    format!("{name}, {}, {slots}: {what}", store.name())
}

/// Adds the processor time of each other runner, with that of its server, as a multiple of Quarterdeck's.
fn add_ratios(run: &mut Run) {
    for peer in PEERS {
        for slots in SLOTS {
            let value = |name, what| run.sheet.value(Group::Peers, &row(name, peer.store, slots, what), 0);
            let total = |name| Some(value(name, CPU)? + value(name, SERVER).unwrap_or(0.0));
            let ratio = || Some(total(peer.name)? / total("quarterdeck")?);
            if let Some(ratio) = ratio() {
                let name = row(peer.name, peer.store, slots, "all CPU, times quarterdeck's");
                run.sheet.add(0, Figure::new(Group::Peers, name, ""), ratio);
            }
        }
    }
}
