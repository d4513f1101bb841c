//! Report of what a page's text is made of: the type of the page, and the elements that are left out.

use super::budget::{Budget, BudgetMeter, ConvertError, TIME_LIMIT, TreeBudget};
use super::content_rules::ContentRules;
use super::convert::measured;
use super::main_content::{self, DropReason, MainContent, PageMeasures};
use crate::domain::extraction::{DroppedElement, ExtractionReport};
use crate::domain::text::{SafeLine, cut_chars};
use dom_query::{Document, NodeRef};

/// Length of the longest selector, in characters: some pages have hundreds of classes on an element.
const MOST_SELECTOR: usize = 160;

/// Explains what the text of a page is made of, within [`TIME_LIMIT`].
pub fn explain(html: &str) -> Result<ExtractionReport, ConvertError> {
    let mut clock = BudgetMeter::new(Budget::Processor(TIME_LIMIT));
    let (document, page) = measured(html, TreeBudget::Alone, &mut clock)?;
    let content = main_content::choose(&document, &page, &ContentRules::default(), &mut clock)?;
    Ok(report(&document, &page, &content))
}

/// Describes what is left out of a page with this content.
pub(super) fn report(document: &Document, page: &PageMeasures, content: &MainContent<'_>) -> ExtractionReport {
    let element = |(index, reason): (usize, DropReason)| {
        let (characters, linked, prose) = page.text_of(index);
        let element = page.node_of(index).and_then(|id| document.tree.get(&id)).map(|node| selector(&node));
        DroppedElement { element: element.unwrap_or_default(), reason: reason.word(), characters, linked, prose }
    };
    ExtractionReport {
        page_type: content.kind.map_or("none", main_content::PageType::word),
        dropped: content.left_out(page).into_iter().map(element).collect(),
    }
}

fn selector(node: &NodeRef<'_>) -> SafeLine {
    let mut selector = super::dom::name_of(node).to_string();
    if let Some(id) = node.attr("id") {
        selector.push('#');
        selector.push_str(id.trim());
    }
    for class in node.attr("class").unwrap_or_default().split_whitespace() {
        selector.push('.');
        selector.push_str(class);
    }
    let (start, is_cut) = cut_chars(&selector, MOST_SELECTOR);
    SafeLine::new(&if is_cut { format!("{start}…") } else { selector })
}
