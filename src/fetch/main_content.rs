//! Choice of a page's main content by evidence: measures of the text, names and roles of elements, and the type of the
//! page. A site rule may select other elements or the whole body.
//!
//! `measure` walks the page once; `page_type` says what kind of page it is; `frame` recognises what stands around the
//! content, and `region` chooses the root of the content and prunes it. `hints` and `tag` read names, `structured` the
//! page's data about itself, `selected` the site rule.

pub mod frame;
mod hints;
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
pub(super) use measure::PageMeasures;
use region::choose_region;
use selected::{Selected, select};
use std::collections::HashMap;
use tag::Tag;

/// Kinds of elements that are left out.
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
    /// selects the content.
    pub roots: Vec<NodeRef<'a>>,
    /// Treatment of the elements that are not kept as they are.
    treated: HashMap<NodeId, Keep>,
    /// Selectors of the site rule that match nothing on the page.
    pub unmatched: Vec<String>,
    pub note: String,
    pub dropped: Vec<(NodeId, frame::DropReason)>,
}

impl MainContent<'_> {
    /// Returns the treatment of `element`, whose name is `name`.
    fn keep(&self, element: &NodeRef<'_>, name: &html5ever::LocalName) -> Keep {
        if Tag::of(name) == Tag::NeverText {
            return Keep::None;
        }
        self.treated.get(&element.id).copied().unwrap_or(Keep::All)
    }
}

/// Chooses the content of a document under the rules of its site.
pub(super) fn choose<'a>(
    document: &'a Document,
    page: &PageMeasures,
    rules: &ContentRules,
    clock: &mut BudgetMeter,
) -> Result<MainContent<'a>, ConvertError> {
    let body = document.body().unwrap_or_else(|| document.root());
    let Selected { included, excluded, unmatched } = select(body, rules, clock)?;
    let mut treated: HashMap<_, _> = excluded.into_iter().map(|id| (id, Keep::None)).collect();
    if !included.is_empty() {
        return Ok(MainContent { roots: included, treated, unmatched, note: String::new(), dropped: Vec::new() });
    }
    if rules.extract == Extract::Body {
        return Ok(MainContent { roots: vec![body], treated, unmatched, note: String::new(), dropped: Vec::new() });
    }
    let Some(region) = choose_region(page, clock)? else {
        return Ok(MainContent { roots: vec![body], treated, unmatched, note: String::new(), dropped: Vec::new() });
    };
    let mut dropped = Vec::new();
    for (one, reason) in page.elements.iter().zip(&region.drops) {
        clock.step()?;
        if let Some(reason) = reason {
            dropped.push((one.node, *reason));
            treated.insert(one.node, Keep::None);
        }
    }
    let root = NodeRef::new(page.elements[region.root].node, &document.tree);
    let one = &page.elements[region.root];
    let b = &page.elements[0];
    let note = format!("{:?} root={} {:?} text {}/{} prose {}/{} code {} prices {} links {} noscript {} {}", region.kind, region.root, one.tag, one.text, b.text, one.prose, b.prose, b.code, b.prices, b.links, page.noscript, region.note);
    Ok(MainContent { roots: vec![root], treated, unmatched, note, dropped })
}

/// Returns the treatment of a node, derived from the treatment of its element and that of its parent. A root of the
/// content is never noise; it is left out only if the site rule excludes it.
pub(super) fn inherited(
    content: &MainContent<'_>,
    node: &NodeRef<'_>,
    name: &html5ever::LocalName,
    parent: Keep,
) -> Keep {
    if content.roots.iter().any(|root| root.id == node.id) {
        return Keep::All;
    }
    match (content.keep(node, name), parent) {
        (Keep::All, Keep::Headings) if is_heading(name) => Keep::All,
        (Keep::All, parent) => parent,
        (own, Keep::All) => own,
        (Keep::None, _) => Keep::None,
        (_, parent) => parent,
    }
}


pub fn debug_tree(
    document: &Document,
    page: &PageMeasures,
    drops: &HashMap<NodeId, String>,
    root: NodeId,
    o: &mut String,
) {
    use std::fmt::Write;
    let mut depth = vec![0usize; page.elements.len()];
    let mut skip = 0;
    for (i, e) in page.elements.iter().enumerate() {
        depth[i] = if i == 0 { 0 } else { depth[e.parent as usize] + 1 };
        if i < skip {
            continue;
        }
        let drop = drops.get(&e.node);
        let p = &page.elements[e.parent as usize];
        let single = i > 0 && p.text == e.text && e.node != root && drop.is_none();
        if e.text < 12 || (e.tag.is_inline() && e.text < 60 && drop.is_none()) || single {
            if single {
                depth[i] -= 1;
            }
            continue;
        }
        let n = NodeRef::new(e.node, &document.tree);
        let label = format!("{}{}{}", n.node_name().unwrap_or_default(), n.attr("id").map(|x| format!("#{x}")).unwrap_or_default(), n.attr("class").map(|x| format!(".{}", x.chars().take(60).collect::<String>())).unwrap_or_default());
        let text: String = n.text().split_whitespace().collect::<Vec<_>>().join(" ").chars().take(50).collect();
        let _ = writeln!(o, "{}{}{} t{} l{} p{} #{}{} {:?}", " ".repeat(depth[i]), if e.node == root { "ROOT " } else { "" }, label, e.text, e.linked, e.prose, e.paragraphs, drop.map(|d| format!(" DROP {d}")).unwrap_or_default(), text);
        if drop.is_some() {
            skip = e.end as usize;
        }
    }
}
