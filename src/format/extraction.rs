//! Elements that are left out of a page's text, as rows and sentences.

use super::number;
use crate::domain::extraction::DroppedElement;

/// Heading of the rows that [`dropped_row`] returns, above the elements.
pub const DROPPED_HEAD: &str = "  chars  links  sentences  reason               ";

/// Width in cells of the column of reasons.
const REASON_WIDTH: usize = 21;

/// Returns the measures and the reason of an element as the beginning of a row, to which the element is appended.
pub fn dropped_row(dropped: &DroppedElement) -> String {
    let (chars, links, sentences) =
        (number(dropped.characters.into()), percent(dropped.linked), percent(dropped.prose));
    format!("{chars:>7}{links:>7}{sentences:>11}  {}", reason_column(dropped))
}

/// Returns the reason with spaces after it, as wide as the column or wider.
pub fn reason_column(dropped: &DroppedElement) -> String {
    format!("{:<REASON_WIDTH$}", format!("{}  ", dropped.reason))
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
            reason: "outside the content".into(),
            characters: 12_412,
            linked: 0.976,
            prose: 1.0,
        };
        let row = dropped_row(&dropped);
        assert_eq!(row, " 12,412   98 %      100 %  outside the content  ");
        assert_eq!(row.len(), DROPPED_HEAD.len());
        assert_eq!(dropped_measures(&dropped), "12,412 chars, 98 % links, 100 % sentences");
    }
}
