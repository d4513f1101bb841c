//! Copy of a parsed page, in the form that libxml2's parser for HTML 4 gives it where the page is well-formed.
//!
//! The elements whose content HTML 5 reads as text, `noscript` above all, hold elements there. Carriage returns
//! stay, while html5ever makes line feeds of them.

use super::tree::{ATTRIBUTES, Element, Index, Tree};
use crate::fetch::budget::{BudgetMeter, ConvertError};
use crate::fetch::html::{self, Noscript};
use dom_query::{Document, NodeData, NodeId, NodeRef};
use html5ever::{LocalName, local_name};
use std::borrow::Cow;

/// Maximum number of elements around one whose text is parsed for elements: such an element within another one is read
/// as text, so that hostile nesting ends.
const MAX_PARSES: usize = 4;

/// Copies the page, which was parsed from the result of [`with_returns`]. The root stands for the document: its children are those of `html`.
pub(super) fn page(document: &Document, clock: &mut BudgetMeter, most: usize) -> Result<Tree, ConvertError> {
    let root = Element { name: LocalName::from("html"), attributes: Vec::new(), hidden: false };
    let mut copy = Copy { tree: Tree::new(root, most), most };
    copy.children(&document.html_root(), 0, 0, clock)?;
    Ok(copy.tree)
}

/// Character that stands for a carriage return while the page is parsed. html5ever would make a line feed of it, which
/// `reverse_markdown` treats in another way. For both parsers a form feed is white space, and pages have none.
const RETURN: char = '\x0c';

/// Prepares a page for [`page`]: keeps its carriage returns apart from its line feeds.
pub(in crate::fetch) fn with_returns(html: &str) -> Cow<'_, str> {
    if html.contains('\r') { Cow::Owned(html.replace('\r', "\x0c")) } else { Cow::Borrowed(html) }
}

/// Restores the carriage returns of a text.
fn restored(text: &str) -> Cow<'_, str> {
    if text.contains(RETURN) { Cow::Owned(text.replace(RETURN, "\r")) } else { Cow::Borrowed(text) }
}

struct Copy {
    tree: Tree,
    most: usize,
}

impl Copy {
    /// Copies the children of `node` below `parent`. `parses` is the number of texts around it that were parsed.
    fn children(
        &mut self,
        node: &NodeRef<'_>,
        parent: Index,
        parses: usize,
        clock: &mut BudgetMeter,
    ) -> Result<(), ConvertError> {
        // Later siblings stand deeper on the stack.
        let mut stack: Vec<(NodeId, Index)> = Vec::new();
        push_children(&mut stack, node, parent);
        while let Some((id, parent)) = stack.pop() {
            clock.step()?;
            let Some(node) = node.tree.get(&id) else { continue };
            let (raw, contents) = match self.node(&node, parent)? {
                Some(Copied::Element { at, reads_text: false, contents }) => (None, Some((at, contents))),
                Some(Copied::Element { at, reads_text: true, .. }) => (Some(at), None),
                None => continue,
            };
            if let Some((at, contents)) = contents {
                let of = contents.and_then(|contents| node.tree.get(&contents)).unwrap_or(node);
                push_children(&mut stack, &of, at);
            }
            if let Some(at) = raw {
                self.parsed(&node.text(), at, parses, clock)?;
            }
        }
        Ok(())
    }

    /// Copies one node without its children; `None` if it has none to copy.
    fn node(&mut self, node: &NodeRef<'_>, parent: Index) -> Result<Option<Copied>, ConvertError> {
        enum Read {
            Element(Element, Option<NodeId>),
            Text(String),
            Comment,
            Other,
        }
        let read = node.query_or(Read::Other, |node| match &node.data {
            NodeData::Element(element) => {
                let kept = |name: &LocalName| ATTRIBUTES.into_iter().find(|kept| *name == **kept);
                let attributes = element.attrs.iter().filter_map(|attribute| {
                    kept(&attribute.name.local).map(|name| (name, restored(&attribute.value).into_owned()))
                });
                let hidden = element.attrs.iter().any(|attribute| attribute.name.local == local_name!("hidden"));
                let copied = Element { name: element.name.local.clone(), attributes: attributes.collect(), hidden };
                Read::Element(copied, element.template_contents)
            }
            NodeData::Text { contents } => Read::Text(restored(contents).into_owned()),
            NodeData::Comment { .. } | NodeData::ProcessingInstruction { .. } => Read::Comment,
            _ => Read::Other,
        });
        match read {
            Read::Element(element, contents) => {
                let reads_text = reads_text(&element.name);
                let at = self.tree.element(parent, element)?;
                return Ok(Some(Copied::Element { at, reads_text, contents }));
            }
            Read::Text(text) if is_raw(self.tree.name(parent)) => self.tree.raw(parent, &text)?,
            Read::Text(text) => self.tree.text(parent, &text)?,
            Read::Comment => self.tree.comment(parent)?,
            Read::Other => {}
        }
        Ok(None)
    }

    /// Parses the text of an element whose content is elements in HTML 4, and copies these.
    fn parsed(
        &mut self,
        text: &str,
        parent: Index,
        parses: usize,
        clock: &mut BudgetMeter,
    ) -> Result<(), ConvertError> {
        let is_plain = !text.contains(['<', '&']);
        if is_plain || parses >= MAX_PARSES {
            let text = restored(text).into_owned();
            return self.tree.text(parent, &text);
        }
        let document = html::parse(text, Noscript::Text, clock, self.most)?;
        // The parser moves elements such as `link` into a head.
        for part in [document.head(), document.body()].into_iter().flatten() {
            self.children(&part, parent, parses + 1, clock)?;
        }
        Ok(())
    }
}

/// Result of copying a node.
enum Copied {
    Element {
        at: Index,
        /// True if the element's text must be parsed for elements.
        reads_text: bool,
        /// Node that holds the content of a `template`.
        contents: Option<NodeId>,
    },
}

fn push_children(stack: &mut Vec<(NodeId, Index)>, node: &NodeRef<'_>, parent: Index) {
    let from = stack.len();
    let mut child = node.first_child();
    while let Some(next) = child {
        stack.push((next.id, parent));
        child = next.next_sibling();
    }
    stack[from..].reverse();
}

/// Returns true for elements whose content is text in HTML 5 and elements in HTML 4.
fn reads_text(name: &LocalName) -> bool {
    matches!(*name, local_name!("noscript") | local_name!("iframe") | local_name!("noembed") | local_name!("noframes"))
}

/// Returns true for elements whose content is never a text of the page.
fn is_raw(name: &str) -> bool {
    matches!(name, "script" | "style")
}
