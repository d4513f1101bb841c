//! Classes of elements by name, as the measures need them.

use html5ever::{LocalName, local_name};

/// Class of an element by its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tag {
    Main,
    Article,
    Section,
    Nav,
    Header,
    Footer,
    Aside,
    Form,
    Body,
    Heading1,
    /// `h2` to `h6`.
    Heading,
    Paragraph,
    List,
    Item,
    Table,
    Row,
    Cell,
    Pre,
    Figure,
    Caption,
    Link,
    Image,
    Button,
    Break,
    Code,
    /// `blockquote`, `details`, `dl` and similar blocks of a text.
    TextBlock,
    /// `div` and other blocks without a meaning.
    #[default]
    Block,
    /// Elements within a line of text.
    Inline,
    /// Elements whose text is not part of the readable page.
    NeverText,
}

impl Tag {
    /// Returns the class of `name`.
    pub fn of(name: &LocalName) -> Self {
        match *name {
            local_name!("div") => Self::Block,
            local_name!("a") => Self::Link,
            local_name!("span")
            | local_name!("b")
            | local_name!("strong")
            | local_name!("i")
            | local_name!("em")
            | local_name!("u")
            | local_name!("s")
            | local_name!("del")
            | local_name!("ins")
            | local_name!("strike")
            | local_name!("small")
            | local_name!("big")
            | local_name!("sub")
            | local_name!("sup")
            | local_name!("font")
            | local_name!("label")
            | local_name!("time")
            | local_name!("abbr")
            | local_name!("acronym")
            | local_name!("cite")
            | local_name!("mark")
            | local_name!("var")
            | local_name!("dfn")
            | local_name!("q")
            | local_name!("wbr")
            | local_name!("bdi")
            | local_name!("bdo")
            | local_name!("ruby")
            | local_name!("rb")
            | local_name!("rt")
            | local_name!("rp")
            | local_name!("input")
            | local_name!("picture")
            | local_name!("source")
            | local_name!("nobr")
            | local_name!("data")
            | local_name!("link")
            | local_name!("meta") => Self::Inline,
            local_name!("code") | local_name!("kbd") | local_name!("samp") | local_name!("tt") => Self::Code,
            local_name!("li") => Self::Item,
            local_name!("ul") | local_name!("ol") | local_name!("menu") | local_name!("dir") => Self::List,
            local_name!("p") => Self::Paragraph,
            local_name!("br") => Self::Break,
            local_name!("img") => Self::Image,
            local_name!("button") => Self::Button,
            local_name!("h1") => Self::Heading1,
            local_name!("h2") | local_name!("h3") | local_name!("h4") | local_name!("h5") | local_name!("h6") => {
                Self::Heading
            }
            local_name!("table") => Self::Table,
            local_name!("tr") => Self::Row,
            local_name!("td") | local_name!("th") => Self::Cell,
            local_name!("pre") | local_name!("listing") | local_name!("xmp") => Self::Pre,
            local_name!("figure") => Self::Figure,
            local_name!("figcaption") => Self::Caption,
            local_name!("section") => Self::Section,
            local_name!("article") => Self::Article,
            local_name!("main") => Self::Main,
            local_name!("nav") => Self::Nav,
            local_name!("header") => Self::Header,
            local_name!("footer") => Self::Footer,
            local_name!("aside") => Self::Aside,
            local_name!("form") => Self::Form,
            local_name!("body") => Self::Body,
            local_name!("blockquote")
            | local_name!("dl")
            | local_name!("dt")
            | local_name!("dd")
            | local_name!("details")
            | local_name!("summary") => Self::TextBlock,
            local_name!("script")
            | local_name!("style")
            | local_name!("noscript")
            | local_name!("template")
            | local_name!("svg")
            | local_name!("iframe")
            | local_name!("title")
            | local_name!("object")
            | local_name!("canvas")
            | local_name!("audio")
            | local_name!("video")
            | local_name!("textarea")
            | local_name!("select")
            | local_name!("datalist")
            | local_name!("frameset")
            | local_name!("noframes")
            | local_name!("noembed") => Self::NeverText,
            _ => Self::Block,
        }
    }

    /// Returns true for elements within a line of text; any other element ends the line.
    pub fn is_inline(self) -> bool {
        matches!(self, Self::Inline | Self::Link | Self::Image | Self::Code | Self::Button | Self::Break)
    }

    /// Returns true for blocks that can hold a post or a teaser.
    pub fn is_container(self) -> bool {
        matches!(self, Self::Block | Self::Item | Self::Article | Self::Section)
    }

    /// Returns true for blocks that can hold a column of code.
    pub fn holds_code(self) -> bool {
        matches!(self, Self::Pre | Self::Cell)
    }

    /// Returns true for `h1` to `h6`.
    pub fn is_heading(self) -> bool {
        matches!(self, Self::Heading1 | Self::Heading)
    }

    /// Returns true for an element whose `id` is a link target that names the element's own subject.
    pub fn names_its_subject(self) -> bool {
        matches!(
            self,
            Self::Heading1
                | Self::Heading
                | Self::Section
                | Self::Article
                | Self::Paragraph
                | Self::Link
                | Self::TextBlock
                | Self::Item
                | Self::Table
                | Self::Row
                | Self::Figure
                | Self::Pre
                | Self::Code
        )
    }
}
