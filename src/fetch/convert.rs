//! From HTML to a title and Markdown: parse, choose the main content, write. Pure computing within a [`Clock`]'s time.

use super::budget::{Clock, ConvertError, TIME_LIMIT, TreeBudget};
use super::content_rules::ContentRules;
use super::html;
use super::main_content::{self, Outline};
use super::markdown;
use url::Url;

/// The title and the text of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The first `<title>`; `None` when there is none or a blank one.
    pub title: Option<String>,
    /// The main content. No control characters but line feeds; blank when the page has no text.
    pub markdown: String,
    /// Selectors of the site rule that nothing on the page fits.
    pub unmatched: Vec<String>,
}

/// Converts a page. `base` is its own URL, which its links are relative to. Runs on the caller's thread for at most
/// [`TIME_LIMIT`] and the rest of one piece; a stack of 2 MB is plenty.
pub fn convert(html: &str, base: &Url) -> Result<Converted, ConvertError> {
    convert_by(html, base, &ContentRules::default(), TreeBudget::Alone)
}

/// Converts the whole body, with what stands around the content; scripts, styles and the like are left out all the same.
pub fn convert_body(html: &str, base: &Url) -> Result<Converted, ConvertError> {
    convert_by(html, base, &ContentRules::body(), TreeBudget::Alone)
}

/// Converts a page under the rules of its site.
pub(super) fn convert_by(
    html: &str,
    base: &Url,
    rules: &ContentRules,
    budget: TreeBudget,
) -> Result<Converted, ConvertError> {
    let mut clock = Clock::new(TIME_LIMIT);
    let document = html::parse(html, &clock, budget.bytes())?;
    let outline = Outline::of(&document, &mut clock)?;
    let base = outline.base.as_deref().and_then(|href| base.join(href).ok()).unwrap_or_else(|| base.clone());
    let content = main_content::choose(&document, &outline, rules, &mut clock)?;
    let markdown = markdown::write(&content, &base, &mut clock)?;
    Ok(Converted { title: outline.title, markdown, unmatched: content.unmatched })
}
