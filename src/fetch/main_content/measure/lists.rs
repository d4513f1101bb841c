//! Lists of teasers: equal blocks, each with a few words and a link to the page that they are about.

use super::{ElementMeasure, PageMeasures, share};
use crate::fetch::budget::{BudgetMeter, ConvertError};
use crate::fetch::main_content::tag::Tag;

/// Longest text of a teaser.
const MOST_TEASER: u32 = 700;
/// Length of the shortest link of a teaser.
const LEAST_LINK: u32 = 8;
/// Number of adjacent equal elements that make a list.
const LEAST_ROW: u32 = 3;
/// Length of the shortest list.
const LEAST_LIST: u32 = 100;

impl ElementMeasure {
    /// Returns true for a block of a few words with a link to the page that they are about: its heading is a link, or it
    /// has an image beside the link.
    fn is_teaser(&self) -> bool {
        let is_block = self.tag.is_container() || matches!(self.tag, Tag::Link | Tag::Figure | Tag::Aside | Tag::Cell);
        let linked = self.link_share();
        let points = self.linked_headings > 0
            || (self.images > 0 && (linked > 0.25 || self.prices > 0))
            || (self.headings > 0 && linked > 0.4);
        is_block && self.links > 0 && self.linked >= LEAST_LINK && self.text <= MOST_TEASER && points
    }
}

impl PageMeasures {
    /// Marks the lists of teasers, and the items of lists.
    pub(super) fn find_teasers(&mut self, clock: &mut BudgetMeter) -> Result<(), ConvertError> {
        clock.pass(self.elements.len() * 2)?;
        for index in 0..self.elements.len() {
            let parent = self.elements[index];
            if parent.text < LEAST_LIST || parent.tag.is_inline() {
                continue;
            }
            let mut teasers = Groups::default();
            let (mut child, mut row) = (index + 1, EqualSiblings::default());
            while child < parent.end as usize {
                let one = &self.elements[child];
                if one.is_teaser() {
                    teasers.add(one.shape, one.text);
                }
                let is_equal = one.shape == row.shape;
                if !is_equal {
                    self.mark_row(row);
                    row = EqualSiblings { shape: self.elements[child].shape, first: child, end: child, length: 0 };
                }
                row.length += 1;
                row.end = self.elements[child].end as usize;
                child = row.end;
            }
            self.mark_row(row);
            self.elements[index].is_teasers = teasers.has_list(parent.text);
        }
        Ok(())
    }

    /// Marks the items of a row that is long enough for a list. Elements without a class are no row: they say nothing
    /// about each other.
    fn mark_row(&mut self, row: EqualSiblings) {
        let mut index = row.first;
        while row.length >= LEAST_ROW && index < row.end {
            let one = &mut self.elements[index];
            one.is_item = row.shape != one.tag as u32;
            index = one.end as usize;
        }
    }
}

/// Adjacent children of the same shape.
#[derive(Clone, Copy, Default)]
struct EqualSiblings {
    shape: u32,
    first: usize,
    end: usize,
    length: u32,
}

/// Children of an element by their shape: number and length. The most frequent shape is among the first ones in nearly
/// every list.
#[derive(Default)]
struct Groups([(u32, u32, u32); 4]);

impl Groups {
    fn add(&mut self, shape: u32, length: u32) {
        if let Some(group) = self.0.iter_mut().find(|group| group.1 == 0 || group.0 == shape) {
            *group = (shape, group.1 + 1, group.2.saturating_add(length));
        }
    }

    /// Returns true if one shape makes a list of most of `whole`.
    fn has_list(&self, whole: u32) -> bool {
        self.0.iter().any(|group| group.1 >= 3 && share(group.2, whole) > 0.6)
    }
}
