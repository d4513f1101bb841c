//! What the tests share.

pub mod db;
pub mod deck;
pub mod pty;
pub mod site;
