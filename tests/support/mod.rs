//! What the tests share.

pub mod db;
pub mod deck;
pub mod pages;
pub mod pty;
pub mod site;
