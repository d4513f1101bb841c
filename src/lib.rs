//! Quarterdeck: a terminal operations console for document syncs, with the job runner inside.
//!
//! The rooms, and which way the arrows run (a test reads `src/` and holds them):
//!
//! ```text
//! domain <- chatwoot <- store, lock, fetch <- runner <- config <- tui, cli <- main
//! domain <- format <- tui, cli
//! demo knows domain alone; cli starts it
//! ```
//!
//! `domain`, `chatwoot` and `format` are pure. `store` is the only room with SQL, `lock` the only one that knows Redis,
//! `fetch` the only one that opens connections to pages, `tui` the only one that knows a terminal. `store`, `lock` and
//! `fetch` do not know each other; the runner joins them. `config` fills the settings that `lock`, `fetch` and `runner`
//! define. `fault` is for the tests alone: points at which store and runner can be made to break.

pub mod chatwoot;
pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod fault;
pub mod fetch;
pub mod format;
pub mod lock;
pub mod runner;
pub mod store;
pub mod tui;
