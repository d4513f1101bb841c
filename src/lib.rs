//! Quarterdeck: a terminal operations console for document syncs, with the job runner inside.
//!
//! The modules and their dependencies, which `tests/layers.rs` checks. An arrow points to a module that the other one
//! may use:
//!
//! ```text
//! domain <- chatwoot <- store, lock, fetch <- runner <- config <- tui, cli <- main
//! domain <- format <- tui, cli
//! store <- export <- cli
//! demo depends on domain alone; cli starts it
//! ```
//!
//! `domain`, `chatwoot` and `format` are pure. Only `store` has SQL, only `lock` uses Redis, only `fetch` opens
//! connections to pages, and only `tui` uses a terminal. `export` writes texts into folders. `store`, `lock` and `fetch` do not know each other; the runner
//! connects them. `config` fills the settings that other modules define. `fault` is for tests: named points at which a
//! test makes store and runner break.

pub mod chatwoot;
pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod export;
pub mod fault;
pub mod fetch;
pub mod format;
pub mod lock;
pub mod runner;
pub mod store;
pub mod tui;
