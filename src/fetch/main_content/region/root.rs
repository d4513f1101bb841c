//! Choice of the root of the content: from the page's own mark of its content, or its body, down to the densest element.

use super::Region;
use super::kept::Kept;
use crate::fetch::budget::{BudgetMeter, ConvertError};
use crate::fetch::main_content::hints::Hints;
use crate::fetch::main_content::measure::{PageMeasures, share};
use crate::fetch::main_content::page_type::PageType;
use crate::fetch::main_content::structured::StructuredTypes;
use crate::fetch::main_content::tag::Tag;

/// Length of sentences from which an element that the page marks as its content is believed.
const LEAST_MAIN: u32 = 300;
/// Length of sentences beside a list from which they are about its items.
const LEAST_BESIDE: u32 = 900;
/// Length of sentences before the densest part from which they are the beginning of the text.
const LEAST_START: u32 = 150;
/// Weight of a page below which only a `main` or a single `article` is chosen: a few words say nothing about where the
/// content is.
const LEAST_DENSE: u32 = 100;

impl Region<'_> {
    /// Chooses the root: descends as long as one child holds nearly all of the text.
    pub(super) fn choose_root(
        &mut self,
        page: &PageMeasures,
        kept: &[Kept],
        clock: &mut BudgetMeter,
    ) -> Result<(), ConvertError> {
        clock.pass(page.elements.len())?;
        let (least, is_text) = match self.kind {
            // A page that only reads like an article may have several texts.
            PageType::Article if !page.types.has(StructuredTypes::ANY_ARTICLE) => (0.9, true),
            PageType::Article => (0.75, true),
            PageType::Documentation | PageType::Forum => (0.85, true),
            _ => (0.9, false),
        };
        let weight = |index: usize| if is_text { kept[index].weight() } else { kept[index].text };
        self.start_at_main(page, kept, clock)?;
        if self.root > 0 && matches!(self.kind, PageType::Listing | PageType::Collection | PageType::Documentation) {
            return Ok(());
        }
        loop {
            let root = &page.elements[self.root];
            let (mut child, mut best) = (self.root + 1, None);
            // Sentences before the heaviest child: the beginning of the text, if there are enough of them.
            let (mut before, mut seen, mut articles) = (0u32, 0u32, 0);
            while child < root.end as usize {
                if self.drops[child].is_none() {
                    if best.is_none_or(|best| weight(child) > weight(best)) {
                        best = Some(child);
                        before = seen;
                    }
                    seen = seen.saturating_add(kept[child].prose);
                    articles += u32::from(page.elements[child].tag == Tag::Article);
                }
                child = page.elements[child].end as usize;
            }
            let Some(best) = best.filter(|best| weight(*best) > 0) else { break };
            let tag = page.elements[best].tag;
            let can_be_root = tag.is_container()
                || matches!(tag, Tag::Main | Tag::Form | Tag::Table | Tag::Row | Tag::Cell | Tag::Header | Tag::List);
            let is_start_lost = before >= LEAST_START && share(before, kept[best].prose) > 0.05;
            let is_text_lost = self.loses_text(kept, best);
            let is_section = tag == Tag::Section || page.elements[best].hints.has(Hints::SECTION);
            let is_one_of_many = is_section && self.has_twin(page, kept, best);
            let is_marked = tag == Tag::Main || (tag == Tag::Article && articles == 1);
            let is_dense =
                share(weight(best), weight(self.root)) >= least && (weight(self.root) >= LEAST_DENSE || is_marked);
            if !is_dense || is_start_lost || is_text_lost || is_one_of_many || !can_be_root {
                break;
            }
            self.root = best;
        }
        Ok(())
    }

    /// Returns true if a sibling of the same name and class has sentences too: both are sections of one text.
    fn has_twin(&self, page: &PageMeasures, kept: &[Kept], index: usize) -> bool {
        let one = &page.elements[index];
        let parent = one.parent as usize;
        let mut child = parent + 1;
        while child < page.elements[parent].end as usize {
            let other = &page.elements[child];
            if child != index
                && self.drops[child].is_none()
                && (other.tag, other.shape) == (one.tag, one.shape)
                && kept[child].prose >= LEAST_START
            {
                return true;
            }
            child = other.end as usize;
        }
        false
    }

    /// Returns true if the choice of a list of items would lose a text about them.
    fn loses_text(&self, kept: &[Kept], index: usize) -> bool {
        let lost = kept[self.root].prose.saturating_sub(kept[index].prose);
        self.kind == PageType::Collection && lost >= LEAST_BESIDE && share(lost, kept[self.root].prose) > 0.2
    }

    /// Starts at the page's own mark of its content, if there is a text in it.
    fn start_at_main(
        &mut self,
        page: &PageMeasures,
        kept: &[Kept],
        clock: &mut BudgetMeter,
    ) -> Result<(), ConvertError> {
        clock.pass(page.elements.len())?;
        let (mut index, mut best, mut all) = (1, None, 0u32);
        while let Some(one) = page.elements.get(index) {
            let is_main = self.drops[index].is_none() && (one.tag == Tag::Main || one.hints.has(Hints::MAIN));
            if is_main {
                let weight = kept[index].weight();
                all = all.saturating_add(weight);
                if best.is_none_or(|(_, most)| weight > most) {
                    best = Some((index, weight));
                }
            }
            index = if self.drops[index].is_some() || is_main { one.end as usize } else { index + 1 };
        }
        if let Some((main, weight)) = best
            && share(weight, all) > 0.6
            && !self.loses_text(kept, main)
            && (kept[main].prose >= LEAST_MAIN || share(weight, kept[0].weight()) >= 0.5)
        {
            self.root = main;
        }
        Ok(())
    }
}
