//! Effect of each element on the text, at its start and after its children.

use super::code_block::CodeBlock;
use super::escape::{TextContext, line_start};
use super::inline::Inline;
use super::lines::Gap;
use super::link;
use super::list::List;
use super::marks::{ANCHORS, Span};
use super::table::DataTable;
use super::writer::Writer;
use crate::fetch::dom::{is_heading, name_of};
use dom_query::NodeRef;

/// Depth of nesting from which lists, quotes, links, emphasis and inline code keep their text but lose their
/// formatting.
const MAX_DEPTH: usize = 200;

/// Action after the children of an element.
pub(super) enum Leave {
    Block,
    Heading { level: usize },
    Pre,
    List,
    Item,
    CellItem,
    Quote,
    Term,
    Definition,
    Span,
    Summary,
    Code,
    LinesOfCode,
    Table,
    Cell { around: Box<Inline>, columns: usize, rows: usize },
    Caption { around: Box<Inline> },
    Text(&'static str),
}

/// Result of entering an element, which decides how its children are read.
pub(super) enum Entered {
    /// The element's children are skipped.
    Skipped,
    /// The element's children are read as if the element were not there.
    Transparent,
    /// The element's children are read, then this action follows.
    Open(Leave),
}

impl Writer<'_> {
    /// Returns true at the start of a list item, before the item has text.
    fn is_at_item_start(&self) -> bool {
        self.in_flow() && self.inline.is_empty() && self.lists.last().is_some_and(|list| list.in_item)
    }

    fn block(&mut self) -> Entered {
        self.end_block(Gap::Blank);
        Entered::Open(Leave::Block)
    }

    fn span(&mut self, span: Span) -> Entered {
        if self.code.is_some() {
            return Entered::Transparent;
        }
        self.inline.open(span);
        Entered::Open(Leave::Span)
    }

    /// Writes what belongs before an element's children, and returns how the children are read.
    pub fn enter(&mut self, node: &NodeRef<'_>, name: &str, depth: usize) -> Entered {
        let shallow = depth < MAX_DEPTH;
        if matches!(name, "span" | "a") && self.code.is_none() && follows_label(node, name) {
            self.inline.end_label();
        }
        match name {
            "br" => self.line_break(),
            "input" if self.is_at_item_start() && is_checkbox(node) => {
                let mark = if node.has_attr("checked") { "[x] " } else { "[ ] " };
                self.text(mark);
            }
            "wbr" | "rp" | "input" | "annotation" | "annotation-xml" => return Entered::Skipped,
            "hr" => self.rule(),
            "img" => self.image(node),
            "b" | "strong" if shallow => return self.span(Span::Strong),
            "i" | "em" if shallow => return self.span(Span::Emphasis),
            "s" | "del" | "strike" if shallow => return self.span(Span::Deleted),
            "a" if shallow => {
                let Some(href) = node.attr("href") else {
                    return Entered::Transparent;
                };
                if href.starts_with('#') && ANCHORS.contains(&node.immediate_text().trim()) {
                    return Entered::Skipped;
                }
                if href.starts_with('#') && self.inline.context() == TextContext::Heading {
                    return self.span(Span::Anchor);
                }
                return match link::destination(&href, self.base) {
                    Some(destination) => self.span(Span::Link(destination)),
                    None => Entered::Transparent,
                };
            }
            "code" | "kbd" | "samp" | "tt" if shallow && self.code.is_none() => {
                self.inline.open_code();
                return Entered::Open(Leave::Code);
            }
            "q" => {
                self.text("\"");
                return Entered::Open(Leave::Text("\""));
            }
            "rt" => {
                self.text("(");
                return Entered::Open(Leave::Text(")"));
            }
            "button" if self.code.is_some() => return Entered::Skipped,
            "button" => {
                self.inline.space();
                return Entered::Open(Leave::Text(" "));
            }
            _ => return self.enter_block(node, name, shallow),
        }
        Entered::Skipped
    }

    fn enter_block(&mut self, node: &NodeRef<'_>, name: &str, shallow: bool) -> Entered {
        let in_flow = self.in_flow();
        match name {
            name if is_heading(name) && in_flow => {
                self.end_block(Gap::Blank);
                self.inline.set_context(TextContext::Heading);
                Entered::Open(Leave::Heading { level: usize::from(name.as_bytes()[1] - b'0') })
            }
            "pre" | "listing" | "xmp" if in_flow => {
                self.end_block(Gap::Blank);
                self.code = Some(CodeBlock::of(node));
                Entered::Open(Leave::Pre)
            }
            "pre" if self.code.is_none() => {
                self.end_block(Gap::Blank);
                self.inline.open_lines_of_code();
                Entered::Open(Leave::LinesOfCode)
            }
            "ul" | "ol" | "menu" | "dir" if shallow && self.code.is_none() => self.list(List::of(node, name)),
            "li" if shallow && self.code.is_none() => self.item(node),
            "blockquote" if shallow && in_flow => {
                self.end_block(Gap::Blank);
                Entered::Open(if self.lines.quote() { Leave::Quote } else { Leave::Block })
            }
            "dt" if in_flow => {
                self.end_block(Gap::Blank);
                Entered::Open(Leave::Term)
            }
            "dd" if shallow && in_flow => {
                self.end_block(Gap::Line);
                // Where definition lists are not supported, a second indentation would make the text a code block.
                if self.definitions > 0 || !self.lines.definition() {
                    return Entered::Open(Leave::Block);
                }
                self.definitions += 1;
                Entered::Open(Leave::Definition)
            }
            "summary" if in_flow => {
                self.end_block(Gap::Blank);
                self.inline.open(Span::Strong);
                Entered::Open(Leave::Summary)
            }
            "table" if in_flow && self.table.is_none() && !self.layout.contains(&node.id) => {
                self.end_block(Gap::Blank);
                self.table = Some(DataTable::default());
                Entered::Open(Leave::Table)
            }
            "tr" | "td" | "th" | "caption" if self.table.is_some() && in_flow => self.part_of_table(node, name),
            name if is_block(name) => self.block(),
            _ => Entered::Transparent,
        }
    }

    fn list(&mut self, mut list: List) -> Entered {
        let within = self.lists.last().copied();
        self.end_block(if within.is_some() { Gap::Line } else { Gap::Blank });
        if within.is_some_and(|outer| !outer.in_item) && self.in_flow() {
            list.indented = self.lines.indent(2);
        }
        self.lists.push(list);
        Entered::Open(Leave::List)
    }

    fn item(&mut self, node: &NodeRef<'_>) -> Entered {
        let (marker, gap) = self.lists.last_mut().map_or_else(|| ("- ".into(), Gap::Line), |list| list.marker(node));
        match self.inline.context() {
            TextContext::Heading => return self.block(),
            TextContext::Cell => {
                self.inline.cell_marker(&marker);
                return Entered::Open(Leave::CellItem);
            }
            TextContext::Flow => {}
        }
        self.end_block(gap);
        if !self.lines.item(marker) {
            return Entered::Open(Leave::Block);
        }
        if let Some(list) = self.lists.last_mut() {
            list.in_item = true;
        }
        Entered::Open(Leave::Item)
    }

    fn part_of_table(&mut self, node: &NodeRef<'_>, name: &str) -> Entered {
        if name == "tr" {
            if let Some(table) = &mut self.table {
                table.row();
            }
            return Entered::Transparent;
        }
        let around = Box::new(std::mem::replace(&mut self.inline, Inline::new(TextContext::Cell)));
        if name == "caption" {
            self.inline.set_context(TextContext::Heading);
            return Entered::Open(Leave::Caption { around });
        }
        let span = |attribute| node.attr(attribute).and_then(|value| value.trim().parse().ok()).unwrap_or(1);
        Entered::Open(Leave::Cell { around, columns: span("colspan"), rows: span("rowspan") })
    }

    /// Writes what belongs after an element's children.
    pub fn leave(&mut self, leave: Leave) {
        match leave {
            Leave::Block => self.end_block(Gap::Blank),
            Leave::Heading { level } => self.heading(level),
            Leave::Pre => {
                if let Some(code) = self.code.take() {
                    code.write(&mut self.lines);
                }
            }
            Leave::List => {
                self.end_block(Gap::Blank);
                if self.lists.pop().is_some_and(|list| list.indented) {
                    self.lines.pop();
                    self.lines.close_up();
                }
            }
            Leave::Item => {
                self.end_block(Gap::Line);
                // An empty item writes nothing, so the gap before the next block must stay.
                if self.lines.pop() {
                    self.lines.close_up();
                }
                if let Some(list) = self.lists.last_mut() {
                    list.in_item = false;
                }
            }
            Leave::CellItem => {
                self.inline.line_break();
            }
            Leave::Quote => {
                self.end_block(Gap::Blank);
                self.lines.pop();
            }
            Leave::Term => self.end_block(Gap::Line),
            Leave::Definition => {
                self.definitions -= 1;
                self.end_block(Gap::Line);
                self.lines.pop();
                self.lines.close_up();
            }
            Leave::Span => self.inline.close(),
            Leave::Summary => {
                self.inline.close();
                self.end_block(Gap::Blank);
            }
            Leave::Code => self.inline.close_code(),
            Leave::LinesOfCode => {
                self.inline.close_lines_of_code();
                self.end_block(Gap::Blank);
            }
            Leave::Table => {
                if let Some(table) = self.table.take() {
                    table.write(&mut self.lines);
                }
                self.end_block(Gap::Blank);
            }
            Leave::Cell { around, columns, rows } => {
                let text = std::mem::replace(&mut self.inline, *around).take();
                if let Some(table) = &mut self.table {
                    table.cell(text, columns, rows);
                }
            }
            Leave::Caption { around } => {
                let caption = std::mem::replace(&mut self.inline, *around).take();
                if !caption.is_empty() {
                    self.lines.block([&*line_start(&caption)]);
                    self.lines.request_gap(Gap::Blank);
                }
            }
            Leave::Text(text) => self.text(text),
        }
    }
}

/// Returns true if the node stands directly behind an element of the same name and both have a class: two labels, which
/// a style sheet sets apart. A single character is no label: a title may have an element for each of its letters.
fn follows_label(node: &NodeRef<'_>, name: &str) -> bool {
    if !node.has_attr("class") {
        return false;
    }
    let Some(before) = node.prev_sibling().filter(|before| before.has_attr("class")) else { return false };
    let is_letter = |text: NodeRef<'_>| text.is_text() && text.text().chars().nth(1).is_none();
    &*name_of(&before) == name && !before.first_child().is_some_and(is_letter)
}

fn is_checkbox(node: &NodeRef<'_>) -> bool {
    node.attr("type").is_some_and(|kind| kind.eq_ignore_ascii_case("checkbox"))
}

fn is_block(name: &str) -> bool {
    is_heading(name)
        || matches!(
            name,
            "address"
                | "article"
                | "aside"
                | "blockquote"
                | "body"
                | "caption"
                | "center"
                | "dd"
                | "details"
                | "dialog"
                | "dir"
                | "div"
                | "dl"
                | "dt"
                | "fieldset"
                | "figcaption"
                | "figure"
                | "footer"
                | "form"
                | "header"
                | "hgroup"
                | "legend"
                | "li"
                | "listing"
                | "main"
                | "menu"
                | "nav"
                | "ol"
                | "optgroup"
                | "option"
                | "p"
                | "pre"
                | "search"
                | "section"
                | "summary"
                | "table"
                | "td"
                | "th"
                | "tr"
                | "ul"
                | "xmp"
        )
}
