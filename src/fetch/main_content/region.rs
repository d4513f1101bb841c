//! Choice of the region of a page that is its content, and of what is left out within it.
//!
//! A page that scripts fill has no content (`shell`). The steps on others: leave out the frame, doubt a reason that takes most of the page (`doubt`), choose the root (`root`), prune
//! below it (`prune`), and take all of that back if nothing is left. `kept` sums up what is left of each element.

mod doubt;
mod kept;
mod prune;
mod repeated;
mod root;
mod shell;

use super::drop_reason::DropReason;
use super::frame::{FrameRules, Surroundings, frame};
use super::hints::Hints;
use super::measure::PageMeasures;
use super::page_type::{PageType, TypeSignals};
use super::tag::Tag;
use crate::fetch::budget::{BudgetMeter, ConvertError};
use dom_query::NodeId;
use doubt::Doubts;
use kept::Kept;
use std::collections::HashSet;

/// The chosen region: a root element, and the elements that are left out.
#[derive(Debug)]
pub(super) struct Region<'r> {
    pub kind: PageType,
    /// Elements that the site rule excludes.
    excluded: &'r HashSet<NodeId>,
    /// True if the comments of a forum are remarks on its posts.
    has_remarks: bool,
    /// Index of the root.
    pub root: usize,
    /// Reason for each element that is left out with everything below it.
    pub drops: Vec<Option<DropReason>>,
}

/// Number of passes over the frame at the most.
const MOST_PASSES: usize = 3;
/// Weight below which a choice is taken back if the page has much more.
const LEAST_WEIGHT: u32 = 300;

impl<'r> Region<'r> {
    fn of_body(page: &PageMeasures, excluded: &'r HashSet<NodeId>, kind: PageType) -> Self {
        Self { kind, excluded, has_remarks: false, root: 0, drops: vec![None; page.elements.len()] }
    }

    /// Chooses the region of a page without the elements `excluded`; `None` if the page has no elements.
    pub fn choose(
        page: &PageMeasures,
        excluded: &'r HashSet<NodeId>,
        clock: &mut BudgetMeter,
    ) -> Result<Option<Self>, ConvertError> {
        if page.elements.is_empty() {
            return Ok(None);
        }
        // The type is read from the content, without the frame that is the same for all types.
        let mut region = Self::of_body(page, excluded, PageType::Listing);
        region.drop_frame(page, &Doubts::default(), clock)?;
        if page.is_shell(clock)? {
            return Ok(Some(Self { kind: PageType::Shell, ..region }));
        }
        let signals = TypeSignals::of(page, &region.drops, clock)?;
        region.kind = PageType::of(page, &signals);
        region.has_remarks = signals.has_remarks();
        let mut doubts = Doubts::default();
        let mut kept = Vec::new();
        for _ in 0..MOST_PASSES {
            region.drop_frame(page, &doubts, clock)?;
            kept = region.kept(page, clock)?;
            if !doubts.add_worst(page, &region.drops, region.kind, kept[0], clock)? {
                break;
            }
        }
        region.choose_root(page, &kept, clock)?;
        region.prune(page, &kept, clock)?;
        region.drop_link_blocks(page, clock)?;
        region.drop_repeated_labels(page, clock)?;
        region.drop_empty_sections(page, clock)?;
        region.check(page, kept[0], clock)?;
        Ok(Some(region))
    }

    /// Returns the body without its landmarks, for elements that a site rule has chosen.
    pub fn without_landmarks(
        page: &PageMeasures,
        excluded: &'r HashSet<NodeId>,
        clock: &mut BudgetMeter,
    ) -> Result<Self, ConvertError> {
        let mut region = Self::of_body(page, excluded, PageType::Service);
        region.drop_frame(page, &Doubts::of_chosen_elements(), clock)?;
        Ok(region)
    }

    fn drop_frame(
        &mut self,
        page: &PageMeasures,
        doubts: &Doubts,
        clock: &mut BudgetMeter,
    ) -> Result<(), ConvertError> {
        clock.pass(page.elements.len())?;
        let Some(body) = page.elements.first() else { return Ok(()) };
        let rules = FrameRules { kind: self.kind, types: page.types, has_remarks: self.has_remarks };
        self.drops.fill(None);
        let (mut index, mut content_end, mut item, mut item_end) = (1, 0, 0, 0);
        while let Some(one) = page.elements.get(index) {
            let end = one.end as usize;
            if matches!(one.tag, Tag::Article | Tag::Main) || one.hints.has(Hints::MAIN) {
                content_end = content_end.max(end);
            }
            if index >= item_end {
                item = 0;
            }
            if one.is_item {
                (item, item_end) = (one.text, end);
            }
            let parent = &page.elements[one.parent as usize];
            let around = Surroundings { body, parent, item, in_content: index < content_end };
            self.drops[index] = if self.excluded.contains(&one.node) {
                Some(DropReason::SiteRule)
            } else {
                frame(one, around, rules).filter(|reason| doubts.allow(*reason))
            };
            index = if self.drops[index].is_some() { end } else { index + 1 };
        }
        Ok(())
    }

    /// Returns the sums over what is kept of each element.
    fn kept(&self, page: &PageMeasures, clock: &mut BudgetMeter) -> Result<Vec<Kept>, ConvertError> {
        clock.pass(page.elements.len())?;
        let mut lost = vec![Kept::default(); page.elements.len()];
        for index in (1..page.elements.len()).rev() {
            let one = &page.elements[index];
            let gone = match self.drops[index] {
                Some(DropReason::Byline) => Kept::of(one).minus(Kept::of_headings(one)),
                Some(_) => Kept::of(one),
                None => lost[index],
            };
            let parent = one.parent as usize;
            lost[parent] = lost[parent].plus(gone);
        }
        Ok(page.elements.iter().zip(lost).map(|(one, lost)| Kept::of(one).minus(lost)).collect())
    }

    /// Takes a choice back that leaves no text, or next to none of a page that has some. `whole` is what the frame leaves
    /// of the page.
    fn check(&mut self, page: &PageMeasures, whole: Kept, clock: &mut BudgetMeter) -> Result<(), ConvertError> {
        let is_poor = |left: Kept, whole: Kept| {
            left.text == 0 || (left.weight() < LEAST_WEIGHT && left.weight() < whole.weight() / 4)
        };
        if !is_poor(self.kept(page, clock)?[self.root], whole) {
            return Ok(());
        }
        self.root = 0;
        self.drop_frame(page, &Doubts::all_but_landmarks(), clock)?;
        if is_poor(self.kept(page, clock)?[0], Kept::of(&page.elements[0])) {
            self.drops.fill(None);
        }
        Ok(())
    }
}
