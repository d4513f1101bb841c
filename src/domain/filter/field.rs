//! Fields of the filter language: their words, and the rows to which each applies.

use super::{Filter, FilterCondition, FilterError};
use crate::domain::word_enum::word_enum;

/// Kind of rows that a filter selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Documents: the list, and the commands that act on documents.
    Documents,
    /// Outcomes: the log and the outcome panel.
    Outcomes,
    /// Texts whose documents may be gone: the changes.
    Texts,
}

word_enum! {
    /// A field, written before a colon.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) enum Field {
        Status = "status",
        Kind = "kind",
        Faq = "faq",
        Error = "error",
        Http = "http",
        Cause = "cause",
        Host = "host",
        Id = "id",
        Account = "account",
        Assistant = "assistant",
        Batch = "batch",
        Attempted = "attempted",
        Synced = "synced",
        Changed = "changed",
        Next = "next",
        Queue = "queue",
        Result = "result",
        Content = "content",
        By = "by",
        Worker = "worker",
    }
}

impl Field {
    /// Returns an error with the reason if the field does not apply to `subject`.
    pub(super) fn check_subject(self, subject: Subject) -> Result<(), String> {
        let wrong = match (self, subject) {
            (
                Self::Status
                | Self::Kind
                | Self::Faq
                | Self::Cause
                | Self::Batch
                | Self::Attempted
                | Self::Synced
                | Self::Changed
                | Self::Next,
                Subject::Outcomes,
            ) => "outcomes",
            (Self::Result | Self::By | Self::Worker, Subject::Documents) => "documents",
            (Self::Host | Self::Id | Self::Account | Self::Assistant, Subject::Texts) => return Ok(()),
            (_, Subject::Texts) => "changes, which may be of documents that are gone",
            _ => return Ok(()),
        };
        Err(format!("{} does not apply to {wrong}", self.word()))
    }
}

impl FilterCondition {
    pub(super) fn field(&self) -> Option<Field> {
        Some(match self {
            Self::Word(_) => return None,
            Self::Status(_) => Field::Status,
            Self::Kind(_) => Field::Kind,
            Self::Faq(_) => Field::Faq,
            Self::Error(_) => Field::Error,
            Self::Http(_) => Field::Http,
            Self::Cause(_) => Field::Cause,
            Self::Host(_) => Field::Host,
            Self::Id(_) => Field::Id,
            Self::Account(_) => Field::Account,
            Self::Assistant(_) => Field::Assistant,
            Self::Batch(_) => Field::Batch,
            Self::Attempted(_) => Field::Attempted,
            Self::Synced(_) => Field::Synced,
            Self::Changed(_) => Field::Changed,
            Self::Next(_) => Field::Next,
            Self::Queue(_) => Field::Queue,
            Self::Result(_) => Field::Result,
            Self::Content(_) => Field::Content,
            Self::By(_) => Field::By,
            Self::Worker(_) => Field::Worker,
        })
    }
}

impl Filter {
    /// Refuses a field that does not apply to `subject`. The error's position refers to the printed filter; with
    /// [`parse_for`](Self::parse_for) it refers to the typed text.
    pub fn check(&self, subject: Subject) -> Result<(), FilterError> {
        let mut at = 0;
        for term in &self.terms {
            if let Some(Err(message)) = term.condition.field().map(|field| field.check_subject(subject)) {
                return Err(FilterError { at: at + usize::from(term.negated), message });
            }
            at += term.to_string().len() + 1;
        }
        Ok(())
    }
}
