//! ExtractionReport of a page's text: the type of the page, and the elements that are left out, each with its reason.

use super::budget::{Budget, BudgetMeter, ConvertError, TIME_LIMIT, TreeBudget};
use super::content_rules::ContentRules;
use super::convert::measured;
use super::main_content;

/// ExtractionReport of what a page's text is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct ExtractionReport {
    /// Type of the page, such as `article`.
    pub page_type: &'static str,
    /// Elements that are left out, in page order. Scripts and the like are not listed.
    pub dropped: Vec<DroppedElement>,
}

/// An element that is left out with everything below it.
#[derive(Clone, Debug, PartialEq)]
pub struct DroppedElement {
    /// The element's name, id and classes, as a CSS selector has them.
    pub element: String,
    /// Reason for which it is left out, such as `navigation`.
    pub reason: &'static str,
    /// Length of its text in characters, without white space.
    pub characters: u32,
    /// Share of links in its text, from 0 to 1.
    pub linked: f32,
    /// Share of sentences in its text, from 0 to 1.
    pub prose: f32,
}

/// Explains what the text of a page is made of, within [`TIME_LIMIT`].
pub fn explain(html: &str) -> Result<ExtractionReport, ConvertError> {
    let mut clock = BudgetMeter::new(Budget::Processor(TIME_LIMIT));
    let (document, page) = measured(html, TreeBudget::Alone, &mut clock)?;
    let content = main_content::choose(&document, &page, &ContentRules::default(), &mut clock)?;
    let mut dropped: Vec<_> = content.dropped.iter().map(|(id, (reason, index))| (*index, *id, *reason)).collect();
    dropped.sort_unstable_by_key(|(index, ..)| *index);
    let element = |(index, id, reason): (usize, _, main_content::DropReason)| {
        let (characters, linked, prose) = page.text_of(index);
        let element = document.tree.get(&id).map(|node| selector(&node)).unwrap_or_default();
        DroppedElement { element, reason: reason.word(), characters, linked, prose }
    };
    Ok(ExtractionReport {
        page_type: content.kind.map_or("none", main_content::PageType::word),
        dropped: dropped.into_iter().map(element).collect(),
    })
}

fn selector(node: &dom_query::NodeRef<'_>) -> String {
    let mut selector = super::dom::name_of(node).to_string();
    if let Some(id) = node.attr("id") {
        selector.push('#');
        selector.push_str(id.trim());
    }
    for class in node.attr("class").unwrap_or_default().split_whitespace() {
        selector.push('.');
        selector.push_str(class);
    }
    selector
}
