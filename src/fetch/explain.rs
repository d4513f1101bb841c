//! Report of what a page's text is made of: the type of the page, and the elements that are left out.

use super::budget::{Budget, BudgetMeter, ConvertError, TIME_LIMIT, TreeBudget};
use super::content_rules::ContentRules;
use super::convert::measured;
use super::dom::name_of;
use super::main_content::{self, DropReason, MainContent, PageMeasures, is_inline, share};
use super::markdown;
use super::sniff::BinaryFormat;
use crate::domain::extraction::{DroppedElement, ExtractionReport};
use crate::domain::template::{RecurringBlock, Template, blocks, without_targets};
use crate::domain::text::{SafeLine, cut_chars};
use dom_query::{Document, NodeRef};
use url::Url;

/// Length of the longest selector, in characters: some pages have hundreds of classes on an element.
const MOST_SELECTOR: usize = 160;
/// Length of the longest beginning of an element's text, in characters.
const MOST_TEXT: usize = 60;

/// Explains what the text of a page is made of, within [`TIME_LIMIT`]. With the template of the page's host, blocks that
/// stand on many pages of the host are left out as well.
pub fn explain(html: &str, template: Option<&Template>) -> Result<ExtractionReport, ConvertError> {
    let mut clock = BudgetMeter::new(Budget::Processor(TIME_LIMIT));
    let (document, page) = measured(html, TreeBudget::Alone, &mut clock)?;
    let content = main_content::choose(&document, &page, &ContentRules::default(), &mut clock)?;
    report(&document, &page, &content, template, &mut clock)
}

/// Describes what is left out of a page with this content, and then by the template of its host.
pub(super) fn report(
    document: &Document,
    page: &PageMeasures,
    content: &MainContent<'_>,
    template: Option<&Template>,
    clock: &mut BudgetMeter,
) -> Result<ExtractionReport, ConvertError> {
    let element = |(index, reason): (usize, DropReason)| {
        let (characters, linked, prose) = page.text_of(index);
        let node = page.node_of(index).and_then(|id| document.tree.get(&id));
        let (element, text) = node.map(|node| (selector(&node), text_of(node))).unwrap_or_default();
        DroppedElement { element, text, reason: reason.describe(), characters, linked, prose }
    };
    let mut dropped: Vec<_> = content.left_out(page).into_iter().map(element).collect();
    if let Some(template) = template {
        dropped.extend(recurring(document, content, template, clock)?);
    }
    Ok(ExtractionReport { page_type: content.kind.map_or("none", main_content::PageType::word), dropped })
}

/// Returns the blocks that a template leaves out of the content, each with the element that its text is from.
fn recurring(
    document: &Document,
    content: &MainContent<'_>,
    template: &Template,
    clock: &mut BudgetMeter,
) -> Result<Vec<DroppedElement>, ConvertError> {
    let base = Url::parse("http://localhost/").map_err(|_| ConvertError::NotText(BinaryFormat::Unknown))?;
    let written = markdown::write(content, &base, clock)?;
    let element = |block: RecurringBlock| {
        let source = written.lines.iter().find(|line| block.range.contains(&line.offset));
        let mut node = source.and_then(|line| document.tree.get(&line.node));
        while let Some(inner) = node.filter(|node| !node.is_element() || is_inline(&name_of(node))) {
            node = inner.parent();
        }
        let text = &written.text[block.range.clone()];
        let count = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
        let linked: usize =
            text.split('[').skip(1).filter_map(|link| link.split_once("](")).map(|(label, _)| count(label)).sum();
        let (characters, linked) = (saturated(count(&without_targets(text))), saturated(linked));
        DroppedElement {
            element: node.map(|node| selector(&node)).unwrap_or_default(),
            // Without the marks of lists, tables and links.
            text: beginning(
                without_targets(text).replace(['[', '|', '*', '#', '`'], " ").trim_start_matches(['-', ' ']),
            ),
            reason: DropReason::Recurring { pages: block.pages, of: block.of }.describe(),
            characters,
            linked: share(linked, characters),
            prose: 0.0,
        }
    };
    Ok(template.recurring_in(&blocks(&written.text, &[])).into_iter().map(element).collect())
}

/// Returns the beginning of an element's text, without scripts and the like.
fn text_of(element: NodeRef<'_>) -> SafeLine {
    let mut text = String::new();
    let mut waiting = vec![element];
    while let Some(node) = waiting.pop().filter(|_| text.len() < MOST_TEXT * 4) {
        if node.is_text() {
            text.push_str(&node.text());
            text.push(' ');
        } else if !matches!(&*name_of(&node), "script" | "style" | "template" | "noscript") {
            waiting.extend(node.children_it(true));
        }
    }
    beginning(&text)
}

/// Returns the beginning of a text, as one line.
fn beginning(text: &str) -> SafeLine {
    let words: Vec<_> = text.split_whitespace().take(MOST_TEXT).collect();
    let words = words.join(" ");
    let (start, is_cut) = cut_chars(&words, MOST_TEXT);
    SafeLine::new(&if is_cut { format!("{start}…") } else { words })
}

fn saturated(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn selector(node: &NodeRef<'_>) -> SafeLine {
    let mut selector = name_of(node).to_string();
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
