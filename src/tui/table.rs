//! The table that several views share: the rows with their cursor, the columns, and the pane around them.

pub mod columns;
pub mod draw;
pub mod order;
pub mod state;
