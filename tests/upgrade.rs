//! Stores made by other versions: brought up to date, copied before, refused when they cannot be used.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod filled;
