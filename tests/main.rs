//! Every integration test, as modules of one target: linking one binary instead of many.

mod cli;
mod config;
mod support;
