//! Pruning of the content: links, captions and bylines within an article, and headings of which the section is gone.

use super::Region;
use super::kept::Kept;
use crate::fetch::budget::{BudgetMeter, ConvertError};
use crate::fetch::main_content::drop_reason::DropReason;
use crate::fetch::main_content::hints::Hints;
use crate::fetch::main_content::measure::{ElementMeasure, PageMeasures, share};
use crate::fetch::main_content::page_type::PageType;
use crate::fetch::main_content::structured::StructuredTypes;
use crate::fetch::main_content::tag::Tag;

/// Length from which a paragraph that is all link points to another page.
const LEAST_ALONE: u32 = 15;
/// Length of the longest caption, and of the longest byline.
const MOST_CAPTION: u32 = 500;
const MOST_BYLINE: u32 = 400;
/// Length of the text that makes a section.
const LEAST_SECTION: u32 = 20;
/// Share of the text from which links are the content, as in a table of contents.
const MOST_LINKS: f32 = 0.3;
/// Level of a paragraph that leads in what follows, below that of all headings.
const LEAD_IN: u8 = 7;

impl Region<'_> {
    /// Leaves out what is no part of an article's text.
    pub(super) fn prune(
        &mut self,
        page: &PageMeasures,
        kept: &[Kept],
        clock: &mut BudgetMeter,
    ) -> Result<(), ConvertError> {
        clock.pass(page.elements.len())?;
        if self.kind != PageType::Article {
            return Ok(());
        }
        let is_marked = page.types.has(StructuredTypes::ANY_ARTICLE);
        let end = page.elements[self.root].end as usize;
        let mut index = self.root + 1;
        while index < end {
            let one = &page.elements[index];
            // A note is part of the text, and so may be a paragraph of links where the page is no marked article.
            let is_spared = (one.tag == Tag::Paragraph && !is_marked) || one.hints.has(Hints::NOTE);
            if self.drops[index].is_none() && !is_spared {
                self.drops[index] = reason_in_article(one, kept[index], kept[self.root].text);
            }
            index = if self.drops[index].is_some() { one.end as usize } else { index + 1 };
        }
        Ok(())
    }

    /// Leaves out headings whose section has been left out.
    pub(super) fn drop_empty_sections(
        &mut self,
        page: &PageMeasures,
        clock: &mut BudgetMeter,
    ) -> Result<(), ConvertError> {
        clock.pass(page.elements.len())?;
        if matches!(self.kind, PageType::Listing | PageType::Collection) {
            return Ok(());
        }
        let root = &page.elements[self.root];
        // Length of the text outside elements below, which is what an element itself adds.
        let mut own: Vec<u32> = page.elements.iter().map(|one| one.text).collect();
        for one in page.elements.iter().skip(self.root + 1).take(root.end as usize - self.root) {
            let parent = &mut own[one.parent as usize];
            *parent = parent.saturating_sub(one.text);
        }
        let mut heading: Option<Section> = None;
        let mut index = self.root + 1;
        while index < root.end as usize {
            let one = &page.elements[index];
            if self.drops[index].is_some() {
                if let Some(section) = &mut heading
                    && index < section.end
                {
                    section.lost = section.lost.saturating_add(one.text);
                }
                index = one.end as usize;
                continue;
            }
            if one.is_lead_in() {
                let level = if one.level == 0 { LEAD_IN } else { one.level };
                self.close_section(heading.take(), level);
                let parent = &page.elements[one.parent as usize];
                // A heading may have a wrapper of its own, a paragraph has none.
                let around = if level == LEAD_IN { parent } else { &page.elements[parent.parent as usize] };
                heading = Some(Section { heading: index, level, end: around.end as usize, kept: 0, lost: 0 });
                index = one.end as usize;
                continue;
            }
            if let Some(section) = &mut heading {
                section.kept = section.kept.saturating_add(own[index]);
            }
            index += 1;
        }
        self.close_section(heading, 0);
        Ok(())
    }

    /// Leaves out the heading of a section of which nothing is left, before a heading of `level`.
    fn close_section(&mut self, section: Option<Section>, level: u8) {
        if let Some(section) = section
            && section.lost > 0
            && section.kept < LEAST_SECTION
            && level <= section.level
        {
            self.drops[section.heading] = Some(DropReason::EmptySection);
        }
    }
}

/// A heading and the length of the text up to the next.
struct Section {
    heading: usize,
    level: u8,
    /// Index after the last element that can belong to the section.
    end: usize,
    kept: u32,
    lost: u32,
}

/// Returns the reason for which an element within an article is no part of its text, which has the length `whole`.
fn reason_in_article(one: &ElementMeasure, own: Kept, whole: u32) -> Option<DropReason> {
    let is_block = matches!(one.tag, Tag::Block | Tag::Section | Tag::Article | Tag::Paragraph);
    let linked = share(own.linked, own.text);
    let is_alone = one.tag == Tag::Paragraph && linked > 0.85 && own.text >= LEAST_ALONE;
    if one.has_title {
        return None;
    }
    let is_part = share(own.text, whole) < MOST_LINKS;
    if is_block && is_part && one.prose == 0 && ((one.links >= 2 && linked > 0.6) || is_alone) {
        return Some(DropReason::Links);
    }
    if one.hints.has(Hints::CAPTION) && own.text < MOST_CAPTION {
        return Some(DropReason::Caption);
    }
    // A layout has "extra" space and no author.
    if one.hints.has(Hints::LAYOUT) {
        return None;
    }
    let is_byline = one.hints.has(Hints::METADATA.with(Hints::AUTHOR)) && own.prose < MOST_BYLINE / 2;
    (is_byline && own.text < MOST_BYLINE).then_some(DropReason::Metadata)
}
