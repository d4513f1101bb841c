//! A library that is loaded into processes of the program, and through which a test sets their clock and lets their
//! writes to the store fail (`shim.c`).

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// A fault of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskFault {
    None,
    /// Flushes fail with EIO.
    FlushFails,
    /// Writes fail with EROFS, as on a file system that the kernel made read-only.
    ReadOnly,
}

/// The library, and the numbers that the processes read which have loaded it.
pub struct Shim {
    folder: TempDir,
    shared: File,
}

impl Shim {
    /// Compiles the library.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/chaos/shim.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(folder.path().join("shim.so")).args([source, "-ldl"]);
        assert!(compiler.status().expect("a C compiler").success(), "{source} is compiled");
        let shared = folder.path().join("shared");
        std::fs::write(&shared, [0; 16]).expect("written");
        let shared = File::options().write(true).open(shared).expect("a file");
        Self { folder, shared }
    }

    /// Returns the variables with which a process loads the library.
    pub fn env(&self) -> [(&'static str, String); 2] {
        let path = |name: &str| -> PathBuf { self.folder.path().join(name) };
        [("LD_PRELOAD", path("shim.so").display().to_string()), ("SHIM", path("shared").display().to_string())]
    }

    /// Sets the clock of the processes: the difference to the machine's, in seconds.
    pub fn set_clock(&self, seconds: i64) {
        self.shared.write_all_at(&seconds.to_ne_bytes(), 0).expect("written");
    }

    /// Sets the fault of the disk.
    pub fn set_disk(&self, fault: DiskFault) {
        let fault = fault as i64;
        self.shared.write_all_at(&fault.to_ne_bytes(), 8).expect("written");
    }
}
