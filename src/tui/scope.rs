//! Key scopes: the panes and overlays, each of which gives keys its own meaning.

use super::views::catalog::{RowKind, ViewId};

/// Defines an enum with the methods `all()` and `word()`. It wraps the values of another enum and adds further values,
/// each with a word. A value without a word does not compile, and every value with a word is in `all()`.
macro_rules! with_values_of_another {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $(#[$other_meta:meta])* $other:ident($type:ty) in $values:expr,
            $($(#[$own_meta:meta])* $own:ident = $word:literal),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis enum $name {
            $(#[$other_meta])* $other($type),
            $($(#[$own_meta])* $own),+
        }

        impl $name {
            /// Returns every value, in the order of help and documentation.
            $vis fn all() -> impl Iterator<Item = Self> {
                $values.map(Self::$other).chain([$(Self::$own),+])
            }

            /// Returns the name on the screen, in the help and in the documentation.
            $vis const fn word(self) -> &'static str {
                match self {
                    Self::$other(value) => value.word(),
                    $(Self::$own => $word),+
                }
            }
        }
    };
}

with_values_of_another! {
    /// A pane that can have the focus.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum PaneId {
        View(ViewId) in ViewId::ALL.iter().copied(),
        Outcomes = "outcomes",
        /// A document's details, which cover the active view.
        Detail = "details",
    }
}

with_values_of_another! {
    /// A scope of keys: the focused pane, or the overlay that is open.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum KeyScope {
        /// A pane with the focus, and no overlay.
        Pane(PaneId) in PaneId::all(),
        /// A text over the screen (help, activity, workers, a host or an account), or the choice of the sort column.
        Reader = "help and lists",
        Dialog = "dialogs",
        Prompt = "typing",
        Palette = "palette",
    }
}

impl PaneId {
    pub const DOCUMENTS: Self = Self::View(ViewId::Documents);

    /// Returns the kind of the pane's rows.
    pub const fn rows(self) -> RowKind {
        match self {
            Self::View(view) => view.rows(),
            Self::Outcomes | Self::Detail => RowKind::Document,
        }
    }

    /// Returns true if the pane's rows are hosts or accounts.
    pub const fn has_groups(self) -> bool {
        matches!(self.rows(), RowKind::Group)
    }
}

impl KeyScope {
    pub const DOCUMENTS: Self = Self::Pane(PaneId::DOCUMENTS);
    pub const FAILURES: Self = Self::Pane(PaneId::View(ViewId::Failures));
    pub const JOBS: Self = Self::Pane(PaneId::View(ViewId::Jobs));
    pub const SOURCES: Self = Self::Pane(PaneId::View(ViewId::Sources));
    pub const DASHBOARD: Self = Self::Pane(PaneId::View(ViewId::Dashboard));
    pub const OUTCOMES: Self = Self::Pane(PaneId::Outcomes);
    pub const DETAIL: Self = Self::Pane(PaneId::Detail);

    /// Returns true if letters are typed as text in this scope.
    pub const fn types_text(self) -> bool {
        matches!(self, Self::Prompt | Self::Palette)
    }
}

/// The scopes in which a key has an action. Most variants are conditions rather than lists, so that the keys of every
/// pane also work in a view that is added later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyScopes {
    All,
    Panes,
    /// Scopes in which letters scroll: panes and readers.
    Scrollable,
    /// Panes of the main area except the details.
    Views,
    /// Panes whose rows belong to documents: documents, jobs, outcomes, and the details of a document.
    DocumentRows,
    /// The panes of [`Self::DocumentRows`] except the details of a document.
    DocumentLists,
    /// Panes whose rows are hosts, accounts or causes.
    GroupRows,
    /// Panes to whose rows the outcome panel can be pinned: those of [`Self::DocumentRows`] and [`Self::GroupRows`].
    PinnedRows,
    /// Panes whose rows have a reader with all that is known about them: those of [`Self::GroupRows`], and the sources.
    ExplainedRows,
    /// Only the listed scopes.
    Only(&'static [KeyScope]),
}

impl KeyScopes {
    /// Returns true if the key has its action in `scope`.
    pub fn contains(self, scope: KeyScope) -> bool {
        match (self, scope) {
            (Self::All, _)
            | (Self::Panes | Self::Scrollable, KeyScope::Pane(_))
            | (Self::Scrollable, KeyScope::Reader) => true,
            (Self::Views, KeyScope::Pane(pane)) => matches!(pane, PaneId::View(_)),
            (Self::DocumentRows, KeyScope::Pane(pane)) => pane.rows() == RowKind::Document,
            (Self::DocumentLists, KeyScope::Pane(pane)) => pane != PaneId::Detail && pane.rows() == RowKind::Document,
            (Self::GroupRows, KeyScope::Pane(pane)) => pane.rows() == RowKind::Group,
            (Self::PinnedRows, KeyScope::Pane(pane)) => matches!(pane.rows(), RowKind::Document | RowKind::Group),
            (Self::ExplainedRows, KeyScope::Pane(pane)) => matches!(pane.rows(), RowKind::Group | RowKind::Source),
            (Self::Only(scopes), scope) => scopes.contains(&scope),
            _ => false,
        }
    }

    /// Returns the scopes, in the order of the help and the documentation.
    pub fn list(self) -> impl Iterator<Item = KeyScope> {
        KeyScope::all().filter(move |scope| self.contains(*scope))
    }

    /// Returns the first scope that is in both.
    pub fn shared_with(self, other: Self) -> Option<KeyScope> {
        self.list().find(|scope| other.contains(*scope))
    }
}
