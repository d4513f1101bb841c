//! Exports of texts: into a folder, a Markdown file per document, incremental, and safe against kills and planted links;
//! or into one file.
//!
//! [`folder`] writes below the folder without leaving it, [`journal`] knows what was written, and `run` compares that
//! with the store.

mod folder;
mod journal;
mod lines_file;
mod run;

pub use folder::{FileModes, Folder, FolderError};
pub use journal::{ExportHeader, JournalError};
pub use lines_file::LinesFile;
pub use run::{ExportError, ExportEvent, ExportSummary, FolderExport, export};
