//! Measures of a page's elements, taken in one walk: how much text each has, how much of it is links, and how much
//! reads like sentences. `walk` visits the elements, `text` measures runs of text, `lists` finds lists of teasers.

mod lists;
mod text;
mod walk;

use super::hints::Hints;
use super::structured::StructuredTypes;
use super::tag::Tag;
use crate::fetch::budget::{BudgetMeter, ConvertError};
use dom_query::{Document, NodeId};

/// Measures of one element and everything below it. Lengths are in characters without white space; a character of
/// Chinese, Japanese or Korean counts twice, as it says more.
#[derive(Clone, Copy, Debug)]
pub(super) struct ElementMeasure {
    pub node: NodeId,
    /// Index of the parent; the first element is its own parent.
    pub parent: u32,
    /// Index after the last element below this one.
    pub end: u32,
    pub tag: Tag,
    pub hints: Hints,
    /// Equal for siblings of the same name and class.
    pub shape: u32,
    /// Hash of the element's own text in links and buttons if that is short and has no digit; else 0.
    pub label: u32,
    pub text: u32,
    /// Length of the text in links and buttons.
    pub linked: u32,
    /// Length of the text in runs that read like sentences, links within them included.
    pub prose: u32,
    /// Length of the text of code blocks.
    pub code: u32,
    /// Length of the text of headings.
    pub headings: u32,
    /// Length of the text that is in a link and in a heading.
    pub linked_headings: u32,
    /// True if most of the element is a list of teasers: equal blocks, each with a link to the page that it is about.
    pub is_teasers: bool,
    /// True for one of three or more adjacent elements of the same name and class: an item of a list.
    pub is_item: bool,
    /// True if the element's own text has a sign of a currency.
    pub has_price: bool,
    /// Number of runs of prose.
    pub paragraphs: u16,
    pub links: u16,
    /// Number of short texts with a price.
    pub prices: u16,
    pub images: u16,
    /// Level of a heading, 1 to 6; 0 for other elements.
    pub level: u8,
    /// True if an `h1` is at or below the element.
    pub has_title: bool,
    /// True if a `main` or the text of the page by its `itemprop` is below the element.
    pub has_main: bool,
}

impl ElementMeasure {
    /// Returns true for a heading, and for a short paragraph that leads in what follows.
    pub fn is_lead_in(&self) -> bool {
        self.tag.is_heading() || (self.tag == Tag::Paragraph && self.prose == 0 && self.text > 0 && self.text < 50)
    }

    /// Share of links in the text, from 0 to 1.
    pub fn link_share(&self) -> f32 {
        share(self.linked, self.text)
    }
}

/// Returns `part` of `whole`, 0 if there is no whole.
#[expect(clippy::cast_precision_loss, reason = "shares need no precision")]
pub(in crate::fetch) fn share(part: u32, whole: u32) -> f32 {
    if whole == 0 { 0.0 } else { part as f32 / whole as f32 }
}

/// Measures of all elements of a page's body in document order, and what its head says.
#[derive(Debug, Default)]
pub(in crate::fetch) struct PageMeasures {
    /// The body is the first; empty if there is none.
    pub(super) elements: Vec<ElementMeasure>,
    pub title: Option<String>,
    pub base: Option<String>,
    pub(super) types: StructuredTypes,
    /// Estimated length of the text in `noscript` elements of the body.
    pub noscript: u32,
    /// True if the page has a script that runs, or a block with nothing in it, as scripts fill.
    pub(super) is_scripted: bool,
}

/// Length from which the text in `noscript` elements may be the page.
const LEAST_NOSCRIPT: u32 = 200;

/// Length from which the text of an element that is marked as content says what kind of page it is.
const LEAST_SCOPE: u32 = 300;

impl PageMeasures {
    /// Measures the elements of `document`.
    pub fn of(document: &Document, clock: &mut BudgetMeter) -> Result<Self, ConvertError> {
        let mut page = walk::walk(document, clock)?;
        page.sum_up(clock)?;
        page.find_teasers(clock)?;
        Ok(page)
    }

    /// Returns true if the page's text stands in its `noscript` elements, and the rest is a shell for scripts.
    pub fn is_in_noscript(&self) -> bool {
        let body = self.elements.first().map_or(0, |body| body.prose + body.code);
        self.noscript >= LEAST_NOSCRIPT && self.noscript / 2 > body
    }

    /// Returns the node of the element at `index`.
    pub fn node_of(&self, index: usize) -> Option<NodeId> {
        self.elements.get(index).map(|one| one.node)
    }

    /// Returns the length of the text of the element at `index`, and the shares of links and of sentences in it.
    pub fn text_of(&self, index: usize) -> (u32, f32, f32) {
        self.elements.get(index).map_or((0, 0.0, 0.0), |one| (one.text, one.link_share(), share(one.prose, one.text)))
    }

    /// Returns the index of the element that the page marks as its content, if it has much of the page's text; else 0.
    pub fn scope(&self, clock: &mut BudgetMeter) -> Result<usize, ConvertError> {
        clock.pass(self.elements.len())?;
        let (mut index, mut best, mut all) = (1, 0, 0u32);
        while let Some(one) = self.elements.get(index) {
            let is_main = one.tag == Tag::Main || one.hints.has(Hints::MAIN);
            if is_main {
                all = all.saturating_add(one.text);
                if best == 0 || one.text > self.elements[best].text {
                    best = index;
                }
            }
            index = if is_main { one.end as usize } else { index + 1 };
        }
        let text = self.elements.get(best).map_or(0, |one| one.text);
        Ok(if share(text, all) > 0.6 && text >= LEAST_SCOPE { best } else { 0 })
    }

    /// Adds the measures of each element to its parent's.
    fn sum_up(&mut self, clock: &mut BudgetMeter) -> Result<(), ConvertError> {
        clock.pass(self.elements.len())?;
        for index in (1..self.elements.len()).rev() {
            let one = self.elements[index];
            let parent = &mut self.elements[one.parent as usize];
            parent.text = parent.text.saturating_add(one.text);
            parent.linked = parent.linked.saturating_add(one.linked);
            parent.prose = parent.prose.saturating_add(one.prose);
            parent.code = parent.code.saturating_add(one.code);
            parent.headings = parent.headings.saturating_add(one.headings);
            parent.linked_headings = parent.linked_headings.saturating_add(one.linked_headings);
            parent.paragraphs = parent.paragraphs.saturating_add(one.paragraphs);
            parent.links = parent.links.saturating_add(one.links);
            parent.prices = parent.prices.saturating_add(one.prices);
            parent.images = parent.images.saturating_add(one.images);
            parent.has_title |= one.has_title;
            parent.has_main |= one.has_main || one.tag == Tag::Main || one.hints.has(Hints::MAIN);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::budget::{Budget, TreeBudget};
    use crate::fetch::html::{Noscript, parse};

    fn measures(html: &str) -> PageMeasures {
        let mut clock = BudgetMeter::new(Budget::Visits(100_000));
        let document = parse(html, Noscript::Text, &clock, TreeBudget::Alone.bytes()).expect("a small page");
        PageMeasures::of(&document, &mut clock).expect("a small page")
    }

    fn first(page: &PageMeasures, tag: Tag) -> ElementMeasure {
        *page.elements.iter().find(|one| one.tag == tag).expect("it is there")
    }

    #[test]
    fn sums_hold_everything_below_an_element() {
        let page = measures(
            "<title> A  b </title><main><h1><a href=/x>Top</a></h1><p>The gates were opened at dawn, as the rule says.\
             <pre>code()</pre><ul><li><a href=#a>in page</a></ul></main><script>no()</script>",
        );
        assert_eq!(page.title.as_deref(), Some("A b"));
        let body = page.elements[0];
        let main = first(&page, Tag::Main);
        assert_eq!((body.text, body.end as usize), (main.text, page.elements.len()));
        assert_eq!((main.headings, main.linked_headings, main.code), (3, 3, 6));
        assert_eq!((main.linked, main.links, main.paragraphs), (9, 1, 1), "a place in the page is no way to another");
        assert_eq!(main.prose, first(&page, Tag::Paragraph).text);
        assert!(body.has_main && body.has_title && !first(&page, Tag::List).has_title);
    }

    #[test]
    fn equal_blocks_with_links_are_teasers() {
        let block = "<div class=c><h3><a href=/1>A linked title</a></h3><p>Some more words about it.</p></div>";
        let list = first(&measures(&format!("<section>{}</section>", block.repeat(4))), Tag::Section);
        assert!(list.is_teasers);
        let text = "<div class=c><h3>A title</h3><p>Some more words about it, and then some.</p></div>";
        let list = first(&measures(&format!("<section>{}</section>", text.repeat(4))), Tag::Section);
        assert!(!list.is_teasers);
    }

    #[test]
    fn shells_are_told_from_pages_with_a_notice() {
        let text = "The gates were opened at dawn, as the rule says. ".repeat(10);
        assert!(measures(&format!("<nav>menu</nav><noscript><p>{text}</p></noscript>")).is_in_noscript());
        assert!(!measures(&format!("<p>{text}</p><noscript><p>{text}</p></noscript>")).is_in_noscript());
        assert!(!measures("<noscript><p>Please switch scripts on.</p></noscript>").is_in_noscript());
    }
}
