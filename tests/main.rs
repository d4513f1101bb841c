//! Every integration test, as modules of one target: linking one binary instead of many.

mod fetch;
mod support;
