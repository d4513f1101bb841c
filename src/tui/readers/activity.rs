//! The reader of the activity list: results of requests, refusals and failures in this console.

use crate::tui::model::Model;
use crate::tui::model::toast::Level;
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;

/// Returns the lines of the activity list, newest message first.
pub(super) fn text(model: &Model) -> Vec<Spans> {
    let mut text: Vec<Spans> = Vec::new();
    for notice in model.notices.activity() {
        let (sign, tone) = match notice.level {
            Level::Done => (model.glyphs.good, Tone::Good),
            Level::Refused => (model.glyphs.alarm, Tone::Waiting),
            Level::Failed => (model.glyphs.failed, Tone::Failed),
        };
        text.push(vec![
            span(format!("{} ", notice.at.clock(&model.zone())), Tone::Dim),
            span(format!("{sign} "), tone),
            span(notice.text.to_string(), if notice.level == Level::Failed { tone } else { Tone::Plain }),
        ]);
    }
    if text.is_empty() {
        text.push(vec![span("Nothing has been requested, refused or failed yet.", Tone::Dim)]);
    }
    text
}
