//! The host under the cursor: sentences for the peek pane, and all facts for a reader over the whole screen, since a
//! small screen has no space for all columns.

use super::text::{busy, documents, hold, lately, latency, name, next, scope, standing};
use crate::format;
use crate::store::HostSeen;
use crate::tui::layout::reader_cells;
use crate::tui::model::Model;
use crate::tui::say::pause::of_group;
use crate::tui::table::draw::aside_that_fits;
use crate::tui::text::facts::Facts;
use crate::tui::text::{Words, words};
use crate::tui::theme::Tone;
use crate::tui::views::view::Explanation;
use ratatui::layout::Rect;

/// Explains the host in as many sentences as `inner`, the inside of the pane, has lines.
pub(super) fn explain(model: &Model, seen: &HostSeen, inner: Rect) -> Explanation {
    let title = vec![words(name(seen), Tone::Strong)];
    let then = |brief| {
        let mut then = vec![words("  ", Tone::Plain)];
        then.extend(next(model, seen, brief));
        then
    };
    let mut aside = Words::new();
    let lines = match inner.height {
        5.. => vec![standing(model, seen), then(false), Words::new(), documents(seen), lately(seen, false)],
        4 => vec![standing(model, seen), then(true), documents(seen), lately(seen, true)],
        _ => {
            let in_all = format::count(seen.documents, "document");
            aside.push(words(aside_that_fits(vec![in_all], &title, inner), Tone::Dim));
            vec![standing(model, seen), lately(seen, true)]
        }
    };
    Explanation { title, aside, lines, ..Explanation::default() }
}

/// Returns a title and every known fact about the host.
pub(super) fn all(model: &Model, seen: &HostSeen) -> (String, Vec<Words>) {
    let mut text = Facts::new(reader_cells(model.size));
    text.sentence(&standing(model, seen));
    // Otherwise the sentence names keys, which do nothing while this is open.
    if hold(model, seen).is_some() || of_group(model, &scope(seen)).is_some() {
        text.sentence(&next(model, seen, true));
    }
    text.gap();
    text.fact("documents", &format::number(seen.documents));
    text.fact("failed", &part(seen.failed, seen.documents));
    text.fact("running", &busy(model, seen).0);
    text.fact("queued", &format::number(seen.ready));
    text.gap();
    text.fact("last hour", &format::count(seen.recent, "attempt"));
    text.fact("429 or 503", &part(seen.limited, seen.recent));
    text.fact("latency", &latency(model, seen));
    (format!("host {}", name(seen)), text.lines)
}

/// Returns a number and its share of `of`, such as `6 (13%)`.
fn part(part: u64, of: u64) -> String {
    match format::percent(part, of) {
        0 => format::number(part),
        some => format!("{} ({some}%)", format::number(part)),
    }
}
