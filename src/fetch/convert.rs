//! Conversion of HTML to a title and Markdown: parse, choose the main content, write. Pure computation within the
//! budget of a [`BudgetMeter`].

use super::budget::{Budget, BudgetMeter, ConvertError, TIME_LIMIT, TreeBudget};
use super::chatwoot_text::{self, with_returns};
use super::content_rules::ContentRules;
use super::explain;
use super::html::{self, Noscript};
use super::login_form::LoginForm;
use super::main_content::{self, MainContent, PageMeasures, PageType};
use super::markdown;
use super::paths::path_marks;
use super::stated_text;
use crate::domain::chatwoot_text::ChatwootTexts;
use crate::domain::extraction::ExtractionReport;
use crate::domain::representation::Representation;
use crate::domain::site_rule::Extract;
use crate::domain::template::{PathMark, Template};
use dom_query::Document;
use url::Url;

/// Title and text of a converted page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The first `<title>`; `None` when it is missing or blank.
    pub title: Option<String>,
    /// The main content. It has no control characters except line feeds, and is blank when the page has no text.
    pub markdown: String,
    /// Selectors of the site rule that match nothing on the page.
    pub unmatched: Vec<String>,
    /// Representation that the text comes from.
    pub representation: Representation,
    /// Form that asks for credentials, if the page has one.
    pub(super) login: Option<LoginForm>,
    /// Chatwoot's own texts of the page, if they are wanted.
    pub(super) chatwoot: Option<Box<ChatwootTexts>>,
    /// True for a page that scripts fill: a header, menus and a footer, and no content.
    pub(super) is_shell: bool,
    /// Paths of the lines of `markdown`; empty for a text that is not from HTML.
    pub paths: Vec<PathMark>,
}

/// Converts a page. `base` is the page's URL, to which its links are relative. Runs on the caller's thread for at most
/// [`TIME_LIMIT`] of processor time plus the current parser step; a stack of 2 MB suffices.
pub fn convert(html: &str, base: &Url) -> Result<Converted, ConvertError> {
    convert_within(html, base, Budget::Processor(TIME_LIMIT))
}

/// Converts a page like [`convert`], but within `budget`.
pub fn convert_within(html: &str, base: &Url, budget: Budget) -> Result<Converted, ConvertError> {
    convert_with_limits(html, base, &ContentRules::default(), TreeBudget::Alone, budget)
}

/// Converts the whole body, including the parts around the main content. Scripts, styles and similar elements are left
/// out.
pub fn convert_body(html: &str, base: &Url) -> Result<Converted, ConvertError> {
    convert_by(html, base, &ContentRules::body(), TreeBudget::Alone)
}

/// Converts a page under the rules of its site, within [`TIME_LIMIT`].
pub(super) fn convert_by(
    html: &str,
    base: &Url,
    rules: &ContentRules,
    tree: TreeBudget,
) -> Result<Converted, ConvertError> {
    convert_with_limits(html, base, rules, tree, Budget::Processor(TIME_LIMIT))
}

/// Converts a page like [`convert_by`], and adds Chatwoot's own texts. `theirs` is the page's source as Chatwoot decodes
/// it, which usually is the same: then the page is parsed once.
pub(super) fn convert_for_chatwoot(
    html: &str,
    theirs: &str,
    base: &Url,
    rules: &ContentRules,
    tree: TreeBudget,
) -> Result<Converted, ConvertError> {
    let budget = Budget::Processor(TIME_LIMIT);
    if theirs != html {
        let texts = chatwoot_text::texts_of(theirs, tree, &mut BudgetMeter::new(budget))?;
        return Ok(Converted { chatwoot: Some(Box::new(texts)), ..convert_by(html, base, rules, tree)? });
    }
    let mut texts = None;
    let first = |document: &Document, clock: &mut BudgetMeter| {
        texts = Some(Box::new(chatwoot_text::texts(document, clock, tree.bytes())?));
        Ok(())
    };
    let (converted, ()) = convert_and(&with_returns(html), base, rules, tree, budget, first, |_, _, _, _| Ok(()))?;
    Ok(Converted { chatwoot: texts, ..converted })
}

/// Converts a page under the rules of its site, within the given limits.
pub(super) fn convert_with_limits(
    html: &str,
    base: &Url,
    rules: &ContentRules,
    tree: TreeBudget,
    budget: Budget,
) -> Result<Converted, ConvertError> {
    convert_and(html, base, rules, tree, budget, no_more, |_, _, _, _| Ok(())).map(|(converted, ())| converted)
}

/// Converts a page like [`convert_by`], and reports what its text is made of. The report has also what `template`, that of
/// the page's host, will leave out of the text.
pub(super) fn convert_explained(
    html: &str,
    base: &Url,
    rules: &ContentRules,
    tree: TreeBudget,
    template: Option<&Template>,
) -> Result<(Converted, ExtractionReport), ConvertError> {
    let template = template.filter(|_| rules.allow_template());
    convert_and(html, base, rules, tree, Budget::Processor(TIME_LIMIT), no_more, |document, page, content, clock| {
        explain::report(document, page, content, template, clock)
    })
}

/// Reads nothing more from a parsed page.
fn no_more(_document: &Document, _clock: &mut BudgetMeter) -> Result<(), ConvertError> {
    Ok(())
}

/// Converts a page. Applies `first` to the tree of the page as it was parsed first, and `also` to the tree that is
/// converted, its measures and the content that was written.
fn convert_and<T>(
    html: &str,
    base: &Url,
    rules: &ContentRules,
    tree: TreeBudget,
    budget: Budget,
    first: impl FnOnce(&Document, &mut BudgetMeter) -> Result<(), ConvertError>,
    also: impl FnOnce(&Document, &PageMeasures, &MainContent<'_>, &mut BudgetMeter) -> Result<T, ConvertError>,
) -> Result<(Converted, T), ConvertError> {
    let mut clock = BudgetMeter::new(budget);
    let (document, page) = measured_and(html, tree, &mut clock, first)?;
    let base = page.base.as_deref().and_then(|href| base.join(href).ok()).unwrap_or_else(|| base.clone());
    let mut content = main_content::choose(&document, &page, rules, &mut clock)?;
    let mut written = markdown::write(&content, &base, &mut clock)?;
    let is_shell = content.kind == Some(PageType::Shell);
    if content.kind.is_some() && !is_shell && written.text.trim().is_empty() {
        // The measures count some text that is not written, such as that of a button in a block of code.
        content = content.whole(&document);
        written = markdown::write(&content, &base, &mut clock)?;
    }
    let paths = path_marks(&document, &written.lines, &mut clock)?;
    let mut markdown = written.text;
    // A site rule that says what is content has the last word.
    if rules.include.is_empty()
        && rules.extract == Extract::Main
        && let Some(stated) = stated_text::completion(&document, &markdown, &mut clock)?
    {
        // The body is a part of the page, so its tree has the page's memory budget once more.
        let stated = html::parse(&stated, Noscript::Text, &clock, tree.bytes())?;
        let stated = markdown::write(&MainContent::of_body(&stated), &base, &mut clock)?;
        // The marks are for the lines of the page's own text, which comes first.
        markdown = match markdown.trim_end() {
            "" => stated.text.trim_start().to_owned(),
            own => [own, stated.text.trim_start()].join("\n\n"),
        };
    }
    let login = LoginForm::of(html, &document, &mut clock)?;
    let also = also(&document, &page, &content, &mut clock)?;
    let converted = Converted {
        title: page.title,
        markdown,
        unmatched: content.unmatched,
        representation: Representation::Html,
        login,
        chatwoot: None,
        is_shell,
        paths,
    };
    Ok((converted, also))
}

/// Parses and measures a page. A page whose text stands in its `noscript` elements is parsed again, so that they are part
/// of it.
pub(super) fn measured(
    html: &str,
    tree: TreeBudget,
    clock: &mut BudgetMeter,
) -> Result<(Document, PageMeasures), ConvertError> {
    measured_and(html, tree, clock, no_more)
}

/// Parses and measures a page like [`measured`], and applies `first` to the tree in which `noscript` elements hold text.
fn measured_and(
    html: &str,
    tree: TreeBudget,
    clock: &mut BudgetMeter,
    first: impl FnOnce(&Document, &mut BudgetMeter) -> Result<(), ConvertError>,
) -> Result<(Document, PageMeasures), ConvertError> {
    let document = html::parse(html, Noscript::Text, clock, tree.bytes())?;
    first(&document, clock)?;
    let page = PageMeasures::of(&document, clock)?;
    if !page.is_in_noscript() {
        return Ok((document, page));
    }
    drop(document);
    let document = html::parse(html, Noscript::Elements, clock, tree.bytes())?;
    let page = PageMeasures::of(&document, clock)?;
    Ok((document, page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visits_are_the_same_on_every_machine() {
        let base = Url::parse("https://example.org/").expect("a URL");
        let page = "<p>some <b>words</b></p>".repeat(1_000);
        let most = |visits| convert_within(&page, &base, Budget::Visits(visits)).map(drop);
        assert_eq!(most(512), Err(ConvertError::TooSlow(Budget::Visits(512))));
        assert_eq!(most(page.len() as u64), Ok(()));
    }
}
