//! Markers of list items.

use super::lines::Gap;
use dom_query::NodeRef;

/// State of an open list.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    /// Number of the next item; `None` for a bulleted list.
    number: Option<u32>,
    /// True once the first item has begun.
    begun: bool,
    /// True while an item is open.
    pub in_item: bool,
    /// True for a list directly inside another list, outside that list's items. It is indented like a list inside an
    /// item.
    pub indented: bool,
}

impl List {
    /// Begins a bulleted list or, for the name `ol`, a list numbered from the `start` attribute or from 1.
    pub fn of(element: &NodeRef<'_>, name: &str) -> Self {
        let number = (name == "ol").then(|| number_in(element, "start").unwrap_or(1));
        Self { number, begun: false, in_item: false, indented: false }
    }

    /// Returns the marker of the item `element` and the gap before it. Only a bulleted list, or a numbered list that
    /// begins with 1, may follow a paragraph without a blank line.
    pub fn marker(&mut self, element: &NodeRef<'_>) -> (String, Gap) {
        let first = !std::mem::replace(&mut self.begun, true);
        let Some(number) = &mut self.number else {
            return ("- ".into(), Gap::Line);
        };
        let own = number_in(element, "value").unwrap_or(*number);
        *number = own.saturating_add(1);
        (format!("{own}. "), if first && own != 1 { Gap::Blank } else { Gap::Line })
    }
}

/// Reads a list number from `attribute`. Returns `None` if it is missing or not a number, and for a number that
/// Markdown does not allow: negative, or of more than nine digits.
fn number_in(element: &NodeRef<'_>, attribute: &str) -> Option<u32> {
    element.attr(attribute)?.trim().parse().ok().filter(|number| *number <= 999_999_999)
}
