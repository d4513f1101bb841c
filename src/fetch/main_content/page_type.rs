//! Type of a page, from its structured data and the shape of its content. It decides what counts as content: answers
//! are the content of a forum, and comments are not that of an article.

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

impl PageType {
    /// Returns the type of a page by its measures.
    pub fn of(page: &PageMeasures, clock: &mut BudgetMeter) -> Result<Self, ConvertError> {
        let scope = page.scope(clock)?;
        Ok(Self::within(page, scope))
    }

    fn within(page: &PageMeasures, scope: usize) -> Self {
        let Some(body) = page.elements.first() else { return Self::Service };
        let scope_end = page.elements[scope].end as usize;
        let around = &page.elements[scope];
        let (mut index, mut teasers, mut teaser_prose) = (scope, 0u32, 0u32);
        while index < scope_end {
            let one = &page.elements[index];
            if one.is_teasers {
                teasers += one.text;
                teaser_prose += one.prose;
            }
            index = if one.is_teasers { one.end as usize } else { index + 1 };
        }
        let other_prose = around.prose - teaser_prose.min(around.prose);
        let is_list = share(teasers, around.text) > 0.4 && (other_prose < teaser_prose || other_prose < 600);
        let types = page.types;
        let (mut posts, mut post_prose, mut comments, mut articles, mut cells) = (0, 0, 0, 0, 0);
        let (mut list_prose, mut end) = (0u32, 0);
        let mut carts = 0;
        for (index, one) in page.elements.iter().enumerate() {
            carts += u32::from(one.hints.has(Hints::PRODUCT) && one.prices > 0);
            articles += u32::from(one.tag == Tag::Article);
            cells += u32::from(one.tag == Tag::Cell);
            if index < end {
                continue;
            }
            if one.hints.has(Hints::COMMENTS) && share(one.prose, body.prose) < 0.95 {
                comments += one.prose;
                end = one.end as usize;
                continue;
            }
            if one.hints.has(Hints::FORUM) && share(one.prose, body.prose) < 0.7 && one.prose > 0 {
                posts += 1;
                post_prose += one.prose;
                end = one.end as usize;
            }
            if one.tag == Tag::List {
                list_prose += one.prose;
            }
        }
        let _ = (articles, comments, list_prose, carts);
        let is_article = types.has(StructuredTypes::ARTICLE);
        let is_marked_article = is_article || types.has(StructuredTypes::OPEN_GRAPH_ARTICLE);
        if types.has(StructuredTypes::FORUM) || (posts >= 3 && !is_marked_article && share(post_prose, body.prose) > 0.5) {
            return Self::Forum;
        }
        if types.has(StructuredTypes::PRODUCT.with(StructuredTypes::OPEN_GRAPH_PRODUCT)) && !is_article {
            return if body.prices > 30 && !types.has(StructuredTypes::PRODUCT) { Self::Collection } else { Self::Product };
        }
        if is_list && !is_article {
            return if body.prices >= 8 { Self::Collection } else { Self::Listing };
        }
        if share(body.code, body.text) > 0.1 {
            return Self::Documentation;
        }
        if body.prices >= 12 && share(body.prose, body.text) < 0.5 {
            return Self::Collection;
        }
        if is_article {
            return Self::Article;
        }
        if share(body.prose, body.text) > 0.55 {
            return if cells > 40 { Self::Documentation } else { Self::Article };
        }
        if types.has(StructuredTypes::OPEN_GRAPH_ARTICLE) && share(body.prose, body.text) > 0.3 {
            return Self::Article;
        }
        if body.link_share() > 0.5 { Self::Listing } else { Self::Service }
    }
}
