//! The Markdown writer (GitHub Flavored Markdown, GFM). Fingerprints are made from its text, so the same page must
//! always give the same text.
//!
//! The writer walks the tree with an explicit stack, so that deep nesting cannot overflow the thread's stack.
//! `elements` maps each element to calls of the `writer`; `inline` builds a block's text (`marks`, `escape`, `link`),
//! `lines` puts blocks into quotes and items; `list`, `table` and `code_block` write those blocks.

mod code_block;
mod elements;
mod escape;
mod inline;
mod lines;
mod link;
mod list;
mod marks;
mod served;
mod table;
mod writer;

pub(super) use served::served;

use super::budget::{BudgetMeter, ConvertError};
use super::dom::{name_of, with_text};
use super::main_content::{Keep, MainContent, inherited};
use super::paths::LineSource;
use dom_query::NodeRef;
use elements::{Entered, Leave};
use lines::Gap;
use url::Url;
use writer::Writer;

/// Text of a page, and the nodes that its lines are from, in their order.
#[derive(Debug)]
pub(super) struct WrittenText {
    pub text: String,
    pub lines: Vec<LineSource>,
}

/// Writes the content as Markdown. Relative links are resolved against `base`.
pub(super) fn write(
    content: &MainContent<'_>,
    base: &Url,
    clock: &mut BudgetMeter,
) -> Result<WrittenText, ConvertError> {
    let layout = table::layout_tables(&content.roots, clock)?;
    let mut writer = Writer::new(base, layout);
    let mut stack = Vec::new();
    for root in content.roots.iter().rev() {
        stack.push(Step::EndOfRoot);
        let visit = Visit { node: *root, keep: Keep::All, depth: 0 };
        stack.push(Step::Enter(visit, AfterNode::Parent));
    }
    while let Some(step) = stack.pop() {
        clock.step()?;
        match step {
            Step::Enter(visit, then) if !writer.is_full() => {
                if then == AfterNode::Sibling
                    && let Some(node) = visit.node.next_sibling()
                {
                    stack.push(Step::Enter(Visit { node, ..visit }, then));
                }
                enter(&mut writer, content, visit, &mut stack);
            }
            Step::Enter(..) => {}
            Step::EndOfRoot => writer.end_block(Gap::Blank),
            Step::Leave(leave) => writer.leave(leave),
        }
    }
    Ok(writer.lines.finish())
}

enum Step<'a> {
    Enter(Visit<'a>, AfterNode),
    Leave(Leave),
    /// The end of a root of the content.
    EndOfRoot,
}

/// Next step of the walk after a node. Siblings are pushed to the stack one at a time, since there may be a million of
/// them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AfterNode {
    Sibling,
    Parent,
}

#[derive(Clone, Copy)]
struct Visit<'a> {
    node: NodeRef<'a>,
    keep: Keep,
    depth: usize,
}

fn enter<'a>(writer: &mut Writer<'_>, content: &MainContent<'_>, visit: Visit<'a>, stack: &mut Vec<Step<'a>>) {
    let Visit { node, depth, .. } = visit;
    if node.is_text() {
        if visit.keep == Keep::All {
            writer.note_source(node.id);
            with_text(&node, |text| writer.text(text));
        }
        return;
    }
    let name = name_of(&node);
    let keep = inherited(content, &node, &name, visit.keep);
    if keep == Keep::None {
        return;
    }
    if &*name == "img" {
        writer.note_source(node.id);
    }
    let entered = if keep == Keep::Headings { Entered::Transparent } else { writer.enter(&node, &name, depth) };
    match entered {
        Entered::Skipped => return,
        Entered::Transparent => {}
        Entered::Open(leave) => stack.push(Step::Leave(leave)),
    }
    if let Some(child) = node.first_child() {
        stack.push(Step::Enter(Visit { node: child, keep, depth: depth + 1 }, AfterNode::Sibling));
    }
}
