//! The details of one document.

pub mod changes;
pub mod difference;
pub mod draw;
pub mod state;
pub mod text;
