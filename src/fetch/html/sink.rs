//! Sink of the HTML parser: builds dom_query's document and counts its memory as it grows.
//!
//! A few bytes can make a large tree, so the size of the page says little. Parse errors are dropped: nobody reads them,
//! and a hostile page can have one per byte.

use dom_query::{Document, NodeId};
use html5ever::tendril::StrTendril;
use html5ever::tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::{Attribute, QualName};
use std::borrow::Cow;
use std::cell::Cell;

/// Number of bytes counted per node of the tree, including its entries on the stacks of later walks and its measures.
const NODE_BYTES: usize = 180;
/// Number of bytes counted per attribute, without its value.
const ATTRIBUTE_BYTES: usize = 64;

/// Document under construction, with an estimate of its memory.
#[derive(Default)]
pub(super) struct CountingSink {
    document: Document,
    /// Number of bytes of the attributes and texts in the tree.
    text_bytes: Cell<usize>,
}

impl CountingSink {
    /// Estimates the number of bytes that the tree takes.
    pub fn bytes(&self) -> usize {
        self.document.tree.len().saturating_mul(NODE_BYTES).saturating_add(self.text_bytes.get())
    }

    fn add(&self, bytes: usize) {
        self.text_bytes.set(self.text_bytes.get().saturating_add(bytes));
    }

    fn add_attributes(&self, attributes: &[Attribute]) {
        self.add(attributes.iter().map(|attribute| ATTRIBUTE_BYTES + attribute.value.len()).sum());
    }

    fn add_text(&self, child: &NodeOrText<NodeId>) {
        if let NodeOrText::AppendText(text) = child {
            self.add(text.len());
        }
    }
}

impl TreeSink for CountingSink {
    type Handle = NodeId;
    type Output = Document;
    type ElemName<'a> = <Document as TreeSink>::ElemName<'a>;

    fn finish(self) -> Document {
        self.document
    }

    fn parse_error(&self, _message: Cow<'static, str>) {}

    fn get_document(&self) -> NodeId {
        self.document.get_document()
    }

    fn elem_name<'a>(&'a self, target: &'a NodeId) -> Self::ElemName<'a> {
        self.document.elem_name(target)
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> NodeId {
        self.add_attributes(&attributes);
        self.document.create_element(name, attributes, flags)
    }

    fn create_comment(&self, text: StrTendril) -> NodeId {
        self.add(text.len());
        self.document.create_comment(text)
    }

    fn create_pi(&self, target: StrTendril, data: StrTendril) -> NodeId {
        self.add(target.len() + data.len());
        self.document.create_pi(target, data)
    }

    fn append(&self, parent: &NodeId, child: NodeOrText<NodeId>) {
        self.add_text(&child);
        self.document.append(parent, child);
    }

    fn append_based_on_parent_node(&self, element: &NodeId, previous: &NodeId, child: NodeOrText<NodeId>) {
        self.add_text(&child);
        self.document.append_based_on_parent_node(element, previous, child);
    }

    fn append_doctype_to_document(&self, name: StrTendril, public: StrTendril, system: StrTendril) {
        self.add(name.len() + public.len() + system.len());
        self.document.append_doctype_to_document(name, public, system);
    }

    fn get_template_contents(&self, target: &NodeId) -> NodeId {
        self.document.get_template_contents(target)
    }

    fn same_node(&self, one: &NodeId, other: &NodeId) -> bool {
        self.document.same_node(one, other)
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.document.set_quirks_mode(mode);
    }

    fn append_before_sibling(&self, sibling: &NodeId, child: NodeOrText<NodeId>) {
        self.add_text(&child);
        self.document.append_before_sibling(sibling, child);
    }

    fn add_attrs_if_missing(&self, target: &NodeId, attributes: Vec<Attribute>) {
        self.add_attributes(&attributes);
        self.document.add_attrs_if_missing(target, attributes);
    }

    fn remove_from_parent(&self, target: &NodeId) {
        self.document.remove_from_parent(target);
    }

    fn reparent_children(&self, node: &NodeId, parent: &NodeId) {
        self.document.reparent_children(node, parent);
    }

    fn is_mathml_annotation_xml_integration_point(&self, handle: &NodeId) -> bool {
        self.document.is_mathml_annotation_xml_integration_point(handle)
    }
}
