//! What the tests share.

pub mod db;
pub mod deck;
pub mod facts;
pub mod live;
pub mod memory;
pub mod pages;
pub mod pty;
pub mod redis;
pub mod screen;
pub mod site;
