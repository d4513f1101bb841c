//! What the tests share.

#[macro_use]
pub mod place;

pub mod db;
pub mod deck;
pub mod pages;
pub mod postgres;
pub mod pty;
pub mod site;
