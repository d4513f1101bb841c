//! Elements that are left out of a page's text, as rows and sentences.

use super::number;
use crate::domain::extraction::DroppedElement;

/// Least width in cells of the column of reasons.
const LEAST_REASON: usize = 21;

/// Returns the width in cells of the column of reasons.
pub fn reason_width(all: &[DroppedElement]) -> usize {
    all.iter().map(|dropped| dropped.reason.chars().count() + 2).max().unwrap_or_default().max(LEAST_REASON)
}

/// Returns the heading of the rows that [`dropped_row`] returns, above the elements.
pub fn dropped_head(reason_width: usize) -> String {
    format!("  chars  links  sentences  {:<reason_width$}", "reason")
}

/// Returns the measures and the reason of an element as the beginning of a row, to which the element is appended.
pub fn dropped_row(dropped: &DroppedElement, reason_width: usize) -> String {
    let (chars, links, sentences) =
        (number(dropped.characters.into()), percent(dropped.linked), percent(dropped.prose));
    format!("{chars:>7}{links:>7}{sentences:>11}  {}", reason_column(dropped, reason_width))
}

/// Returns the reason with spaces after it, as wide as the column.
pub fn reason_column(dropped: &DroppedElement, width: usize) -> String {
    format!("{:<width$}", dropped.reason)
}

/// Returns the measures of an element as words: `12,412 chars, 98 % links, 0 % sentences`.
pub fn dropped_measures(dropped: &DroppedElement) -> String {
    let (links, sentences) = (percent(dropped.linked), percent(dropped.prose));
    format!("{} chars, {links} links, {sentences} sentences", number(dropped.characters.into()))
}

fn percent(share: f32) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_below_their_heading() {
        let dropped = DroppedElement {
            element: "section.more".into(),
            text: "More of this".into(),
            reason: "outside the content".into(),
            characters: 12_412,
            linked: 0.976,
            prose: 1.0,
        };
        let long = DroppedElement { reason: "stands on 41 of 44 pages of this host".into(), ..dropped.clone() };
        for (all, row) in [
            (vec![dropped.clone()], " 12,412   98 %      100 %  outside the content  "),
            (vec![dropped.clone(), long], " 12,412   98 %      100 %  outside the content                    "),
        ] {
            let width = reason_width(&all);
            assert_eq!(dropped_row(&dropped, width), row);
            assert!(all.iter().all(|one| dropped_row(one, width).len() == dropped_head(width).len()), "{all:?}");
        }
        assert_eq!(dropped_measures(&dropped), "12,412 chars, 98 % links, 100 % sentences");
    }
}
