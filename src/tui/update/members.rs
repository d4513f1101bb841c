//! Reads the documents of the cause under the cursor of the failures view, as many as the pane below it has lines for.

use super::effects::Update;
use crate::domain::document::DocumentRow;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::msg::StoreResult;
use crate::tui::screen;
use crate::tui::views::catalog::ViewId;
use crate::tui::views::failures::text::filter_of;

/// Requests the documents after each message, unless they are known or being read.
pub(super) fn follow_cursor(model: &mut Model, up: &mut Update) {
    if model.active_view != ViewId::Failures || model.detail.is_some() {
        return;
    }
    let limit = u64::from(screen::areas(model).peek.height);
    let Some(summary) = model.views.failures.row() else { return };
    let (cause, filter) = (summary.cause, filter_of(summary));
    if limit > 0 && model.members.request(cause, limit) {
        let generation = model.next_generation();
        model.members.generation = generation;
        up.effect(Effect::LoadMembers { generation, filter, limit });
    }
}

/// Stores the documents. An error is not shown: the rows of the view, read at the same time, show it.
pub(super) fn take(model: &mut Model, generation: u64, answer: StoreResult<Vec<DocumentRow>>, up: &mut Update) {
    up.redraw |= model.members.take(generation, answer.ok());
}
