//! Scheduled syncs: a pass enqueues jobs for due documents. `plans` reads each account's plan, `due` finds due
//! documents, `scan` goes through the accounts, `pass` takes the lease and writes the jobs. `conditions`
//! notifies sinks of states that time changes, under the same lease.

pub(in crate::store) mod conditions;
pub(in crate::store) mod due;
pub(in crate::store) mod pass;
pub(in crate::store) mod plans;
pub(in crate::store) mod scan;
