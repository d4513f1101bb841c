//! The outcome panel.

pub mod draw;
pub mod entry;
pub mod state;
pub mod text;
