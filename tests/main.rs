//! Every integration test, as modules of one target: linking one binary instead of many.

#[macro_use]
mod support;

mod chaos;
mod cli;
mod cli_end_to_end;
mod config;
mod conformance;
mod demo_site;
mod fetch;
mod layers;
mod log;
mod states;
mod store;
mod transitions;
