//! Comparison of a document's texts, and the review of quarantined content. A decision is possible only once the
//! difference from the stored text is shown.

use super::effects::Update;
use super::{loads, prompt, trail, views};
use crate::domain::filter::Filter;
use crate::format;
use crate::store::Decision;
use crate::tui::action::Action;
use crate::tui::command::{Command, CommandKind};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::model::overlay::{ConfirmDialog, Overlay};
use crate::tui::model::toast::Level;
use crate::tui::msg::StoreResult;
use crate::tui::views::catalog::ViewId;
use crate::tui::views::detail::difference::{Compared, DifferenceData};
use crate::tui::views::detail::state::Tab;
use crate::tui::views::documents::state::QUARANTINE_FILTER;

/// Requests the comparison that the tab of changes shows, if this tab of the details is open, unless the comparison is
/// loaded, is under way or has failed.
pub(super) fn compare(model: &mut Model, up: &mut Update) {
    let is_open = model.detail.as_ref().is_some_and(|detail| detail.tab == Tab::Changes);
    if !is_open || model.difference().is_some() {
        return;
    }
    let generation = model.last_generation + 1;
    let Some(detail) = &mut model.detail else { return };
    let Some(of) = detail.compared() else { return };
    if detail.comparing.as_ref().is_some_and(|(requested, _)| *requested == of) {
        return;
    }
    (detail.comparing, detail.compare_error) = (Some((of.clone(), generation)), None);
    let document = detail.document;
    model.last_generation = generation;
    up.effect(Effect::LoadDifference { generation, document, of });
}

/// Stores the result of a comparison, or the reason of its failure. The result of an older request is dropped.
pub(super) fn take(
    model: &mut Model,
    generation: u64,
    answer: StoreResult<Option<Box<DifferenceData>>>,
    up: &mut Update,
) {
    let Some(detail) = &mut model.detail else { return };
    if detail.comparing.as_ref().is_none_or(|(_, requested)| *requested != generation) {
        return;
    }
    up.redraw();
    match answer {
        Ok(Some(data)) => {
            detail.comparing = None;
            let is_another = model.compared.as_ref().is_none_or(|before| before.compared != data.compared);
            if detail.tab == Tab::Changes && is_another {
                detail.scroll = 0;
            }
            model.compared = Some(data);
        }
        // One of the texts has changed: reads the details again, which shows the new text.
        Ok(None) => {
            detail.compare_error = Some("one of the two texts has changed in the meantime".into());
            loads::detail_changed(model, up);
        }
        Err(reason) => detail.compare_error = Some(reason),
    }
}

/// Opens the difference between the version under the cursor and the one that replaced it.
pub(super) fn compare_version(model: &mut Model) {
    let Some(detail) = &mut model.detail else { return };
    let kept = detail.data.as_ref().and_then(|data| data.versions.get(detail.scroll));
    detail.version = kept.map(|kept| kept.version);
    (detail.tab, detail.scroll) = (Tab::Changes, 0);
}

/// Opens the confirmation to put the version under the cursor in place of the stored text.
pub(super) fn restore_version(model: &mut Model) {
    let Some(detail) = &model.detail else { return };
    let Some(kept) = detail.data.as_ref().and_then(|data| data.versions.get(detail.scroll)) else { return };
    let lines = vec![
        format!(
            "Version {} with {} becomes the stored text, under a new number.",
            kept.version,
            format::chars(kept.content_length)
        ),
        "The stored text is kept as an earlier version.".to_owned(),
        "Syncs leave the restored text until the page changes.".to_owned(),
    ];
    let command = Command {
        kind: CommandKind::Restore(kept.version),
        documents: vec![detail.document],
        filter: None,
        name: Some(detail.name.clone()),
    };
    let title = format!("restore version {} of {}", kept.version, detail.name);
    model.overlay =
        Some(Overlay::Confirm(ConfirmDialog { title, lines, verb: "Restore", command, yes_focused: false }));
}

/// Filters the document list to quarantined documents, or shows all documents if the list is shown and already filtered
/// in this way.
pub(super) fn show_quarantined(model: &mut Model, up: &mut Update) {
    let show_all = model.documents.shows_only_quarantined() && model.list_is_shown();
    trail::leave(model);
    views::show(model, ViewId::Documents, up);
    let text = if show_all { "" } else { QUARANTINE_FILTER };
    prompt::set_filter(model, Filter::parse(text).unwrap_or_default(), text.to_owned(), up);
}

/// Opens the confirmation to accept or reject the quarantined text. If the difference is not on the screen yet, shows
/// the difference instead.
pub(super) fn decide(model: &mut Model, action: Action) {
    let decision = if action == Action::Accept { Decision::Accept } else { Decision::Reject };
    let is_open = model.detail.as_ref().is_some_and(|detail| detail.tab == Tab::Changes);
    let shown = model.difference().filter(|_| is_open).and_then(|data| match &data.compared {
        Compared::Quarantined { fingerprint, .. } => Some((data.chars, fingerprint.clone())),
        Compared::Versions { .. } => None,
    });
    let Some(((old, new), fingerprint)) = shown else {
        if let Some(detail) = &mut model.detail {
            (detail.tab, detail.version, detail.scroll) = (Tab::Changes, None, 0);
        }
        let key = model.key(action);
        let text = format!("review the difference first, then press {key} again");
        return model.notify(Level::Refused, text);
    };
    let sizes = format!("{} to {} characters", format::number(old), format::number(new));
    let (Some(detail), Some(quarantined)) = (&model.detail, model.quarantined_text()) else { return };
    let why = format!("The fetched text needs review: it {}.", quarantined.reason);
    let (lines, verb) = match decision {
        Decision::Accept => (
            vec![
                why,
                format!("The fetched text replaces the stored one: from {sizes}."),
                "The stored one is kept as an earlier version.".to_owned(),
            ],
            "Accept",
        ),
        Decision::Reject => (
            vec![
                why,
                "The stored text stays, and the fetched one is dropped.".to_owned(),
                "If the page brings the same text again, it needs no review.".to_owned(),
            ],
            "Reject",
        ),
    };
    let title = format!("{} the fetched text of {}", decision.verb(), detail.name);
    let command = Command {
        kind: CommandKind::Decide(decision, fingerprint),
        documents: vec![detail.document],
        name: Some(detail.name.clone()),
        filter: None,
    };
    model.overlay = Some(Overlay::Confirm(ConfirmDialog { title, lines, verb, command, yes_focused: false }));
}
