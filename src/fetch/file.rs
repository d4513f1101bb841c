//! Conversion of a page that was read from a file, as a sync would convert the same bytes as HTML.

use super::budget::{ConvertError, TreeBudget};
use super::charset::{self, Markup};
use super::content_rules::ContentRules;
use super::convert::convert_explained;
use super::errors;
use super::pipeline::page_of;
use super::sniff::binary_format;
use crate::domain::extraction::ExplainedPage;
use crate::domain::failure::Failure;
use crate::domain::site_rule::SiteRule;
use crate::domain::template::Template;
use url::Url;

/// HTTP status of a page from a file, as no server has answered.
const NO_STATUS: u16 = 0;

/// Converts the HTML in `body` under the rule `site` and the template of its host. Its links are relative to `base`;
/// without it, relative links become plain text. The page's status is 0.
///
/// # Errors
/// The body has more than `most` bytes, is binary data, exceeds a limit of conversions or has no text, or the rule has an
/// invalid selector.
pub fn convert_file(
    body: &[u8],
    base: Option<&Url>,
    (site, template): (&SiteRule, Option<&Template>),
    most: u64,
) -> Result<ExplainedPage, Failure> {
    if body.len() as u64 > most {
        return Err(errors::too_large(most));
    }
    let rules = ContentRules::of(site).map_err(errors::refused)?;
    if let Some(format) = binary_format(body, None) {
        return Err(errors::refused(ConvertError::NotText(format).to_string()));
    }
    let nowhere = Url::parse("about:blank").unwrap_or_else(|_| unreachable!("a URL"));
    let html = charset::decode(body, None, Markup::Html);
    let base = base.unwrap_or(&nowhere);
    let converted = convert_explained(&html, base, &rules, TreeBudget::Alone, template);
    let (converted, report) = converted.map_err(|error| errors::refused(error.to_string()))?;
    let page = page_of(converted, (base, base), body.len() as u64, NO_STATUS)?;
    let page = rules.mark(page.without_template(template.filter(|_| rules.allow_template())), "");
    Ok(ExplainedPage { page, report: Some(report) })
}
