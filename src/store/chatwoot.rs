//! Chatwoot's own tables beside `captain_documents`, which are only read: assistants, and the plans of accounts.

pub(in crate::store) mod assistants;
pub(in crate::store) mod plans;
