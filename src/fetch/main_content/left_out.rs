//! List of the elements that are no content, for an explanation of a page's text.

use super::{DropReason, MainContent, PageMeasures};
use dom_query::NodeId;
use std::collections::HashSet;

impl MainContent<'_> {
    /// Returns the indices of the elements that are left out with everything below them, in page order, each with the
    /// reason. An element without text is listed only if it is left out for a reason of its own.
    pub fn left_out(&self, page: &PageMeasures) -> Vec<(usize, DropReason)> {
        let roots: HashSet<NodeId> = self.roots.iter().map(|root| root.id).collect();
        let is_root = |index: usize| roots.contains(&page.elements[index].node);
        let positions: Vec<usize> = (0..page.elements.len()).filter(|index| is_root(*index)).collect();
        let explained = self.explained_text(page);
        // A page without a body is its own root, which has no measure.
        let mut content_end = if positions.is_empty() { usize::MAX } else { 0 };
        let mut left_out = Vec::new();
        let mut index = 0;
        while let Some(one) = page.elements.get(index) {
            let end = one.end as usize;
            let next_root = positions.partition_point(|root| *root < index);
            let holds_root = index >= content_end && positions.get(next_root).is_some_and(|root| *root < end);
            let reason = if holds_root && !(is_root(index) && self.excluded.contains(&one.node)) {
                // Around the content, or its root: neither is ever left out as a whole.
                None
            } else {
                self.reason(one.node)
            };
            // Outside the content, a block is listed as a whole unless most of its text has reasons of its own.
            let has_reasons = explained[end] - explained[index] > u64::from(one.text / 2);
            let is_outside = index >= content_end && !holds_root && one.text > 0 && !has_reasons;
            if let Some(reason) = reason.or(is_outside.then_some(DropReason::Outside)) {
                left_out.push((index, reason));
                index = end;
                continue;
            }
            if holds_root && is_root(index) {
                content_end = end;
            }
            index += 1;
        }
        left_out
    }

    fn reason(&self, element: NodeId) -> Option<DropReason> {
        let excluded = self.excluded.contains(&element).then_some(DropReason::SiteRule);
        excluded.or_else(|| self.dropped.get(&element).map(|(reason, _)| *reason))
    }

    /// Returns, for each index, the length of the text before it that is left out for a reason of its own.
    fn explained_text(&self, page: &PageMeasures) -> Vec<u64> {
        let mut sums = Vec::with_capacity(page.elements.len() + 1);
        let (mut sum, mut counted_end) = (0u64, 0);
        for (index, one) in page.elements.iter().enumerate() {
            sums.push(sum);
            if index >= counted_end && self.reason(one.node).is_some() {
                sum += u64::from(one.text);
                counted_end = one.end as usize;
            }
        }
        sums.push(sum);
        sums
    }
}
