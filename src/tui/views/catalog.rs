//! The catalogue of the main area's views: their keys, names, help texts and state.
//!
//! To add a view, add it here, to the registry in [`views`](super) and to the reads in `perform`. Keys, help, palette,
//! head line, loading and cursor movement follow from that.

use super::accounts::state::AccountsTable;
use super::dashboard::state::{DashboardData, DashboardTable};
use super::failures::state::FailuresTable;
use super::hosts::state::HostsTable;
use super::jobs::state::{JobsData, JobsTable};
use super::sources::state::{SourceLine, SourcesTable};
use super::workers::state::{WorkerLine, WorkersTable};
use crate::domain::failure_cause::FailureCause;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::domain::topic::{Topic, TopicSet};
use crate::store::{AccountSummary, FailureSummary, HostSummary, Listing};
use crate::tui::keymap::key::Key;
use std::collections::BTreeSet;

/// The subject of a view's rows, which decides what the keys for rows do in that view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// A document or its job: a person can sync it, open it, and pause its host or account.
    Document,
    /// A host, an account or a cause of failures: a person can pause it and list its documents.
    Group,
    /// A source or a proposal: a person can read it, or decide on it.
    Source,
    /// A figure: a person can show the rows that it comes from.
    Figure,
}

/// The fixed properties of one view.
#[derive(Debug)]
struct Properties {
    word: &'static str,
    keys: &'static [Key],
    description: &'static str,
    rows: RowKind,
    topics: TopicSet,
}

/// Defines [`ViewId`] and the properties of each view from one list, so that a view without properties does not
/// compile.
macro_rules! views {
    ($($(#[$attribute:meta])* $name:ident: $key:literal, $word:literal, $description:literal, $rows:ident, $topics:ident;)+) => {
        /// The identity of a view of the main area.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum ViewId {
            $($(#[$attribute])* $name,)+
        }

        impl ViewId {
            /// Every view, in the order of the help and the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            const fn properties(self) -> &'static Properties {
                match self {
                    $(Self::$name => {
                        const PROPERTIES: Properties = Properties {
                            word: $word,
                            keys: &[Key::char($key)],
                            description: $description,
                            rows: RowKind::$rows,
                            topics: $topics,
                        };
                        &PROPERTIES
                    })+
                }
            }
        }
    };
}

views! {
    #[default]
    Documents: '1', "documents", "show the list of documents", Document, LIST_TOPICS;
    Failures: '2', "failures", "show the causes of failed documents, those of most documents first", Group, FAILURE_TOPICS;
    Jobs: '3', "jobs", "show the jobs: running, ready, waiting, recent", Document, JOB_TOPICS;
    Hosts: '4', "hosts", "show the hosts, the worst first", Group, HOST_TOPICS;
    Accounts: '5', "accounts", "show the accounts: plan, documents, jobs, share of attempts", Group, ACCOUNT_TOPICS;
    Workers: '6', "workers", "show the workers, with the documents that each syncs", Document, WORKER_TOPICS;
    Sources: '7', "sources", "show the sources, and what they propose", Source, SOURCE_TOPICS;
    Dashboard: '8', "dashboard", "show figures of the last hour and day", Figure, DASHBOARD_TOPICS;
}

/// The statuses of documents depend on their jobs, and a row has its host's back-off.
const LIST_TOPICS: TopicSet = TopicSet::of(&[Topic::Documents, Topic::Jobs, Topic::Hosts]);
const FAILURE_TOPICS: TopicSet = TopicSet::of(&[Topic::Documents, Topic::Hosts]);
const JOB_TOPICS: TopicSet =
    TopicSet::of(&[Topic::Documents, Topic::Jobs, Topic::Hosts, Topic::Outcomes, Topic::Workers]);
const HOST_TOPICS: TopicSet = TopicSet::of(&[Topic::Documents, Topic::Jobs, Topic::Hosts, Topic::Outcomes]);
const WORKER_TOPICS: TopicSet = TopicSet::of(&[Topic::Jobs, Topic::Workers]);
const SOURCE_TOPICS: TopicSet = TopicSet::of(&[Topic::Sources]);
/// Topics of the dashboard: what ended, and how long the queue is. The rest is read once a minute.
const DASHBOARD_TOPICS: TopicSet = TopicSet::of(&[Topic::Jobs, Topic::Outcomes]);
const ACCOUNT_TOPICS: TopicSet = TopicSet::of(&[Topic::Documents, Topic::Jobs, Topic::Outcomes]);

impl ViewId {
    /// Returns the view's name on the screen and in the documentation.
    pub const fn word(self) -> &'static str {
        self.properties().word
    }

    /// Returns the keys that switch to the view.
    pub const fn keys(self) -> &'static [Key] {
        self.properties().keys
    }

    /// Returns the description of the keys that switch to the view, for the help and the documentation.
    pub const fn description(self) -> &'static str {
        self.properties().description
    }

    /// Returns the subject of the view's rows.
    pub const fn rows(self) -> RowKind {
        self.properties().rows
    }

    /// Returns the topics of the view's rows: a commit that changes data of one of them may change the rows.
    pub const fn topics(self) -> TopicSet {
        self.properties().topics
    }
}

/// The state of the main area's views except the list of documents. The state of that list is in the model itself,
/// because other modules read its rows too.
#[derive(Debug, Default)]
pub struct Views {
    pub failures: FailuresTable,
    /// The causes that a person has marked, to retry their documents together.
    pub marked_causes: BTreeSet<FailureCause>,
    pub jobs: JobsTable,
    pub hosts: HostsTable,
    pub accounts: AccountsTable,
    pub workers: WorkersTable,
    pub sources: SourcesTable,
    pub dashboard: DashboardTable,
}

/// The result of a read for one view: its rows, or the reason why the read failed.
#[derive(Debug)]
pub enum ViewRows {
    Failures(Result<Listing<FailureSummary>, SafeLine>),
    Jobs(Result<JobsData, SafeLine>),
    Hosts(Result<Listing<HostSummary>, SafeLine>),
    Accounts(Result<Listing<AccountSummary>, SafeLine>),
    Workers(Result<Listing<WorkerLine>, SafeLine>),
    Sources(Result<Listing<SourceLine>, SafeLine>),
    Dashboard(Result<Box<DashboardData>, SafeLine>),
}

impl Views {
    /// Returns the marked causes that still have documents, in the order of the view.
    pub fn marked_rows(&self) -> impl Iterator<Item = &FailureSummary> {
        self.failures.data.rows.iter().filter(|summary| self.marked_causes.contains(&summary.cause))
    }

    /// Applies the result of a read. Returns the view that was read, and true if that view has to be redrawn.
    pub fn take(&mut self, now: Timestamp, rows: ViewRows) -> (ViewId, bool) {
        match rows {
            ViewRows::Failures(answer) => (ViewId::Failures, self.failures.take(now, answer)),
            ViewRows::Jobs(answer) => (ViewId::Jobs, self.jobs.take(now, answer)),
            ViewRows::Hosts(answer) => (ViewId::Hosts, self.hosts.take(now, answer)),
            ViewRows::Accounts(answer) => (ViewId::Accounts, self.accounts.take(now, answer)),
            ViewRows::Workers(answer) => (ViewId::Workers, self.workers.take(now, answer)),
            ViewRows::Sources(answer) => (ViewId::Sources, self.sources.take(now, answer)),
            ViewRows::Dashboard(answer) => (ViewId::Dashboard, self.dashboard.take(now, answer.map(|data| *data))),
        }
    }
}
