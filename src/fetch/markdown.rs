//! The Markdown writer (GFM). The text is the fingerprint's input: the same page must always give the same text.
//!
//! Walks the tree with a stack of its own, so that no nesting overflows the thread's. `inline` builds a block's text
//! (`escape`, `link`), `lines` sets blocks into quotes and items, `list` and `table` know their kind.

mod escape;
mod inline;
mod lines;
mod link;
mod list;
mod table;

use super::html::{Clock, ConvertError, MAX_MARKDOWN};
use super::main_content::{Content, Keep, inherited, is_heading, name_of, with_text};
use dom_query::{NodeId, NodeRef};
use escape::{Place, clean, line_start};
use inline::{Inline, Span, longest_run};
use lines::{Gap, Lines};
use list::List;
use std::collections::HashSet;
use table::Table;
use url::Url;

/// Elements nested deeper than this have text, but no form.
const MAX_DEPTH: usize = 200;

/// Writes the content. `base` is what links are relative to.
pub(super) fn write(content: Content<'_>, base: &Url, clock: &mut Clock) -> Result<String, ConvertError> {
    let layout = table::layout_tables(content.root, clock)?;
    let mut writer = Writer {
        base,
        layout,
        lines: Lines::new(MAX_MARKDOWN),
        inline: Inline::new(Place::Flow),
        lists: Vec::new(),
        table: None,
        pre: None,
    };
    let mut stack = vec![Step::Enter(Visit { node: content.root, keep: Keep::All, depth: 0, in_article: false })];
    while let Some(step) = stack.pop() {
        clock.step()?;
        match step {
            Step::Enter(visit) if !writer.is_full() => enter(&mut writer, &content, visit, &mut stack),
            Step::Enter(_) => {}
            Step::Leave(leave) => writer.leave(leave),
        }
    }
    writer.end_block(Gap::Blank);
    Ok(writer.lines.finish())
}

enum Step<'a> {
    Enter(Visit<'a>),
    Leave(Leave),
}

#[derive(Clone, Copy)]
struct Visit<'a> {
    node: NodeRef<'a>,
    keep: Keep,
    depth: usize,
    in_article: bool,
}

/// What is to be done after an element's children.
enum Leave {
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
    Table,
    Cell { around: Inline, columns: usize, rows: usize },
    Caption { around: Inline },
    Text(&'static str),
}

fn enter<'a>(writer: &mut Writer<'_>, content: &Content<'_>, visit: Visit<'a>, stack: &mut Vec<Step<'a>>) {
    let Visit { node, depth, in_article, .. } = visit;
    if node.is_text() {
        if visit.keep == Keep::All {
            with_text(&node, |text| writer.text(text));
        }
        return;
    }
    let name = name_of(&node);
    let keep = inherited(content, &node, &name, visit.keep, in_article);
    if keep == Keep::None {
        return;
    }
    let entered = if keep == Keep::Headings { Entered::Plain } else { writer.enter(&node, &name, depth) };
    match entered {
        Entered::Alone => return,
        Entered::Plain => {}
        Entered::With(leave) => stack.push(Step::Leave(leave)),
    }
    let in_article = in_article || &*name == "article";
    let mut child = node.last_child();
    while let Some(next) = child {
        stack.push(Step::Enter(Visit { node: next, keep, depth: depth + 1, in_article }));
        child = next.prev_sibling();
    }
}

/// How an element was begun.
enum Entered {
    /// Its children are not looked at.
    Alone,
    /// It adds nothing to its children.
    Plain,
    /// It is ended after its children.
    With(Leave),
}

/// Code in its own lines.
#[derive(Debug)]
struct Pre {
    language: String,
    raw: String,
}

struct Writer<'b> {
    base: &'b Url,
    layout: HashSet<NodeId>,
    lines: Lines,
    inline: Inline,
    lists: Vec<List>,
    table: Option<Table>,
    pre: Option<Pre>,
}

impl Writer<'_> {
    fn is_full(&self) -> bool {
        let pre = self.pre.as_ref().map_or(0, |pre| pre.raw.len());
        let table = self.table.as_ref().map_or(0, Table::len);
        self.lines.len() + self.inline.len() + pre + table > MAX_MARKDOWN
    }

    fn text(&mut self, text: &str) {
        let text = &text[..text.floor_char_boundary(MAX_MARKDOWN)];
        match &mut self.pre {
            Some(pre) => pre.raw.push_str(&crate::domain::text::safe_block(text)),
            None => self.inline.text(&clean(text)),
        }
    }

    /// Ends the block that is being written; the next one comes after `gap`.
    fn end_block(&mut self, gap: Gap) {
        if let Some(pre) = &mut self.pre {
            if !pre.raw.is_empty() && !pre.raw.ends_with('\n') {
                pre.raw.push('\n');
            }
            return;
        }
        match self.inline.place() {
            Place::Flow => {
                self.paragraph();
                self.lines.want(gap);
            }
            Place::Heading => self.inline.space(),
            Place::Cell => {
                self.inline.line_break();
            }
        }
    }

    fn paragraph(&mut self) {
        let text = self.inline.take();
        if !text.is_empty() {
            for line in text.split('\n') {
                self.lines.block([&*line_start(line)]);
            }
        }
    }

    fn in_flow(&self) -> bool {
        self.pre.is_none() && self.inline.place() == Place::Flow
    }

    fn block(&mut self) -> Entered {
        self.end_block(Gap::Blank);
        Entered::With(Leave::Block)
    }

    fn span(&mut self, span: Span) -> Entered {
        if self.pre.is_some() {
            return Entered::Plain;
        }
        self.inline.open(span);
        Entered::With(Leave::Span)
    }

    fn enter(&mut self, node: &NodeRef<'_>, name: &str, depth: usize) -> Entered {
        let shallow = depth < MAX_DEPTH;
        match name {
            "br" => self.line_break(),
            "wbr" | "rp" | "input" | "annotation" | "annotation-xml" => return Entered::Alone,
            "hr" => self.rule(),
            "img" => self.image(node),
            "b" | "strong" if shallow => return self.span(Span::Strong),
            "i" | "em" if shallow => return self.span(Span::Emphasis),
            "s" | "del" | "strike" if shallow => return self.span(Span::Deleted),
            "a" if shallow => {
                let href = node.attr("href").unwrap_or_default();
                return match link::destination(&href, self.base) {
                    Some(destination) => self.span(Span::Link(destination)),
                    None => Entered::Plain,
                };
            }
            "code" | "kbd" | "samp" | "tt" if shallow && self.pre.is_none() => {
                self.inline.open_code();
                return Entered::With(Leave::Code);
            }
            "q" => {
                self.text("\"");
                return Entered::With(Leave::Text("\""));
            }
            "rt" => {
                self.text("(");
                return Entered::With(Leave::Text(")"));
            }
            "button" if self.pre.is_some() => return Entered::Alone,
            _ => return self.enter_block(node, name, shallow),
        }
        Entered::Alone
    }

    fn enter_block(&mut self, node: &NodeRef<'_>, name: &str, shallow: bool) -> Entered {
        let in_flow = self.in_flow();
        match name {
            name if is_heading(name) && in_flow => {
                self.end_block(Gap::Blank);
                self.inline.move_to(Place::Heading);
                Entered::With(Leave::Heading { level: usize::from(name.as_bytes()[1] - b'0') })
            }
            "pre" | "listing" | "xmp" if in_flow => {
                self.end_block(Gap::Blank);
                self.pre = Some(Pre { language: language(node), raw: String::new() });
                Entered::With(Leave::Pre)
            }
            "pre" if self.pre.is_none() => {
                self.end_block(Gap::Blank);
                self.inline.open_code();
                Entered::With(Leave::Code)
            }
            "ul" | "ol" | "menu" | "dir" if shallow && self.pre.is_none() => self.list(List::of(node, name)),
            "li" if shallow && self.pre.is_none() => self.item(node),
            "blockquote" if shallow && in_flow => {
                self.end_block(Gap::Blank);
                Entered::With(if self.lines.quote() { Leave::Quote } else { Leave::Block })
            }
            "dt" if in_flow => {
                self.end_block(Gap::Blank);
                Entered::With(Leave::Term)
            }
            "dd" if shallow && in_flow => {
                self.end_block(Gap::Line);
                Entered::With(if self.lines.item(": ".into()) { Leave::Definition } else { Leave::Block })
            }
            "summary" if in_flow => {
                self.end_block(Gap::Blank);
                self.inline.open(Span::Strong);
                Entered::With(Leave::Summary)
            }
            "table" if in_flow && self.table.is_none() && !self.layout.contains(&node.id) => {
                self.end_block(Gap::Blank);
                self.table = Some(Table::default());
                Entered::With(Leave::Table)
            }
            "tr" | "td" | "th" | "caption" if self.table.is_some() && in_flow => self.part_of_table(node, name),
            name if is_block(name) => self.block(),
            _ => Entered::Plain,
        }
    }

    fn list(&mut self, mut list: List) -> Entered {
        let within = self.lists.last().copied();
        self.end_block(if within.is_some() { Gap::Line } else { Gap::Blank });
        if within.is_some_and(|outer| !outer.in_item) && self.in_flow() {
            list.indented = self.lines.indent(2);
        }
        self.lists.push(list);
        Entered::With(Leave::List)
    }

    fn item(&mut self, node: &NodeRef<'_>) -> Entered {
        let marker = self.lists.last_mut().map_or_else(|| "- ".into(), |list| list.marker(node));
        match self.inline.place() {
            Place::Heading => return self.block(),
            Place::Cell => {
                self.inline.cell_marker(&marker);
                return Entered::With(Leave::CellItem);
            }
            Place::Flow => {}
        }
        self.end_block(Gap::Line);
        if !self.lines.item(marker) {
            return Entered::With(Leave::Block);
        }
        if let Some(list) = self.lists.last_mut() {
            list.in_item = true;
        }
        Entered::With(Leave::Item)
    }

    fn part_of_table(&mut self, node: &NodeRef<'_>, name: &str) -> Entered {
        if name == "tr" {
            if let Some(table) = &mut self.table {
                table.row();
            }
            return Entered::Plain;
        }
        let around = std::mem::replace(&mut self.inline, Inline::new(Place::Cell));
        if name == "caption" {
            self.inline.move_to(Place::Heading);
            return Entered::With(Leave::Caption { around });
        }
        let span = |attribute| node.attr(attribute).and_then(|value| value.trim().parse().ok()).unwrap_or(1);
        Entered::With(Leave::Cell { around, columns: span("colspan"), rows: span("rowspan") })
    }

    fn leave(&mut self, leave: Leave) {
        match leave {
            Leave::Block => self.end_block(Gap::Blank),
            Leave::Heading { level } => self.heading(level),
            Leave::Pre => self.code_block(),
            Leave::List => {
                self.end_block(Gap::Blank);
                if self.lists.pop().is_some_and(|list| list.indented) {
                    self.lines.pop();
                    self.lines.close_up();
                }
            }
            Leave::Item => {
                self.end_block(Gap::Line);
                self.lines.pop();
                self.lines.close_up();
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
            Leave::Table => {
                if let Some(table) = self.table.take() {
                    table.write(&mut self.lines);
                }
                self.end_block(Gap::Blank);
            }
            Leave::Cell { around, columns, rows } => {
                let text = std::mem::replace(&mut self.inline, around).take();
                if let Some(table) = &mut self.table {
                    table.cell(text, columns, rows);
                }
            }
            Leave::Caption { around } => {
                let caption = std::mem::replace(&mut self.inline, around).take();
                if !caption.is_empty() {
                    self.lines.block([&*line_start(&caption)]);
                    self.lines.want(Gap::Blank);
                }
            }
            Leave::Text(text) => self.text(text),
        }
    }

    fn heading(&mut self, level: usize) {
        let text = self.inline.take();
        self.inline.move_to(Place::Flow);
        if text.is_empty() {
            return;
        }
        let mut line = format!("{} {text}", "#".repeat(level));
        // A run of # at the end would be taken for the heading's closing sequence.
        let before = line.trim_end_matches('#').len();
        if before < line.len() && line[..before].ends_with(' ') {
            line.insert(before, '\\');
        }
        self.lines.block([line.as_str()]);
        self.lines.want(Gap::Blank);
    }

    fn code_block(&mut self) {
        let Some(pre) = self.pre.take() else {
            return;
        };
        let code = pre.raw.trim_end();
        let code = code.trim_start_matches('\n');
        if code.is_empty() {
            return;
        }
        let fence = "`".repeat((longest_run(code, '`') + 1).max(3));
        self.lines.block([format!("{fence}{}", pre.language).as_str()]);
        self.lines.block(code.split('\n').map(|line| line.trim_end_matches(' ')));
        self.lines.block([fence.as_str()]);
        self.lines.want(Gap::Blank);
    }

    fn line_break(&mut self) {
        if let Some(pre) = &mut self.pre {
            pre.raw.push('\n');
        } else if self.inline.line_break() && self.in_flow() {
            self.end_block(Gap::Blank);
        }
    }

    fn rule(&mut self) {
        self.end_block(Gap::Blank);
        if self.in_flow() {
            self.lines.block(["---"]);
            self.lines.want(Gap::Blank);
        }
    }

    fn image(&mut self, node: &NodeRef<'_>) {
        let alt = node.attr("alt").unwrap_or_default();
        let alt = clean(&alt);
        if self.pre.is_some() || alt.trim().is_empty() {
            return;
        }
        let source = node.attr("src").and_then(|src| link::source(&src, self.base));
        self.inline.image(&alt, source.as_deref());
    }
}

/// The language of a block of code, where a class names it: `language-rust`, `lang-rust`, `highlight-source-rust`.
fn language(pre: &NodeRef<'_>) -> String {
    let code = pre.first_element_child();
    [Some(*pre), code, pre.parent()]
        .into_iter()
        .flatten()
        .filter_map(|element| element.class())
        .find_map(|classes| {
            let of = |class: &str| {
                ["language-", "lang-", "highlight-source-", "highlight-"]
                    .iter()
                    .find_map(|prefix| class.strip_prefix(prefix).map(str::to_owned))
            };
            classes.split_ascii_whitespace().find_map(of)
        })
        .filter(|language| {
            let sane = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '#' | '-' | '.' | '_');
            language.len() <= 30 && language.chars().all(sane)
        })
        .unwrap_or_default()
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
