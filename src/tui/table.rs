//! What views of rows have in common: the rows with their cursor, and how they are drawn.

pub mod draw;
pub mod state;
