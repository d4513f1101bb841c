//! Wording that is no view's own: what a change came to, pauses.

pub mod answer;
pub mod pause;
