//! What the tests share.

pub mod facts;
pub mod live;
pub mod memory;
pub mod screen;
