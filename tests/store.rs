//! The store, on real files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod bench;
mod claim;
mod finish;
mod held;
mod hosts;
mod liveness;
mod marks;
mod open;
mod postgres;
mod read;
mod requests;
mod sequences;
mod support;
mod wire;
