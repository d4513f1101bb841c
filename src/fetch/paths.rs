//! Paths of a text's lines: a hash of the elements around each, by which the template of a host knows where its frame
//! stands.

use super::budget::{BudgetMeter, ConvertError};
use super::dom::name_of;
use super::main_content::is_inline;
use crate::domain::template::{PathHash, PathMark};
use dom_query::{Document, NodeId, NodeRef};
use std::collections::HashMap;

/// The line that begins at a byte offset of the text, and the node that it is from.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineSource {
    pub offset: usize,
    pub node: NodeId,
}

/// Elements down to a block.
#[derive(Clone, Copy, Default)]
struct Path {
    hash: PathHash,
    /// True within a table or a block of code, which is one block with all its elements.
    is_whole: bool,
}

/// Returns the path of each line.
pub(super) fn path_marks(
    document: &Document,
    lines: &[LineSource],
    clock: &mut BudgetMeter,
) -> Result<Vec<PathMark>, ConvertError> {
    let mut known: HashMap<NodeId, Path> = HashMap::new();
    let mut marks = Vec::with_capacity(lines.len());
    let mut above = Vec::new();
    for line in lines {
        let Ok(offset) = u32::try_from(line.offset) else { break };
        let mut path = Path::default();
        let mut next = Some(NodeRef::new(line.node, &document.tree));
        above.clear();
        while let Some(node) = next {
            clock.step()?;
            if let Some(found) = known.get(&node.id) {
                path = *found;
                break;
            }
            above.push(node);
            next = node.parent();
        }
        for node in above.drain(..).rev() {
            path = below(path, &node);
            // The texts of a paragraph are many, and each is asked for once.
            if node.is_element() {
                known.insert(node.id, path);
            }
        }
        marks.push(PathMark { offset, path: path.hash.key() });
    }
    Ok(marks)
}

/// Returns the path of `node`, a child of an element with the path `above`. The attributes of `body` and `article` do not
/// count: they are about the page.
fn below(above: Path, node: &NodeRef<'_>) -> Path {
    let name = name_of(node);
    if above.is_whole || !node.is_element() || is_inline(&name) {
        return above;
    }
    let is_about_page = matches!(&*name, "html" | "body" | "article");
    let attribute = |name| node.attr(name).filter(|_| !is_about_page).unwrap_or_default();
    let hash = above.hash.below([&name, &attribute("id"), &attribute("class")]);
    Path { hash, is_whole: matches!(&*name, "table" | "pre") }
}
