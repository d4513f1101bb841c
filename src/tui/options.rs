//! Start options of the console.

use crate::domain::chatwoot_job::ChatwootJobReader;
use crate::domain::extraction::PageExplainer;
use crate::domain::id::{AccountId, AssistantId};
use crate::domain::text::SafeLine;
use crate::runner::event::{Event, LockHealth};
use crate::tui::keymap::Keymap;
use jiff::tz::TimeZone;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{broadcast, watch};

/// The options with which a console starts.
#[derive(Clone, Debug)]
pub struct Options {
    /// Refuses the keys that change documents, jobs or pauses.
    pub read_only: bool,
    /// A note for the head line, such as `demo: short waits and time-outs`.
    pub note: Option<SafeLine>,
    /// The keys of the actions.
    pub keymap: Keymap,
    /// Name of the person, recorded in outcomes as the requester.
    pub operator: SafeLine,
    pub zone: TimeZone,
    /// Uses only ASCII signs.
    pub ascii: bool,
    /// Uses no colours.
    pub mono: bool,
    /// Writes lines instead of drawing on the screen.
    pub plain: bool,
    /// Maximum number of running jobs per host, to explain why a job waits; 0 if there is no limit.
    pub per_host: u32,
    /// Account and assistant of documents that are added in this console.
    pub default_owner: (AccountId, AssistantId),
    /// Fetches pages to explain their text, and knows whether that costs credits; `None` in a console that fetches none.
    pub explainer: Option<Arc<dyn PageExplainer>>,
    /// Reads Chatwoot's own jobs; `None` without its database and its Redis.
    pub chatwoot_jobs: Option<Arc<dyn ChatwootJobReader>>,
    /// Reason why the FAQs of documents are not known; `None` if they are.
    pub faqs_unknown: Option<SafeLine>,
    /// Reason why no FAQ job can be started; `None` if one can be.
    pub faq_jobs_off: Option<&'static str>,
    /// Events of attempts in other processes, for a console without a runner. With a runner, the runner's events
    /// include them.
    pub remote_events: Option<broadcast::Sender<Event>>,
    /// State of the connection that delivers `remote_events`.
    pub remote_health: Option<watch::Receiver<LockHealth>>,
    /// The file that keeps the console's state between runs; `None` if nothing is kept. A read-only console begins with
    /// that state and never writes the file.
    pub state_file: Option<PathBuf>,
    /// Why the outcome files cannot be written, as a message; `None` while they can be.
    pub file_problems: Option<watch::Receiver<Option<SafeLine>>>,
}
