//! Forms in which texts leave the store: paths of files, front matter, chunks for a search index.

mod chunks;
mod front_matter;
mod path;

pub use chunks::{Chunk, chunks};
pub use front_matter::{ID_WITHIN, document_of, front_matter};
pub use path::{ExportPath, InvalidPath};
