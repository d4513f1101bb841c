//! Reads of what surrounds the document list: the counts, the queue's figures, the pauses and the workers.

use super::effects::Update;
use super::{batches, loads};
use crate::domain::document::StatusCounts;
use crate::domain::notification::SinkStatus;
use crate::domain::topic::{Topic, TopicSet};
use crate::store::{DiskUse, QueueState, WorkerSummary};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::model::overlay::Overlay;
use crate::tui::model::reads::ReadState;
use crate::tui::msg::StoreResult;
use crate::tui::views::catalog::ViewId;

const COUNT_TOPICS: TopicSet = TopicSet::of(&[Topic::Documents, Topic::Jobs]);
const QUEUE_TOPICS: TopicSet = TopicSet::of(&[Topic::Jobs, Topic::Hosts, Topic::Pauses, Topic::Workers]);
const WORKER_TOPICS: TopicSet = TopicSet::of(&[Topic::Jobs, Topic::Workers]);

/// Reads again what depends on data of `topics`, with at most one read of each kind at a time.
pub(super) fn changed(model: &mut Model, topics: TopicSet, up: &mut Update) {
    if topics.contains(Topic::Jobs) {
        batches::read(model, up);
    }
    if topics.intersects(COUNT_TOPICS) {
        model.status_deadline.invalidate();
        counts(model, up);
    }
    if topics.intersects(QUEUE_TOPICS) {
        queue(model, up);
    }
    if topics.contains(Topic::Pauses) && model.pauses_read.request() {
        up.effect(Effect::LoadPauses);
    }
    if topics.intersects(WORKER_TOPICS) {
        workers(model, up);
    }
}

/// Requests the documents' counts.
pub(super) fn counts(model: &mut Model, up: &mut Update) {
    if model.counts_read.request() {
        up.effect(Effect::LoadCounts);
    }
}

/// Requests the queue's figures.
pub(super) fn queue(model: &mut Model, up: &mut Update) {
    if model.queue_read.request() {
        up.effect(Effect::LoadQueue);
    }
}

/// Requests the workers.
pub(super) fn workers(model: &mut Model, up: &mut Update) {
    if model.workers.read.request() {
        up.effect(Effect::LoadWorkers);
    }
}

/// Requests the workers unless they are being read.
pub(super) fn poll_workers(model: &mut Model, up: &mut Update) {
    if model.workers.read == ReadState::Idle {
        workers(model, up);
    }
}

/// Stores the documents' counts, or logs the error of reading them. They are not retried here, but read again after the
/// next commit, or when reading the document list succeeds again.
pub(super) fn take_counts(model: &mut Model, answer: StoreResult<StatusCounts>, up: &mut Update) {
    match answer {
        Ok(counts) => {
            up.redraw |= !model.is_counted() || model.counts != counts;
            (model.counts, model.counts_at) = (counts, Some(model.now));
        }
        Err(reason) => loads::read_failed(model, "the number of documents", &reason, up),
    }
    if model.counts_read.finish() {
        counts(model, up);
    }
}

/// Stores the queue's figures, or logs the error of reading them, as [`take_counts`] does.
pub(super) fn take_queue(model: &mut Model, answer: StoreResult<QueueState>, up: &mut Update) {
    model.queue_tried_at = Some(model.now);
    match answer {
        Ok(queue) => {
            up.redraw |= !model.is_counted() || model.queue != queue;
            (model.queue, model.queue_at) = (queue, Some(model.now));
        }
        Err(reason) => loads::read_failed(model, "the number of jobs", &reason, up),
    }
    if model.queue_read.finish() {
        queue(model, up);
    }
}

/// Stores the list of workers, or the error of reading it. Also reads what depends on it: a worker that died commits
/// nothing, and the failure of this small read shows that the database does not answer.
pub(super) fn take_workers(model: &mut Model, answer: StoreResult<Vec<WorkerSummary>>, up: &mut Update) {
    let before = model.workers.totals();
    model.workers.read_at = Some(model.now);
    match answer {
        Ok(listed) => {
            let is_same = model.workers.matches(&listed);
            (model.workers.list, model.workers.load_error) = (listed, None);
            if !is_same {
                queue(model, up);
                if matches!(model.active_view, ViewId::Jobs | ViewId::Workers) {
                    loads::active_view(model, up);
                }
            }
        }
        Err(reason) => {
            // The document list shows that the database is unavailable; this error is shown in the reader of the
            // workers.
            model.workers.load_error = Some(reason);
            if model.read_failure.is_none() {
                loads::list_changed(model, up);
            }
        }
    }
    up.redraw |= before != model.workers.totals() || matches!(model.overlay, Some(Overlay::Workers(_)));
    if model.workers.read.finish() {
        workers(model, up);
    }
}

/// Stores the disk use. An error is not shown: the list of workers, read at the same time, shows it.
pub(super) fn take_disk_use(model: &mut Model, answer: StoreResult<DiskUse>, up: &mut Update) {
    if let Ok(disk) = answer {
        up.redraw |= model.disk.as_ref() != Some(&disk) && matches!(model.overlay, Some(Overlay::Workers(_)));
        model.disk = Some(disk);
    }
}

/// Stores the receivers of notifications. An error is not shown, as of the disk use.
pub(super) fn take_sinks(model: &mut Model, answer: StoreResult<Vec<SinkStatus>>, up: &mut Update) {
    if let Ok(sinks) = answer {
        up.redraw |= model.sinks != sinks && matches!(model.overlay, Some(Overlay::Workers(_)));
        model.sinks = sinks;
    }
}
