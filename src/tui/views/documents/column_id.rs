//! The columns of the list of documents by name, and which of them are shown at first.

use crate::domain::word_enum::word_enum;

word_enum! {
    /// A column that a person can show, hide and move.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum ColumnId {
        Status = "status",
        Document = "document",
        Error = "last error",
        Faqs = "FAQs",
        Attempted = "attempted",
        Synced = "synced",
        Next = "next",
        Changed = "changed",
        Host = "host",
        Account = "account",
        Assistant = "assistant",
        Id = "id",
        Http = "HTTP status",
        Attempts = "attempts",
        Recent = "last results",
        Took = "duration",
        Size = "size",
        By = "requested by",
    }
}

/// The columns that are shown at first, in their order.
pub const DEFAULT: [ColumnId; 7] = [
    ColumnId::Status,
    ColumnId::Document,
    ColumnId::Error,
    ColumnId::Faqs,
    ColumnId::Attempted,
    ColumnId::Synced,
    ColumnId::Next,
];

/// Returns the rows of the column picker: the shown columns in their order, then the others, each with true if it is
/// shown.
pub fn picker_rows(chosen: Option<&[ColumnId]>) -> Vec<(ColumnId, bool)> {
    let shown = chosen.unwrap_or(&DEFAULT);
    let others = ColumnId::ALL.into_iter().filter(|id| !shown.contains(id));
    shown.iter().map(|id| (*id, true)).chain(others.map(|id| (id, false))).collect()
}
