//! Helpers that the tests share.

#[macro_use]
pub mod place;

pub mod db;
pub mod deck;
pub mod dns;
pub mod facts;
pub mod figures;
pub mod fleet;
pub mod hostile;
pub mod install;
pub mod invariants;
pub mod leash;
pub mod limit;
pub mod live;
pub mod measure;
pub mod memory;
mod memory_batches;
mod memory_sources;
mod memory_texts;
pub mod pages;
pub mod pgbouncer;
pub mod ports;
pub mod postgres;
pub mod proxy;
pub mod pty;
pub mod redis;
pub mod resident;
pub mod screen;
pub mod seen;
pub mod seen_dashboard;
pub mod seen_sources;
pub mod sentinels;
pub mod site;
pub mod tls;
