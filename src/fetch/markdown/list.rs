//! Lists: which marker the next item has.

use super::lines::Gap;
use dom_query::NodeRef;

/// A list that is being written.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    /// The next item's number; `None` for a list of bullets.
    number: Option<u32>,
    /// The next item is not its first.
    begun: bool,
    /// An item of it is being written.
    pub in_item: bool,
    /// The node is in a list but in no item of it; it is indented as if it were.
    pub indented: bool,
}

impl List {
    /// A list of bullets, or of numbers from `start` on.
    pub fn of(element: &NodeRef<'_>, name: &str) -> Self {
        let number = (name == "ol").then(|| number_in(element, "start").unwrap_or(1));
        Self { number, begun: false, in_item: false, indented: false }
    }

    /// The marker of the item `element`, and what has to be before it: only a list of bullets or one that begins with 1 may follow
    /// on the line after a paragraph.
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

/// Markdown has no negative numbers, and at most nine digits.
fn number_in(element: &NodeRef<'_>, attribute: &str) -> Option<u32> {
    element.attr(attribute)?.trim().parse().ok().filter(|number| *number <= 999_999_999)
}
