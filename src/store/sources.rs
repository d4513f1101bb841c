//! Sources: their rows and those of their reads, pages and proposals.
//!
//! A row of `sources` is also the read that waits or runs: a process claims it with a lease, notes the pages that it finds
//! in `source_pages`, and nothing follows from them before the read is complete (`complete`). So a read may end at any
//! moment, and the next one begins anew. `reads` has the claims and ends, `proposals` the decisions, `edit` the changes of settings, `rows` what is read
//! for people.

pub(in crate::store) mod compare;
pub(in crate::store) mod complete;
pub(in crate::store) mod edit;
pub(in crate::store) mod proposals;
pub(in crate::store) mod reads;
pub(in crate::store) mod rows;

use sha2::{Digest as _, Sha256};

/// Returns the digest of a URL by which a page of a source is found.
fn page_key(url: &str) -> String {
    Sha256::digest(url).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
