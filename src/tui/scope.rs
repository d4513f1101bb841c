//! Where keys are read: in a pane, or in what lies over the screen.

use super::views::catalog::{RowKind, ViewId};

/// A pane that can have the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PaneId {
    /// A view in the main area.
    View(ViewId),
    /// The outcome panel.
    Outcomes,
    /// A document's details, which lie over the view.
    Detail,
}

impl PaneId {
    /// The list of documents.
    pub const DOCUMENTS: Self = Self::View(ViewId::Documents);

    /// Every pane, in the order of help and documentation.
    pub fn all() -> impl Iterator<Item = Self> {
        ViewId::ALL.iter().map(|view| Self::View(*view)).chain([Self::Outcomes, Self::Detail])
    }

    /// Its name on the screen and in the documentation.
    pub const fn word(self) -> &'static str {
        match self {
            Self::View(view) => view.word(),
            Self::Outcomes => "outcomes",
            Self::Detail => "details",
        }
    }

    /// The subject of its rows.
    pub const fn rows(self) -> RowKind {
        match self {
            Self::View(view) => view.rows(),
            Self::Outcomes | Self::Detail => RowKind::Document,
        }
    }

    /// Whether its rows are hosts or accounts.
    pub const fn has_groups(self) -> bool {
        matches!(self.rows(), RowKind::Group)
    }
}

/// Where keys are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// A pane has the focus.
    Pane(PaneId),
    /// Text to be read lies over the screen: help, activity, workers, a host or an account.
    Reader,
    /// A dialog with choices.
    Dialog,
    /// A line to be typed.
    Prompt,
    /// The palette.
    Palette,
}

impl Scope {
    /// The list of documents.
    pub const DOCUMENTS: Self = Self::Pane(PaneId::DOCUMENTS);
    /// The jobs view.
    pub const JOBS: Self = Self::Pane(PaneId::View(ViewId::Jobs));
    /// The outcome panel.
    pub const OUTCOMES: Self = Self::Pane(PaneId::Outcomes);
    /// A document's details.
    pub const DETAIL: Self = Self::Pane(PaneId::Detail);

    /// Every scope, in the order of help and documentation.
    pub fn all() -> impl Iterator<Item = Self> {
        PaneId::all().map(Self::Pane).chain([Self::Reader, Self::Dialog, Self::Prompt, Self::Palette])
    }

    /// Its name in help and documentation.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pane(pane) => pane.word(),
            Self::Reader => "help and lists",
            Self::Dialog => "dialogs",
            Self::Prompt => "typing",
            Self::Palette => "palette",
        }
    }

    /// Whether letters are text here.
    pub const fn types_text(self) -> bool {
        matches!(self, Self::Prompt | Self::Palette)
    }
}

/// The scopes in which a key means something. What it is for decides that, so that a new view has the keys of every pane
/// without being named anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scopes {
    /// Everywhere.
    All,
    /// Every pane.
    Panes,
    /// Wherever something is moved through with letters: every pane, and what is only read.
    Moves,
    /// Wherever the cursor is on a document or its job.
    DocumentRows,
    /// The same but for the details, which are of one document already.
    DocumentLists,
    /// Wherever the cursor is on a host or an account.
    GroupRows,
    /// These alone.
    Only(&'static [Scope]),
}

impl Scopes {
    /// Whether `scope` is one of them.
    pub fn contains(self, scope: Scope) -> bool {
        match (self, scope) {
            (Self::All, _) | (Self::Panes | Self::Moves, Scope::Pane(_)) | (Self::Moves, Scope::Reader) => true,
            (Self::DocumentRows, Scope::Pane(pane)) => pane.rows() == RowKind::Document,
            (Self::DocumentLists, Scope::Pane(pane)) => pane != PaneId::Detail && pane.rows() == RowKind::Document,
            (Self::GroupRows, Scope::Pane(pane)) => pane.rows() == RowKind::Group,
            (Self::Only(scopes), scope) => scopes.contains(&scope),
            _ => false,
        }
    }

    /// Returns them in the order of help and documentation.
    pub fn list(self) -> impl Iterator<Item = Scope> {
        Scope::all().filter(move |scope| self.contains(*scope))
    }
}
