//! The jobs in sections.

pub mod draw;
pub mod state;
pub mod text;
