//! Tests mixed faults for half an hour, with two consoles on pseudo-terminals (F25): memory, handles, threads and files
//! stay bounded, and the screens show what the store has at the end.

use crate::support::fleet::{Fleet, Random};
use crate::support::install::{Install, Process};
use crate::support::limit::lasts;
use crate::support::measure::{self, Stopwatch};
use crate::support::place::{Backend, Place};
use crate::support::postgres::Own;
use crate::support::pty::Terminal;
use crate::support::redis::TestRedis;
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::document::Status;
use rustix::process::Signal;
use std::fmt;
use std::time::Duration;

const DOCUMENTS: usize = 2_000;
/// Pause between two faults.
const PAUSE: Duration = Duration::from_secs(4);
/// Longer than the lease of the workers.
const STOPPED: Duration = Duration::from_secs(8);

/// Length of the run: half an hour, or `QUARTERDECK_SOAK_MINUTES`.
fn length() -> Duration {
    let minutes = std::env::var("QUARTERDECK_SOAK_MINUTES").ok().map(|text| text.parse::<f64>().expect("minutes"));
    Duration::from_secs_f64(minutes.unwrap_or(30.0) * 60.0)
}

/// Memory in KB, open files and threads of a process, and the files in the folders of the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Use {
    memory: u64,
    handles: u64,
    threads: u64,
}

impl Use {
    fn of(pid: u32) -> Self {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
        };
        let handles = std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, |files| files.count() as u64);
        Self { memory: number("VmRSS"), handles, threads: number("Threads") }
    }

    fn most(self, other: Self) -> Self {
        Self {
            memory: self.memory.max(other.memory),
            handles: self.handles.max(other.handles),
            threads: self.threads.max(other.threads),
        }
    }
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} KB, {} handles, {} threads", self.memory, self.handles, self.threads)
    }
}

/// Samples of a process that lives all the time.
struct Watched {
    name: &'static str,
    pid: u32,
    samples: Vec<Use>,
}

impl Watched {
    fn new(name: &'static str, pid: u32) -> Self {
        Self { name, pid, samples: Vec::new() }
    }

    /// The most of the second quarter, when everything has been used once, and of the last.
    fn ends(&self) -> (Use, Use) {
        let quarter = self.samples.len() / 4;
        let most = |samples: &[Use]| samples.iter().copied().fold(Use::default(), Use::most);
        (most(&self.samples[quarter..2 * quarter]), most(&self.samples[self.samples.len() - quarter..]))
    }
}

/// Pages of every kind, whose texts change now and then.
fn page(path: &str, hit: u32) -> Reply {
    let number: usize = path.trim_start_matches('/').parse().expect("a number");
    let reply = match number {
        n if n % 97 == 3 => Reply::Status(404, vec![]),
        n if n % 11 == 5 && hit % 7 == 1 => Reply::Status(503, vec![]),
        _ => html(path, &format!("answer {} of {path} {}", hit / 4, "words ".repeat(number % 400))),
    };
    Reply::After(Duration::from_millis(20 + number as u64 % 60), Box::new(reply))
}

/// The servers that get faults of their own.
struct Servers {
    postgres: Option<Own>,
    redis: Option<TestRedis>,
}

async fn servers(on: Backend) -> (Servers, Place) {
    match on {
        Backend::Sqlite => (Servers { postgres: None, redis: None }, Place::new(on).await),
        Backend::Postgres => {
            let server = Own::start().await;
            let place = Place::on(server.store().await);
            (Servers { postgres: Some(server), redis: Some(TestRedis::own(None)) }, place)
        }
    }
}

/// Carries out a fault; returns its name.
async fn fault(
    kind: usize,
    fleet: &mut Fleet,
    servers: &mut Servers,
    workers: &mut Vec<Process>,
    random: &mut Random,
) -> &'static str {
    let victim = random.below(workers.len());
    match (kind, &mut servers.postgres, &mut servers.redis) {
        (0, Some(server), _) => {
            server.crash().await;
            "crashes of PostgreSQL"
        }
        (1, _, Some(redis)) => {
            redis.run("FLUSHALL", &[]);
            "empty Redis"
        }
        (2, _, Some(redis)) => {
            redis.stop();
            lasts(PAUSE).await;
            redis.start_again();
            "Redis away"
        }
        (0, None, _) => {
            let lock = fleet.place.block().await;
            lasts(PAUSE).await;
            lock.end().await;
            "write locks"
        }
        (3, ..) => {
            workers[victim].signal(Signal::STOP);
            lasts(STOPPED).await;
            workers[victim].signal(Signal::CONT);
            "stops"
        }
        _ => {
            fleet.kill(workers.swap_remove(victim));
            workers.push(fleet.work());
            "kills"
        }
    }
}

fn files(folder: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let count = |entry: std::fs::DirEntry| if entry.path().is_dir() { files(&entry.path()) } else { 1 };
    entries.flatten().map(count).sum()
}

/// Writes a number as the console does.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

async fn f25_mixed_faults_leave_memory_and_handles_bounded_and_screens_right(on: Backend) {
    let (mut servers, place) = servers(on).await;
    let redis = servers.redis.as_ref();
    let key = redis.map_or(String::new(), |redis| format!("redis.key = {:?}\n", redis.key_pattern()));
    let settings = format!(
        "runner.per_host = 256\nrunner.concurrency = 8\nrunner.lease = \"6s\"\nrunner.heartbeat = \"1s\"\n\
         retry.transient_waits = [\"1s\", \"1s\", \"1s\"]\n{key}"
    );
    let mut fleet = Fleet::at(place, Install::new(Site::start(page).await, &settings)).await;
    if let Some(redis) = redis {
        fleet = fleet.with("QUARTERDECK_REDIS", redis.url());
    }
    fleet.fill(DOCUMENTS).await;
    let mut workers: Vec<_> = (0..3).map(|_| fleet.work()).collect();
    // Lives through every fault.
    let old = fleet.work();
    let consoles = [&["--no-runner"][..], &["--runner"]].map(|args| {
        let mut command = fleet.install.on_terminal(args);
        for (name, value) in fleet.env() {
            command.env(name, value);
        }
        Terminal::spawn(120, 40, command)
    });
    for console in &consoles {
        console.until("the list", |screen| screen.contents().contains("following"));
    }
    let pid = |console: &Terminal| u32::try_from(console.pid()).expect("a process id");
    let mut watched = [
        Watched::new("worker", old.id()),
        Watched::new("console", pid(&consoles[0])),
        Watched::new("console with a runner", pid(&consoles[1])),
    ];
    let (begun, mut random) = (Stopwatch::start(), Random::new(25));
    let mut faults = std::collections::BTreeMap::<&str, usize>::new();
    let (mut most_files, mut longest, mut requests) = (0, Duration::ZERO, DOCUMENTS);
    while begun.took() < length() {
        let kind = random.below(6);
        *faults.entry(fault(kind, &mut fleet, &mut servers, &mut workers, &mut random).await).or_default() += 1;
        fleet.fault_is_over();
        let back = Stopwatch::start();
        if fleet.live().await.is_some_and(|live| live < DOCUMENTS as u64 / 2) {
            fleet.fill(DOCUMENTS).await;
            requests += DOCUMENTS;
        }
        fleet.reached(fleet.count() + 1).await;
        longest = longest.max(back.took());
        lasts(PAUSE).await;
        for watched in &mut watched {
            watched.samples.push(Use::of(watched.pid));
        }
        most_files = most_files.max(files(fleet.install.folder()) + files(fleet.place.folder()));
    }
    fleet.drained().await;
    let last = fleet.store.last_seq().await.expect("the store answers").0;
    let counts = fleet.store.counts().await.expect("the store answers");
    let number = |status| grouped(counts.of(status));
    let expected = [
        // The words follow where the head line has room for them.
        format!("✓ {}", number(Status::Synced)),
        format!("✗ {}", number(Status::Failed)),
        format!("documents {} ", grouped(counts.total())),
        format!(" {} ─", grouped(u64::try_from(last).expect("a count"))),
    ];
    for console in &consoles {
        console.until(&format!("{expected:?}"), |screen| {
            let text = screen.contents();
            expected.iter().all(|part| text.contains(part)) && text.contains("following")
        });
    }
    println!("{:.1} min, {requests} requests, {last} outcomes, {faults:?}", begun.took().as_secs_f64() / 60.0);
    println!("{most_files} files at most, {} at the end", files(fleet.install.folder()) + files(fleet.place.folder()));
    for watched in &watched {
        let (early, late) = watched.ends();
        println!("{}: {early} in the second quarter, {late} in the last", watched.name);
        assert!(late.handles <= early.handles + 64 && late.threads <= early.threads + 16, "{early} {late}");
        let growth = late.memory as f64 / early.memory.max(1) as f64;
        assert!(growth < 1.5, "{}: memory of {early} and {late}", watched.name);
        measure::at_least(
            &format!("memory of the {} before, as a share of that after", watched.name),
            1.0 / growth,
            0.95,
        );
    }
    drop(consoles);
    for worker in workers.into_iter().chain([old]) {
        worker.signal(Signal::TERM);
        let ended = worker.ended();
        // On a machine that other programs keep busy the last write of a worker may find the database busy for 5 s. All
        // jobs have ended, and what counts is checked below.
        assert!(ended.code == Some(0) || ended.err.contains("does not answer"), "{ended:?}");
    }
    let count = faults.values().sum();
    fleet.check("F25 soak", requests, count, longest).await;
}

on_both! {
    (flavor = "multi_thread", worker_threads = 4);
    only by command:
    f25_mixed_faults_leave_memory_and_handles_bounded_and_screens_right,
}
