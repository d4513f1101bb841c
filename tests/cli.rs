//! The command line's pure parts: what is accepted, what is printed, which code a run ends with.

mod arguments;
mod imports;
mod printing;
mod sitemaps;
