//! What the tests share.

pub mod pages;
