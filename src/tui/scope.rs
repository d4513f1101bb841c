//! The places in which keys are read: the panes, and what lies over the screen.

use super::views::catalog::{RowKind, ViewId};

/// Defines an enum of the values of another one and of values of its own, each with its word, and derives `all()` and
/// `word()`: a value without a word does not compile, and one with a word is in the list.
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

            /// Returns its name on the screen, in help and in the documentation.
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
        /// A view in the main area.
        View(ViewId) in ViewId::ALL.iter().copied(),
        /// The outcome panel.
        Outcomes = "outcomes",
        /// A document's details, which lie over the view.
        Detail = "details",
    }
}

with_values_of_another! {
    /// A place in which keys are read.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Scope {
        /// A pane has the focus.
        Pane(PaneId) in PaneId::all(),
        /// Text to be read lies over the screen: help, activity, workers, a host or an account.
        Reader = "help and lists",
        /// A dialog with choices.
        Dialog = "dialogs",
        /// A line to be typed.
        Prompt = "typing",
        /// The palette.
        Palette = "palette",
    }
}

impl PaneId {
    /// The list of documents.
    pub const DOCUMENTS: Self = Self::View(ViewId::Documents);

    /// The subject of its rows.
    pub const fn rows(self) -> RowKind {
        match self {
            Self::View(view) => view.rows(),
            Self::Outcomes | Self::Detail => RowKind::Document,
        }
    }

    /// Returns whether its rows are hosts or accounts.
    pub const fn has_groups(self) -> bool {
        matches!(self.rows(), RowKind::Group)
    }
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

    /// Returns whether letters are text here.
    pub const fn types_text(self) -> bool {
        matches!(self, Self::Prompt | Self::Palette)
    }
}

/// The scopes in which a key means something: a condition and not a list, so that a new view has the keys of every pane
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
    /// Returns whether `scope` is one of them.
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
