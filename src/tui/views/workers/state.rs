//! State of the workers view: a row for each worker, followed by the rows of its running jobs.

use crate::domain::id::{JobId, WorkerId};
use crate::store::{JobProgress, JobSummary, JobsPage, Listing, WorkerSummary};
use crate::tui::table::state::{TableRow, TableState};

/// The table behind the workers view.
pub type WorkersTable = TableState<Listing<WorkerLine>>;

/// A row of the workers view: a worker, or a job that it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerLine {
    pub worker: WorkerSummary,
    pub job: Option<JobSummary>,
}

impl TableRow for WorkerLine {
    type Key = (WorkerId, Option<JobId>);

    fn key(&self) -> Self::Key {
        (self.worker.id.clone(), self.job.as_ref().map(|job| job.job))
    }

    fn fades(&self) -> bool {
        false
    }
}

/// Puts the running jobs below their workers, which are known by name.
pub fn lines(workers: Vec<WorkerSummary>, jobs: &JobsPage) -> Listing<WorkerLine> {
    let total = workers.len() as u64;
    let mut rows = Vec::new();
    for worker in workers {
        let runs = |job: &&JobSummary| matches!(&job.progress, JobProgress::Running { worker: Some(name), .. } if *name == worker.name);
        let jobs: Vec<JobSummary> = jobs.running.iter().filter(runs).cloned().collect();
        rows.push(WorkerLine { worker: worker.clone(), job: None });
        rows.extend(jobs.into_iter().map(|job| WorkerLine { worker: worker.clone(), job: Some(job) }));
    }
    Listing { rows, total }
}
