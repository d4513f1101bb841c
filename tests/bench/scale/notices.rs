//! What notifications cost syncs: `work --drain` without a sink, with a webhook that hangs, and with one that answers, in
//! turns.

use super::groups::Group;
use super::instructions::count;
use super::machine::is_installed;
use super::pages::PageKind;
use super::process::{Home, SETTINGS};
use super::sheet::Figure;
use super::subject::{Run, Subject};
use rusqlite::{Connection, OpenFlags};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Most pages of a run whose instructions are counted.
const COUNTED: usize = 256;
/// Share of a sync's cost by which it may cost more with a sink whose receiver hangs.
const GOAL: f64 = 1.02;

/// What a webhook does with its records.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Receiver {
    None,
    Hangs,
    Answers,
}

impl Receiver {
    const ALL: [Self; 3] = [Self::None, Self::Hangs, Self::Answers];

    const fn words(self) -> &'static str {
        match self {
            Self::None => "no sink",
            Self::Hangs => "a webhook that hangs",
            Self::Answers => "a webhook that answers",
        }
    }

    fn settings(self, address: &str) -> String {
        let path = match self {
            Self::None => return SETTINGS.to_owned(),
            Self::Hangs => "hang",
            Self::Answers => "answer",
        };
        format!(
            "{SETTINGS}notify.allow_private_hosts = [\"{address}\"]\nnotify.bench.kind = \"webhook\"\n\
             notify.bench.url = \"http://{address}/{path}\"\nnotify.bench.on = \"\"\n"
        )
    }
}

/// Measures all receivers in every round, then counts instructions where valgrind is installed.
pub fn measure(run: &mut Run) -> Result<(), String> {
    for index in run.turns() {
        for receiver in Receiver::ALL {
            let pages = run.options.pages;
            let home = prepare(run, &run.subjects[index], receiver, pages)?;
            let usage = home.run(&run.subjects[index], &["work", "--drain", "--concurrency", "16"])?;
            let seconds = check(&home, receiver, pages)?;
            let figure = |what, unit| Figure::new(Group::Notify, name(receiver, what), unit);
            run.sheet.add(index, figure("CPU a document", "ms"), usage.cpu * 1e3 / pages as f64);
            run.sheet.add(index, figure("documents a second", "1/s"), pages as f64 / seconds);
        }
    }
    for index in 0..run.subjects.len() {
        add_ratios(run, index, "CPU a document")?;
    }
    if !is_installed("valgrind") {
        run.sheet.note("no instructions with sinks: valgrind is not installed");
        return Ok(());
    }
    let pages = run.options.pages.min(COUNTED);
    for index in 0..run.subjects.len() {
        for receiver in Receiver::ALL {
            let mut counts = [0.0; 2];
            for (total, pages) in counts.iter_mut().zip([0, pages]) {
                let home = prepare(run, &run.subjects[index], receiver, pages)?;
                *total = count(&home, &run.subjects[index], &["work", "--drain", "--concurrency", "16"])?;
            }
            let mean = (counts[1] - counts[0]) / pages as f64 / 1e6;
            run.sheet.add(index, Figure::new(Group::Notify, name(receiver, INSTRUCTIONS), "million"), mean);
        }
        add_ratios(run, index, INSTRUCTIONS)?;
    }
    Ok(())
}

const INSTRUCTIONS: &str = "instructions a document";

fn name(receiver: Receiver, what: &str) -> String {
    format!("{}: {what}", receiver.words())
}

/// Adds the ratios of the medians to that without a sink.
fn add_ratios(run: &mut Run, index: usize, what: &str) -> Result<(), String> {
    let value = |receiver| run.sheet.value(Group::Notify, &name(receiver, what), index).ok_or("no figure");
    let (none, hangs, answers) = (value(Receiver::None)?, value(Receiver::Hangs)?, value(Receiver::Answers)?);
    for (receiver, value) in [(Receiver::Hangs, hangs), (Receiver::Answers, answers)] {
        // What answers also gets its records meanwhile, which is no cost of a sync.
        let goal = (receiver == Receiver::Hangs).then_some(GOAL);
        let figure = Figure::new(Group::Notify, format!("{}, times without", name(receiver, what)), "");
        run.sheet.add(index, figure.at_most_if(goal), value / none);
    }
    Ok(())
}

/// Makes a store in which all pages are requested, and whose sink is registered.
fn prepare(run: &Run, subject: &Subject, receiver: Receiver, pages: usize) -> Result<Home, String> {
    let home = Home::on_sqlite();
    home.write("config.toml", &receiver.settings(run.server.receiver()));
    let urls = home.write("urls", &run.server.urls(PageKind::Whole, pages));
    home.run(subject, &["import", &urls])?;
    if pages > 0 {
        home.run(subject, &["sync", "--all", "--yes"])?;
    }
    Ok(home)
}

/// Checks that every page was synced and every record written, and returns the seconds from the first outcome to the last.
fn check(home: &Home, receiver: Receiver, pages: usize) -> Result<f64, String> {
    let read = || {
        let store = Connection::open_with_flags(home.file(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let outcomes = "SELECT count(*), (max(at) - min(at)) / 1e6 FROM outcomes WHERE result = 'updated' \
                        OR result = 'unchanged'";
        let (outcomes, seconds) = store.query_row(outcomes, (), |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))?;
        let records = "SELECT (SELECT count(*) FROM outbox) + coalesce((SELECT sum(delivered) FROM sinks), 0)";
        Ok::<_, rusqlite::Error>((outcomes, seconds, store.query_row(records, (), |row| row.get::<_, i64>(0))?))
    };
    let wanted = if receiver == Receiver::None { 0 } else { pages as i64 };
    match read().map_err(|error| error.to_string())? {
        (outcomes, seconds, records) if outcomes == pages as i64 && records == wanted => Ok(seconds),
        (outcomes, _, records) => {
            Err(format!("{}: {outcomes} outcomes, {records} records of {pages} pages", receiver.words()))
        }
    }
}

/// Answers requests as a webhook's receiver does, or leaves them without an answer where their path is `/hang`.
pub async fn receive(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(converse(stream));
    }
}

async fn converse(mut stream: TcpStream) {
    let (mut request, mut buffer) = (Vec::new(), [0; 4_096]);
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if length != Some(body.len()) || head.contains(" /hang ") {
            continue;
        }
        request.clear();
        if stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.is_err() {
            return;
        }
    }
}
