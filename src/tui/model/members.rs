//! The documents that failed for the cause under the cursor of the failures view.

use crate::domain::document::DocumentRow;
use crate::domain::failure_cause::FailureCause;

/// The first documents of a cause, those that failed last first.
#[derive(Debug, Default)]
pub struct CauseMembers {
    /// The cause that the newest request asks for, and the number of documents.
    asked: Option<(FailureCause, u64)>,
    /// Number of the newest request; the answer to an older one is dropped.
    pub generation: u64,
    /// The causes have been read anew since the newest request.
    outdated: bool,
    /// The cause of the last answer with its documents.
    known: Option<(FailureCause, Vec<DocumentRow>)>,
}

impl CauseMembers {
    /// Returns the known documents of `cause`; `None` before they have been read.
    pub fn of(&self, cause: FailureCause) -> Option<&[DocumentRow]> {
        self.known.as_ref().filter(|(known, _)| *known == cause).map(|(_, rows)| rows.as_slice())
    }

    /// Notes that the causes have been read anew, so that their documents may be others.
    pub fn invalidate(&mut self) {
        self.outdated = true;
    }

    /// Requests the first `documents` of `cause`. Returns true if the caller has to read them under a new number.
    pub fn request(&mut self, cause: FailureCause, documents: u64) -> bool {
        let is_new = self.outdated || self.asked != Some((cause, documents));
        (self.asked, self.outdated) = (Some((cause, documents)), false);
        is_new
    }

    /// Stores the answer to request `generation`. Returns true if the documents differ from the known ones. After a
    /// failed read they stay as they are, until the causes have been read anew.
    pub fn take(&mut self, generation: u64, rows: Option<Vec<DocumentRow>>) -> bool {
        let (Some((cause, _)), Some(rows)) = (self.asked.filter(|_| generation == self.generation), rows) else {
            return false;
        };
        let is_same = self.of(cause) == Some(rows.as_slice());
        self.known = Some((cause, rows));
        !is_same
    }
}
