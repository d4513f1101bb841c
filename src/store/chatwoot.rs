//! Reads of Chatwoot's own tables other than `captain_documents`: assistants, answers (FAQs), settings, the plans of
//! accounts, its way of fetching pages, attached files. Nothing here writes. Each of these tables may be missing or closed
//! to this role: see `optional`.

pub(in crate::store) mod assistants;
pub(in crate::store) mod attachments;
pub(in crate::store) mod crawling;
pub(in crate::store) mod faqs;
pub(in crate::store) mod optional;
pub(in crate::store) mod plans;
