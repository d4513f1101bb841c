//! The state of the console, as plain data. Only [`update`](super::update) changes it, except that each frame advances
//! the time; [`view`](super::view) draws it.

pub mod batches;
pub mod explanation;
pub mod filter_history;
pub mod last_visit;
pub mod members;
pub mod outage;
pub mod overlay;
pub mod rate;
pub mod reads;
pub mod saved_filters;
pub mod toast;
pub mod trail;
pub mod workers;

use super::action::Action;
use super::glyphs::{self, Glyphs};
use super::keymap::{Key, Keymap};
use super::options::Options;
use super::scope::{KeyScope, PaneId};
use super::theme::{Appearance, Theme};
use super::views::catalog::{ViewId, Views};
use super::views::detail::difference::{DifferenceData, QuarantinedText};
use super::views::detail::state::Detail;
use super::views::documents::state::Documents;
use super::views::outcomes::state::Panel;
use crate::domain::document::{DocumentRow, StatusCounts, SyncStep};
use crate::domain::faq::FaqBacklog;
use crate::domain::id::DocumentId;
use crate::domain::notification::SinkStatus;
use crate::domain::pause::Pause;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::domain::word_enum::word_enum;
use crate::runner::event::{Health, LockHealth, RunnerStatus};
use crate::store::{DiskUse, QueueState, SchemaMismatch};
use batches::BatchList;
use explanation::TextExplanation;
use filter_history::FilterHistory;
use jiff::tz::TimeZone;
use last_visit::LastVisit;
use members::CauseMembers;
use overlay::Overlay;
use rate::Rate;
use reads::{MIN_TIMED_INTERVAL, ReadState, StatusDeadline};
use saved_filters::SavedFilters;
use std::collections::HashMap;
use toast::{Level, Notices};
use trail::Trail;
use tui_input::Input;
use workers::Workers;

word_enum! {
    /// The side of the screen that has the focus, and so receives the keys while no overlay is open.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Focus {
        /// The active view, or the details if they are open.
        #[default]
        Main = "main",
        Outcomes = "outcomes",
    }
}

/// Progress of a requested shutdown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ShutdownState {
    #[default]
    NotRequested,
    /// The runner finishes its running jobs; then the console ends.
    Draining,
}

/// Failed reads of the document list, in a row. Until a retry succeeds, the screen shows the data of the last
/// successful read, if there was one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadFailure {
    /// Time of the first failure since the last successful read.
    pub since: Timestamp,
    pub reason: SafeLine,
    /// Time of the next try.
    pub retry_at: Timestamp,
    pub tries: u32,
}

/// The documents that the second head line counts, with their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// The numbers are not known yet.
    Reading,
    /// All documents.
    All(StatusCounts),
    /// The documents that match the filter of the list.
    Matching(StatusCounts),
}

impl Counted {
    /// Returns true if the numbers are those of an earlier time.
    pub const fn may_be_old(&self) -> bool {
        match self {
            Self::Reading => false,
            Self::All(counts) | Self::Matching(counts) => counts.max_age.is_some(),
        }
    }
}

/// The whole state of the console.
#[derive(Debug)]
pub struct Model {
    /// Current time by the store's clock, as of the last message or frame; never moves back.
    pub now: Timestamp,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// Name of the store, as the head line shows it.
    pub store: SafeLine,
    pub options: Options,
    /// This process also runs jobs.
    pub has_runner: bool,
    /// Times are shown in UTC instead of the operator's zone.
    pub utc: bool,
    pub glyphs: Glyphs,
    pub theme: Theme,
    /// The side of the screen that has the focus, and so receives the keys while no overlay is open.
    pub focus: Focus,
    /// Between head and footer, only the focused pane is shown; a view keeps its peek pane.
    pub zoom: bool,
    /// The view of the main area, which the details cover while they are open.
    pub active_view: ViewId,
    pub documents: Documents,
    /// State of the views other than the document list.
    pub views: Views,
    /// The places that the person has left, to which Escape and `-` return.
    pub trail: Trail,
    pub filters: FilterHistory,
    pub saved_filters: SavedFilters,
    pub detail: Option<Detail>,
    /// The last comparison of two texts. Kept when the details close, so that it need not be repeated when they open
    /// again.
    pub compared: Option<Box<DifferenceData>>,
    /// The explanation that the open reader shows, or that the last one has shown.
    pub explanation: Option<TextExplanation>,
    pub panel: Panel,
    pub overlay: Option<Overlay>,
    /// The keys that begin the keys of an action, pressed so far, and their scope; in another scope they count no more.
    pub begun: Option<(KeyScope, Vec<Key>)>,
    /// The text that the keys of the help are searched for; `None` while nothing is typed.
    pub help_search: Option<Input>,
    pub notices: Notices,
    pub last_visit: LastVisit,
    pub members: CauseMembers,
    /// Number of documents by status.
    pub counts: StatusCounts,
    pub queue: QueueState,
    pub pauses: Vec<Pause>,
    pub batches: BatchList,
    /// The FAQ jobs that have not been in Sidekiq's queue for longer than a delivery takes; `None` without any.
    pub faq_backlog: Option<FaqBacklog>,
    pub workers: Workers,
    /// Disk use of the store when the reader of the workers was opened the last time.
    pub disk: Option<DiskUse>,
    /// Receivers of notifications, as the reader of the workers read them last.
    pub sinks: Vec<SinkStatus>,
    pub rate: Rate,
    pub runner: RunnerStatus,
    /// State of the runner's connection to the database.
    pub health: Health,
    /// State of the Redis locks, as the runner reports it; in a console without a runner, the state of the connection
    /// that delivers the events of other processes.
    pub locks: LockHealth,
    /// Set while the document list cannot be read.
    pub read_failure: Option<ReadFailure>,
    /// Time of the last entry of the activity list about a failed read.
    pub failed_read_at: Option<Timestamp>,
    /// Set once a newer program has migrated the store, and never cleared: from then on the console is read-only.
    pub outdated: Option<SchemaMismatch>,
    /// Time of the last successful read of the document list.
    pub read_at: Option<Timestamp>,
    /// Current step of each running attempt of which an event has reported the step.
    pub steps: HashMap<DocumentId, SyncStep>,
    pub shutdown: ShutdownState,
    pub counts_read: ReadState,
    /// Time of the last successful read of the counts.
    pub counts_at: Option<Timestamp>,
    pub queue_read: ReadState,
    /// Time of the last successful read of the queue's figures.
    pub queue_at: Option<Timestamp>,
    /// Time of the last read of the queue's figures, successful or not.
    pub queue_tried_at: Option<Timestamp>,
    pub pauses_read: ReadState,
    pub faq_backlog_read: ReadState,
    pub status_deadline: StatusDeadline,
    /// Number of the last numbered request to the store. Each request gets the next number.
    pub last_generation: u64,
}

impl Model {
    /// Returns the state of a console that has read nothing yet.
    pub fn new(options: Options, store: SafeLine, has_runner: bool, now: Timestamp, size: (u16, u16)) -> Self {
        Self {
            now,
            size,
            store,
            has_runner,
            utc: false,
            glyphs: glyphs::glyphs(options.ascii, options.plain),
            theme: Theme::new(options.mono),
            focus: Focus::Main,
            zoom: false,
            active_view: ViewId::default(),
            documents: Documents::default(),
            views: Views::default(),
            trail: Trail::default(),
            filters: FilterHistory::default(),
            saved_filters: SavedFilters::default(),
            detail: None,
            compared: None,
            explanation: None,
            panel: Panel::default(),
            overlay: None,
            begun: None,
            help_search: None,
            notices: Notices::default(),
            last_visit: LastVisit::default(),
            members: CauseMembers::default(),
            counts: StatusCounts::default(),
            queue: QueueState::default(),
            pauses: Vec::new(),
            batches: BatchList::default(),
            faq_backlog: None,
            workers: Workers::default(),
            disk: None,
            sinks: Vec::new(),
            rate: Rate::default(),
            runner: RunnerStatus::default(),
            health: Health::Fine,
            locks: LockHealth::Off,
            read_failure: None,
            failed_read_at: None,
            outdated: None,
            read_at: None,
            steps: HashMap::new(),
            shutdown: ShutdownState::NotRequested,
            counts_read: ReadState::default(),
            counts_at: None,
            queue_read: ReadState::default(),
            queue_at: None,
            queue_tried_at: None,
            pauses_read: ReadState::default(),
            faq_backlog_read: ReadState::default(),
            status_deadline: StatusDeadline::default(),
            last_generation: 0,
            options,
        }
    }

    /// Returns true once counts and queue have been read; until then the screen says that it is reading.
    pub const fn is_counted(&self) -> bool {
        self.counts_at.is_some() && self.queue_at.is_some()
    }

    /// Returns the documents that the second head line counts.
    pub fn counted(&self) -> Counted {
        let documents = &self.documents;
        if !self.is_counted() {
            return Counted::Reading;
        }
        // The other views show the jobs, hosts and causes of all documents.
        if self.active_view != ViewId::Documents || documents.filter.terms.is_empty() {
            return Counted::All(self.counts);
        }
        // Until the rows of a new filter are there the numbers of the earlier one stay, so that they do not flicker
        // while it is typed; the title of the list says that it is being read.
        documents.page.matching.map_or(Counted::All(self.counts), Counted::Matching)
    }

    /// Returns the time at which the queue's figures change without a commit: a host's back-off ends, or a job becomes
    /// due. `None` if it had passed when they were read, and while they are being read.
    pub fn queue_due_at(&self) -> Option<Timestamp> {
        let tried_at = self.queue_tried_at.filter(|_| self.queue_read == ReadState::Idle)?;
        self.queue.next_due_at.filter(|at| *at > tried_at)
    }

    /// Returns the time at which the document list is to be read again because its filter depends on the time.
    pub fn list_due_at(&self) -> Option<Timestamp> {
        let read_at = self.read_at.filter(|_| !self.documents.loading && self.documents.filter.depends_on_time());
        read_at.map(|at| at.plus(MIN_TIMED_INTERVAL))
    }

    /// Returns the zone in which times are shown.
    pub fn zone(&self) -> TimeZone {
        if self.utc { TimeZone::UTC } else { self.options.zone.clone() }
    }

    /// Returns a new request's number, by which the answer to that request is recognised.
    pub fn next_generation(&mut self) -> u64 {
        self.last_generation += 1;
        self.last_generation
    }

    /// Returns the comparison of the texts that the open details compare; `None` if no details are open, if they have
    /// nothing to compare, or until the comparison has arrived.
    pub fn difference(&self) -> Option<&DifferenceData> {
        let detail = self.detail.as_ref()?;
        let wanted = detail.compared()?;
        self.compared.as_deref().filter(|data| data.document == detail.document && data.compared == wanted)
    }

    /// Returns the pane in the main area: the details if they are open, else the active view.
    pub fn main_pane(&self) -> PaneId {
        if self.detail.is_some() { PaneId::Detail } else { PaneId::View(self.active_view) }
    }

    /// Returns the pane that has the focus, ignoring overlays.
    pub fn pane(&self) -> PaneId {
        if self.focus == Focus::Outcomes { PaneId::Outcomes } else { self.main_pane() }
    }

    /// Returns the scope that interprets keys now: the overlay's if one is open, else the focused pane's.
    pub fn scope(&self) -> KeyScope {
        self.overlay.as_ref().map_or_else(|| KeyScope::Pane(self.pane()), Overlay::scope)
    }

    /// Returns the keys of the actions.
    pub const fn keymap(&self) -> &Keymap {
        &self.options.keymap
    }

    /// Returns the key of an action as the screen names it; for an action without a key, how the palette finds it.
    pub fn key(&self, action: Action) -> String {
        self.keymap().label(action, self.glyphs.ascii)
    }

    /// Returns the keys pressed so far that begin the keys of an action in the current scope.
    pub fn begun(&self) -> Option<&[Key]> {
        self.begun.as_ref().filter(|(scope, _)| *scope == self.scope()).map(|(_, keys)| keys.as_slice())
    }

    /// Returns the signs and styles to draw with.
    pub const fn appearance(&self) -> Appearance {
        Appearance { glyphs: self.glyphs, theme: self.theme }
    }

    /// Returns the facts about the quarantined text of the document whose details are open, if there is such a text.
    pub fn quarantined_text(&self) -> Option<&QuarantinedText> {
        self.detail.as_ref()?.data.as_ref()?.quarantined.as_ref()
    }

    /// Returns the row of the document whose details are open; `None` if none are open or the row has not been read.
    /// Prefers the row in the document list, which is read more often.
    pub fn detail_row(&self) -> Option<&DocumentRow> {
        let detail = self.detail.as_ref()?;
        self.documents.find(detail.document).or(detail.data.as_ref().map(|data| &data.row))
    }

    /// Shows a message as a toast and adds it to the activity list.
    pub fn notify(&mut self, level: Level, text: impl AsRef<str>) {
        self.notices.notify(self.now, level, text);
    }

    /// Adds a message to the activity list without showing a toast.
    pub fn log(&mut self, level: Level, text: impl AsRef<str>) {
        self.notices.log(self.now, level, text);
    }

    /// Returns true if the list of documents is the pane of the main area, even if only the outcome panel is on the
    /// screen.
    pub fn list_is_shown(&self) -> bool {
        self.main_pane() == PaneId::DOCUMENTS
    }
}
