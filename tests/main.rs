//! Collects all integration tests as modules of one target, so that only one binary is linked.

#[macro_use]
mod support;

mod bad_input;
mod benches;
mod chaos;
mod chatwoot_verbs;
mod cli;
mod cli_end_to_end;
mod conditional;
mod config;
mod conformance;
mod console;
mod credentials;
mod demo_runs;
mod demo_site;
mod dependencies;
mod docs;
mod doctor;
mod draining;
mod faults;
mod fetch;
mod health;
mod host_backoff;
mod identical;
mod language;
mod layers;
mod locks;
mod log;
mod markdown_first;
mod moving_lists;
mod moving_rows;
mod outbox;
mod pausing;
mod readme;
mod relay;
mod scheduling;
mod screens;
mod server;
mod states;
mod store;
mod template;
mod terminal;
mod transitions;
mod upgrade;
mod waits;
