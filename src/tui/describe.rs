//! Texts that several views share: results of commands, and pauses.

pub mod answer;
pub mod batch;
pub mod pause;
