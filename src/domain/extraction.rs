//! Explanation of a page's text: the type of the page, and the elements that are left out, each with its reason.

use super::content::Page;
use super::failure::Failure;
use super::id::DocumentId;
use super::text::SafeLine;
use async_trait::async_trait;
use std::borrow::Cow;
use std::fmt::Debug;

/// Facts about the choice of a page's text.
#[derive(Clone, Debug, PartialEq)]
pub struct ExtractionReport {
    /// Type of the page, such as `article`; `none` if a site rule decides what is content.
    pub page_type: &'static str,
    /// Elements that are left out, in page order. Scripts and the like are not listed.
    pub dropped: Vec<DroppedElement>,
}

/// An element that is left out with everything below it.
#[derive(Clone, Debug, PartialEq)]
pub struct DroppedElement {
    /// The element's name, id and classes, as a CSS selector has them.
    pub element: SafeLine,
    /// Beginning of its text, by which elements of one kind are told apart.
    pub text: SafeLine,
    /// Reason for which it is left out, such as `navigation`.
    pub reason: Cow<'static, str>,
    /// Length of its text in characters, without white space.
    pub characters: u32,
    /// Share of links in its text, from 0 to 1.
    pub linked: f32,
    /// Share of sentences in its text, from 0 to 1.
    pub prose: f32,
}

/// A page that was fetched to explain its text. Nothing of it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct ExplainedPage {
    pub page: Page,
    /// `None` if nothing was chosen by this program: the response is plain text, or a service has converted the page.
    pub report: Option<ExtractionReport>,
}

/// A way to fetch a page and explain its text, for the console, which opens no connections itself.
#[async_trait]
pub trait PageExplainer: Debug + Send + Sync {
    /// Fetches the page of a document anew and explains its text; stores nothing.
    async fn explain(&self, document: DocumentId, url: &str) -> Result<ExplainedPage, Failure>;

    /// Returns true if each page that is fetched now costs a credit of Firecrawl, unless a rule says otherwise.
    async fn costs_credits(&self) -> bool;
}
