//! Measures of a page's elements, taken in one walk: how much text each has, how much of it is links, and how much
//! reads like sentences.

use super::hints::Hints;
use super::structured::{StructuredTypes, text_outside_tags};
use super::tag::Tag;
use crate::fetch::budget::{BudgetMeter, ConvertError};
use dom_query::{Document, Element, NodeData, NodeId, NodeRef};
use html5ever::{LocalName, local_name};

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
    /// True if most of the element is a list of equal blocks with sentences: posts, comments, answers.
    pub is_posts: bool,
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
    /// Length of the text outside links.
    pub fn plain(&self) -> u32 {
        self.text - self.linked.min(self.text)
    }

    /// Returns true for a heading, and for a short paragraph that leads in what follows.
    pub fn is_lead_in(&self) -> bool {
        self.tag.is_heading() || (self.tag == Tag::Paragraph && self.prose == 0 && self.text > 0 && self.text < 50)
    }

    /// Returns true for a block of a few words with a link to the page that they are about.
    fn is_teaser(&self) -> bool {
        let is_block = self.tag.is_container() || matches!(self.tag, Tag::Link | Tag::Figure | Tag::Aside | Tag::Cell);
        let points = self.linked_headings > 0
            || (self.link_share() > 0.5 && self.images > 0)
            || (self.images > 0 && self.link_share() > 0.25)
            || (self.headings > 0 && self.link_share() > 0.4)
            || (self.prices > 0 && self.images > 0);
        is_block && self.links > 0 && self.linked >= 8 && self.text <= MOST_TEASER && points
    }

    /// Share of links in the text, from 0 to 1.
    pub fn link_share(&self) -> f32 {
        share(self.linked, self.text)
    }
}

/// Returns `part` of `whole`, 0 if there is no whole.
#[expect(clippy::cast_precision_loss, reason = "shares need no precision")]
pub(super) fn share(part: u32, whole: u32) -> f32 {
    if whole == 0 { 0.0 } else { part as f32 / whole as f32 }
}

/// Measures of all elements of a page's body in document order, and what its head says.
#[derive(Debug, Default)]
pub(in crate::fetch) struct PageMeasures {
    /// The body is the first; empty if there is none.
    pub elements: Vec<ElementMeasure>,
    pub title: Option<String>,
    pub base: Option<String>,
    pub types: StructuredTypes,
    /// Estimated length of the text in `noscript` elements of the body.
    pub noscript: u32,
}

/// Length from which the text in `noscript` elements may be the page.
const LEAST_NOSCRIPT: u32 = 200;

/// Length from which the text of an element that is marked as content says what kind of page it is.
const LEAST_SCOPE: u32 = 300;

/// A run of text between the borders of two blocks.
#[derive(Default)]
struct Run {
    text: u32,
    linked: u32,
    /// Number of commas, full stops and the like.
    marks: u32,
    has_price: bool,
    ends_sentence: bool,
}

/// Length from which a run with few links is prose without any punctuation, and with it.
const LONG_RUN: u32 = 100;
const SHORT_RUN: u32 = 32;
/// Longest text of a teaser.
const MOST_TEASER: u32 = 700;
/// Longest text that can be a price.
const PRICE_RUN: u32 = 40;

impl Run {
    fn is_prose(&self) -> bool {
        let plain = self.text - self.linked.min(self.text);
        (plain >= LONG_RUN && self.linked < plain)
            || (plain >= SHORT_RUN && self.linked * 2 < plain && (self.marks > 1 || self.ends_sentence))
    }
}

/// State of the walk.
struct Walk {
    page: PageMeasures,
    open: Vec<Open>,
    run: Run,
    /// Numbers of open links, code blocks and headings.
    in_link: u32,
    /// Number of open links to other pages.
    in_way: u32,
    in_code: u32,
    in_heading: u32,
}

#[derive(Clone, Copy)]
struct Open {
    node: NodeId,
    /// Index of the element's measure, or of the nearest that has one.
    index: u32,
    tag: Tag,
    is_measured: bool,
}

impl PageMeasures {
    /// Measures `document`.
    pub fn of(document: &Document, clock: &mut BudgetMeter) -> Result<Self, ConvertError> {
        let body = document.body().unwrap_or_else(|| document.root());
        let mut walk = Walk {
            page: Self { elements: Vec::with_capacity(document.tree.len() / 2), ..Self::default() },
            open: Vec::with_capacity(32),
            run: Run::default(),
            in_link: 0,
            in_way: 0,
            in_code: 0,
            in_heading: 0,
        };
        let tree = &document.tree;
        let mut title: Option<String> = None;
        let mut next = Some(tree.root().id);
        while let Some(id) = next {
            clock.step()?;
            let node = NodeRef::new(id, tree);
            let (child, sibling) = node.query_or((None, None), |one| {
                let child = match &one.data {
                    NodeData::Text { contents } => {
                        walk.text(contents);
                        None
                    }
                    NodeData::Element(element) => {
                        walk.element(id, element, one.first_child.is_some(), body.id).then_some(one.first_child).flatten()
                    }
                    NodeData::Document | NodeData::Fragment => one.first_child,
                    _ => None,
                };
                (child, one.next_sibling)
            });
            if let Some(name) = node.qual_name_ref() {
                walk.page.read_special(&node, &name.local, &mut title);
            }
            next = match (child, sibling) {
                (Some(child), _) => {
                    if walk.open.last().is_none_or(|open| open.node != id) {
                        walk.open.push(Open { node: id, index: walk.current(), tag: Tag::Inline, is_measured: false });
                    }
                    Some(child)
                }
                (None, Some(sibling)) => {
                    walk.leave(id);
                    Some(sibling)
                }
                (None, None) => {
                    walk.leave(id);
                    let mut after = None;
                    while let Some(open) = walk.open.last().copied() {
                        clock.step()?;
                        walk.leave(open.node);
                        after = tree.query_node_or(&open.node, None, |one| one.next_sibling);
                        if after.is_some() {
                            break;
                        }
                    }
                    after
                }
            };
        }
        walk.end_run();
        let mut page = walk.page;
        page.sum_up(clock)?;
        page.find_lists(clock)?;
        let title = title.map(|title| title.split_whitespace().collect::<Vec<_>>().join(" "));
        page.title = title.filter(|title| !title.is_empty());
        Ok(page)
    }

    /// Returns true if the page's text stands in its `noscript` elements, and the rest is a shell for scripts.
    pub fn is_in_noscript(&self) -> bool {
        let body = self.elements.first().map_or(0, |body| body.prose + body.code);
        self.noscript >= LEAST_NOSCRIPT && self.noscript / 2 > body
    }

    /// Reads elements that say something about the page as a whole.
    fn read_special(&mut self, node: &NodeRef<'_>, name: &LocalName, title: &mut Option<String>) {
        match *name {
            local_name!("title") if title.is_none() => *title = Some(node.immediate_text().to_string()),
            local_name!("base") if self.base.is_none() => self.base = node.attr("href").map(String::from),
            local_name!("meta") if node.attr("property").is_some_and(|name| &*name == "og:type") => {
                if let Some(value) = node.attr("content") {
                    self.types.add_open_graph(&value);
                }
            }
            local_name!("script") if node.attr("type").is_some_and(|kind| kind.trim() == "application/ld+json") => {
                if let Some(text) = node.first_child() {
                    crate::fetch::dom::with_text(&text, |json| self.types.add_json(json));
                }
            }
            local_name!("noscript") if !self.elements.is_empty() => {
                if let Some(text) = node.first_child() {
                    let length = crate::fetch::dom::with_text(&text, text_outside_tags).unwrap_or_default();
                    self.noscript = self.noscript.saturating_add(length);
                }
            }
            _ => {}
        }
    }

    /// Returns the index of the element that the page marks as its content, if it has much of the page's text; else 0.
    pub fn scope(&self, clock: &mut BudgetMeter) -> Result<usize, ConvertError> {
        let (mut index, mut best, mut all) = (1, 0, 0u32);
        while let Some(one) = self.elements.get(index) {
            clock.step()?;
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
        for index in (1..self.elements.len()).rev() {
            clock.step()?;
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

    /// Marks the lists of teasers and of posts.
    fn find_lists(&mut self, clock: &mut BudgetMeter) -> Result<(), ConvertError> {
        for index in 0..self.elements.len() {
            clock.step()?;
            let parent = self.elements[index];
            if parent.text < 100 || parent.tag.is_inline() {
                continue;
            }
            let (mut teasers, mut posts) = (Groups::default(), Groups::default());
            let mut child = index + 1;
            while child < parent.end as usize {
                clock.step()?;
                let one = &self.elements[child];
                child = one.end as usize;
                if one.is_teaser() {
                    teasers.add(one.shape, one.text);
                }
                if one.prose > 0 && one.tag.is_container() {
                    posts.add(one.shape, one.prose);
                }
            }
            self.elements[index].is_teasers = teasers.has_list(parent.text);
            self.elements[index].is_posts = posts.has_list(parent.prose);
        }
        Ok(())
    }
}

/// Children of an element by their shape: number and length. The most frequent shape is among the first ones in nearly
/// every list.
#[derive(Default)]
struct Groups([(u32, u32, u32); 4]);

impl Groups {
    fn add(&mut self, shape: u32, length: u32) {
        if let Some(group) = self.0.iter_mut().find(|group| group.1 == 0 || group.0 == shape) {
            *group = (shape, group.1 + 1, group.2.saturating_add(length));
        }
    }

    /// Returns true if one shape makes a list of most of `whole`.
    fn has_list(&self, whole: u32) -> bool {
        self.0.iter().any(|group| group.1 >= 3 && share(group.2, whole) > 0.6)
    }
}

impl Walk {
    fn current(&self) -> u32 {
        self.open.last().map_or(0, |open| open.index)
    }

    /// Measures an element, and returns true if its children are to be read.
    fn element(&mut self, id: NodeId, element: &Element, has_children: bool, body: NodeId) -> bool {
        let tag = Tag::of(&element.name.local);
        if self.page.elements.is_empty() && id != body {
            return true;
        }
        if tag == Tag::NeverText {
            if !tag.is_inline() && self.in_code == 0 && self.run.text == 0 {
                self.end_run();
            }
            return false;
        }
        if !tag.is_inline() {
            self.end_run();
        }
        // Leaves without text need no measure, and neither do the spans of highlighted code.
        if matches!(tag, Tag::Break | Tag::Image) || !has_children || self.in_code > 0 {
            if tag == Tag::Image
                && let Some(current) = self.current_measure()
            {
                current.images = current.images.saturating_add(1);
            }
            return has_children;
        }
        let index = u32::try_from(self.page.elements.len()).unwrap_or(u32::MAX);
        let is_way = tag == Tag::Link && leads_away(element);
        let (hints, shape) = if tag == Tag::Body { (Hints::NONE, 0) } else { self.read_attributes(element, tag) };
        self.page.elements.push(ElementMeasure {
            node: id,
            parent: self.current(),
            end: index + 1,
            tag,
            hints,
            shape,
            text: 0,
            linked: 0,
            prose: 0,
            code: 0,
            headings: 0,
            linked_headings: 0,
            is_teasers: false,
            is_posts: false,
            paragraphs: 0,
            links: u16::from(is_way),
            prices: 0,
            images: 0,
            level: if tag.is_heading() { element.name.local.as_bytes()[1] - b'0' } else { 0 },
            has_title: tag == Tag::Heading1,
            has_main: false,
        });
        self.open.push(Open { node: id, index, tag, is_measured: true });
        match tag {
            Tag::Link | Tag::Button => {
                self.in_link += 1;
                self.in_way += u32::from(is_way);
            }
            Tag::Pre => self.in_code += 1,
            tag if tag.is_heading() => self.in_heading += 1,
            _ => {}
        }
        true
    }

    /// Ends `id` if it is the element that was opened last.
    fn leave(&mut self, id: NodeId) {
        let Some(open) = self.open.pop_if(|open| open.node == id) else { return };
        if !open.is_measured {
            return;
        }
        if !open.tag.is_inline() {
            self.end_run_in(open.index);
        }
        match open.tag {
            Tag::Link | Tag::Button => {
                self.in_link = self.in_link.saturating_sub(1);
                if self.in_link == 0 {
                    self.in_way = 0;
                }
            }
            Tag::Pre => self.in_code = self.in_code.saturating_sub(1),
            tag if tag.is_heading() => self.in_heading = self.in_heading.saturating_sub(1),
            _ => {}
        }
        let end = u32::try_from(self.page.elements.len()).unwrap_or(u32::MAX);
        if let Some(measure) = self.page.elements.get_mut(open.index as usize) {
            measure.end = end;
        }
    }

    fn current_measure(&mut self) -> Option<&mut ElementMeasure> {
        let index = self.open.last()?.index;
        self.page.elements.get_mut(index as usize)
    }

    fn text(&mut self, text: &str) {
        if self.page.elements.is_empty() {
            return;
        }
        let TextMeasure { length, marks, has_price, ends_sentence } = TextMeasure::of(text);
        if length == 0 {
            return;
        }
        let is_linked = self.in_link > 0;
        let is_away = self.in_way > 0;
        let in_code = self.in_code > 0;
        let in_heading = self.in_heading > 0;
        self.run.text = self.run.text.saturating_add(length);
        self.run.linked = self.run.linked.saturating_add(if is_linked { length } else { 0 });
        self.run.marks = self.run.marks.saturating_add(marks);
        self.run.has_price |= has_price;
        self.run.ends_sentence = ends_sentence;
        if let Some(current) = self.current_measure() {
            current.text = current.text.saturating_add(length);
            if is_linked {
                current.linked = current.linked.saturating_add(length);
            }
            if in_code {
                current.code = current.code.saturating_add(length);
            }
            if in_heading {
                current.headings = current.headings.saturating_add(length);
                if is_away {
                    current.linked_headings = current.linked_headings.saturating_add(length);
                }
            }
        }
    }

    fn end_run(&mut self) {
        if self.run.text == 0 {
            return;
        }
        let block = self.open.iter().rev().find(|open| open.is_measured && !open.tag.is_inline());
        if let Some(index) = block.map(|open| open.index) {
            self.end_run_in(index);
        }
        self.run = Run::default();
    }

    /// Ends a run of text that stands in the block with this index.
    fn end_run_in(&mut self, index: u32) {
        let run = std::mem::take(&mut self.run);
        if run.text == 0 || self.in_code > 0 || self.in_heading > 0 {
            return;
        }
        let Some(block) = self.page.elements.get_mut(index as usize) else { return };
        if run.is_prose() {
            block.prose = block.prose.saturating_add(run.text);
            block.paragraphs = block.paragraphs.saturating_add(1);
        }
        if run.has_price && run.text <= PRICE_RUN {
            block.prices = block.prices.saturating_add(1);
        }
    }

    /// Returns the hints of an element, and the hash of its name and class.
    fn read_attributes(&mut self, element: &Element, tag: Tag) -> (Hints, u32) {
        let mut hints = Hints::NONE;
        let (mut id, mut is_section) = (None, false);
        let mut shape = tag as u32;
        for attribute in &element.attrs {
            let value = &*attribute.value;
            match attribute.name.local {
                local_name!("class") => {
                    hints.read(value);
                    is_section = hints.has(Hints::SECTION);
                    for byte in value.bytes().filter(|byte| !byte.is_ascii_digit()).take(64) {
                        shape = (shape ^ u32::from(byte)).wrapping_mul(0x0100_0193);
                    }
                }
                local_name!("id") if !tag.names_its_subject() => id = Some(value),
                local_name!("role") => hints = hints.with(of_role(value.trim())),
                local_name!("hidden") if !value.eq_ignore_ascii_case("until-found") => hints = hints.with(Hints::HIDDEN),
                local_name!("aria-hidden") if value.trim().eq_ignore_ascii_case("true") => {
                    hints = hints.with(Hints::HIDDEN);
                }
                local_name!("style") if hides(value) => hints = hints.with(Hints::HIDDEN),
                local_name!("itemprop") => hints = hints.with(of_itemprop(value)),
                local_name!("itemtype") => self.page.types.add(value.rsplit('/').next().unwrap_or_default()),
                _ => {}
            }
        }
        if let Some(id) = id
            && !is_section
        {
            hints.read(id);
        }
        (hints, shape)
    }
}

/// Returns true for a link to another page, as opposed to a place in this one or to a script.
fn leads_away(element: &Element) -> bool {
    let href = element.attrs.iter().find(|attribute| attribute.name.local == local_name!("href"));
    href.is_some_and(|href| !href.value.starts_with('#') && !href.value.starts_with("javascript:"))
}

fn of_role(role: &str) -> Hints {
    match role {
        "navigation" | "menu" | "menubar" | "tablist" => Hints::NAVIGATION,
        "banner" => Hints::HEADER,
        "contentinfo" => Hints::FOOTER,
        "complementary" => Hints::SIDEBAR,
        "dialog" | "alertdialog" => Hints::OVERLAY,
        "search" => Hints::CONTROLS,
        "main" => Hints::MAIN,
        "note" => Hints::NOTE,
        "tabpanel" => Hints::DISCLOSURE,
        role if role.starts_with("doc-") => Hints::NOTE,
        _ => Hints::NONE,
    }
}

fn of_itemprop(name: &str) -> Hints {
    match name {
        "articleBody" => Hints::MAIN,
        "comment" => Hints::COMMENTS,
        "breadcrumb" => Hints::NAVIGATION,
        _ => Hints::NONE,
    }
}

/// Returns true if a style hides its element.
fn hides(style: &str) -> bool {
    style.find("display").is_some_and(|at| {
        let value = style[at + "display".len()..].trim_start().trim_start_matches(':').trim_start();
        value.starts_with("none")
    })
}

/// Measures of one piece of text.
#[derive(Clone, Copy, Default)]
struct TextMeasure {
    length: u32,
    marks: u32,
    has_price: bool,
    ends_sentence: bool,
}

impl TextMeasure {
    fn of(text: &str) -> Self {
        let mut one = Self::default();
        if text.is_ascii() {
            let (mut classes, mut last) = (0, 0);
            for byte in text.bytes() {
                let class = CLASSES[usize::from(byte)];
                one.length += u32::from(class & VISIBLE);
                one.marks += u32::from(class & MARK != 0);
                classes |= class;
                last = if class & VISIBLE != 0 { class } else { last };
            }
            one.has_price = classes & PRICE != 0;
            one.ends_sentence = last & END != 0;
            return one;
        }
        for c in text.chars().filter(|c| !c.is_whitespace()) {
            let is_wide = matches!(c, '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..);
            one.length += if is_wide { 2 } else { 1 };
            let is_end = matches!(c, '.' | '!' | '?' | ':' | '。' | '！' | '？' | '؟' | '।' | '…' | '”' | '»');
            one.ends_sentence = is_end;
            one.marks += u32::from(is_end || matches!(c, ',' | ';' | '、' | '，' | '；' | '،' | '؛'));
            one.has_price |= c == '$' || matches!(c, '\u{a3}' | '\u{a5}' | '\u{20a0}'..='\u{20cf}');
        }
        one
    }
}

const VISIBLE: u8 = 1;
const MARK: u8 = 1 << 1;
const PRICE: u8 = 1 << 2;
const END: u8 = 1 << 3;

/// Classes of the characters of ASCII.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = b'!' as usize;
    while byte < 0x7f {
        classes[byte] = match byte as u8 {
            b'.' | b'!' | b'?' => VISIBLE | MARK | END,
            b':' => VISIBLE | END,
            b',' | b';' => VISIBLE | MARK,
            b'$' => VISIBLE | PRICE,
            _ => VISIBLE,
        };
        byte += 1;
    }
    classes
}
