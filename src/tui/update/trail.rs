//! Ways back: Escape goes back along the way to the present place, `-` to the place before it. Both restore what the
//! screen showed there.

use super::effects::Update;
use super::loads;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::model::toast::Level;
use crate::tui::model::trail::{ListLocation, ScreenLocation};
use crate::tui::views::catalog::ViewId;
use crate::tui::views::detail::state::Detail;

/// Notes the present place, which the person is about to leave.
pub(super) fn leave(model: &mut Model) {
    let here = ScreenLocation::here(model);
    model.trail.leave(here);
}

/// Notes the present place before a view is shown by its key.
pub(super) fn leave_for(model: &mut Model, view: ViewId) {
    let here = ScreenLocation { left_by_key: true, ..ScreenLocation::here(model) };
    model.trail.leave(here);
    let text = model.documents.filter_text.clone();
    model.trail.shorten(view, &text);
}

/// Goes back one place along the way. Returns false if there is none.
pub(super) fn back(model: &mut Model, up: &mut Update) -> bool {
    let Some(place) = model.trail.places.pop() else { return false };
    model.trail.last = Some(Box::new(ScreenLocation::here(model)));
    restore(model, place, up);
    true
}

/// Goes to the place before the present one; a second time, back again.
pub(super) fn last(model: &mut Model, up: &mut Update) {
    let Some(place) = model.trail.last.take() else {
        return model.notify(Level::Refused, "there is no earlier place");
    };
    let here = ScreenLocation::here(model);
    if model.trail.places.last() == Some(&*place) {
        model.trail.places.pop();
        model.trail.last = Some(Box::new(here));
    } else {
        model.trail.leave(here);
    }
    restore(model, *place, up);
}

/// Shows a place as it was.
pub(super) fn restore(model: &mut Model, place: ScreenLocation, up: &mut Update) {
    let ScreenLocation { view, focus, zoom, list, detail, left_by_key: _ } = place;
    (model.active_view, model.focus, model.zoom) = (view, focus, zoom);
    restore_list(model, list, up);
    let generation = model.next_generation();
    model.detail = detail.map(|place| {
        let mut detail = Detail::new(place.document, place.name, generation);
        (detail.tab, detail.attempt) = (place.tab, place.attempt);
        (detail.scroll, detail.version) = (place.scroll, place.version);
        detail
    });
    if let Some(document) = model.detail.as_ref().map(|detail| detail.document) {
        up.effect(Effect::LoadDetail { generation, document });
    }
    loads::active_view(model, up);
}

/// Shows the document list as it was. A list that shows the same is left alone, since its rows are newer.
fn restore_list(model: &mut Model, list: ListLocation, up: &mut Update) {
    let documents = &mut model.documents;
    let is_same = (&documents.filter, documents.sort) == (&list.filter, list.sort);
    if is_same && documents.cursor == list.cursor {
        documents.filter_text = list.filter_text;
        return;
    }
    if !is_same {
        documents.filter_changed();
    }
    let ListLocation { filter, filter_text, sort, page, cursor, cursor_index, top, follows_row } = list;
    (documents.filter, documents.filter_text, documents.sort) = (filter, filter_text, sort);
    (documents.page, documents.cursor, documents.cursor_index) = (page, cursor, cursor_index);
    (documents.top, documents.follows_row, documents.restarted) = (top, follows_row, false);
    loads::page(model, up);
}
