//! State of the workers view: a row for each worker, followed by the rows of its running jobs.

use crate::domain::id::{JobId, WorkerId};
use crate::store::{JobProgress, JobSummary, JobsPage, Listing, WorkerSummary};
use crate::tui::table::order::{ColumnOrder, largest_first};
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

    const ORDERS: &'static [ColumnOrder<Self>] = &[
        ColumnOrder { letter: 'w', heading: "worker", compare: |a, b| a.worker.name.cmp(&b.worker.name) },
        ColumnOrder {
            letter: 'd',
            heading: "doing",
            compare: |a, b| largest_first(a.worker.running, b.worker.running),
        },
        ColumnOrder {
            letter: 'h',
            heading: "heartbeat",
            compare: |a, b| a.worker.heartbeat_at.cmp(&b.worker.heartbeat_at),
        },
        ColumnOrder { letter: 'u', heading: "up", compare: |a, b| a.worker.started_at.cmp(&b.worker.started_at) },
    ];

    fn begins_group(&self) -> bool {
        self.job.is_none()
    }

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
