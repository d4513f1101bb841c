//! FAQ jobs that wait because no process of Sidekiq takes them, or because no worker runs that would deliver them.

use super::effects::Update;
use super::loads;
use crate::domain::faq::FaqBacklog;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::model::reads::ReadState;
use crate::tui::msg::StoreResult;
use std::time::Duration;

/// Age from which an FAQ job counts as waiting. A worker delivers one within 2 s.
const MIN_AGE: Duration = Duration::from_secs(10);

/// Requests the FAQ jobs that wait, where such jobs are started.
pub(super) fn poll(model: &mut Model, up: &mut Update) {
    let is_idle = model.faq_backlog_read == ReadState::Idle;
    if model.options.faq_jobs_off.is_none() && is_idle && model.faq_backlog_read.request() {
        up.effect(Effect::LoadFaqBacklog);
    }
}

/// Stores the FAQ jobs that wait. If they have changed, the documents are read again: a delivery of a job is no commit of
/// theirs. An error is shown by other reads.
pub(super) fn take(model: &mut Model, answer: StoreResult<Option<FaqBacklog>>, up: &mut Update) {
    model.faq_backlog_read.finish();
    let Ok(backlog) = answer else { return };
    let is_old = |backlog: &FaqBacklog| model.now.since(backlog.oldest_at) >= MIN_AGE || backlog.reason.is_some();
    let waiting = backlog.filter(is_old);
    if model.faq_backlog != waiting {
        model.faq_backlog = waiting;
        up.redraw();
        loads::list_changed(model, up);
        loads::detail_changed(model, up);
    }
}
