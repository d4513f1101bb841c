//! Tests the store on real files and databases.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod abandoned;
mod changes;
mod chatwoot_plans;
mod claim;
mod clock_steps;
mod conflicts;
mod fairness;
mod finish;
mod guest_faqs;
mod guest_kinds;
mod guest_texts;
mod guests;
mod held;
mod hosts;
mod liveness;
mod marks;
mod open;
mod outbox;
mod passes;
mod pauses;
pub mod postgres;
mod read;
mod requests;
mod retention;
mod retention_year;
mod round_trips;
mod schedule;
mod sequences;
pub mod support;
mod texts;
mod unfetchable;
mod views;
mod views_of;
mod wire;
mod words;
