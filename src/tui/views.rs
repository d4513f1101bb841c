//! The views, a folder each: state, text and drawing.

pub mod accounts;
pub mod detail;
pub mod documents;
pub mod hosts;
pub mod jobs;
pub mod outcomes;
