//! Texts of the tab with the changes: the reason of a quarantine, and the size of a difference.

use super::difference::{Compared, DifferenceData, HeldSeen};
use super::state::{Detail, DetailData};
use crate::format;
use crate::tui::model::Model;
use crate::tui::text::lines::{clip, wrap};
use crate::tui::text::{Words, words};
use crate::tui::theme::Tone;

/// Returns the lines above a difference in a pane of `cells` cells: the reason of the quarantine or the compared
/// versions, then the sizes. Without `roomy` the reason takes one line, cut at the edge, and no empty line follows.
pub fn notice(model: &Model, detail: &Detail, cells: usize, roomy: bool) -> Vec<Words> {
    let (Some(data), Some(of)) = (&detail.data, detail.compared()) else { return Vec::new() };
    let difference = model.difference();
    let mut lines = match (&of, &data.held) {
        (Compared::Held { .. }, Some(held)) => of_held(model, data, held, cells, roomy),
        (Compared::Versions { old, new }, _) => of_versions(model, data, (*old, *new)),
        _ => Vec::new(),
    };
    if let Some(difference) = difference {
        lines.push(sizes(difference));
    }
    if roomy {
        lines.push(Words::new());
    }
    lines
}

fn of_held(model: &Model, data: &DetailData, held: &HeldSeen, cells: usize, roomy: bool) -> Vec<Words> {
    let since = format::age(model.now.since(held.held_at));
    let sign = model.glyphs.held;
    if !roomy {
        let said = format!("{sign} needs review: it {}", held.reason);
        return vec![vec![words(clip(&said, cells, model.glyphs.more), Tone::Lost)]];
    }
    let said = format!("{sign} needs review: the text fetched {since} ago {}", held.reason);
    let mut lines: Vec<Words> = wrap(&said, cells, 3).into_iter().map(|line| vec![words(line, Tone::Lost)]).collect();
    if let Some(title) = held.title.as_ref().filter(|title| **title != data.row.name) {
        lines.push(vec![words("title ", Tone::Dim), words(title.to_string(), Tone::Plain)]);
    }
    lines
}

fn of_versions(model: &Model, data: &DetailData, (old, new): (u64, u64)) -> Vec<Words> {
    let stored = if Some(new) == data.version { " (current)" } else { "" };
    let kept = data.versions.iter().find(|kept| kept.version == old);
    let when = kept.map_or(String::new(), |kept| format!(", {} ago", format::age(model.now.since(kept.replaced_at))));
    vec![vec![
        words(format!("version {new}{stored}"), Tone::Strong),
        words(format!(" replaced version {old}{when}"), Tone::Dim),
    ]]
}

fn sizes(data: &DifferenceData) -> Words {
    let (old, new) = data.chars;
    let changed = data.difference.gone + data.difference.new;
    let mut line = vec![
        words(format!("{} to {} characters", format::number(old), format::number(new)), Tone::Plain),
        words("   ", Tone::Plain),
    ];
    match changed {
        0 => line.push(words("no line differs, only spaces at line ends", Tone::Dim)),
        _ => {
            line.push(words(format!("+{}", format::number(data.difference.new)), Tone::Good));
            line.push(words(format!(" -{}", format::number(data.difference.gone)), Tone::Failed));
            line.push(words(if changed == 1 { " line" } else { " lines" }, Tone::Dim));
        }
    }
    line
}

/// Returns the line that replaces a missing difference, with the reason.
pub fn instead(detail: &Detail) -> Words {
    let text = match (&detail.trouble, &detail.data, detail.compared()) {
        (Some(reason), _, Some(_)) => return vec![words(format!("Cannot compare them: {reason}"), Tone::Failed)],
        (_, _, Some(_)) => "comparing",
        (_, Some(_), None) if detail.version.is_some() => "That version is not kept any more.",
        _ => "No earlier version yet.",
    };
    vec![words(text, Tone::Dim)]
}

/// Returns the line below a difference whose end was too long to keep; `None` if it is complete.
pub fn left_out(data: &DifferenceData) -> Option<Words> {
    let left_out = data.difference.left_out;
    (left_out > 0).then(|| vec![words(format!("and {}, not shown", format::count(left_out, "more line")), Tone::Dim)])
}
