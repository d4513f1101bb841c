//! Text to be read over the screen.

pub mod about;
pub mod help;
pub mod workers;
