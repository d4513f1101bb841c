//! The state of the console. Plain data: [`update`](super::update) alone changes it, [`view`](super::view) alone reads
//! it onto the screen.

pub mod overlay;
pub mod rate;
pub mod toast;
pub mod workers;

use super::glyphs::{self, Glyphs};
use super::options::Options;
use super::scope::{PaneId, Scope};
use super::theme::{Look, Theme};
use super::views::catalog::{ViewId, Views};
use super::views::detail::difference::{DifferenceData, HeldSeen};
use super::views::detail::state::Detail;
use super::views::documents::state::Documents;
use super::views::outcomes::state::Panel;
use crate::domain::document::{Counts, DocumentRow, SyncStep};
use crate::domain::id::DocumentId;
use crate::domain::pause::Pause;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::runner::event::{Health, LockHealth, RunnerStatus};
use crate::store::{QueueState, SchemaMismatch};
use jiff::tz::TimeZone;
use overlay::Overlay;
use rate::Rate;
use std::collections::HashMap;
use toast::{Level, Notices};
use workers::Workers;

/// Which pane has the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    /// The list, or the details that lie over it.
    #[default]
    Main,
    /// The outcome panel.
    Outcomes,
}

/// Whether this process may end, and how far it is with that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Leaving {
    /// Nobody asked.
    #[default]
    No,
    /// The runner finishes what runs; then the console ends.
    Draining,
}

/// Why the screen is older than it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// When the last reading failed for the first time.
    pub since: Timestamp,
    /// Why.
    pub reason: SafeLine,
    /// When it is tried again.
    pub again_at: Timestamp,
    /// Failures in a row.
    pub tries: u32,
}

/// The whole state.
#[derive(Debug)]
pub struct Model {
    /// Now, as the store's clock has it; moved by every message.
    pub now: Timestamp,
    /// The terminal's size in cells.
    pub size: (u16, u16),
    /// What the store is called.
    pub store: SafeLine,
    /// How the console was started.
    pub options: Options,
    /// Whether a runner is inside.
    pub has_runner: bool,
    /// Show UTC instead of the operator's zone.
    pub utc: bool,
    /// Signs.
    pub glyphs: Glyphs,
    /// Styles.
    pub theme: Theme,
    /// Which pane has the keys.
    pub focus: Focus,
    /// The focused pane has the whole screen.
    pub zoom: bool,
    /// The view in the main area; the details may lie over it.
    pub active: ViewId,
    /// The list.
    pub documents: Documents,
    /// The views beside the list.
    pub views: Views,
    /// The details, when they are open.
    pub detail: Option<Detail>,
    /// The last two texts that were compared: closing and opening their details compares nothing anew.
    pub compared: Option<Box<DifferenceData>>,
    /// The outcome panel.
    pub panel: Panel,
    /// What lies over the screen.
    pub overlay: Option<Overlay>,
    /// Toasts and the activity list.
    pub notices: Notices,
    /// How many documents stand where.
    pub counts: Counts,
    /// The queue in figures.
    pub queue: QueueState,
    /// What is paused.
    pub pauses: Vec<Pause>,
    /// Who runs jobs.
    pub workers: Workers,
    /// Attempts per second.
    pub rate: Rate,
    /// What the runner does.
    pub runner: RunnerStatus,
    /// Whether the database answers, as the runner sees it.
    pub health: Health,
    /// Whether documents are locked in Redis, as the runner sees it.
    pub locks: LockHealth,
    /// Set while readings fail.
    pub stale: Option<Stale>,
    /// Set for good when the store was migrated by a newer program: from then on the console only reads.
    pub outdated: Option<SchemaMismatch>,
    /// When the list was last read.
    pub read_at: Option<Timestamp>,
    /// Where running attempts are.
    pub steps: HashMap<DocumentId, SyncStep>,
    /// Whether the process is about to end.
    pub leaving: Leaving,
    /// Counts and queue are being read.
    pub summary_asked: bool,
    /// Something was committed since.
    pub summary_again: bool,
    /// Questions asked so far; every question has its own number.
    pub questions: u64,
}

impl Model {
    /// A console that knows nothing yet.
    pub fn new(options: Options, store: SafeLine, has_runner: bool, now: Timestamp, size: (u16, u16)) -> Self {
        Self {
            now,
            size,
            store,
            has_runner,
            utc: false,
            glyphs: if options.ascii { glyphs::ASCII } else { glyphs::UNICODE },
            theme: Theme::new(options.mono),
            focus: Focus::Main,
            zoom: false,
            active: ViewId::default(),
            documents: Documents::default(),
            views: Views::default(),
            detail: None,
            compared: None,
            panel: Panel::default(),
            overlay: None,
            notices: Notices::default(),
            counts: Counts::default(),
            queue: QueueState::default(),
            pauses: Vec::new(),
            workers: Workers::default(),
            rate: Rate::default(),
            runner: RunnerStatus::default(),
            health: Health::Fine,
            locks: LockHealth::Off,
            stale: None,
            outdated: None,
            read_at: None,
            steps: HashMap::new(),
            leaving: Leaving::No,
            summary_asked: false,
            summary_again: false,
            questions: 0,
            options,
        }
    }

    /// The zone in which times are shown.
    pub fn zone(&self) -> TimeZone {
        if self.utc { TimeZone::UTC } else { self.options.zone.clone() }
    }

    /// A number for a new question.
    pub fn ask(&mut self) -> u64 {
        self.questions += 1;
        self.questions
    }

    /// The difference that the open details want to show, once it has been made.
    pub fn difference(&self) -> Option<&DifferenceData> {
        let detail = self.detail.as_ref()?;
        let wanted = detail.compared()?;
        self.compared.as_deref().filter(|data| data.document == detail.document && data.of == wanted)
    }

    /// The pane that has the main area: the details, or the active view.
    pub fn main_pane(&self) -> PaneId {
        if self.detail.is_some() { PaneId::Detail } else { PaneId::View(self.active) }
    }

    /// The pane that has the focus, whatever lies over it.
    pub fn pane(&self) -> PaneId {
        if self.focus == Focus::Outcomes { PaneId::Outcomes } else { self.main_pane() }
    }

    /// Where keys are read now.
    pub fn scope(&self) -> Scope {
        self.overlay.as_ref().map_or_else(|| Scope::Pane(self.pane()), Overlay::scope)
    }

    /// The signs and styles to draw with.
    pub const fn look(&self) -> Look {
        Look { glyphs: self.glyphs, theme: self.theme }
    }

    /// The text of the open details that waits for a decision.
    pub fn held_text(&self) -> Option<&HeldSeen> {
        self.detail.as_ref()?.data.as_ref()?.held.as_ref()
    }

    /// The row of the open details, the list's where that has it: it is the fresher one.
    pub fn detail_row(&self) -> Option<&DocumentRow> {
        let detail = self.detail.as_ref()?;
        self.documents.find(detail.document).or(detail.data.as_ref().map(|data| &data.row))
    }

    /// Shows a message, and keeps it in the activity list.
    pub fn tell(&mut self, level: Level, text: impl AsRef<str>) {
        self.notices.tell(self.now, level, text);
    }

    /// Keeps a message in the activity list alone.
    pub fn note(&mut self, level: Level, text: impl AsRef<str>) {
        self.notices.note(self.now, level, text);
    }

    /// The list of documents has the main place.
    pub fn list_is_shown(&self) -> bool {
        self.main_pane() == PaneId::DOCUMENTS
    }
}
