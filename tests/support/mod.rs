//! What the tests share.

#[macro_use]
pub mod place;

pub mod db;
pub mod deck;
pub mod facts;
pub mod install;
pub mod live;
pub mod memory;
pub mod pages;
pub mod postgres;
pub mod pty;
pub mod screen;
pub mod site;
