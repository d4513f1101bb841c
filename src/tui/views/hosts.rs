//! The hosts, the worst first.

pub mod draw;
pub mod state;
pub mod text;
