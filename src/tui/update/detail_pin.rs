//! The outcome panel while details are open: it is pinned to their document, and shows afterwards what it showed before.

use super::effects::Update;
use super::outcomes;
use crate::domain::id::{DocumentId, Seq};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::views::outcomes::pin::{DetailPin, PanelPosition, Pin, PinSubject};

/// Pins the panel to the document whose details have opened, or restores the panel once they are closed.
pub(super) fn follow_detail(model: &mut Model, up: &mut Update) {
    let opened = model.detail.as_ref().map(|detail| (detail.document, detail.name.clone()));
    let pinned = model.panel.detail_pin.as_ref().map(|held| held.document);
    match opened {
        Some((document, name)) if pinned != Some(document) => {
            let before = model.panel.detail_pin.take().map(|held| held.before);
            let before = before.unwrap_or_else(|| model.panel.position());
            model.panel.detail_pin = Some(DetailPin { document, before });
            if !shows(model, &PinSubject::Document(document)) {
                pin(model, Pin::new(PinSubject::Document(document), name), (None, None), up);
            }
        }
        Some(_) => {}
        None => {
            if let Some(held) = model.panel.detail_pin.take() {
                restore(model, held.document, held.before, up);
            }
        }
    }
}

/// Shows what the panel showed before the details of `document` were opened. A panel whose pin a person has changed
/// meanwhile stays as it is.
fn restore(model: &mut Model, document: DocumentId, before: PanelPosition, up: &mut Update) {
    let PanelPosition { subject, cursor, bottom } = before;
    let is_ours = model.panel.pin.is_none() || shows(model, &PinSubject::Document(document));
    if !is_ours {
        return;
    }
    match subject {
        Some((subject, _)) if shows(model, &subject) => {}
        Some((subject, name)) => pin(model, Pin::new(subject, name), (cursor, bottom), up),
        None => {
            up.redraw |= model.panel.pin.take().is_some();
            (model.panel.cursor, model.panel.bottom) = (cursor, bottom);
            if model.panel.follows() {
                outcomes::follow(model, up);
            }
        }
    }
}

fn shows(model: &Model, subject: &PinSubject) -> bool {
    model.panel.pin.as_ref().is_some_and(|pin| pin.subject == *subject)
}

fn pin(model: &mut Model, pin: Pin, (cursor, bottom): (Option<Seq>, Option<Seq>), up: &mut Update) {
    up.effect(Effect::LoadPinnedOutcomes(pin.subject.clone(), None));
    model.panel.pin = Some(pin);
    (model.panel.cursor, model.panel.bottom) = (cursor, bottom);
    up.redraw();
}
