//! Choice of a page's main content by evidence: measures of its text, names and roles of its elements, and the type of
//! the page. A site rule may select other elements or the whole body.
//!
//! `measure` walks the page once; `page_type` says what kind of page it is; `frame` recognises what stands around the
//! content, for one of the reasons in `drop_reason`; `region` chooses the root of the content and prunes it. `hints` and `tag` read the names of elements,
//! `structured` what the page says about itself, `selected` the site rule; `left_out` lists what is not content.
//! Everything after the walk works on the list of
//! measures, in a fixed number of passes.

mod drop_reason;
mod frame;
mod hints;
mod left_out;
mod measure;
mod page_type;
mod region;
mod selected;
mod structured;
mod tag;

use super::budget::{BudgetMeter, ConvertError};
use super::content_rules::ContentRules;
use super::dom::is_heading;
use crate::domain::site_rule::Extract;
use dom_query::{Document, NodeId, NodeRef};
pub(super) use drop_reason::DropReason;
use html5ever::LocalName;
pub(super) use measure::{PageMeasures, share};
pub(super) use page_type::PageType;
use region::Region;
use selected::{SiteRuleMatches, select};
use std::collections::{HashMap, HashSet};
use tag::Tag;

/// Treatment of an element when the content is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// The element and its children are content.
    All,
    /// Only the headings in the element are content: a `header` inside the content has the page's heading among noise.
    Headings,
    /// The element is left out.
    None,
}

/// The chosen content: its root elements, and what is left out below them.
#[derive(Debug)]
pub(super) struct MainContent<'a> {
    /// Root elements of the content, in page order; none is inside another. There is more than one only if a site rule
    /// selects the content, and none on a page that scripts fill.
    pub roots: Vec<NodeRef<'a>>,
    /// Elements that are left out, with the reason and the index of the measure.
    pub dropped: HashMap<NodeId, (DropReason, usize)>,
    /// Type of the page; `None` if a site rule decides what is content.
    pub kind: Option<PageType>,
    /// Elements that the site rule excludes.
    excluded: HashSet<NodeId>,
    /// Selectors of the site rule that match nothing on the page.
    pub unmatched: Vec<String>,
}

impl<'a> MainContent<'a> {
    /// Returns the whole body of a document.
    pub fn of_body(document: &'a Document) -> Self {
        let body = document.body().unwrap_or_else(|| document.root());
        Self { roots: vec![body], dropped: HashMap::new(), kind: None, excluded: HashSet::new(), unmatched: Vec::new() }
    }

    /// Returns the whole body of `document` without the elements that the site rule excludes.
    pub fn whole(&self, document: &'a Document) -> Self {
        let (excluded, unmatched) = (self.excluded.clone(), self.unmatched.clone());
        Self { kind: self.kind, excluded, unmatched, ..Self::of_body(document) }
    }

    /// Returns the treatment of `element`, whose name is `name`.
    fn keep(&self, element: NodeId, name: &LocalName) -> Keep {
        if Tag::of(name) == Tag::NeverText || self.excluded.contains(&element) {
            return Keep::None;
        }
        match self.dropped.get(&element) {
            Some((DropReason::Byline, _)) => Keep::Headings,
            Some(_) => Keep::None,
            None => Keep::All,
        }
    }
}

/// Returns true for the name of an element within a line of text.
pub(super) fn is_inline(name: &LocalName) -> bool {
    Tag::of(name).is_inline()
}

/// Chooses the content of a document with the measures `page`, under the rules of its site.
pub(super) fn choose<'a>(
    document: &'a Document,
    page: &PageMeasures,
    rules: &ContentRules,
    clock: &mut BudgetMeter,
) -> Result<MainContent<'a>, ConvertError> {
    let body = document.body().unwrap_or_else(|| document.root());
    let SiteRuleMatches { included, excluded, unmatched } = select(body, rules, clock)?;
    let whole = MainContent { excluded, unmatched, ..MainContent::of_body(document) };
    if !included.is_empty() {
        let dropped = dropped(page, &Region::without_landmarks(page, &whole.excluded, clock)?, clock)?;
        return Ok(MainContent { roots: included, dropped, ..whole });
    }
    if rules.extract == Extract::Body {
        return Ok(whole);
    }
    let Some(region) = Region::choose(page, &whole.excluded, clock)? else { return Ok(whole) };
    let root = NodeRef::new(page.elements[region.root].node, &document.tree);
    let roots = if region.kind == PageType::Shell { Vec::new() } else { vec![root] };
    let (kind, dropped) = (Some(region.kind), dropped(page, &region, clock)?);
    Ok(MainContent { roots, dropped, kind, ..whole })
}

fn dropped(
    page: &PageMeasures,
    region: &Region<'_>,
    clock: &mut BudgetMeter,
) -> Result<HashMap<NodeId, (DropReason, usize)>, ConvertError> {
    clock.pass(page.elements.len())?;
    let mut dropped = HashMap::new();
    for (index, (one, reason)) in page.elements.iter().zip(&region.drops).enumerate() {
        if let Some(reason) = reason {
            dropped.insert(one.node, (*reason, index));
        }
    }
    Ok(dropped)
}

/// Returns the treatment of a node, derived from the treatment of its element and that of its parent. A root of the
/// content is never noise; it is left out only if the site rule excludes it.
pub(super) fn inherited(content: &MainContent<'_>, node: &NodeRef<'_>, name: &LocalName, parent: Keep) -> Keep {
    if content.roots.iter().any(|root| root.id == node.id) {
        return if content.excluded.contains(&node.id) { Keep::None } else { Keep::All };
    }
    match (content.keep(node.id, name), parent) {
        (Keep::All, Keep::Headings) if is_heading(name) => Keep::All,
        (Keep::All, parent) => parent,
        (own, Keep::All) => own,
        (Keep::None, _) => Keep::None,
        (_, parent) => parent,
    }
}
