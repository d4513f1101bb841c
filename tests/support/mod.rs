//! What the tests share.

pub mod db;
pub mod deck;
pub mod pages;
pub mod postgres;
pub mod pty;
pub mod site;
