//! Reads for display: the document list and single documents, the console's views of jobs, hosts, accounts and workers,
//! and the log of outcomes. No decision about what runs depends on them.

pub(in crate::store) mod accounts;
pub(in crate::store) mod contents;
pub(in crate::store) mod counts;
pub(in crate::store) mod dashboard;
pub(in crate::store) mod deadline;
pub(in crate::store) mod disk;
pub(in crate::store) mod document;
pub(in crate::store) mod documents;
pub(in crate::store) mod estimate;
pub(in crate::store) mod failures;
pub(in crate::store) mod faqs;
pub(in crate::store) mod figures;
pub(in crate::store) mod hosts;
pub(in crate::store) mod jobs;
pub(in crate::store) mod listing;
pub(in crate::store) mod order;
pub(in crate::store) mod outcomes;
pub(in crate::store) mod page;
pub(in crate::store) mod preview;
pub(in crate::store) mod texts;
pub(in crate::store) mod words;
pub(in crate::store) mod workers;
