//! The groups of figures, which `--only` selects.

use super::options::StoreKind;
use super::subject::Run;
use super::{console, fill, growth, instructions, notices, parts, peers, reads, remote, syncs};

/// A group of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Group {
    /// A sync of a page, with the pages on loopback
    Sync,
    /// The same work without the program: fetch, conversion, hash, commit
    Parts,
    /// Syncs with notifications, whose receiver hangs or answers
    Notify,
    /// Imports of all sizes, and lists as JSON
    Growth,
    /// Requests and cancellations of syncs of all documents
    Bulk,
    /// Lists, filters, log and doctor in a large store
    Reads,
    /// The console in a large store
    Console,
    /// Syncs with a PostgreSQL at a distance
    Remote,
    /// Other job runners with the work of a sync of 22 bytes, which are downloaded and built for it
    Peers,
    /// Instructions of a sync, counted by valgrind
    Instructions,
}

impl Group {
    const ALL: [Self; 10] = [
        Self::Parts,
        Self::Sync,
        Self::Notify,
        Self::Growth,
        Self::Bulk,
        Self::Reads,
        Self::Console,
        Self::Remote,
        Self::Peers,
        Self::Instructions,
    ];

    /// Returns true if all of its figures need SQLite.
    const fn is_on_sqlite(self) -> bool {
        matches!(self, Self::Sync | Self::Parts | Self::Notify | Self::Growth | Self::Bulk | Self::Instructions)
    }

    /// Returns the word of the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Parts => "parts",
            Self::Notify => "notify",
            Self::Growth => "growth",
            Self::Bulk => "bulk",
            Self::Reads => "reads",
            Self::Console => "console",
            Self::Remote => "remote",
            Self::Peers => "peers",
            Self::Instructions => "instructions",
        }
    }

    /// Returns the heading of its rows in the table.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Sync => "SYNC: work --drain, SQLite, pages on loopback",
            Self::Parts => "PARTS: the same pages without the program, processor time a page",
            Self::Notify => "NOTIFY: work --drain with a webhook, SQLite, pages on loopback",
            Self::Growth => "GROWTH: import and list --json, SQLite",
            Self::Bulk => "BULK: requests of many documents, SQLite",
            Self::Reads => "READS: a large store; processor time of the client",
            Self::Console => "CONSOLE: a large store; from the key to the new screen",
            Self::Remote => "REMOTE: work --drain --concurrency 16, PostgreSQL behind a delay, pages that take 50 ms",
            Self::Peers => "PEERS: other job runners with the work of a sync of 22 bytes; jobs at a time",
            Self::Instructions => "INSTRUCTIONS: counted by valgrind",
        }
    }
}

/// Measures the selected groups. A group that fails leaves a note, and the others go on; returns false then.
pub async fn measure(run: &mut Run, mut after: impl FnMut(&Run)) -> bool {
    let mut complete = true;
    // The stores that reads and the console share, while both need them.
    let mut filled = Vec::new();
    for group in Group::ALL {
        if !run.options.selects(group) || group.is_on_sqlite() && !run.stores.contains(&StoreKind::Sqlite) {
            continue;
        }
        eprintln!("{}", group.title());
        if matches!(group, Group::Reads | Group::Console) && filled.is_empty() {
            match fill::stores(run).await {
                Ok(stores) => filled = stores,
                Err(failure) => {
                    run.sheet.note(format!("filling a store: {failure}"));
                    complete = false;
                    continue;
                }
            }
        }
        if group == Group::Remote {
            filled.clear();
        }
        let done = match group {
            Group::Sync => syncs::measure(run),
            Group::Parts => parts::measure(run),
            Group::Notify => notices::measure(run),
            Group::Growth => growth::measure(run),
            Group::Bulk => growth::measure_requests(run),
            Group::Reads => reads::measure(run, &filled),
            Group::Console => console::measure(run, &filled).await,
            Group::Remote => remote::measure(run).await,
            Group::Peers => peers::measure(run).await,
            Group::Instructions => instructions::measure(run),
        };
        if let Err(failure) = done {
            run.sheet.note(format!("{}: {failure}", group.word()));
            complete = false;
        }
        after(run);
    }
    complete
}
