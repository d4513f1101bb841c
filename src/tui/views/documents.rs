//! The list of documents.

pub mod draw;
pub mod peek;
pub mod state;
pub mod text;
