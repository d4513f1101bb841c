//! Text of a page that would be stored: the main content, or Chatwoot's own text.

use crate::cli::probe::HostFacts;
use crate::domain::chatwoot_text::{Generation, Recognised};
use crate::domain::content::StoredBaseline;
use crate::domain::extraction::ExplainedPage;
use crate::domain::site_rule::WrittenText;

/// A page whose content is the text that would be stored.
pub(super) struct Extraction {
    pub explained: ExplainedPage,
    /// Text that is stored.
    pub written: WrittenText,
    /// Name of that text for people.
    pub name: &'static str,
    /// Reason for which a sync would doubt the text.
    pub doubt: Option<String>,
}

impl Extraction {
    /// Returns the extraction of a page whose main content is stored.
    pub fn of_main(explained: ExplainedPage) -> Self {
        let (_, reason) = StoredBaseline::default().compare(&explained.page);
        let doubt = reason.map(|reason| reason.to_string());
        Self { explained, written: WrittenText::Main, name: "the main content", doubt }
    }

    /// Returns the extraction of a page of which Chatwoot's own text is stored. `stored` is the text that is stored now,
    /// from which the generation is taken if none was seen yet.
    pub fn of_chatwoot(explained: ExplainedPage, facts: &HostFacts, stored: Option<&str>) -> Self {
        let name = "the text as it was received, as Chatwoot stores it";
        let mut extraction = Self { written: WrittenText::Chatwoot, name, ..Self::of_main(explained) };
        let page = &mut extraction.explained.page;
        let Some(texts) = page.chatwoot.take() else { return extraction };
        let nearest = stored.and_then(|stored| match texts.recognise(stored, &page.content) {
            Recognised::Same(generation) => generation,
            Recognised::Different(generation) => Some(generation),
        });
        if let Some(text) = texts.to_write(facts.generation(nearest)) {
            (page.content, page.fingerprint) = (text.content.clone(), text.fingerprint.clone());
            extraction.name = match texts.generation_of(text) {
                Some(Generation::WholeBody) => "Chatwoot's own text, made of the whole body",
                Some(Generation::MainPart) => "Chatwoot's own text, made of the main part",
                None => "Chatwoot's own text",
            };
        }
        extraction
    }
}
