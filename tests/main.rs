//! Every integration test, as modules of one target: linking one binary instead of many.

mod chaos;
mod cli;
mod cli_end_to_end;
mod config;
mod conformance;
mod console;
mod demo_site;
mod fetch;
mod layers;
mod locks;
mod log;
mod readme;
mod screens;
mod states;
mod store;
mod support;
mod terminal;
mod transitions;
