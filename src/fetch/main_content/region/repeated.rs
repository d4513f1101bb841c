//! Labels of buttons and links that every item of a list repeats, such as `Reply` below the posts of a forum,
//! and blocks of links beside the items.

use super::Region;
use crate::fetch::budget::{BudgetMeter, ConvertError};
use crate::fetch::main_content::drop_reason::DropReason;
use crate::fetch::main_content::measure::{ElementMeasure, PageMeasures, share};
use crate::fetch::main_content::page_type::PageType;
use crate::fetch::main_content::tag::Tag;

/// Length of the longest label.
const MOST_LABEL: u32 = 40;
/// Number of equal labels from which they say nothing about their items.
const LEAST_REPEATED: usize = 3;

/// Share of a page's text from which a list of teasers is its list of items, and up to which links stand beside it.
const LEAST_ITEMS: f32 = 0.3;
const MOST_LINKS: f32 = 0.15;

/// A label and the place in an item where it stands: the shapes of its element and of the parent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Label {
    place: (u32, u32),
    text: u32,
    index: usize,
}

impl Region<'_> {
    /// Leaves out labels that nearly all elements in the same place of an item have.
    pub(super) fn drop_repeated_labels(
        &mut self,
        page: &PageMeasures,
        clock: &mut BudgetMeter,
    ) -> Result<(), ConvertError> {
        clock.pass(page.elements.len())?;
        if !matches!(self.kind, PageType::Forum | PageType::Listing | PageType::Collection | PageType::Product) {
            return Ok(());
        }
        let mut labels = self.labels(page);
        clock.pass(labels.len() * 16)?;
        labels.sort_unstable();
        for place in labels.chunk_by(|one, other| one.place == other.place) {
            for equal in place.chunk_by(|one, other| one.text == other.text) {
                if equal.len() >= LEAST_REPEATED && equal.len() * 3 >= place.len() * 2 {
                    equal.iter().for_each(|label| self.drops[label.index] = Some(DropReason::Repeated));
                }
            }
        }
        Ok(())
    }

    /// Leaves out blocks of links beside a list of items, such as other categories.
    pub(super) fn drop_link_blocks(
        &mut self,
        page: &PageMeasures,
        clock: &mut BudgetMeter,
    ) -> Result<(), ConvertError> {
        clock.pass(page.elements.len())?;
        if !matches!(self.kind, PageType::Listing | PageType::Collection) {
            return Ok(());
        }
        let whole = page.elements[self.root].text;
        let (mut index, end) = (self.root + 1, page.elements[self.root].end as usize);
        let is_items = |one: &ElementMeasure| one.is_teasers && share(one.text, whole) > LEAST_ITEMS;
        if !page.elements[index..end]
            .iter()
            .zip(&self.drops[index..end])
            .any(|(one, drop)| drop.is_none() && is_items(one))
        {
            return Ok(());
        }
        while index < end {
            let one = &page.elements[index];
            if self.drops[index].is_none()
                && !is_items(one)
                && is_link_block(one)
                && share(one.text, whole) < MOST_LINKS
            {
                self.drops[index] = Some(DropReason::Links);
            }
            let is_done = self.drops[index].is_some() || is_items(one);
            index = if is_done { one.end as usize } else { index + 1 };
        }
        Ok(())
    }

    fn labels(&self, page: &PageMeasures) -> Vec<Label> {
        let mut labels = Vec::new();
        let plain = matches!(self.kind, PageType::Collection | PageType::Product);
        let (mut index, end) = (self.root + 1, page.elements[self.root].end as usize);
        while index < end {
            let one = &page.elements[index];
            if self.drops[index].is_some() {
                index = one.end as usize;
                continue;
            }
            let parent = &page.elements[one.parent as usize];
            // A part of a link says something only together with the rest.
            let is_whole = !parent.tag.is_inline() || parent.text == one.text;
            if is_whole && is_label(one, index, plain) && !is_in_sentence(page, one) {
                let place = (parent.shape, one.shape);
                labels.push(Label { place, text: one.label, index });
            }
            index += 1;
        }
        labels
    }
}

/// Returns true for a block of links that are no items: they have no image, price or heading.
fn is_link_block(one: &ElementMeasure) -> bool {
    let is_block = one.tag.is_container() || one.tag == Tag::List;
    let is_bare = one.prose == 0 && one.images == 0 && one.prices == 0 && one.linked_headings == 0 && !one.has_title;
    is_block && is_bare && one.links >= 4 && one.link_share() > 0.85
}

/// Returns true for an element in a paragraph or heading that has other text, too: without it, a sentence would have a
/// gap.
fn is_in_sentence(page: &PageMeasures, one: &ElementMeasure) -> bool {
    let mut block = &page.elements[one.parent as usize];
    while block.tag.is_inline() {
        block = &page.elements[block.parent as usize];
    }
    (block.tag == Tag::Paragraph || block.tag.is_heading()) && block.linked < block.text
}

/// Returns true for a short link or button without a number, which may be a price or a count.
fn is_label(one: &ElementMeasure, index: usize, plain: bool) -> bool {
    let is_leaf = one.end as usize == index + 1;
    is_leaf && one.label != 0 && (plain || one.linked == one.text) && one.text <= MOST_LABEL && !one.tag.is_heading()
}
