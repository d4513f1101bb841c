//! What the tests share.

pub mod facts;
pub mod memory;
pub mod screen;
