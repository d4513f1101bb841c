//! Helpers that read nodes of the parsed tree.

use dom_query::{NodeData, NodeRef};

/// Returns true for the names `h1` to `h6`.
pub(super) fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

/// Returns an element's name; empty for other nodes.
pub(super) fn name_of(node: &NodeRef<'_>) -> html5ever::LocalName {
    node.qual_name_ref().map(|name| name.local.clone()).unwrap_or_default()
}

/// Calls `read` with the content of a text node; returns `None` for other nodes.
pub(super) fn with_text<T>(node: &NodeRef<'_>, read: impl FnOnce(&str) -> T) -> Option<T> {
    node.query(|node| match &node.data {
        NodeData::Text { contents } => Some(read(contents)),
        _ => None,
    })
    .flatten()
}
