//! Texts of the tab with the changes: the reason of a quarantine, and the size of a difference.

use super::difference::{Compared, DifferenceData, QuarantinedText};
use super::state::{Detail, DetailData};
use crate::format;
use crate::tui::model::Model;
use crate::tui::text::lines::{clip, wrap};
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;

/// Returns the lines above a difference in a pane of `cells` cells: the reason of the quarantine or the compared
/// versions, then the sizes of the texts. With `roomy` an empty line follows; without `roomy` the reason is cut to one
/// line. Empty if there is nothing to compare.
pub fn notice(model: &Model, detail: &Detail, cells: usize, roomy: bool) -> Vec<Spans> {
    let (Some(data), Some(of)) = (&detail.data, detail.compared()) else { return Vec::new() };
    let difference = model.difference();
    let mut lines = match (&of, &data.quarantined) {
        (Compared::Quarantined { .. }, Some(quarantined)) => quarantine_notice(model, data, quarantined, cells, roomy),
        (Compared::Versions { old, new }, _) => versions_notice(model, data, (*old, *new)),
        _ => Vec::new(),
    };
    if let Some(difference) = difference {
        lines.push(sizes(difference));
    }
    if roomy {
        lines.push(Spans::new());
    }
    lines
}

fn quarantine_notice(
    model: &Model,
    data: &DetailData,
    quarantined: &QuarantinedText,
    cells: usize,
    roomy: bool,
) -> Vec<Spans> {
    let since = format::age(model.now.since(quarantined.quarantined_at));
    let sign = model.glyphs.quarantined;
    if !roomy {
        let text = format!("{sign} needs review: it {}", quarantined.reason);
        return vec![vec![span(clip(&text, cells, model.glyphs.ellipsis), Tone::Lost)]];
    }
    let text = format!("{sign} needs review: the text fetched {since} ago {}", quarantined.reason);
    let mut lines: Vec<Spans> = wrap(&text, cells, 3).into_iter().map(|line| vec![span(line, Tone::Lost)]).collect();
    if let Some(title) = quarantined.title.as_ref().filter(|title| **title != data.row.name) {
        lines.push(vec![span("title ", Tone::Dim), span(title.to_string(), Tone::Plain)]);
    }
    lines
}

fn versions_notice(model: &Model, data: &DetailData, (old, new): (u64, u64)) -> Vec<Spans> {
    let stored = if Some(new) == data.version { " (current)" } else { "" };
    let kept = data.versions.iter().find(|kept| kept.version == old);
    let when = kept.map_or(String::new(), |kept| format!(", {} ago", format::age(model.now.since(kept.replaced_at))));
    vec![vec![
        span(format!("version {new}{stored}"), Tone::Strong),
        span(format!(" replaced version {old}{when}"), Tone::Dim),
    ]]
}

fn sizes(data: &DifferenceData) -> Spans {
    let (old, new) = data.chars;
    let changed = data.difference.removed + data.difference.added;
    let mut line = vec![
        span(format!("{} to {} characters", format::number(old), format::number(new)), Tone::Plain),
        span("   ", Tone::Plain),
    ];
    match changed {
        0 => line.push(span("no line differs, only spaces at line ends", Tone::Dim)),
        _ => {
            line.push(span(format!("+{}", format::number(data.difference.added)), Tone::Good));
            line.push(span(format!(" -{}", format::number(data.difference.removed)), Tone::Failed));
            line.push(span(if changed == 1 { " line" } else { " lines" }, Tone::Dim));
        }
    }
    line
}

/// Returns the line that is shown while there is no difference, with the reason why there is none.
pub fn empty_text(detail: &Detail) -> Spans {
    let text = match (&detail.compare_error, &detail.data, detail.compared()) {
        (Some(reason), _, Some(_)) => return vec![span(format!("Cannot compare the texts: {reason}"), Tone::Failed)],
        (_, _, Some(_)) => "comparing",
        (_, Some(_), None) if detail.version.is_some() => "The selected version is no longer stored.",
        _ => "No earlier version yet.",
    };
    vec![span(text, Tone::Dim)]
}

/// Returns the line below a difference that counts its omitted lines; `None` if the difference is complete.
pub fn left_out(data: &DifferenceData) -> Option<Spans> {
    let left_out = data.difference.omitted;
    (left_out > 0).then(|| vec![span(format!("and {}, not shown", format::count(left_out, "more line")), Tone::Dim)])
}
