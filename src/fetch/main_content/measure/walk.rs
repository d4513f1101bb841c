//! Walk over a page, which measures each of its elements without those below it.

use super::text::{Run, TextMeasure};
use super::{ElementMeasure, PageMeasures};
use crate::fetch::budget::{BudgetMeter, ConvertError};
use crate::fetch::dom::with_text;
use crate::fetch::main_content::hints::Hints;
use crate::fetch::main_content::structured::plain_text_length;
use crate::fetch::main_content::tag::Tag;
use dom_query::{Document, Element, NodeData, NodeId, NodeRef};
use html5ever::{LocalName, local_name};

/// Number of bytes of the longest label, with the white space around it.
const MOST_LABEL_BYTES: usize = 160;

/// The same outside links and buttons.
const MOST_PLAIN_LABEL_BYTES: usize = 40;

/// State of the walk.
struct Walk {
    page: PageMeasures,
    open: Vec<Open>,
    run: Run,
    /// Numbers of open links, code blocks and headings.
    in_link: u32,
    /// Number of open links to other pages.
    in_page_link: u32,
    in_code: u32,
    in_heading: u32,
}

#[derive(Clone, Copy)]
struct Open {
    node: NodeId,
    /// Index of the element's measure, or of the nearest that has one.
    index: u32,
    /// Index of the nearest block, to which the runs of text belong.
    block: u32,
    tag: Tag,
    is_measured: bool,
}

/// Measures the elements of `document`, each without those below it.
pub(super) fn walk(document: &Document, clock: &mut BudgetMeter) -> Result<PageMeasures, ConvertError> {
    let body = document.body().unwrap_or_else(|| document.root());
    let mut walk = Walk {
        page: PageMeasures { elements: Vec::with_capacity(document.tree.len() / 2), ..PageMeasures::default() },
        open: Vec::with_capacity(32),
        run: Run::default(),
        in_link: 0,
        in_page_link: 0,
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
                    walk.page.read_special(&node, &element.name.local, &mut title);
                    walk.element(id, element, one.first_child.is_some(), body.id).then_some(one.first_child).flatten()
                }
                NodeData::Document | NodeData::Fragment => one.first_child,
                _ => None,
            };
            (child, one.next_sibling)
        });
        next = match (child, sibling) {
            (Some(child), _) => {
                if walk.open.last().is_none_or(|open| open.node != id) {
                    let (index, block) = (walk.current(), walk.block());
                    walk.open.push(Open { node: id, index, block, tag: Tag::Inline, is_measured: false });
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
    page.types = page.types.settled();
    let title = title.map(|title| title.split_whitespace().collect::<Vec<_>>().join(" "));
    page.title = title.filter(|title| !title.is_empty());
    Ok(page)
}

impl PageMeasures {
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
                    with_text(&text, |json| self.types.add_json(json));
                }
            }
            local_name!("script") => self.is_scripted = true,
            local_name!("noscript") if !self.elements.is_empty() => {
                if let Some(text) = node.first_child() {
                    let length = with_text(&text, plain_text_length).unwrap_or_default();
                    self.noscript = self.noscript.saturating_add(length);
                }
            }
            _ => {}
        }
    }
}

impl Walk {
    fn current(&self) -> u32 {
        self.open.last().map_or(0, |open| open.index)
    }

    fn block(&self) -> u32 {
        self.open.last().map_or(0, |open| open.block)
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
        // Leaves without text need no measure, and neither do the spans of highlighted code but line numbers.
        let in_code = self.in_code > 0;
        self.page.is_scripted |= !has_children && may_be_filled(&element.name.local);
        if matches!(tag, Tag::Break | Tag::Image) || !has_children || (in_code && !is_line_number(element)) {
            if tag == Tag::Image
                && let Some(current) = self.current_measure()
            {
                current.images = current.images.saturating_add(1);
            }
            return has_children;
        }
        let index = u32::try_from(self.page.elements.len()).unwrap_or(u32::MAX);
        let targets_page = tag == Tag::Link && targets_page(element);
        let (hints, shape) = if tag == Tag::Body { (Hints::NONE, 0) } else { self.read_attributes(element, tag) };
        self.page.elements.push(ElementMeasure {
            node: id,
            parent: self.current(),
            end: index + 1,
            tag,
            hints,
            shape,
            label: 0,
            text: 0,
            linked: 0,
            prose: 0,
            code: 0,
            headings: 0,
            linked_headings: 0,
            is_teasers: false,
            is_item: false,
            has_price: false,
            paragraphs: 0,
            links: u16::from(targets_page),
            prices: 0,
            images: 0,
            level: if tag.is_heading() { element.name.local.as_bytes()[1] - b'0' } else { 0 },
            has_title: tag == Tag::Heading1,
            has_main: false,
        });
        let block = if tag.is_inline() { self.block() } else { index };
        self.open.push(Open { node: id, index, block, tag, is_measured: true });
        match tag {
            Tag::Link | Tag::Button => {
                self.in_link += 1;
                self.in_page_link += u32::from(targets_page);
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
                    self.in_page_link = 0;
                }
            }
            Tag::Pre => self.in_code = self.in_code.saturating_sub(1),
            tag if tag.is_heading() => self.in_heading = self.in_heading.saturating_sub(1),
            _ => {}
        }
        let end = u32::try_from(self.page.elements.len()).unwrap_or(u32::MAX);
        if let Some(measure) = self.page.elements.get_mut(open.index as usize) {
            measure.end = end;
            let is_blank = measure.text == 0 && end == open.index + 1;
            self.page.is_scripted |= is_blank && matches!(open.tag, Tag::Block | Tag::Main | Tag::Section);
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
        let piece = TextMeasure::of(text);
        if piece.length == 0 {
            return;
        }
        let (is_linked, in_page_link) = (self.in_link > 0, self.in_page_link > 0);
        let (in_code, in_heading) = (self.in_code > 0, self.in_heading > 0);
        self.run.add(piece, is_linked);
        let Some(current) = self.current_measure() else { return };
        let add = |sum: &mut u32, counts: bool| *sum = sum.saturating_add(if counts { piece.length } else { 0 });
        if is_linked || text.len() <= MOST_PLAIN_LABEL_BYTES {
            current.label = label(current.label, current.text, text);
        }
        current.has_price |= piece.has_price;
        add(&mut current.text, true);
        add(&mut current.linked, is_linked);
        add(&mut current.code, in_code);
        add(&mut current.headings, in_heading);
        add(&mut current.linked_headings, in_heading && in_page_link);
    }

    /// Ends the run of text before the border of a block.
    fn end_run(&mut self) {
        self.end_run_in(self.block());
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
        if run.is_price() {
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
                local_name!("title") | local_name!("aria-label") if tag == Tag::Button => {
                    let mut label = Hints::NONE;
                    label.read(value);
                    if label.has(Hints::COPYING) {
                        hints = hints.with(Hints::COPYING);
                    }
                }
                local_name!("id") if !tag.names_its_subject() => id = Some(value),
                local_name!("role") => hints = hints.with(of_role(value.trim())),
                local_name!("hidden") if !value.eq_ignore_ascii_case("until-found") => {
                    hints = hints.with(Hints::HIDDEN)
                }
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

/// Returns true for a block that scripts may fill, if nothing is in it.
fn may_be_filled(name: &LocalName) -> bool {
    matches!(*name, local_name!("div") | local_name!("main") | local_name!("section"))
}

/// Returns true for an element of a code block that its class marks as a line number or the like.
fn is_line_number(element: &Element) -> bool {
    let mut hints = Hints::NONE;
    if let Some(class) = element.attrs.iter().find(|attribute| attribute.name.local == local_name!("class")) {
        hints.read(&class.value);
    }
    hints.has(Hints::EDITING)
}

/// Returns the hash of a label that `text` continues, whose length before it is `length`; 0 if it is long or has a digit.
fn label(hash: u32, length: u32, text: &str) -> u32 {
    if (length > 0 && hash == 0) || text.len() > MOST_LABEL_BYTES || text.bytes().any(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    let visible = text.bytes().filter(|byte| !byte.is_ascii_whitespace());
    visible.fold(hash ^ 0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)).max(1)
}

/// Returns true for a link to another page, as opposed to a place in this one or to a script.
fn targets_page(element: &Element) -> bool {
    let href = element.attrs.iter().find(|attribute| attribute.name.local == local_name!("href"));
    href.is_some_and(|href| !href.value.starts_with('#') && !href.value.starts_with("javascript:"))
}

fn of_role(role: &str) -> Hints {
    match role {
        "navigation" => Hints::NAVIGATION.with(Hints::LANDMARK),
        "menu" | "menubar" | "tablist" => Hints::NAVIGATION,
        "banner" => Hints::HEADER.with(Hints::LANDMARK),
        "contentinfo" => Hints::FOOTER.with(Hints::LANDMARK),
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
