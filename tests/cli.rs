//! Tests the pure parts of the command line: accepted arguments, output, exit codes.

mod arguments;
mod helps;
mod imports;
mod printing;
mod sitemaps;
