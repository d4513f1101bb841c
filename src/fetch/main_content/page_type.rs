//! Type of a page, from its structured data and the shape of its content. It decides what counts as content: answers
//! are the content of a forum, and comments are not that of an article.

use super::drop_reason::DropReason;
use super::hints::Hints;
use super::measure::{ElementMeasure, PageMeasures, share};
use super::structured::StructuredTypes;
use super::tag::Tag;
use crate::fetch::budget::{BudgetMeter, ConvertError};

/// Type of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::fetch) enum PageType {
    /// Page with one text, such as news, a blog post or an essay.
    Article,
    /// A text with code, tables or many headings.
    Documentation,
    /// Posts of several people.
    Forum,
    /// Page about one thing that is sold.
    Product,
    /// Things that are sold, each with a price.
    Collection,
    /// Links to other pages, with a few words about each.
    Listing,
    /// Sections of short texts, as about a company and its services.
    Service,
    /// Page that scripts fill: a header, menus and a footer, and no content.
    Shell,
}

/// Signals of a page's type: sums over the content, which is the page's marked content or its body, without the frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TypeSignals {
    text: u32,
    prose: u32,
    code: u32,
    paragraphs: u32,
    /// Length of the longest paragraph outside lists of teasers.
    longest: u32,
    prices: u32,
    /// Length of lists of teasers, and of the sentences in them.
    teasers: u32,
    teaser_prose: u32,
    /// Number of elements that are named like posts, and length of the sentences in them.
    posts: u32,
    post_prose: u32,
    comment_prose: u32,
    /// Number of elements that are named like a basket.
    baskets: u32,
}

impl TypeSignals {
    /// Reads the signals of the content without `drops`.
    pub fn of(
        page: &PageMeasures,
        drops: &[Option<DropReason>],
        clock: &mut BudgetMeter,
    ) -> Result<Self, ConvertError> {
        clock.pass(page.elements.len())?;
        let mut signals = Self::default();
        let scope = page.scope(clock)?;
        let Some(around) = page.elements.get(scope) else { return Ok(signals) };
        signals.add(around);
        let (mut index, mut teasers_end, mut posts_end, mut comments_end) = (scope, 0, 0, 0);
        while index < around.end as usize {
            let one = &page.elements[index];
            let end = one.end as usize;
            if index > scope && drops[index].is_some() {
                signals.subtract(one);
                index = end;
                continue;
            }
            let part = share(one.prose, around.prose);
            if one.is_teasers && index >= teasers_end {
                signals.teasers += one.text;
                signals.teaser_prose += one.prose;
                teasers_end = end;
            }
            if one.hints.has(Hints::COMMENTS) && part < 0.95 && index >= comments_end {
                signals.comment_prose += one.prose;
                comments_end = end;
            }
            let is_post = one.hints.has(Hints::FORUM) && one.prose > 0 && part < 0.7;
            if is_post && index >= posts_end && index >= comments_end {
                signals.posts += 1;
                signals.post_prose += one.prose;
                posts_end = end;
            }
            if index >= teasers_end && one.tag == Tag::Paragraph {
                signals.longest = signals.longest.max(one.prose);
            }
            signals.baskets += u32::from(one.hints.has(Hints::BASKET));
            index += 1;
        }
        Ok(signals)
    }

    fn add(&mut self, one: &ElementMeasure) {
        (self.text, self.prose, self.code) = (one.text, one.prose, one.code);
        (self.paragraphs, self.prices) = (one.paragraphs.into(), one.prices.into());
    }

    fn subtract(&mut self, one: &ElementMeasure) {
        self.text = self.text.saturating_sub(one.text);
        self.prose = self.prose.saturating_sub(one.prose);
        self.code = self.code.saturating_sub(one.code);
        self.paragraphs = self.paragraphs.saturating_sub(one.paragraphs.into());
        self.prices = self.prices.saturating_sub(one.prices.into());
    }

    /// Returns true if comments are remarks on longer posts, as under the answers to a question.
    pub fn has_remarks(&self) -> bool {
        self.posts >= 2 && share(self.comment_prose, self.post_prose) < 0.4
    }
}

impl PageType {
    /// Returns the type as a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Article => "article",
            Self::Documentation => "documentation",
            Self::Forum => "forum",
            Self::Product => "product",
            Self::Collection => "collection",
            Self::Listing => "listing",
            Self::Service => "service",
            Self::Shell => "shell",
        }
    }

    /// Returns the type of a page with these signals.
    pub(super) fn of(page: &PageMeasures, signals: &TypeSignals) -> Self {
        let types = page.types;
        let is_article = types.has(StructuredTypes::ARTICLE);
        let is_marked_article = types.has(StructuredTypes::ANY_ARTICLE);
        let other_prose = signals.prose - signals.teaser_prose.min(signals.prose);
        let is_list =
            share(signals.teasers, signals.text) > 0.4 && (other_prose < signals.teaser_prose || other_prose < 600);
        let is_forum = signals.posts >= 3 && !is_marked_article && share(signals.post_prose, signals.prose) > 0.5;
        if types.has(StructuredTypes::FORUM) || is_forum {
            return Self::Forum;
        }
        if share(signals.code, signals.text) > 0.1 {
            return Self::Documentation;
        }
        let sells = signals.prices >= 8;
        if is_list && !is_article {
            return if sells { Self::Collection } else { Self::Listing };
        }
        let is_product = types.has(StructuredTypes::ANY_PRODUCT);
        let can_buy = (1..=6).contains(&signals.baskets) && signals.prices > 0 && !is_marked_article;
        if (is_product && !is_article) || can_buy {
            let is_shelf = sells && share(signals.teasers, signals.text) > 0.4;
            return if is_shelf { Self::Collection } else { Self::Product };
        }
        let prose = share(signals.prose, signals.text);
        if signals.longest < SHORT_PARAGRAPH && prose < 0.36 {
            return if sells { Self::Collection } else { Self::Listing };
        }
        if signals.prices >= 12 && prose < 0.5 {
            return Self::Collection;
        }
        // A page that does not call itself an article is one only if it reads like one.
        let mean = signals.prose / signals.paragraphs.max(1);
        let is_loose = signals.longest < LONG_PARAGRAPH || mean < MEAN_PARAGRAPH;
        if !is_marked_article && (is_loose || share(signals.teasers, signals.text) > 0.2) {
            return Self::Service;
        }
        Self::Article
    }
}

/// Length of the longest paragraph below which a page has no text of its own.
const SHORT_PARAGRAPH: u32 = 190;
/// Length of the longest paragraph, and of paragraphs in the mean, from which a page reads like an article.
const LONG_PARAGRAPH: u32 = 300;
const MEAN_PARAGRAPH: u32 = 170;
