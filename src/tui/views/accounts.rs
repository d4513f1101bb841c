//! The accounts: plan, documents by status, jobs, and their share of the last hour.

pub mod draw;
pub mod state;
pub mod text;
