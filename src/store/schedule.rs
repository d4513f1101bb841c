//! Scheduled syncs: a pass makes jobs of due documents. `plans` knows each account's plan, `due` finds documents that
//! are due, `scan` goes through the accounts, `pass` holds the lease and writes the jobs.

pub(in crate::store) mod due;
pub(in crate::store) mod pass;
pub(in crate::store) mod plans;
pub(in crate::store) mod scan;
