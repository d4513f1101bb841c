//! SQL for both databases: statements and their dialects, connections and rows, write transactions, filters, the
//! classification of database errors, and the clock.

pub(in crate::store) mod batch;
pub(in crate::store) mod calendar;
pub(in crate::store) mod clock;
pub(in crate::store) mod columns;
pub(in crate::store) mod combined_writes;
pub(in crate::store) mod conn;
pub(in crate::store) mod database;
pub(in crate::store) mod dialect;
pub(in crate::store) mod documents;
pub(in crate::store) mod error;
pub(in crate::store) mod filter;
pub(in crate::store) mod packed;
pub(in crate::store) mod reader;
pub(in crate::store) mod rendered;
pub(in crate::store) mod rows;
pub(in crate::store) mod statement;
pub(in crate::store) mod status;
pub(in crate::store) mod topics;
pub(in crate::store) mod transaction;
pub(in crate::store) mod uptime;
