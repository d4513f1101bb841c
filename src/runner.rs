//! The job runner: claims, attempts, finishes, retries, rescues, drains. Knows no terminal and no SQL.

pub mod event;
pub mod handle;
pub mod tail;
