//! What the tests share.

#[macro_use]
pub mod place;

pub mod db;
pub mod deck;
pub mod dns;
pub mod facts;
pub mod fleet;
pub mod install;
pub mod invariants;
pub mod live;
pub mod memory;
pub mod pages;
pub mod pgbouncer;
pub mod postgres;
pub mod proxy;
pub mod pty;
pub mod redis;
pub mod screen;
pub mod site;
