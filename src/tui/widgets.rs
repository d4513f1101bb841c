//! Drawing into a part of the screen.

pub mod canvas;
