//! The outcomes that the panel shows, as a file or as Markdown in the clipboard; texts in the person's pager.

use super::effects::Update;
use crate::format;
use crate::tui::action::Action;
use crate::tui::clipboard::MAX_BYTES;
use crate::tui::effect::{Effect, NewFile};
use crate::tui::model::{Focus, Model};
use crate::tui::views::detail;
use crate::tui::views::outcomes::export;

/// Saves the shown outcomes, or copies a report of them. A report that is too long for a clipboard becomes a file.
pub(super) fn act(model: &Model, action: Action, up: &mut Update) {
    let shown = format::count(model.panel.shown(model.now).count() as u64, "outcome");
    let file = |extension, text, label| {
        // A name of digits and letters alone, whatever the console shows.
        let time: String = model.now.rfc3339().chars().take("2026-11-30T18:00:00".len()).collect();
        let stem = format!("quarterdeck-outcomes-{}Z", time.replace(['-', ':'], ""));
        Effect::Save(NewFile { stem, extension, text, label })
    };
    up.effect(match action {
        Action::SaveOutcomes => file("log", export::text(model), shown),
        _ => match export::markdown(model) {
            long if long.len() > MAX_BYTES => file("md", long, format!("the report of {shown}")),
            short => Effect::Copy(short, "report"),
        },
    });
}

/// Shows the text of the focused pane in the person's pager: the outcomes, or the active tab of the details.
pub(super) fn page(model: &Model, up: &mut Update) {
    let text = if model.focus == Focus::Outcomes { Some(export::text(model)) } else { detail::export::text(model) };
    if let Some(text) = text {
        up.effect(Effect::Page(text));
    }
}
