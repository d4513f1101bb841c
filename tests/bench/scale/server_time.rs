//! Processor time of a PostgreSQL server on this machine: of its first process, of those that it has started, and of
//! those that have ended.

use super::harness::postgres::Database;
use std::fs;

/// Ticks of `/proc` in a second; Linux has the same on every machine.
const TICKS: f64 = 100.0;

/// Fields of `/proc/PID/stat` behind the name of the program.
const PARENT: usize = 1;
const USER_AND_SYSTEM: [usize; 2] = [11, 12];
const USER_AND_SYSTEM_OF_ENDED: [usize; 2] = [13, 14];

/// The first process of a server.
pub struct ServerTime {
    process: u64,
}

impl ServerTime {
    /// Returns the server of a database, or `None` if it is on another machine.
    pub async fn of(database: &Database) -> Option<Self> {
        let process = database.text("SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1)").await;
        let program = fs::read_to_string(format!("/proc/{process}/comm")).ok()?;
        let process = process.parse().ok()?;
        matches!(program.trim(), "postgres" | "postmaster").then_some(Self { process })
    }

    /// Returns the processor time used so far, in seconds.
    pub fn seconds(&self) -> f64 {
        let mut ticks = 0.0;
        for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Ok(stat) = fs::read_to_string(process.path().join("stat")) else { continue };
            // The name of the program stands in parentheses and may contain spaces.
            let Some((_, fields)) = stat.rsplit_once(')') else { continue };
            let fields: Vec<u64> = fields.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect();
            let sum = |indexes: [usize; 2]| indexes.iter().filter_map(|index| fields.get(*index)).sum::<u64>() as f64;
            if process.file_name().to_str() == Some(&self.process.to_string()) {
                ticks += sum(USER_AND_SYSTEM) + sum(USER_AND_SYSTEM_OF_ENDED);
            } else if fields.get(PARENT) == Some(&self.process) {
                ticks += sum(USER_AND_SYSTEM);
            }
        }
        ticks / TICKS
    }
}
