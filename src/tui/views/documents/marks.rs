//! Marks: the documents that a person has chosen for a bulk action, and which of them the list shows. A mark stays when
//! its document leaves the list, for example because the filter changes; such a mark is hidden.

use super::state::Documents;
use crate::domain::id::DocumentId;

/// Largest number of marks of which the store is asked whether their documents match the filter.
const MAX_CHECKED_MARKS: usize = 1_000;

/// The marked documents that are not in the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HiddenMarks {
    #[default]
    None,
    /// It is not known yet how many there are.
    Unknown,
    Some(u64),
}

impl Documents {
    /// Returns how many marked documents are not in the list, since they do not match the filter.
    pub fn hidden_marks(&self) -> HiddenMarks {
        if self.filter.terms.is_empty() || self.marks.is_empty() {
            return HiddenMarks::None;
        }
        match self.marks.difference(&self.listed_marks).count() as u64 {
            0 => HiddenMarks::None,
            _ if !self.marks_checked => HiddenMarks::Unknown,
            hidden => HiddenMarks::Some(hidden),
        }
    }

    /// Returns the marks of which the store has to be asked whether they match the filter; `None` if that is known, or
    /// if they are too many to ask.
    pub fn marks_to_check(&self) -> Option<Vec<DocumentId>> {
        let asks = !self.filter.terms.is_empty() && !self.marks.is_empty() && self.marks.len() <= MAX_CHECKED_MARKS;
        asks.then(|| self.marks.iter().copied().collect())
    }

    /// Forgets which marked documents match the filter, since the filter has changed.
    pub fn filter_changed(&mut self) {
        self.listed_marks.clear();
        self.marks_checked = false;
    }
}
