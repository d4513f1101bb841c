//! Toasts: short messages in the frame of a pane, where they cover nothing.

use crate::tui::layout::Areas;
use crate::tui::model::Model;
use crate::tui::model::toast::Level;
use crate::tui::scope::PaneId;
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;

/// The frames that can show the toast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ToastFrame {
    List,
    Peek,
    Panel,
}

/// Returns the toast for the bottom line of `frame`; empty if there is no toast or another frame shows it.
pub(super) fn toast(model: &Model, areas: &Areas, frame: ToastFrame) -> Spans {
    let wanted = match (model.pane(), areas.peek.is_empty()) {
        // The narrow panel would cut the toast off, so it is used only if the panel is the only pane.
        (PaneId::Outcomes, _) if areas.main.is_empty() => ToastFrame::Panel,
        (_, false) => ToastFrame::Peek,
        (_, true) => ToastFrame::List,
    };
    let Some(toast) = model.notices.toast(model.now).filter(|_| frame == wanted) else {
        return Spans::new();
    };
    let glyphs = &model.glyphs;
    let (sign, tone) = match toast.level {
        Level::Done => (glyphs.good, Tone::Good),
        Level::Refused => (glyphs.alarm, Tone::Waiting),
        Level::Failed => (glyphs.failed, Tone::Failed),
    };
    vec![span(format!("{sign} {}", toast.text), tone)]
}
