//! Choice of the region of a page that is its content, and of what is left out within it.

use super::frame::{DropReason, FrameRules, frame};
use super::hints::Hints;
use super::measure::{ElementMeasure, PageMeasures, share};
use super::page_type::{PageType, TypeSignals};
use super::tag::Tag;
use crate::fetch::budget::{BudgetMeter, ConvertError};

/// The chosen region: a root element, and the elements below it that are left out.
#[derive(Debug)]
pub(super) struct Region {
    pub kind: PageType,
    pub note: String,
    has_remarks: bool,
    /// Index of the root.
    pub root: usize,
    /// Reason for each element that is left out with everything below it.
    pub drops: Vec<Option<DropReason>>,
}

/// Length from which a paragraph that is all link points to another page.
const LEAST_ALONE: u32 = 15;
/// Length of the longest caption.
const MOST_CAPTION: u32 = 500;

/// Reasons that are not believed on this page.
#[derive(Debug, Default)]
struct Believed {
    doubted: Vec<DropReason>,
}

/// Number of passes over the frame at the most.
const MOST_PASSES: usize = 3;

impl Believed {
    /// Believes only in elements that are certainly around the content.
    fn landmarks() -> Self {
        use DropReason::{Comments, Caption, Form, Header, Hidden, Metadata, Promotion, Related, Sidebar, Teasers};
        Self {
            doubted: vec![Comments, Caption, Form, Header, Hidden, Metadata, Promotion, Related, Sidebar, Teasers],
        }
    }

    fn has(&self, reason: DropReason) -> bool {
        !self.doubted.contains(&reason)
    }

    /// Adds the reason that drops too much to be true, and returns true if there is one. `kept` is the length of the
    /// sentences that are left.
    fn doubt(
        &mut self,
        page: &PageMeasures,
        drops: &[Option<DropReason>],
        kind: PageType,
        kept: u32,
        clock: &mut BudgetMeter,
    ) -> Result<bool, ConvertError> {
        let weight = |one: &ElementMeasure| Kept::of(one).weight();
        let mut sums: Vec<(DropReason, u32)> = Vec::new();
        for (one, reason) in page.elements.iter().zip(drops) {
            clock.step()?;
            let Some(reason) = reason else { continue };
            match sums.iter_mut().find(|(other, _)| other == reason) {
                Some((_, sum)) => *sum = sum.saturating_add(weight(one)),
                None => sums.push((*reason, weight(one))),
            }
        }
        let worst = sums.into_iter().max_by_key(|(_, sum)| *sum);
        let Some((reason, sum)) = worst else { return Ok(false) };
        let is_answer = reason == DropReason::Comments && kind == PageType::Forum;
        let is_sure = !is_answer && matches!(reason, DropReason::Comments | DropReason::Reviews | DropReason::Overlay | DropReason::Footer);
        let is_most = sum > kept && (kept < LEAST_MAIN || (!is_sure && (kept < LEAST_MAIN * 2 || sum / 2 > kept)));
        if is_most && sum >= LEAST_MAIN {
            self.doubted.push(reason);
        }
        Ok(is_most && sum >= LEAST_MAIN)
    }
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

/// Length of sentences before the densest part from which they are the beginning of the text.
const LEAST_START: u32 = 150;

/// Chooses the region of a page.
pub(super) fn choose_region(page: &PageMeasures, clock: &mut BudgetMeter) -> Result<Option<Region>, ConvertError> {
    let Some(body) = page.elements.first() else { return Ok(None) };
    // The frame that is the same for all types is left out before the type is decided.
    let mut region = Region { kind: PageType::Listing, root: 0, drops: vec![None; page.elements.len()], note: String::new(), has_remarks: false };
    region.drop_frame(page, body, &Believed::default(), clock)?;
    let signals = TypeSignals::of(page, &region.drops, clock)?;
    let kind = PageType::of(page, &signals);
    let kind = match std::env::var("FORCE").as_deref() {
        Ok("Article") => PageType::Article,
        Ok("Documentation") => PageType::Documentation,
        Ok("Forum") => PageType::Forum,
        Ok("Product") => PageType::Product,
        Ok("Collection") => PageType::Collection,
        Ok("Listing") => PageType::Listing,
        Ok("Service") => PageType::Service,
        _ => kind,
    };
    region.kind = kind;
    region.has_remarks = signals.has_remarks();
    region.note = format!("{:?} {:?}", page.types, signals);
    region.drops.fill(None);
    let mut believed = Believed::default();
    let mut kept = Vec::new();
    // A reason that takes most of the page is no reason: the page is built of such elements.
    for _ in 0..MOST_PASSES {
        region.drop_frame(page, body, &believed, clock)?;
        kept = region.kept(page, clock)?;
        if !believed.doubt(page, &region.drops, kind, kept[0].weight(), clock)? {
            break;
        }
    }
    region.choose_root(page, &kept, clock)?;
    region.prune(page, &kept, clock)?;
    region.drop_empty_sections(page, clock)?;
    region.check(page, &kept, clock)?;
    Ok(Some(region))
}

impl Region {
    fn drop_frame(
        &mut self,
        page: &PageMeasures,
        body: &ElementMeasure,
        believed: &Believed,
        clock: &mut BudgetMeter,
    ) -> Result<(), ConvertError> {
        let rules = FrameRules { kind: self.kind, has_remarks: self.has_remarks };
        let mut index = 1;
        let mut content_end = 0;
        while let Some(one) = page.elements.get(index) {
            clock.step()?;
            if matches!(one.tag, Tag::Article | Tag::Main) || one.hints.has(Hints::BODY) {
                content_end = content_end.max(one.end as usize);
            }
            let reason = frame(one, body, rules, index < content_end).filter(|reason| believed.has(*reason));
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
        self.start_at_main(page, kept, clock)?;
        loop {
            let root = self.root;
            let (mut child, mut best) = (root + 1, None);
            // Sentences before the heaviest child: the beginning of the text, if there are enough of them.
            let (mut before, mut seen) = (0u32, 0u32);
            while child < page.elements[root].end as usize {
                clock.step()?;
                if self.drops[child].is_none() {
                    if best.is_none_or(|best| weight(child) > weight(best)) {
                        best = Some(child);
                        before = seen;
                    }
                    seen = seen.saturating_add(kept[child].prose);
                }
                child = page.elements[child].end as usize;
            }
            let Some(best) = best else { break };
            let one = &page.elements[best];
            let is_start_lost = before >= LEAST_START && share(before, kept[best].prose) > 0.05;
            if share(weight(best), weight(root)) < least
                || weight(best) == 0
                || is_start_lost
                || !(one.tag.is_container() || matches!(one.tag, Tag::Main | Tag::Form | Tag::Table | Tag::Cell | Tag::Header | Tag::Body))
            {
                break;
            }
            self.root = best;
        }
        // A table's cell or a list's item is no page: its table or list is.
        Ok(())
    }

    /// Starts at the page's own mark of its content, if there is a text in it.
    fn start_at_main(
        &mut self,
        page: &PageMeasures,
        kept: &[Kept],
        clock: &mut BudgetMeter,
    ) -> Result<(), ConvertError> {
        let (mut index, mut best, mut all) = (1, None, 0u32);
        while let Some(one) = page.elements.get(index) {
            clock.step()?;
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
            && (kept[main].prose >= LEAST_MAIN || share(weight, kept[0].weight()) >= 0.5)
        {
            self.root = main;
        }
        Ok(())
    }

    /// Takes back what leaves no text, or next to none of a page that has some.
    fn check(&mut self, page: &PageMeasures, kept: &[Kept], clock: &mut BudgetMeter) -> Result<(), ConvertError> {
        let is_poor = |left: Kept, whole: Kept| left.text == 0 || (left.weight() < LEAST_MAIN && left.weight() < whole.weight() / 4);
        let left = self.kept(page, clock)?;
        if !is_poor(left[self.root], kept[0]) {
            return Ok(());
        }
        // Without the pruning, then without the frame, then everything.
        self.root = 0;
        self.drops.fill(None);
        let body = &page.elements[0];
        self.drop_frame(page, body, &Believed::landmarks(), clock)?;
        let left = self.kept(page, clock)?;
        if is_poor(left[0], Kept::of(body)) {
            self.drops.fill(None);
        }
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
            let linked = share(own.linked, own.text);
            let is_alone = one.tag == Tag::Paragraph && linked > 0.85 && own.text >= LEAST_ALONE;
            if is_article && is_block && one.prose == 0 && ((one.links >= 2 && linked > 0.6) || is_alone) {
                self.drops[index] = Some(DropReason::Links);
            } else if is_article && one.hints.has(Hints::CAPTION) && own.text < MOST_CAPTION && !one.has_title {
                self.drops[index] = Some(DropReason::Caption);
            } else if is_article && one.hints.has(Hints::METADATA.with(Hints::AUTHOR)) && own.prose < 200 && own.text < 400 && !one.has_title {
                self.drops[index] = Some(DropReason::Metadata);
            }
            index = if self.drops[index].is_some() { one.end as usize } else { index + 1 };
        }
        Ok(())
    }

    /// Leaves out headings whose section has been left out.
    fn drop_empty_sections(&mut self, page: &PageMeasures, clock: &mut BudgetMeter) -> Result<(), ConvertError> {
        if matches!(self.kind, PageType::Listing | PageType::Collection) {
            return Ok(());
        }
        let root = &page.elements[self.root];
        // Length of the text outside elements below, which is what an element itself adds.
        let mut own: Vec<u32> = page.elements.iter().map(|one| one.text).collect();
        for one in page.elements.iter().skip(self.root + 1).take(root.end as usize - self.root) {
            clock.step()?;
            let parent = &mut own[one.parent as usize];
            *parent = parent.saturating_sub(one.text);
        }
        let mut heading: Option<Section> = None;
        let mut index = self.root + 1;
        while index < root.end as usize {
            clock.step()?;
            let one = &page.elements[index];
            if self.drops[index].is_some() {
                if let Some(section) = &mut heading {
                    section.lost = section.lost.saturating_add(one.text);
                }
                index = one.end as usize;
                continue;
            }
            if one.is_lead_in() {
                self.close_section(heading.take(), if one.level == 0 { 7 } else { one.level });
                heading = Some(Section { heading: index, level: if one.level == 0 { 7 } else { one.level }, kept: 0, lost: 0 });
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
    kept: u32,
    lost: u32,
}

/// Length of the text that makes a section.
const LEAST_SECTION: u32 = 20;
