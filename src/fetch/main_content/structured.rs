//! Structured data of a page: the types of its JSON-LD, microdata and OpenGraph, which say what kind of page it is.

/// Kinds of things that a page's structured data names, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StructuredTypes(u16);

impl StructuredTypes {
    pub const ARTICLE: Self = Self(1);
    pub const PRODUCT: Self = Self(1 << 1);
    pub const FORUM: Self = Self(1 << 2);
    pub const LIST: Self = Self(1 << 3);
    pub const DOCUMENTATION: Self = Self(1 << 4);
    pub const OPEN_GRAPH_ARTICLE: Self = Self(1 << 5);
    pub const OPEN_GRAPH_PRODUCT: Self = Self(1 << 6);
    pub const BUSINESS: Self = Self(1 << 7);
    pub const REVIEW: Self = Self(1 << 8);
    /// Lowest bit of the number of articles that are named, up to [`Self::MOST_ARTICLES`].
    const ONE_ARTICLE: u16 = 1 << 9;
    /// Number of articles from which a page lists them and is none of them. A page may name its own more than once, in
    /// JSON-LD and in microdata.
    const MOST_ARTICLES: u16 = 5;
    /// An article by any mark. OpenGraph's is the weaker one: some sites have it on every page.
    pub const ANY_ARTICLE: Self = Self::ARTICLE.with(Self::OPEN_GRAPH_ARTICLE);
    pub const ANY_PRODUCT: Self = Self::PRODUCT.with(Self::OPEN_GRAPH_PRODUCT);

    /// Returns true if any of `other` is set.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Returns the union of both sets.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Adds the type `name` of schema.org.
    pub fn add(&mut self, name: &str) {
        if matches!(name, "Article" | "NewsArticle" | "BlogPosting") && self.articles() < Self::MOST_ARTICLES {
            self.0 += Self::ONE_ARTICLE;
        }
        self.0 |= match name {
            "Article"
            | "NewsArticle"
            | "BlogPosting"
            | "Report"
            | "ReportageNewsArticle"
            | "AnalysisNewsArticle"
            | "OpinionNewsArticle"
            | "ScholarlyArticle"
            | "Recipe"
            | "LiveBlogPosting" => Self::ARTICLE.0,
            "Review" => Self::REVIEW.0,
            "Product" | "ProductGroup" | "IndividualProduct" | "ProductModel" => Self::PRODUCT.0,
            "DiscussionForumPosting" | "QAPage" => Self::FORUM.0,
            "ItemList" | "CollectionPage" | "SearchResultsPage" | "OfferCatalog" => Self::LIST.0,
            "TechArticle" | "APIReference" => Self::DOCUMENTATION.0,
            "Service" | "LocalBusiness" | "ProfessionalService" => Self::BUSINESS.0,
            _ => 0,
        };
    }

    /// Returns the number of articles that are named, at most [`Self::MOST_ARTICLES`].
    fn articles(self) -> u16 {
        self.0 / Self::ONE_ARTICLE
    }

    /// Decides what the names say together: a review is an article, unless it is about a product of the page, and many
    /// articles are a list, unless OpenGraph names the page an article: they may be what a reader should read next.
    pub fn settled(self) -> Self {
        let is_review = self.has(Self::REVIEW) && !self.has(Self::PRODUCT);
        let named = if is_review { self.with(Self::ARTICLE) } else { self };
        let is_list = self.articles() == Self::MOST_ARTICLES && !self.has(Self::OPEN_GRAPH_ARTICLE);
        if is_list { Self(named.0 & !Self::ARTICLE.0) } else { named }
    }

    /// Adds the value of `og:type`.
    pub fn add_open_graph(&mut self, value: &str) {
        let value = value.trim();
        if value.eq_ignore_ascii_case("article") {
            self.0 |= Self::OPEN_GRAPH_ARTICLE.0;
        } else if value.eq_ignore_ascii_case("product") || value.ends_with(":product") {
            self.0 |= Self::OPEN_GRAPH_PRODUCT.0;
        }
    }

    /// Adds the types that stand in `json`, the text of a JSON-LD script. Only the values of `@type` are read, without
    /// parsing the rest.
    pub fn add_json(&mut self, json: &str) {
        let mut rest = json;
        while let Some(at) = rest.find("\"@type\"") {
            rest = rest[at + "\"@type\"".len()..].trim_start().trim_start_matches(':').trim_start();
            let Some(list) = rest.strip_prefix('[') else {
                if let Some((name, after)) = rest.strip_prefix('"').and_then(|value| value.split_once('"')) {
                    self.add(name.rsplit('/').next().unwrap_or(name));
                    rest = after;
                }
                continue;
            };
            let Some((names, after)) = list.split_once(']') else { return };
            for name in names.split(',') {
                let name = name.trim().trim_matches('"');
                self.add(name.rsplit('/').next().unwrap_or(name));
            }
            rest = after;
        }
    }
}

/// Counts the characters of `html` that are outside tags, white space aside: an estimate of the text of a `noscript`,
/// which the parser leaves unparsed.
pub(super) fn plain_text_length(html: &str) -> u32 {
    let (mut count, mut in_tag) = (0, false);
    for byte in html.bytes() {
        match byte {
            b'<' => in_tag = true,
            b'>' => in_tag = false,
            _ => count += u32::from(!in_tag && !byte.is_ascii_whitespace()),
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_from_json_without_parsing_it() {
        let of = |json: &str| {
            let mut types = StructuredTypes::default();
            types.add_json(json);
            types
        };
        assert!(of(r#"{"@type": "NewsArticle", "name": "x"}"#).has(StructuredTypes::ARTICLE));
        assert!(of(r#"{"@graph":[{"@type":["WebPage","QAPage"]}]}"#).has(StructuredTypes::FORUM));
        assert!(of(r#"{"@type":"https://schema.org/Product"}"#).has(StructuredTypes::PRODUCT));
        for broken in ["", "{", r#""@type""#, r#""@type":"#, r#""@type":["a"#, r#""@type":"Article"#, r#""@type" 7"#] {
            assert_eq!(of(broken), StructuredTypes::default(), "{broken}");
        }
    }

    #[test]
    fn names_are_judged_together() {
        let is_article = |names: &[&str], open_graph: &str| {
            let mut types = StructuredTypes::default();
            names.iter().for_each(|name| types.add(name));
            types.add_open_graph(open_graph);
            types.settled().has(StructuredTypes::ARTICLE)
        };
        assert!(is_article(&["Review"], ""), "a page that is a review");
        assert!(!is_article(&["Product", "Review"], "") && !is_article(&["Review", "Product"], ""));
        assert!(is_article(&["Product", "Review", "Article"], ""));
        assert!(is_article(&["NewsArticle"; 4], "") && !is_article(&["NewsArticle"; 5], ""));
        assert!(!is_article(&["BlogPosting"; 1000], "website"), "the count ends");
        assert!(is_article(&["BlogPosting"; 9], "article"), "what to read next");
    }

    #[test]
    fn plain_text_length_is_counted() {
        assert_eq!(plain_text_length("<img src='x'>"), 0);
        assert_eq!(plain_text_length("<p>two words</p> "), 8);
    }
}
