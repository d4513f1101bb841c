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
            | "Review"
            | "LiveBlogPosting" => Self::ARTICLE.0,
            "Product" | "ProductGroup" | "IndividualProduct" | "ProductModel" => Self::PRODUCT.0,
            "DiscussionForumPosting" | "QAPage" => Self::FORUM.0,
            "ItemList" | "CollectionPage" | "SearchResultsPage" | "OfferCatalog" => Self::LIST.0,
            "TechArticle" | "APIReference" => Self::DOCUMENTATION.0,
            "Service" | "LocalBusiness" | "ProfessionalService" => Self::BUSINESS.0,
            _ => 0,
        };
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
    fn plain_text_length_is_counted() {
        assert_eq!(plain_text_length("<img src='x'>"), 0);
        assert_eq!(plain_text_length("<p>two words</p> "), 8);
    }
}
