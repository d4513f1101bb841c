//! The tree of the second parse. Chatwoot's converter writes the part of the page as HTML, which adds line feeds between
//! blocks and escapes URLs, and parses that. Texts between which something was removed are then one.

use super::region::TakenPart;
use super::tree::{Content, Element, Index, Tree};
use crate::fetch::budget::{BudgetMeter, ConvertError};
use html5ever::LocalName;
use std::borrow::Cow;
use std::fmt::Write as _;

/// Elements of HTML 4 around which libxml2 writes line feeds.
const BLOCKS: [&str; 51] = [
    "address",
    "area",
    "base",
    "blockquote",
    "body",
    "caption",
    "center",
    "col",
    "colgroup",
    "dd",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "form",
    "frame",
    "frameset",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "hr",
    "html",
    "isindex",
    "legend",
    "li",
    "link",
    "menu",
    "meta",
    "noframes",
    "noscript",
    "ol",
    "optgroup",
    "option",
    "p",
    "param",
    "pre",
    "style",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
];

/// ASCII characters, besides letters and digits, that stay as they are in a URL.
const KEPT_IN_URLS: &str = "-_.!~*'()@/:=?;#%&,+<>";

/// Makes the tree of the part of a page.
pub(super) fn tree(
    page: &Tree,
    region: &TakenPart,
    clock: &mut BudgetMeter,
    most: usize,
) -> Result<Tree, ConvertError> {
    let mut written = Tree::new(plain_element("html"), most);
    let Some(root) = region.root else { return Ok(written) };
    let body = written.element(0, plain_element("body"))?;
    let top = match page.name(root) {
        "body" | "html" => body,
        _ => enter(page, root, body, &mut written)?,
    };
    let mut copy = Copy { page, region, written };
    copy.opened(root, top)?;
    let mut stack = vec![Open { node: root, at: top, next: copy.first(root) }];
    while let Some(open) = stack.last_mut() {
        clock.step()?;
        let (parent, at) = (open.node, open.at);
        let Some(child) = open.next else {
            stack.pop();
            copy.closing(parent, at)?;
            if let Some(outer) = stack.last() {
                copy.closed(parent, outer.node, outer.at)?;
            }
            continue;
        };
        open.next = copy.remaining(page.node(child).next);
        match &page.node(child).content {
            Content::Text(_) => copy.written.text(at, page.own_text(child))?,
            Content::Raw(_) => copy.written.raw(at, page.own_text(child))?,
            Content::Comment => copy.written.comment(at)?,
            Content::Element(_) => {
                let inner = enter(page, child, at, &mut copy.written)?;
                copy.opened(child, inner)?;
                stack.push(Open { node: child, at: inner, next: copy.first(child) });
            }
        }
    }
    Ok(copy.written)
}

/// Element of the page whose children are being written.
struct Open {
    node: Index,
    /// Its copy.
    at: Index,
    next: Option<Index>,
}

struct Copy<'a> {
    page: &'a Tree,
    region: &'a TakenPart,
    written: Tree,
}

impl Copy<'_> {
    /// Returns the first of `node` and the siblings after it that is not removed.
    fn remaining(&self, mut node: Option<Index>) -> Option<Index> {
        while let Some(index) = node.filter(|index| self.region.removed.contains(index)) {
            node = self.page.node(index).next;
        }
        node
    }

    fn first(&self, node: Index) -> Option<Index> {
        self.remaining(self.page.node(node).first_child)
    }

    fn is_text(&self, node: Index) -> bool {
        matches!(self.page.node(node).content, Content::Text(_))
    }

    /// Returns true if line feeds are written within an element beside its children. They are not where the name begins
    /// with a `p`, which is libxml2's test for `p` and `pre`.
    fn has_own_lines(&self, node: Index) -> bool {
        let name = self.page.name(node);
        is_block(name) && !name.starts_with('p')
    }

    /// Writes the line feed after a start tag.
    fn opened(&mut self, node: Index, at: Index) -> Result<(), ConvertError> {
        let Some(first) = self.first(node) else { return Ok(()) };
        let is_only = self.remaining(self.page.node(first).next).is_none();
        if self.has_own_lines(node) && !self.is_text(first) && !is_only {
            self.written.text(at, "\n")?;
        }
        Ok(())
    }

    /// Writes the line feed before an end tag.
    fn closing(&mut self, node: Index, at: Index) -> Result<(), ConvertError> {
        if !self.has_own_lines(node) {
            return Ok(());
        }
        let mut children = self.page.children(node).filter(|child| !self.region.removed.contains(child));
        let first = children.next();
        if let Some(last) = children.last()
            && first.is_some()
            && !self.is_text(last)
        {
            self.written.text(at, "\n")?;
        }
        Ok(())
    }

    /// Writes the line feed after an end tag.
    fn closed(&mut self, node: Index, parent: Index, at: Index) -> Result<(), ConvertError> {
        let next = self.remaining(self.page.node(node).next);
        let is_followed = next.is_some_and(|next| !self.is_text(next));
        if is_followed && is_block(self.page.name(node)) && !self.page.name(parent).starts_with('p') {
            self.written.text(at, "\n")?;
        }
        Ok(())
    }
}

fn plain_element(name: &str) -> Element {
    Element { name: LocalName::from(name), attributes: Vec::new(), hidden: false }
}

/// Copies an element without its children.
fn enter(page: &Tree, node: Index, parent: Index, written: &mut Tree) -> Result<Index, ConvertError> {
    let Some(element) = page.as_element(node) else { return Ok(parent) };
    let attributes = element.attributes.iter().filter_map(|(name, value)| match *name {
        "href" | "src" => Some((*name, escaped_url(value).into_owned())),
        "title" | "alt" | "class" => Some((*name, value.clone())),
        _ => None,
    });
    let copied = Element { name: element.name.clone(), attributes: attributes.collect(), hidden: false };
    written.element(parent, copied)
}

fn is_block(name: &str) -> bool {
    BLOCKS.contains(&name)
}

/// Escapes a URL as libxml2 does when it writes an attribute: without blanks before it, and bytes that are not printable
/// ASCII as `%XX`.
fn escaped_url(url: &str) -> Cow<'_, str> {
    let url = url.trim_start_matches([' ', '\t', '\n', '\r']);
    let is_kept = |byte: u8| byte.is_ascii_alphanumeric() || byte.is_ascii() && KEPT_IN_URLS.contains(char::from(byte));
    if url.bytes().all(is_kept) {
        return Cow::Borrowed(url);
    }
    let mut escaped = String::with_capacity(url.len() + 16);
    for byte in url.bytes() {
        if is_kept(byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::escaped_url;

    #[test]
    fn urls_are_escaped_once() {
        assert_eq!(escaped_url(" \n/a b/é?x=%20&y=[1]#z"), "/a%20b/%C3%A9?x=%20&y=%5B1%5D#z");
        assert_eq!(escaped_url("../x_(y)~z'"), "../x_(y)~z'");
    }
}
