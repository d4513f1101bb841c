//! Wording that is no view's own: figures, what a change came to, pauses.

pub mod answer;
pub mod figures;
pub mod pause;
