//! Marks on documents, which choose the documents of a bulk action.

use super::effects::Update;
use super::loads;
use crate::domain::filter::Filter;
use crate::domain::id::DocumentId;
use crate::format;
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::model::toast::Level;
use crate::tui::msg::StoreResult;
use crate::tui::screen::list_rows;
use crate::tui::table::state::Rows as _;
use std::collections::BTreeSet;

/// Changes the marks: toggles the row under the cursor and moves down, marks all documents that match the filter, or
/// clears all marks.
pub(super) fn mark(model: &mut Model, action: Action, up: &mut Update) {
    match action {
        Action::MarkAll => up.effect(Effect::MarkAll(model.documents.filter.clone())),
        Action::ClearMarks => model.documents.marks.clear(),
        _ => {
            let Some(document) = model.documents.cursor else { return };
            let documents = &mut model.documents;
            if !documents.marks.remove(&document) {
                documents.marks.insert(document);
                documents.listed_marks.insert(document);
            }
            let rows = list_rows(model);
            let index = model.documents.cursor_index + 1;
            if index < model.documents.page.total && model.documents.move_to(index, rows) {
                loads::page(model, up);
            }
        }
    }
}

/// Changes the marks of causes: toggles the row under the cursor and moves down, marks all causes, or clears all marks.
pub(super) fn mark_causes(model: &mut Model, action: Action) {
    let views = &mut model.views;
    match action {
        Action::MarkCauses => views.marked_causes = views.failures.data.rows.iter().map(|row| row.cause).collect(),
        Action::ClearCauses => views.marked_causes.clear(),
        _ => {
            let Some(cause) = views.failures.row().map(|summary| summary.cause) else { return };
            if !views.marked_causes.remove(&cause) {
                views.marked_causes.insert(cause);
            }
            views.failures.move_to(views.failures.cursor_index + 1);
        }
    }
}

/// Marks the documents that were found to match the filter, in addition to those already marked.
pub(super) fn take_matching(model: &mut Model, filter: &Filter, answer: StoreResult<Vec<DocumentId>>, up: &mut Update) {
    up.redraw();
    match answer {
        Ok(found) => {
            model.notify(Level::Done, format!("marked {}", format::count(found.len() as u64, "document")));
            if model.documents.filter == *filter {
                model.documents.listed_marks.extend(&found);
            }
            model.documents.marks.extend(found);
        }
        Err(reason) => model.notify(Level::Failed, format!("nothing was marked: {reason}")),
    }
}

/// Asks which of the marked documents match the filter of the list, after the list was read.
pub(super) fn check(model: &Model, up: &mut Update) {
    if let Some(marks) = model.documents.marks_to_check() {
        up.effect(Effect::LoadListedMarks { filter: model.documents.filter.clone(), marks });
    }
}

/// Stores which of the marked documents in `asked` match the filter. The answer for another filter is dropped; after a
/// failure the marks that are not known to match stay hidden.
pub(super) fn take_listed(
    model: &mut Model,
    filter: &Filter,
    asked: &[DocumentId],
    answer: StoreResult<Vec<DocumentId>>,
    up: &mut Update,
) {
    let documents = &mut model.documents;
    let Ok(found) = answer else { return };
    if documents.filter != *filter {
        return;
    }
    let before = documents.hidden_marks();
    let found: BTreeSet<DocumentId> = found.into_iter().collect();
    for document in asked {
        if found.contains(document) {
            documents.listed_marks.insert(*document);
        } else {
            documents.listed_marks.remove(document);
        }
    }
    documents.marks_checked = true;
    up.redraw |= before != documents.hidden_marks();
}
