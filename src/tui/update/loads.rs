//! Reads from the store: requests and their answers. The answer to an older numbered request is dropped.

use super::effects::Update;
use super::{figures, marks, trail};
use crate::domain::extraction::ExplainedPage;
use crate::domain::text::SafeLine;
use crate::domain::topic::{Topic, TopicSet};
use crate::store::DocumentPage;
use crate::tui::availability::document;
use crate::tui::effect::Effect;
use crate::tui::model::explanation::TextExplanation;
use crate::tui::model::overlay::Overlay;
use crate::tui::model::toast::Level;
use crate::tui::model::{Focus, Model, ReadFailure};
use crate::tui::msg::{DetailData, StoreResult};
use crate::tui::scope::PaneId;
use crate::tui::screen::list_rows;
use crate::tui::table::state::Rows as _;
use crate::tui::views;
use crate::tui::views::catalog::{ViewId, ViewRows};
use crate::tui::views::detail::state::{Detail, Tab};
use std::time::Duration;

/// Wait between two tries to read the document list after a failure: within a second after the database is back, the
/// screen shows it.
const RETRY_WAIT: Duration = Duration::from_millis(700);

/// Requests the rows of the document list on the screen. The answer to an earlier request is then dropped.
pub(super) fn page(model: &mut Model, up: &mut Update) {
    page_after(model, Duration::ZERO, up);
}

fn page_after(model: &mut Model, wait: Duration, up: &mut Update) {
    let generation = model.next_generation();
    let rows = list_rows(model);
    let documents = &mut model.documents;
    (documents.generation, documents.loading, documents.reread_needed) = (generation, true, false);
    up.effect(Effect::LoadPage { generation, query: documents.query(rows), wait });
}

/// Reads everything that the screen shows: at the start, and after an outage.
pub(super) fn everything(model: &mut Model, up: &mut Update) {
    page(model, up);
    around_the_list(model, up);
}

/// Reads everything that the screen shows except the document list.
fn around_the_list(model: &mut Model, up: &mut Update) {
    figures::changed(model, TopicSet::ALL, up);
    active_view(model, up);
}

/// Handles commits that changed data of `topics`: reads again what the screen shows of it, with at most one read of
/// each kind at a time.
pub(super) fn changed(model: &mut Model, topics: TopicSet, up: &mut Update) {
    if topics.intersects(ViewId::Documents.topics()) {
        list_changed(model, up);
    }
    figures::changed(model, topics, up);
    if topics.intersects(model.active_view.topics()) {
        active_view(model, up);
    }
    // A decision by another person is recorded by no outcome, so the details of a quarantined document are read too.
    if topics.contains(Topic::Documents) && model.quarantined_text().is_some() {
        detail_changed(model, up);
    }
}

/// Reads the document list again, with at most one read at a time.
pub(super) fn list_changed(model: &mut Model, up: &mut Update) {
    if model.documents.loading {
        model.documents.reread_needed = true;
    } else {
        page(model, up);
    }
}

/// Reads the active view, with at most one read at a time and a wait after each. Does nothing for the document list,
/// which [`changed`] reads.
pub(super) fn active_view(model: &mut Model, up: &mut Update) {
    let (view, now) = (model.active_view, model.now);
    let rows = views::for_pane(PaneId::View(view)).rows_mut(model);
    if let Some(wait) = rows.and_then(|rows| rows.request_read(now)) {
        // This read stops the read of another view, which is read again when it is shown.
        for other in ViewId::ALL.iter().filter(|other| **other != view) {
            if let Some(rows) = views::for_pane(PaneId::View(*other)).rows_mut(model) {
                rows.abandon_read();
            }
        }
        up.effect(Effect::LoadView { view, wait });
    }
}

/// Reads the hosts if they are not known yet, to complete the name of one that is being typed. No other view is read
/// meanwhile, since one such read stops the other.
pub(super) fn hosts_to_complete(model: &mut Model, up: &mut Update) {
    let now = model.now;
    if model.active_view == ViewId::Documents
        && model.views.hosts.data.rows.is_empty()
        && let Some(wait) = model.views.hosts.request_read(now)
    {
        up.effect(Effect::LoadView { view: ViewId::Hosts, wait });
    }
}

/// Stores the rows of a view other than the document list.
pub(super) fn take_rows(model: &mut Model, rows: ViewRows, up: &mut Update) {
    let (view, changed) = model.views.take(model.now, rows);
    if view == ViewId::Failures {
        model.members.invalidate();
    }
    if model.active_view != view {
        // An open prompt completes the names of hosts.
        up.redraw |= changed && matches!(model.overlay, Some(Overlay::Prompt(_)));
        return;
    }
    up.redraw |= changed;
    if views::for_pane(PaneId::View(view)).rows(model).is_some_and(|rows| rows.reread_needed()) {
        active_view(model, up);
    }
}

/// Stores the rows of the document list. After a failure, reads them again after [`RETRY_WAIT`]. The answer to an older request is dropped.
pub(super) fn take_page(model: &mut Model, generation: u64, answer: StoreResult<DocumentPage>, up: &mut Update) {
    if generation != model.documents.generation {
        return;
    }
    model.documents.loading = false;
    match answer {
        Ok(taken) => {
            let was_stale = model.read_failure.take().is_some();
            model.read_at = Some(model.now);
            let before = (model.documents.cursor, model.documents.cursor_index, model.documents.top);
            // A restarted list is drawn without its total until its rows are there, which may be the same rows as before.
            let is_new = !model.documents.loaded || model.documents.restarted;
            up.redraw = was_stale || is_new || model.documents.page != taken;
            let rows = list_rows(model);
            let missing = model.documents.take(taken, rows);
            up.redraw |= before != (model.documents.cursor, model.documents.cursor_index, model.documents.top);
            if was_stale {
                model.notify(Level::Done, "the database answers again");
                around_the_list(model, up);
            }
            if missing || model.documents.reread_needed {
                page(model, up);
            } else {
                marks::check(model, up);
            }
        }
        Err(reason) => {
            // After a migration by a newer program, the database's own message would mislead.
            let reason = model.outdated.map_or(reason, |mismatch| mismatch.to_string().as_str().into());
            up.redraw();
            let tries = model.read_failure.as_ref().map_or(1, |stale| stale.tries + 1);
            let wait = RETRY_WAIT;
            model.log_failed_read(format!("the documents cannot be read: {reason}"));
            let since = model.read_failure.as_ref().map_or(model.now, |stale| stale.since);
            model.read_failure = Some(ReadFailure { since, reason, retry_at: model.now.plus(wait), tries });
            page_after(model, wait, up);
        }
    }
}

/// Adds an entry about a failed read to the activity list, and reads the document list: if that fails, too, the database
/// is away.
pub(super) fn read_failed(model: &mut Model, what: &str, reason: &SafeLine, up: &mut Update) {
    model.log_failed_read(format!("{what} cannot be read: {reason}"));
    if model.read_failure.is_none() {
        list_changed(model, up);
    }
}

/// Opens the details of the current document.
pub(super) fn open_detail(model: &mut Model, up: &mut Update) {
    let Ok(one) = document(model) else { return };
    let generation = model.next_generation();
    let mut detail = Detail::new(one.document, one.name, generation);
    // For quarantined content the difference comes first, since it waits for a person's decision.
    if model.documents.find(one.document).is_some_and(|row| row.quarantine_reason.is_some()) {
        detail.tab = Tab::Changes;
    }
    trail::leave(model);
    model.detail = Some(detail);
    model.focus = Focus::Main;
    up.effect(Effect::LoadDetail { generation, document: one.document });
}

/// Opens the explanation of the text in the open details, for which the page is fetched anew.
pub(super) fn explain(model: &mut Model, up: &mut Update) {
    let Some(row) = model.detail_row() else { return };
    let (document, url) = (row.id, row.url.clone());
    let generation = model.next_generation();
    model.explanation = Some(TextExplanation { generation, url: url.clone(), answer: None });
    model.overlay = Some(Overlay::Why(0));
    up.effect(Effect::Explain { generation, document, url });
}

/// Stores an explanation. The answer to an older request is dropped.
pub(super) fn take_explanation(
    model: &mut Model,
    generation: u64,
    answer: Result<Box<ExplainedPage>, SafeLine>,
    up: &mut Update,
) {
    if let Some(explanation) = model.explanation.as_mut().filter(|explanation| explanation.generation == generation) {
        explanation.answer = Some(answer);
        up.redraw |= matches!(model.overlay, Some(Overlay::Why(_)));
    }
}

/// Reads the open details again, with at most one read at a time.
pub(super) fn detail_changed(model: &mut Model, up: &mut Update) {
    let generation = model.next_generation();
    let Some(detail) = &mut model.detail else { return };
    if detail.loading {
        detail.reread_needed = true;
        return;
    }
    (detail.generation, detail.loading, detail.reread_needed) = (generation, true, false);
    up.effect(Effect::LoadDetail { generation, document: detail.document });
}

/// Stores the data of the open details, or shows the error of reading it.
pub(super) fn take_detail(
    model: &mut Model,
    generation: u64,
    answer: StoreResult<Option<Box<DetailData>>>,
    up: &mut Update,
) {
    let Some(detail) = model.detail.as_mut().filter(|detail| detail.generation == generation) else {
        return;
    };
    detail.loading = false;
    let reread = detail.reread_needed;
    detail.read_at = Some(model.now);
    up.redraw |= !matches!((&answer, &detail.data), (Ok(Some(new)), Some(old)) if new.displays_same(old));
    match answer {
        Ok(Some(mut data)) => {
            // Keeps the number of the old read if the text is the same, so that the text is not wrapped again.
            if let Some(old) = detail.data.as_ref().filter(|old| old.content == data.content) {
                data.read_id = old.read_id;
            }
            detail.name = data.row.name.clone();
            detail.gone = false;
            detail.data = Some(data);
            detail.scroll = detail.scroll.min(detail.lines().saturating_sub(1));
        }
        Ok(None) => detail.gone = true,
        Err(reason) => model.notify(Level::Failed, format!("the details cannot be read: {reason}")),
    }
    if reread {
        detail_changed(model, up);
    }
}
