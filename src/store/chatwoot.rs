//! Reads of Chatwoot's own tables other than `captain_documents`: assistants, answers (FAQs), settings, and the plans of accounts. Nothing here
//! writes.

pub(in crate::store) mod assistants;
pub(in crate::store) mod attachments;
pub(in crate::store) mod crawling;
pub(in crate::store) mod faqs;
pub(in crate::store) mod plans;
