//! Every integration test, as modules of one target: linking one binary instead of many.

mod config;
mod demo_site;
mod layers;
mod support;
mod transitions;
