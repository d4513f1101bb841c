//! The views of the main area: which there are, by which key each is shown, and what is kept of each.
//!
//! A new view is added here, to the registry in [`views`](super) and to the reads in `perform`; keys, help, palette, head
//! line, loading and moving follow from that.

use super::accounts::state::Accounts;
use super::hosts::state::Hosts;
use super::jobs::state::Jobs;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::{AccountSeen, HostSeen, JobsPage, Seen};
use crate::tui::keymap::key::Key;

/// The subject of a view's rows, which decides what the keys for rows do there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// A document, or its job: it can be synced, opened, paused with its host or account.
    Document,
    /// What documents are grouped by: it can be paused, and its documents shown.
    Group,
}

/// The fixed properties of a view.
#[derive(Debug)]
struct Properties {
    word: &'static str,
    keys: &'static [Key],
    says: &'static str,
    rows: RowKind,
}

/// Defines [`ViewId`] with the properties of each view from one list, so that none can be forgotten.
macro_rules! views {
    ($($(#[$attribute:meta])* $name:ident: $key:literal, $word:literal, $says:literal, $rows:ident;)+) => {
        /// A view of the main area.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum ViewId {
            $($(#[$attribute])* $name,)+
        }

        impl ViewId {
            /// Every view, in the order of help and documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            const fn properties(self) -> &'static Properties {
                match self {
                    $(Self::$name => {
                        const PROPERTIES: Properties = Properties {
                            word: $word,
                            keys: &[Key::char($key)],
                            says: $says,
                            rows: RowKind::$rows,
                        };
                        &PROPERTIES
                    })+
                }
            }
        }
    };
}

views! {
    /// The list of documents.
    #[default]
    Documents: '1', "documents", "show the list of documents", Document;
    /// The jobs in sections.
    Jobs: '3', "jobs", "show the jobs: running, ready, waiting, recent", Document;
    /// The hosts, the worst first.
    Hosts: '4', "hosts", "show the hosts, the worst first", Group;
    /// The accounts.
    Accounts: '5', "accounts", "show the accounts: plan, documents, jobs, share", Group;
}

impl ViewId {
    /// Its name on the screen and in the documentation.
    pub const fn word(self) -> &'static str {
        self.properties().word
    }

    /// The keys that show it.
    pub const fn keys(self) -> &'static [Key] {
        self.properties().keys
    }

    /// The sentence for those keys in help and documentation.
    pub const fn says(self) -> &'static str {
        self.properties().says
    }

    /// The subject of its rows.
    pub const fn rows(self) -> RowKind {
        self.properties().rows
    }
}

/// The state of the views beside the list of documents, which is kept in the model itself: others read its rows too.
#[derive(Debug, Default)]
pub struct Views {
    /// The jobs view.
    pub jobs: Jobs,
    /// The hosts view.
    pub hosts: Hosts,
    /// The accounts view.
    pub accounts: Accounts,
}

/// The rows that were read for a view, or why they could not be.
#[derive(Debug)]
pub enum ViewRows {
    /// The jobs in sections.
    Jobs(Result<JobsPage, SafeLine>),
    /// The hosts.
    Hosts(Result<Seen<HostSeen>, SafeLine>),
    /// The accounts.
    Accounts(Result<Seen<AccountSeen>, SafeLine>),
}

impl Views {
    /// Takes what was read. Returns its view, and whether that would be drawn differently now.
    pub fn take(&mut self, now: Timestamp, rows: ViewRows) -> (ViewId, bool) {
        match rows {
            ViewRows::Jobs(answer) => (ViewId::Jobs, self.jobs.take(now, answer)),
            ViewRows::Hosts(answer) => (ViewId::Hosts, self.hosts.take(now, answer)),
            ViewRows::Accounts(answer) => (ViewId::Accounts, self.accounts.take(now, answer)),
        }
    }
}
