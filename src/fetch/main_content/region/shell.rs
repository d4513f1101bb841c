//! Recognition of a page that scripts fill: as it is served it has a header, menus and a footer, and no content.

use crate::fetch::budget::{BudgetMeter, ConvertError};
use crate::fetch::main_content::hints::Hints;
use crate::fetch::main_content::measure::{ElementMeasure, PageMeasures, share};
use crate::fetch::main_content::tag::Tag;

/// Length of the text outside the frame from which a page has content.
const LEAST_CONTENT: u32 = 60;
/// Length of the shortest frame of a site: a page of a few words is no shell.
const LEAST_FRAME: u32 = 100;
/// Length of the sentences in the frame from which they may be the content: some pages are one header.
const LEAST_SENTENCES: u32 = 100;
/// Share of the page's text from which a notice or a hidden element may be the page.
const LEAST_PAGE: f32 = 0.5;

impl PageMeasures {
    /// Returns true if the page is made for scripts, has no heading of the first level and next to no sentences in its frame, and
    /// outside it no sentences and next to no text.
    pub(super) fn is_shell(&self, clock: &mut BudgetMeter) -> Result<bool, ConvertError> {
        clock.pass(self.elements.len())?;
        let Some(body) = self.elements.first().filter(|_| self.is_scripted) else { return Ok(false) };
        // Lengths of the text and of the sentences outside the frame, and of the sentences within it.
        let (mut outside, mut said, mut sentences) = (body.text, body.prose, 0u32);
        let mut index = 1;
        while let Some(one) = self.elements.get(index) {
            let is_small = share(one.text, body.text) < LEAST_PAGE;
            let is_notice = is_small && one.hints.has(Hints::CONSENT);
            let is_closed = is_small && one.hints.has(Hints::HIDDEN.with(Hints::UNSEEN));
            let is_over = is_small && one.hints.has(Hints::OVERLAY);
            if one.has_main || !(is_notice || is_closed || is_over || is_landmark(one)) {
                index += 1;
                continue;
            }
            outside = outside.saturating_sub(one.text);
            said = said.saturating_sub(one.prose);
            // A notice about cookies may be long; other sentences may be the page's, whatever their element is called.
            if !is_notice {
                sentences = sentences.saturating_add(one.prose).saturating_add(one.code);
                if one.has_title && !is_closed {
                    return Ok(false);
                }
            }
            index = one.end as usize;
        }
        let has_frame = body.text.saturating_sub(outside) >= LEAST_FRAME;
        Ok(has_frame && outside < LEAST_CONTENT && said == 0 && sentences < LEAST_SENTENCES)
    }
}

/// Returns true for an element that is part of the frame by its name or role.
fn is_landmark(one: &ElementMeasure) -> bool {
    let by_role = Hints::NAVIGATION.with(Hints::FOOTER).with(Hints::HEADER);
    matches!(one.tag, Tag::Nav | Tag::Header | Tag::Footer | Tag::Aside)
        || (one.hints.has(Hints::LANDMARK) && one.hints.has(by_role))
}
