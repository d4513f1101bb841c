//! Type of a page, from its structured data and the shape of its content. It decides what counts as content: answers
//! are the content of a forum, and comments are not that of an article.

use super::frame::DropReason;
use super::hints::Hints;
use super::measure::{PageMeasures, share};
use super::structured::StructuredTypes;
use super::tag::Tag;
use crate::fetch::budget::{BudgetMeter, ConvertError};

/// Type of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageType {
    /// One text, such as news, a blog post or an essay.
    Article,
    /// A text with code, tables or many headings.
    Documentation,
    /// Posts of several people.
    Forum,
    /// One thing that is sold.
    Product,
    /// Things that are sold, each with a price.
    Collection,
    /// Links to other pages, with a few words about each.
    Listing,
    /// Sections of short texts, as about a company and its services.
    Service,
}

/// Signals of a page's type: sums over the content, which is the page's marked content or its body, without the frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TypeSignals {
    text: u32,
    linked: u32,
    prose: u32,
    code: u32,
    headings: u32,
    linked_headings: u32,
    paragraphs: u32,
    /// Length of paragraphs outside lists of teasers.
    longest: u32,
    direct: u32,
    prices: u32,
    images: u32,
    links: u32,
    teasers: u32,
    teaser_prose: u32,
    teaser_lists: u32,
    post_lists: u32,
    posts: u32,
    post_prose: u32,
    comment_prose: u32,
    cells: u32,
    articles: u32,
    carts: u32,
    has_title: u32,
    items: u32,
    filters: u32,
    sections: u32,
    body_hint: u32,
}

impl TypeSignals {
    /// Returns true if comments are remarks on longer posts, as under the answers to a question.
    pub fn has_remarks(&self) -> bool {
        self.posts >= 2 && share(self.comment_prose, self.post_prose) < 0.4
    }

    /// Reads the signals of the content without `drops`.
    pub fn of(
        page: &PageMeasures,
        drops: &[Option<DropReason>],
        clock: &mut BudgetMeter,
    ) -> Result<Self, ConvertError> {
        let scope = page.scope(clock)?;
        let mut one_page = Self::default();
        let Some(around) = page.elements.get(scope) else { return Ok(one_page) };
        let s = &mut one_page;
        (s.text, s.linked, s.prose, s.code) = (around.text, around.linked, around.prose, around.code);
        (s.headings, s.linked_headings) = (around.headings, around.linked_headings);
        (s.paragraphs, s.prices, s.images, s.links) =
            (around.paragraphs.into(), around.prices.into(), around.images.into(), around.links.into());
        s.has_title = around.has_title.into();
        let (mut index, mut teasers_end, mut posts_end, mut comments_end, mut list_end) = (scope, 0, 0, 0, 0);
        while index < around.end as usize {
            clock.step()?;
            let one = &page.elements[index];
            let end = one.end as usize;
            if index > scope && drops[index].is_some() {
                s.text -= one.text.min(s.text);
                s.linked -= one.linked.min(s.linked);
                s.prose -= one.prose.min(s.prose);
                s.code -= one.code.min(s.code);
                s.headings -= one.headings.min(s.headings);
                s.linked_headings -= one.linked_headings.min(s.linked_headings);
                s.paragraphs -= u32::from(one.paragraphs).min(s.paragraphs);
                s.prices -= u32::from(one.prices).min(s.prices);
                s.images -= u32::from(one.images).min(s.images);
                s.links -= u32::from(one.links).min(s.links);
                index = end;
                continue;
            }
            let is_part = share(one.prose, around.prose) < 0.7;
            if one.is_teasers && index >= teasers_end {
                s.teasers += one.text;
                s.teaser_prose += one.prose;
                s.teaser_lists += 1;
                teasers_end = end;
            }
            if one.is_posts && index >= list_end {
                s.post_lists += one.prose;
                list_end = end;
            }
            if one.hints.has(Hints::COMMENTS) && share(one.prose, around.prose) < 0.95 && index >= comments_end {
                s.comment_prose += one.prose;
                comments_end = end;
            }
            if one.hints.has(Hints::FORUM) && is_part && one.prose > 0 && index >= posts_end && index >= comments_end {
                s.posts += 1;
                s.post_prose += one.prose;
                posts_end = end;
            }
            if index >= teasers_end && one.tag == Tag::Paragraph {
                s.direct += one.prose;
                s.longest = s.longest.max(one.prose);
            }
            s.cells += u32::from(one.tag == Tag::Cell);
            s.articles += u32::from(one.tag == Tag::Article);
            s.sections += u32::from(one.tag == Tag::Section);
            s.carts += u32::from(one.hints.has(Hints::PRODUCT));
            s.items += u32::from(one.hints.has(Hints::ITEM));
            s.filters += u32::from(one.hints.has(Hints::FILTERS));
            s.body_hint += u32::from(one.hints.has(Hints::BODY) || one.hints.has_all(Hints::SUBJECT.with(Hints::SUBSTANCE)));
            index += 1;
        }
        Ok(one_page)
    }
}

impl PageType {
    /// Returns the type of a page with these signals.
    pub fn of(page: &PageMeasures, signals: &TypeSignals) -> Self {
        let types = page.types;
        let is_article = types.has(StructuredTypes::ARTICLE);
        let is_marked_article = is_article || types.has(StructuredTypes::OPEN_GRAPH_ARTICLE);
        let other_prose = signals.prose - signals.teaser_prose.min(signals.prose);
        let is_list = share(signals.teasers, signals.text) > 0.4
            && (other_prose < signals.teaser_prose || other_prose < 600);
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
        let is_product = types.has(StructuredTypes::PRODUCT.with(StructuredTypes::OPEN_GRAPH_PRODUCT));
        let can_buy = (1..=6).contains(&signals.carts) && signals.prices > 0 && !is_marked_article;
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
