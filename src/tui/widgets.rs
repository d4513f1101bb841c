//! Widgets that draw into a part of the screen: text, frames, scroll bars.

pub mod canvas;
pub mod frame;
pub mod scroll_bar;
