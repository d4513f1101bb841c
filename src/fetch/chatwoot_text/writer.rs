//! Writes the tree of the second parse as Markdown, by the rules of `reverse_markdown` 2.1.1.
//!
//! The walk has an explicit stack and one output: each element remembers where its content begins, and wraps it when it
//! ends.

use super::strings::{
    escape_marks, first_space_before_line_end, is_blank, is_space, leading_space, push_text, strip, without_blank_lines,
};
use super::tree::{Content, Element, Index, Tree};
use crate::fetch::budget::{BudgetMeter, ConvertError};

/// Maximum size of the output in bytes. Nested quotes and lists grow with each level.
const MAX_OUTPUT: usize = 8 * 1024 * 1024;

/// Writes the whole tree.
pub(super) fn write(tree: &Tree, clock: &mut BudgetMeter) -> Result<String, ConvertError> {
    let mut writer = Writer { tree, after_exclamation: links_after_exclamation(tree), out: String::new() };
    let mut stack = vec![Open::of(0, tree, End::Nothing, Context::default(), 0)];
    while let Some(open) = stack.last_mut() {
        clock.step()?;
        let Some(child) = open.next else {
            let Some(open) = stack.pop() else { break };
            writer.end(&open);
            clock.pass(writer.out.len() - open.start.min(writer.out.len()))?;
            if writer.out.len() > MAX_OUTPUT {
                return Err(ConvertError::TooLarge(MAX_OUTPUT));
            }
            continue;
        };
        open.next = tree.node(child).next;
        let (parent, end, context) = (open.node, open.end, open.context);
        if tree.name(child) == "li" {
            open.items += 1;
        }
        let item = open.items;
        if let Some(inner) = writer.begin(child, (parent, end), context, item) {
            stack.push(inner);
        }
    }
    Ok(writer.out)
}

/// Facts about the elements around a node.
#[derive(Clone, Copy, Debug, Default)]
struct Context {
    italic: bool,
    strong: bool,
    struck: bool,
    /// Within `details` or `summary`.
    details: bool,
    lists: usize,
}

/// What an element's end does with its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Nothing,
    Link,
    Quote,
    /// A mark on both sides of the content.
    Wrapped(&'static str),
    /// A mark on both sides of the content, within its white space.
    Trimmed(&'static str),
    Details,
    /// A text after the content.
    Then(&'static str),
    Paragraph,
    Code,
    Item {
        has_paragraph: bool,
    },
    Row,
}

/// Element whose children are being written.
#[derive(Debug)]
struct Open {
    node: Index,
    next: Option<Index>,
    end: End,
    context: Context,
    /// Position in the output at which the content begins.
    start: usize,
    /// Number of items of the list so far.
    items: usize,
}

impl Open {
    fn of(node: Index, tree: &Tree, end: End, context: Context, start: usize) -> Self {
        Self { node, next: tree.node(node).first_child, end, context, start, items: 0 }
    }
}

struct Writer<'a> {
    tree: &'a Tree,
    /// Links before which a text ends with an exclamation mark, in document order.
    after_exclamation: Vec<Index>,
    out: String,
}

impl Writer<'_> {
    /// Writes the beginning of a child. Returns the element if its children must be written.
    fn begin(&mut self, node: Index, parent: (Index, End), context: Context, item: usize) -> Option<Open> {
        let in_code = parent.1 == End::Code;
        match &self.tree.node(node).content {
            Content::Text(_) if in_code => self.out.push_str(strip(self.tree.own_text(node))),
            Content::Text(_) => self.text(self.tree.own_text(node), parent.0),
            Content::Raw(_) | Content::Comment => {}
            Content::Element(element) => match &*element.name {
                "code" if in_code => {
                    let code = self.inner_text(node);
                    self.out.push_str(strip(&code));
                }
                "br" if in_code => self.out.push('\n'),
                _ => return self.element(node, element, parent.0, context, item),
            },
        }
        None
    }

    fn text(&mut self, text: &str, parent: Index) {
        if !is_blank(text) {
            push_text(text, &mut self.out);
        } else if text == " " && !matches!(self.tree.name(parent), "ol" | "ul") {
            self.out.push(' ');
        }
    }

    fn element(
        &mut self,
        node: Index,
        element: &Element,
        parent: Index,
        context: Context,
        item: usize,
    ) -> Option<Open> {
        let (mut inner, mut content) = (context, node);
        let end = match &*element.name {
            "a" => End::Link,
            "blockquote" => End::Quote,
            "br" => return self.only("  \n"),
            "hr" => return self.only("\n* * *\n"),
            "col" | "colgroup" => return None,
            "code" => {
                let code = self.inner_text(node);
                return self.only(&format!("`{code}`"));
            }
            "img" => return self.image(element),
            "figcaption" => return self.caption(node),
            "figure" => match self.figure(node) {
                Some(figure) => return self.only(&figure),
                None => End::Nothing,
            },
            "del" | "s" | "strike" => wrapped(&mut inner.struck, End::Wrapped("~~")),
            "em" | "i" => wrapped(&mut inner.italic, End::Trimmed("_")),
            "strong" | "b" => wrapped(&mut inner.strong, End::Trimmed("**")),
            "details" | "summary" => wrapped(&mut inner.details, End::Details),
            "div" | "article" => self.around("\n", "\n"),
            "h1" => self.around("\n# ", "\n"),
            "h2" => self.around("\n## ", "\n"),
            "h3" => self.around("\n### ", "\n"),
            "h4" => self.around("\n#### ", "\n"),
            "h5" => self.around("\n##### ", "\n"),
            "h6" => self.around("\n###### ", "\n"),
            "ol" | "ul" => {
                inner.lists += 1;
                self.around("\n", "")
            }
            "li" => {
                let first = self.tree.children(node).find(|child| self.tree.as_element(*child).is_some());
                let paragraph = first.filter(|first| self.tree.name(*first) == "p");
                content = paragraph.unwrap_or(node);
                self.item_prefix(parent, context, item);
                End::Item { has_paragraph: paragraph.is_some() }
            }
            "p" => {
                self.out.push_str("\n\n");
                End::Paragraph
            }
            "pre" => {
                self.out.push_str("\n```");
                self.language(element, parent);
                self.out.push('\n');
                End::Code
            }
            "table" => self.around("\n\n", "\n"),
            "td" | "th" => self.around(" ", " |"),
            "tr" => {
                self.out.push('|');
                End::Row
            }
            _ => End::Nothing,
        };
        // The content of an item may be that of its paragraph alone.
        Some(Open::of(content, self.tree, end, inner, self.out.len()))
    }

    fn only(&mut self, text: &str) -> Option<Open> {
        self.out.push_str(text);
        None
    }

    fn around(&mut self, before: &str, after: &'static str) -> End {
        self.out.push_str(before);
        End::Then(after)
    }

    fn inner_text(&self, node: Index) -> String {
        let mut text = String::new();
        self.tree.inner_text(node, &mut text);
        text
    }

    fn item_prefix(&mut self, parent: Index, context: Context, item: usize) {
        for _ in 1..context.lists {
            self.out.push_str("  ");
        }
        match self.tree.name(parent) {
            "ol" => self.out.push_str(&format!("{item}. ")),
            _ => self.out.push_str("- "),
        }
    }

    fn image(&mut self, element: &Element) -> Option<Open> {
        let (alt, src) = (element.attribute("alt"), element.attribute("src"));
        self.out.push_str(&format!(" ![{alt}]({src}"));
        self.title(element);
        self.out.push(')');
        None
    }

    fn caption(&mut self, node: Index) -> Option<Open> {
        let caption = self.inner_text(node);
        if !is_blank(&caption) {
            self.out.push_str(&format!("\n_{}_\n", strip(&caption)));
        }
        None
    }

    /// Returns the text of a figure with an image of its own: the last image and the last caption; `None` without one.
    fn figure(&self, node: Index) -> Option<String> {
        let named = |name| self.tree.children(node).filter(move |child| self.tree.name(*child) == name).last();
        let image = named("img").and_then(|image| self.tree.as_element(image))?;
        let caption = named("figcaption").map(|caption| self.inner_text(caption)).unwrap_or_default();
        Some(format!(" ![{caption}]({})", image.attribute("src")))
    }

    fn title(&mut self, element: &Element) {
        let title = element.attribute("title");
        if !title.is_empty() {
            self.out.push_str(" \"");
            escape_marks(title, &mut self.out);
            self.out.push('"');
        }
    }

    /// Writes the language of a block of code, which a class of the block or of its parent names.
    fn language(&mut self, element: &Element, parent: Index) {
        let outer = self.tree.as_element(parent).map_or("", |parent| parent.attribute("class"));
        let named = outer.match_indices("highlight-").find_map(|(at, mark)| {
            let name = &outer[at + mark.len()..];
            let length = name.len() - name.trim_start_matches(|char: char| char.is_ascii_alphanumeric()).len();
            (length > 0).then(|| &name[..length])
        });
        self.out.push_str(named.or_else(|| brush(element.attribute("class"))).unwrap_or_default());
    }

    /// Ends an element.
    fn end(&mut self, open: &Open) {
        match open.end {
            End::Nothing => {}
            End::Then(after) => self.out.push_str(after),
            End::Paragraph => {
                self.trim(open.start);
                self.out.push_str("\n\n");
            }
            End::Code => {
                self.trim(open.start);
                self.out.push_str("\n```\n");
            }
            End::Item { has_paragraph } => {
                self.chomp(open.start);
                self.out.push_str(if has_paragraph { "\n\n" } else { "\n" });
            }
            End::Row => self.end_row(open),
            End::Quote => {
                let content = self.out.split_off(open.start);
                let content = without_blank_lines(strip(&content));
                self.out.push_str("\n\n> ");
                for (index, line) in content.split_inclusive('\n').enumerate() {
                    self.out.push_str(if index > 0 { "> " } else { "" });
                    self.out.push_str(line);
                }
                self.out.push_str("\n\n");
            }
            End::Link => self.end_link(open),
            End::Wrapped(mark) if !is_blank(&self.out[open.start..]) => {
                self.out.insert_str(open.start, mark);
                self.out.push_str(mark);
            }
            End::Trimmed(mark) if !is_blank(&self.out[open.start..]) => {
                let content = self.out.split_off(open.start);
                let (before, after) = (leading_space(&content), first_space_before_line_end(&content));
                for part in [before, mark, strip(&content), mark, after] {
                    self.out.push_str(part);
                }
            }
            End::Details if !is_blank(&self.out[open.start..]) => self.out.insert(open.start, '#'),
            End::Wrapped(_) | End::Trimmed(_) | End::Details => {}
        }
    }

    fn end_link(&mut self, open: &Open) {
        let Some(element) = self.tree.as_element(open.node) else { return };
        let href = element.attribute("href");
        if href.is_empty() || self.out.len() == open.start {
            return;
        }
        let follows = self.after_exclamation.binary_search(&open.node).is_ok();
        self.out.insert_str(open.start, if follows { " [" } else { "[" });
        self.out.push_str("](");
        self.out.push_str(href);
        self.title(element);
        self.out.push(')');
    }

    fn end_row(&mut self, open: &Open) {
        let end = self.out[open.start..].trim_end_matches(|char| is_space(char) || char == '\0').len();
        self.out.truncate(open.start + end);
        self.out.push('\n');
        let (mut cells, mut is_header) = (0, true);
        for child in self.tree.children(open.node).filter(|child| self.tree.as_element(*child).is_some()) {
            cells += 1;
            is_header &= self.tree.name(child) == "th";
        }
        if is_header {
            self.out.push_str("| ");
            self.out.push_str(&vec!["---"; cells].join(" | "));
            self.out.push_str(" |\n");
        }
    }

    /// Removes the white space around the output from `start` on.
    fn trim(&mut self, start: usize) {
        let content = &self.out[start..];
        let trailing = content.trim_end_matches(|char| is_space(char) || char == '\0').len();
        self.out.truncate(start + trailing);
        let content = &self.out[start..];
        let leading = content.len() - content.trim_start_matches(|char| is_space(char) || char == '\0').len();
        if leading > 0 {
            self.out.replace_range(start..start + leading, "");
        }
    }

    /// Removes one line end from the end of the output, if it stands after `start`.
    fn chomp(&mut self, start: usize) {
        let content = &self.out[start..];
        let ending = ["\r\n", "\n", "\r"].into_iter().find(|ending| content.ends_with(ending));
        self.out.truncate(self.out.len() - ending.map_or(0, str::len));
    }
}

/// Returns the end of an element that has no effect within another one of its kind.
fn wrapped(is_within: &mut bool, end: End) -> End {
    if std::mem::replace(is_within, true) { End::Nothing } else { end }
}

/// Returns the name after `brush:` in a class, which a later semicolon ends.
fn brush(class: &str) -> Option<&str> {
    class.match_indices("brush:").find_map(|(at, mark)| {
        let name = &class[at + mark.len()..];
        let name = name.strip_prefix(is_space).unwrap_or(name);
        let line = name.find('\n').unwrap_or(name.len());
        name[..line].rfind(';').map(|end| &name[..end])
    })
}

/// Returns the links before which a text ends with an exclamation mark, in document order: a link right after it would be
/// an image.
fn links_after_exclamation(tree: &Tree) -> Vec<Index> {
    let (mut links, mut is_after) = (Vec::new(), false);
    let mut next = Some(0);
    while let Some(node) = next {
        match &tree.node(node).content {
            Content::Text(_) | Content::Raw(_) => is_after = tree.own_text(node).ends_with('!'),
            Content::Element(element) if is_after && &*element.name == "a" => links.push(node),
            _ => {}
        }
        next = tree.after(node, 0);
    }
    links
}
