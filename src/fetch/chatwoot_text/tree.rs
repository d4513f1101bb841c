//! A small tree of elements and texts, with the few attributes that a text depends on.

use crate::fetch::budget::ConvertError;
use html5ever::LocalName;
use std::ops::Range;

/// Position of a node in its tree.
pub(super) type Index = u32;

/// Attributes that are kept. Others have no effect on any text.
pub(super) const ATTRIBUTES: [&str; 8] = ["href", "title", "src", "alt", "class", "id", "role", "aria-hidden"];

/// Kind of a node, with its data.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Element(Element),
    /// Part of the tree's text.
    Text(Range<usize>),
    /// Content of a script or a style sheet: part of the tree's text.
    Raw(Range<usize>),
    Comment,
}

/// Element with the attributes that are kept.
#[derive(Clone, Debug)]
pub(super) struct Element {
    pub name: LocalName,
    pub attributes: Vec<(&'static str, String)>,
    /// True if the element has the attribute `hidden`.
    pub hidden: bool,
}

impl Element {
    /// Returns an attribute's value; empty if it is missing.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(own, _)| *own == name).map_or("", |(_, value)| value)
    }
}

/// Node with its links.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub content: Content,
    pub parent: Option<Index>,
    pub first_child: Option<Index>,
    pub last_child: Option<Index>,
    pub next: Option<Index>,
}

/// Tree under construction or complete. Nodes stand in document order; the first one is the root.
#[derive(Debug)]
pub(super) struct Tree {
    pub nodes: Vec<Node>,
    text: String,
    /// Number of bytes of attribute values.
    values: usize,
    most: usize,
}

impl Tree {
    /// Creates a tree that has only its root and may take up to `most` bytes.
    pub fn new(root: Element, most: usize) -> Self {
        let root =
            Node { content: Content::Element(root), parent: None, first_child: None, last_child: None, next: None };
        Self { nodes: vec![root], text: String::new(), values: 0, most }
    }

    /// Appends an element to `parent`.
    pub fn element(&mut self, parent: Index, element: Element) -> Result<Index, ConvertError> {
        self.values += element.attributes.iter().map(|(_, value)| value.len() + 40).sum::<usize>();
        self.append(parent, Content::Element(element))
    }

    /// Appends a text to `parent`; continues the text before it.
    pub fn text(&mut self, parent: Index, text: &str) -> Result<(), ConvertError> {
        let end = self.text.len();
        self.text.push_str(text);
        let last = self.node(parent).last_child.and_then(|last| self.nodes.get_mut(last as usize));
        if let Some(Content::Text(range)) = last.map(|last| &mut last.content)
            && range.end == end
        {
            range.end = self.text.len();
            return self.check();
        }
        self.append(parent, Content::Text(end..self.text.len())).map(drop)
    }

    /// Appends the content of a script or a style sheet.
    pub fn raw(&mut self, parent: Index, text: &str) -> Result<(), ConvertError> {
        let start = self.text.len();
        self.text.push_str(text);
        self.append(parent, Content::Raw(start..self.text.len())).map(drop)
    }

    /// Appends a comment, of which only the place counts.
    pub fn comment(&mut self, parent: Index) -> Result<(), ConvertError> {
        self.append(parent, Content::Comment).map(drop)
    }

    /// Returns a node.
    pub fn node(&self, index: Index) -> &Node {
        &self.nodes[index as usize]
    }

    /// Returns an element; `None` for other nodes.
    pub fn as_element(&self, index: Index) -> Option<&Element> {
        match &self.node(index).content {
            Content::Element(element) => Some(element),
            _ => None,
        }
    }

    /// Returns an element's name; empty for other nodes.
    pub fn name(&self, index: Index) -> &str {
        self.as_element(index).map_or("", |element| &element.name)
    }

    /// Returns the text of a text or of a script; empty for other nodes.
    pub fn own_text(&self, index: Index) -> &str {
        match &self.node(index).content {
            Content::Text(range) | Content::Raw(range) => self.text.get(range.clone()).unwrap_or_default(),
            _ => "",
        }
    }

    /// Returns the children of a node, in order.
    pub fn children(&self, index: Index) -> impl Iterator<Item = Index> + '_ {
        std::iter::successors(self.node(index).first_child, |child| self.node(*child).next)
    }

    /// Appends all texts within a node to `out`, scripts included.
    pub fn inner_text(&self, index: Index, out: &mut String) {
        let mut next = Some(index);
        while let Some(node) = next {
            out.push_str(self.own_text(node));
            next = self.after(node, index);
        }
    }

    /// Returns the node that follows `node` in document order within `root`.
    pub fn after(&self, node: Index, root: Index) -> Option<Index> {
        if let Some(child) = self.node(node).first_child {
            return Some(child);
        }
        self.after_subtree(node, root)
    }

    /// Returns the first node after `node` and everything within it, as far as it is within `root`.
    pub fn after_subtree(&self, mut node: Index, root: Index) -> Option<Index> {
        while node != root {
            if let Some(next) = self.node(node).next {
                return Some(next);
            }
            node = self.node(node).parent?;
        }
        None
    }

    fn append(&mut self, parent: Index, content: Content) -> Result<Index, ConvertError> {
        let index = Index::try_from(self.nodes.len()).map_err(|_| ConvertError::TooLarge(self.most))?;
        let before = self.node(parent).last_child;
        if let Some(before) = before {
            self.nodes[before as usize].next = Some(index);
        }
        let parent_node = &mut self.nodes[parent as usize];
        parent_node.first_child.get_or_insert(index);
        parent_node.last_child = Some(index);
        self.nodes.push(Node { content, parent: Some(parent), first_child: None, last_child: None, next: None });
        self.check()?;
        Ok(index)
    }

    fn check(&self) -> Result<(), ConvertError> {
        let bytes = self.nodes.len() * size_of::<Node>() + self.text.len() + self.values;
        if bytes > self.most { Err(ConvertError::TooLarge(self.most)) } else { Ok(()) }
    }
}
