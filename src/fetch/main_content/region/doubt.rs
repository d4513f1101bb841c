//! Reasons to leave elements out that are not believed on a page, because they would take most of it.

use super::kept::Kept;
use crate::fetch::budget::{BudgetMeter, ConvertError};
use crate::fetch::main_content::drop_reason::DropReason;
use crate::fetch::main_content::measure::PageMeasures;
use crate::fetch::main_content::page_type::PageType;

/// Length of the sentences that are enough for a page, whatever else is left out.
const ENOUGH: u32 = 300;

/// Reasons that are not believed on this page.
#[derive(Debug, Default)]
pub(super) struct Doubts(Vec<DropReason>);

impl Doubts {
    /// Doubts everything but elements that are certainly around the content.
    pub fn all_but_landmarks() -> Self {
        use DropReason::{
            Byline, Caption, Comments, Filters, Form, Header, Hidden, Metadata, Promotion, Related, Reviews, Sharing,
            Sidebar, Teasers,
        };
        Self(vec![
            Byline, Caption, Comments, Filters, Form, Header, Hidden, Metadata, Promotion, Related, Reviews, Sharing,
            Sidebar, Teasers,
        ])
    }

    /// Doubts the reasons that depend on the type of the page: used below elements that a site rule has chosen.
    pub fn of_chosen_elements() -> Self {
        use DropReason::{Caption, Comments, Filters, Metadata, Promotion, Related, Reviews, Sharing, Teasers};
        Self(vec![Caption, Comments, Filters, Metadata, Promotion, Related, Reviews, Sharing, Teasers])
    }

    /// Returns true if the reason is believed.
    pub fn allow(&self, reason: DropReason) -> bool {
        !self.0.contains(&reason)
    }

    /// Adds the reason that drops too much to be true, and returns true if there is one. `kept` is what is left.
    pub fn add_worst(
        &mut self,
        page: &PageMeasures,
        drops: &[Option<DropReason>],
        kind: PageType,
        kept: Kept,
        clock: &mut BudgetMeter,
    ) -> Result<bool, ConvertError> {
        clock.pass(page.elements.len())?;
        let mut sums: Vec<(DropReason, u32)> = Vec::new();
        for (one, reason) in page.elements.iter().zip(drops) {
            let Some(reason) = reason.filter(|reason| *reason != DropReason::SiteRule) else { continue };
            let weight = Kept::of(one).weight();
            match sums.iter_mut().find(|(other, _)| *other == reason) {
                Some((_, sum)) => *sum = sum.saturating_add(weight),
                None => sums.push((reason, weight)),
            }
        }
        // A list has few sentences, and a notice about cookies has many.
        let is_list = matches!(kind, PageType::Listing | PageType::Collection);
        let (list, kept) = (if is_list { kept.text } else { 0 }, kept.weight());
        let worst = sums.into_iter().max_by_key(|(_, sum)| *sum);
        let Some((reason, sum)) = worst.filter(|(_, sum)| *sum > kept && *sum >= ENOUGH) else { return Ok(false) };
        // Comments may well be longer than the article above them, but on a forum they may be the posts.
        let is_often_long = match reason {
            DropReason::Comments => kind != PageType::Forum,
            DropReason::Reviews | DropReason::Overlay | DropReason::Footer => true,
            _ => false,
        };
        let is_beside_list = reason == DropReason::Overlay && list >= ENOUGH * 3;
        let is_doubtful =
            (kept < ENOUGH && !is_beside_list) || (!is_often_long && (kept < ENOUGH * 2 || sum / 2 > kept));
        if is_doubtful {
            self.0.push(reason);
        }
        Ok(is_doubtful)
    }
}
