//! Detection of a page's frame: the elements around the content, recognised by name, role and class, and confirmed by
//! their measures. The tables hold all weights: the share of the page's sentences that a hint may drop.

use super::drop_reason::DropReason;
use super::hints::Hints;
use super::measure::{ElementMeasure, share};
use super::page_type::PageType;
use super::structured::StructuredTypes;
use super::tag::Tag;

/// Length of the sentences of a quotation from which it is left out of a post.
const LEAST_QUOTE: u32 = 200;
/// Length of the longest head of a post with just its date and number.
const MOST_DATE: u32 = 40;
/// Length of the longest text about the author of a post.
const MOST_ABOUT_AUTHOR: u32 = 300;
/// Length of the longest text that only names something for screen readers.
const MOST_UNSEEN: u32 = 80;
/// Length of the sentences that must be left when a larger part of the page is dropped.
const LEAST_REST: u32 = 250;
/// Length of the text that must be left without a notice about cookies on a page that is a list.
const LEAST_LIST_REST: u32 = 1000;
/// Share of the page's sentences up to which a part is small, whatever else there is.
const SMALL: f32 = 0.15;
/// Share of the page's text up to which an item is one of many.
const MOST_ITEM: f32 = 0.2;
/// Number of prices from which a part sells something.
const LEAST_PRICES: u16 = 3;
/// Share of sentences up to which a row of links beside a product leads to other pages.
const MOST_TEASER_PROSE: f32 = 0.5;
/// Length of the sentences from which a banner says something.
const LEAST_BANNER: u32 = 60;
/// Length of the shortest form with the options of a product.
const LEAST_OPTIONS: u32 = 100;
/// Share of the page's text up to which a drawer beside a product is no part of it.
const MOST_DRAWER: f32 = 0.15;
/// Share of links from which a column beside a product leads to other pages.
const LEAST_LINKED_COLUMN: f32 = 0.75;

/// A hint, the reason that it stands for, and the largest share of the page's sentences that it may drop.
type Rule = (Hints, DropReason, f32);

/// Hints on pages that are one text, strongest first. The strong ones hold against sentences.
const TEXT_STRONG: [Rule; 7] = [
    (Hints::OVERLAY, DropReason::Overlay, 0.6),
    (Hints::FOOTER, DropReason::Footer, 0.6),
    (Hints::SIDEBAR, DropReason::Sidebar, 0.4),
    (Hints::RELATED, DropReason::Related, 0.5),
    (Hints::ADVERTISEMENT, DropReason::Promotion, 0.15),
    // Comments may be much longer than the text that they are about.
    (Hints::COMMENTS, DropReason::Comments, 0.9),
    (Hints::HEADER, DropReason::Header, 0.05),
];
const TEXT_WEAK: [Rule; 6] = [
    (Hints::NAVIGATION, DropReason::Navigation, 0.1),
    (Hints::SHARING, DropReason::Sharing, 0.1),
    (Hints::PROMOTION, DropReason::Promotion, 0.15),
    (Hints::CONTROLS, DropReason::Form, 0.05),
    (Hints::RIGHTS, DropReason::Footer, 0.05),
    (Hints::EDITING, DropReason::Editing, 0.01),
];
/// Hints on other pages, where the recommended and the popular may be the content.
const OTHER_STRONG: [Rule; 6] = [
    (Hints::OVERLAY, DropReason::Overlay, 0.6),
    (Hints::FOOTER, DropReason::Footer, 0.6),
    (Hints::HEADER, DropReason::Header, 0.05),
    (Hints::RELATED, DropReason::Related, 0.1),
    (Hints::SIDEBAR, DropReason::Sidebar, 0.1),
    (Hints::ADVERTISEMENT, DropReason::Promotion, 0.05),
];
/// Weak hints where forms and menus stand beside the items: a forum has a list of other forums to jump to.
const ITEMS_WEAK: [Rule; 6] = [
    (Hints::NAVIGATION, DropReason::Navigation, 0.1),
    (Hints::PROMOTION, DropReason::Promotion, 0.05),
    (Hints::SHARING, DropReason::Sharing, 0.05),
    (Hints::FILTERS, DropReason::Filters, 0.1),
    (Hints::EDITING, DropReason::Editing, 0.01),
    (Hints::CONTROLS, DropReason::Form, 0.01),
];
/// The same hints without the last one, which drops forms.
const OTHER_WEAK: &[Rule] = ITEMS_WEAK.split_at(ITEMS_WEAK.len() - 1).0;

/// Facts on which the frame of a page depends.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameRules {
    pub kind: PageType,
    /// What the page says about itself.
    pub types: StructuredTypes,
    /// True if the comments of a forum are remarks on its posts, not the posts.
    pub has_remarks: bool,
}

/// An element beside the page that it is judged against.
struct Candidate<'p> {
    one: &'p ElementMeasure,
    /// Share of the element in the sentences and code of the page, and in its text.
    prose: f32,
    text: f32,
    /// Lengths of the sentences and of the text that are left without the element.
    rest: u32,
    rest_text: u32,
    rules: FrameRules,
    around: Surroundings<'p>,
}

/// Elements around an element, and its part in them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings<'p> {
    pub body: &'p ElementMeasure,
    pub parent: &'p ElementMeasure,
    /// Length of the item of a list that the element is or stands in; 0 if there is none.
    pub item: u32,
    /// True inside an article or the page's own content element.
    pub in_content: bool,
}

/// Returns the reason for which `one` is part of the frame.
pub(super) fn frame(one: &ElementMeasure, around: Surroundings<'_>, rules: FrameRules) -> Option<DropReason> {
    let whole = around.body;
    let candidate = Candidate {
        one,
        prose: share(one.prose.saturating_add(one.code), whole.prose.saturating_add(whole.code)),
        text: share(one.text, whole.text),
        rest: whole.prose.saturating_sub(one.prose),
        rest_text: whole.text.saturating_sub(one.text),
        rules,
        around,
    };
    let by_name = candidate.by_name();
    if by_name.is_some() || one.hints == Hints::NONE || one.tag.is_heading() {
        return by_name;
    }
    candidate.by_type().or_else(|| candidate.by_hint())
}

impl Candidate<'_> {
    /// Returns true if the element is small beside the page's text; otherwise it holds the page. `most` is the largest
    /// share of the page's sentences.
    fn is_small(&self, most: f32) -> bool {
        let is_small = self.prose <= SMALL || (self.rest >= LEAST_REST && !self.one.has_title);
        let holds_main = self.one.has_main && self.text > SMALL;
        is_small && self.prose <= most && (self.prose > 0.0 || self.text < 0.9) && !holds_main
    }

    /// Returns true on pages that are a text, on which lists of links to other pages are not the content.
    fn is_on_text(&self) -> bool {
        matches!(self.rules.kind, PageType::Article | PageType::Documentation | PageType::Forum)
    }

    /// Returns true on pages that live on what they list.
    fn is_on_list(&self) -> bool {
        matches!(self.rules.kind, PageType::Listing | PageType::Collection | PageType::Product)
    }

    /// Returns true on a page that calls itself an article in its structured data.
    fn is_stated_article(&self) -> bool {
        self.rules.types.has(StructuredTypes::ARTICLE)
    }

    /// Returns true for one of several parts of sentences that a reader opens one by one, such as answers to questions.
    fn is_panel(&self) -> bool {
        let one = self.one;
        let is_text = share(one.prose, one.text) > 0.8 && one.link_share() < 0.3;
        let is_notice = one.hints.has(Hints::OVERLAY.with(Hints::PROMOTION).with(Hints::CONSENT));
        let is_one_of_many = self.around.item > 0 || (one.hints.has(Hints::SUBSTANCE) && !is_notice);
        is_text && is_one_of_many && self.rules.kind != PageType::Article
    }

    /// Returns true for a form with the options of what a page sells.
    fn has_options(&self) -> bool {
        let is_other = self.one.hints.has(Hints::CONTROLS.with(Hints::PROMOTION));
        let is_label = share(self.one.prose, self.one.text) < 0.25;
        self.rules.kind == PageType::Product && self.one.text >= LEAST_OPTIONS && is_label && !is_other
    }

    /// Returns true for an item of a list, or a part of one, that is small beside the page.
    fn is_in_item(&self) -> bool {
        self.around.item > 0 && share(self.around.item, self.around.body.text) < MOST_ITEM
    }

    fn by_name(&self) -> Option<DropReason> {
        let one = self.one;
        // Sentences with a link each describe what is sold.
        let is_offer =
            self.rules.kind == PageType::Product && self.text < 0.4 && share(one.prose, one.text) <= MOST_TEASER_PROSE;
        let is_on_story = match self.rules.kind {
            PageType::Forum => true,
            PageType::Article => self.is_stated_article(),
            _ => false,
        };
        if one.is_teasers && (is_on_story || is_offer) && !one.has_title && self.is_small(0.7) {
            return Some(DropReason::Teasers);
        }
        // A line number or an edit link; a layout has "gutters" around sentences.
        if one.hints.has(Hints::EDITING) && one.prose == 0 && (one.tag.is_inline() || one.tag.holds_code()) {
            return Some(DropReason::Editing);
        }
        let by_role = |hint| one.hints.has(Hints::LANDMARK) && one.hints.has(hint);
        match one.tag {
            _ if by_role(Hints::NAVIGATION) && self.is_small(0.4) => Some(DropReason::Navigation),
            _ if by_role(Hints::FOOTER) && self.is_small(0.6) => Some(DropReason::Footer),
            _ if by_role(Hints::HEADER) && self.is_small(0.2) => Some(DropReason::Header),
            Tag::Nav if self.is_small(0.4) => Some(DropReason::Navigation),
            Tag::Footer if self.is_small(0.6) => Some(DropReason::Footer),
            Tag::Aside if !one.hints.has(Hints::NOTE) && self.is_small(0.5) => Some(DropReason::Sidebar),
            Tag::Form if self.has_options() => None,
            Tag::Form if self.is_small(0.3) && (self.is_on_text() || one.prices < LEAST_PRICES) => {
                Some(DropReason::Form)
            }
            // The head of a post has its date.
            Tag::Header if self.around.in_content => {
                let is_date = self.rules.kind == PageType::Forum && one.text <= MOST_DATE;
                // The head of an item that is one link names the item.
                let is_name = one.headings == 0 && one.links == 1 && one.link_share() > 0.9;
                let is_name = is_name && !self.is_stated_article();
                (!is_date && !is_name && one.prose == 0 && self.is_small(0.2)).then_some(DropReason::Byline)
            }
            // The head of a page's section may have its title and a few sentences.
            Tag::Header if self.is_small(0.2) && !(one.has_title && one.prose > 0) => Some(DropReason::Header),
            Tag::Caption if self.rules.kind == PageType::Article => Some(DropReason::Caption),
            Tag::Button if one.hints.has(Hints::COPYING) => Some(DropReason::Editing),
            _ => None,
        }
    }

    /// Returns the reason that the type of the page gives to a hint.
    fn by_type(&self) -> Option<DropReason> {
        let (one, hints) = (self.one, self.one.hints);
        if hints.has(Hints::CONSENT) && self.is_notice() {
            return Some(DropReason::Overlay);
        }
        let is_opened = hints.has(Hints::DISCLOSURE) || self.is_panel();
        if hints.has(Hints::HIDDEN) && !is_opened && self.is_small(0.4) {
            return Some(DropReason::Hidden);
        }
        // Names of buttons, and words around a price: not a price, nor all that a heading or a cell says.
        let is_name = one.headings == 0 && !one.has_price && one.prose == 0 && one.text <= MOST_UNSEEN;
        let parent = self.around.parent;
        let says_all = one.text == parent.text && (parent.tag == Tag::Cell || parent.tag.is_heading());
        // On a shelf, words around a number are those of a rating.
        let is_on_shelf = self.rules.kind == PageType::Collection && self.around.item > 0;
        let has_number = one.linked == 0 && one.label == 0;
        if hints.has(Hints::UNSEEN) && is_name && !says_all && !(is_on_shelf && has_number) {
            return Some(DropReason::Hidden);
        }
        match self.rules.kind {
            PageType::Forum => {
                if self.rules.has_remarks && hints.has(Hints::COMMENTS) && self.is_small(0.35) {
                    return Some(DropReason::Comments);
                }
                // A long quotation repeats an earlier post.
                let is_quote = matches!(one.tag, Tag::TextBlock | Tag::Aside) && one.prose > LEAST_QUOTE;
                if hints.has(Hints::NOTE) && is_quote && self.is_small(0.4) {
                    return Some(DropReason::Repeated);
                }
                let is_about_author = hints.has(Hints::AUTHOR) && one.text < MOST_ABOUT_AUTHOR;
                (is_about_author && self.prose < 0.05 && !one.has_title).then_some(DropReason::Metadata)
            }
            PageType::Product => {
                // Without a thing that is sold, praise is what the page itself says.
                let has_product = self.rules.types.has(StructuredTypes::ANY_PRODUCT);
                let is_review = hints.has(Hints::REVIEWS) && one.prose > 0 && has_product;
                (is_review && !one.has_title && self.is_small(0.85)).then_some(DropReason::Reviews)
            }
            _ => None,
        }
    }

    /// Returns true for a notice about cookies, which may be longer than the page.
    fn is_notice(&self) -> bool {
        let has_list = !self.around.in_content && self.rest_text >= LEAST_LIST_REST;
        let is_beside = self.prose <= SMALL || self.text < 0.6 || self.rest >= LEAST_REST || has_list;
        is_beside && self.rest_text >= LEAST_REST.min(self.one.text) && !self.one.has_main && !self.one.has_title
    }

    /// Returns the hints of the element without those that its measures and the type of the page contradict. `is_texty`
    /// is true for sentences of some length without links.
    fn believed_hints(&self, is_texty: bool) -> Hints {
        let (one, kind, mut hints) = (self.one, self.rules.kind, self.one.hints);
        // A call to act is what a page about a service says, and what an item of a list leads to.
        if hints.has(Hints::CALL) && !matches!(kind, PageType::Service | PageType::Listing | PageType::Collection) {
            hints = hints.with(Hints::PROMOTION);
        }
        if is_texty && hints.has(Hints::LAYOUT.with(Hints::SUBSTANCE)) {
            hints = hints.without(Hints::SIDEBAR);
        }
        if hints.has(Hints::LAYOUT) {
            hints = hints.without(Hints::EDITING);
        }
        // A banner with sentences is part of the text.
        let is_banner = one.prose >= LEAST_BANNER && share(one.prose, one.text) > 0.4 && one.link_share() < 0.3;
        if kind != PageType::Forum && is_banner {
            hints = hints.without(Hints::HEADER);
        }
        if kind == PageType::Product && one.link_share() < LEAST_LINKED_COLUMN {
            hints = hints.without(Hints::SIDEBAR);
        }
        // What is told of a product may lie in a drawer.
        if kind == PageType::Product && self.text > MOST_DRAWER {
            hints = hints.without(Hints::OVERLAY);
        }
        // A shelf is named after the pages that it is split into.
        if kind != PageType::Article && one.prices >= LEAST_PRICES {
            hints = hints.without(Hints::NAVIGATION.with(Hints::FOOTER));
        }
        hints
    }

    fn by_hint(&self) -> Option<DropReason> {
        let one = self.one;
        // An item on a shelf has a foot, a label and an overlay of its own.
        if self.rules.kind == PageType::Collection && self.is_in_item() {
            return None;
        }
        let (strong, weak): (&[Rule], &[Rule]) = match self.rules.kind {
            PageType::Article | PageType::Documentation | PageType::Service => (&TEXT_STRONG, &TEXT_WEAK),
            PageType::Forum | PageType::Collection => (&OTHER_STRONG, &ITEMS_WEAK),
            _ => (&OTHER_STRONG, OTHER_WEAK),
        };
        // Sentences of some length without links contradict the weaker hints.
        let is_texty = one.prose >= 100 && one.link_share() < 0.3;
        let hints = self.believed_hints(is_texty);
        // Where there are few sentences, a large part may well be the content.
        let is_large = self.is_on_list() && self.text > 0.4;
        // What is said of all items of a list says nothing about the page.
        let is_item = self.is_on_list() && one.links > 0 && share(one.text, self.around.item) > 0.5;
        let fits = |(hint, reason, most): &&Rule| {
            let is_beside = matches!(reason, DropReason::Related | DropReason::Sidebar | DropReason::Header);
            let is_item = is_item && (is_beside || *reason == DropReason::Promotion);
            hints.has(*hint) && self.is_small(*most) && !(is_large && is_beside) && !is_item
        };
        if let Some((_, reason, _)) = strong.iter().find(fits) {
            return Some(*reason);
        }
        // A part with several prices sells something.
        if is_texty || is_large || (self.is_on_list() && one.prices >= LEAST_PRICES) {
            return None;
        }
        // Few links contradict a menu, and much text a form.
        let is_text = self.text > 0.3 && one.link_share() < 0.5;
        weak.iter().filter(|_| !is_text).find(fits).map(|(_, reason, _)| *reason)
    }
}
