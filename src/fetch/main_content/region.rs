//! Choice of the region of a page that is its content, and of what is left out within it.

use super::frame::{DropReason, frame};
use super::hints::Hints;
use super::measure::{ElementMeasure, PageMeasures, share};
use super::page_type::PageType;
use super::tag::Tag;
use crate::fetch::budget::{BudgetMeter, ConvertError};

/// The chosen region: a root element, and the elements below it that are left out.
#[derive(Debug)]
pub(super) struct Region {
    pub kind: PageType,
    /// Index of the root.
    pub root: usize,
    /// Reason for each element that is left out with everything below it.
    pub drops: Vec<Option<DropReason>>,
}

/// Sums over what is kept of an element.
#[derive(Clone, Copy, Default)]
struct Kept {
    text: u32,
    linked: u32,
    prose: u32,
    code: u32,
}

impl Kept {
    fn of(one: &ElementMeasure) -> Self {
        Self { text: one.text, linked: one.linked, prose: one.prose, code: one.code }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            text: self.text.saturating_sub(other.text),
            linked: self.linked.saturating_sub(other.linked),
            prose: self.prose.saturating_sub(other.prose),
            code: self.code.saturating_sub(other.code),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            text: self.text.saturating_add(other.text),
            linked: self.linked.saturating_add(other.linked),
            prose: self.prose.saturating_add(other.prose),
            code: self.code.saturating_add(other.code),
        }
    }

    /// Weight of the text: sentences and code count in full, other text outside links a quarter.
    fn weight(self) -> u32 {
        let full = self.prose.saturating_add(self.code);
        let plain = self.text.saturating_sub(self.linked);
        full.saturating_add(plain.saturating_sub(full) / 4)
    }
}

/// Length of sentences from which an element that the page marks as its content is believed.
const LEAST_MAIN: u32 = 300;

/// Chooses the region of a page.
pub(super) fn choose_region(page: &PageMeasures, clock: &mut BudgetMeter) -> Result<Option<Region>, ConvertError> {
    let Some(body) = page.elements.first() else { return Ok(None) };
    let kind = PageType::of(page);
    let mut region = Region { kind, root: 0, drops: vec![None; page.elements.len()] };
    region.drop_frame(page, body, clock)?;
    let kept = region.kept(page, clock)?;
    region.choose_root(page, &kept, clock)?;
    region.prune(page, &kept, clock)?;
    Ok(Some(region))
}

impl Region {
    fn drop_frame(
        &mut self,
        page: &PageMeasures,
        body: &ElementMeasure,
        clock: &mut BudgetMeter,
    ) -> Result<(), ConvertError> {
        let mut index = 1;
        let mut content_end = 0;
        while let Some(one) = page.elements.get(index) {
            clock.step()?;
            if matches!(one.tag, Tag::Article | Tag::Main) || one.hints.has(Hints::BODY) {
                content_end = content_end.max(one.end as usize);
            }
            let reason = frame(one, body, self.kind, index < content_end);
            self.drops[index] = reason;
            index = if reason.is_some() { one.end as usize } else { index + 1 };
        }
        Ok(())
    }

    fn kept(&self, page: &PageMeasures, clock: &mut BudgetMeter) -> Result<Vec<Kept>, ConvertError> {
        let mut lost = vec![Kept::default(); page.elements.len()];
        for index in (1..page.elements.len()).rev() {
            clock.step()?;
            let one = &page.elements[index];
            let gone = if self.drops[index].is_some() { Kept::of(one) } else { lost[index] };
            let parent = one.parent as usize;
            lost[parent] = lost[parent].plus(gone);
        }
        Ok(page.elements.iter().zip(lost).map(|(one, lost)| Kept::of(one).minus(lost)).collect())
    }

    fn choose_root(&mut self, page: &PageMeasures, kept: &[Kept], clock: &mut BudgetMeter) -> Result<(), ConvertError> {
        let least = match self.kind {
            PageType::Article => 0.75,
            PageType::Documentation => 0.85,
            PageType::Forum => 0.85,
            _ => 0.9,
        };
        let is_text = matches!(self.kind, PageType::Article | PageType::Documentation | PageType::Forum);
        let weight = |index: usize| if is_text { kept[index].weight() } else { kept[index].text };
        // The page's own mark of its content, if there is a text in it.
        let is_main = |one: &ElementMeasure| one.tag == Tag::Main || one.hints.has(Hints::BODY);
        let mut index = 0;
        while let Some(one) = page.elements.get(index) {
            clock.step()?;
            let is_chosen = self.drops[index].is_none()
                && is_main(one)
                && (kept[index].prose >= LEAST_MAIN || share(weight(index), weight(self.root)) >= 0.5)
                && (self.root == 0 || weight(index) > weight(self.root));
            if is_chosen {
                self.root = index;
            }
            index = if self.drops[index].is_some() || is_chosen { one.end as usize } else { index + 1 };
        }
        loop {
            let root = self.root;
            let (mut child, mut best) = (root + 1, None);
            while child < page.elements[root].end as usize {
                clock.step()?;
                if self.drops[child].is_none() && best.is_none_or(|best| weight(child) > weight(best)) {
                    best = Some(child);
                }
                child = page.elements[child].end as usize;
            }
            let Some(best) = best else { break };
            let one = &page.elements[best];
            if share(weight(best), weight(root)) < least || weight(best) == 0 || one.tag.is_inline()
                || matches!(one.tag, Tag::Paragraph | Tag::Pre | Tag::Item | Tag::Row | Tag::Heading | Tag::Heading1 | Tag::TextBlock)
            {
                break;
            }
            self.root = best;
        }
        // A table's cell or a list's item is no page: its table or list is.
        Ok(())
    }

    fn prune(&mut self, page: &PageMeasures, kept: &[Kept], clock: &mut BudgetMeter) -> Result<(), ConvertError> {
        let root = &page.elements[self.root];
        let is_article = matches!(self.kind, PageType::Article);
        let mut index = self.root + 1;
        while index < root.end as usize {
            clock.step()?;
            let one = &page.elements[index];
            if self.drops[index].is_some() {
                index = one.end as usize;
                continue;
            }
            let own = kept[index];
            let is_block = matches!(one.tag, Tag::Block | Tag::Section | Tag::List | Tag::Table | Tag::Article | Tag::Paragraph);
            if is_article && is_block && one.links >= 2 && own.prose == 0 && share(own.linked, own.text) > 0.6 {
                self.drops[index] = Some(DropReason::Links);
            } else if is_article && one.hints.has(Hints::METADATA.with(Hints::AUTHOR)) && own.prose < 200 && own.text < 400 && !one.has_title {
                self.drops[index] = Some(DropReason::Metadata);
            }
            index = if self.drops[index].is_some() { one.end as usize } else { index + 1 };
        }
        Ok(())
    }
}
