//! `quarterdeck show ID --probe`: fetches the document once, prints each stage, and prints the change that a sync would
//! make. Nothing is stored.

use super::difference;
use super::exit::{CliError, Exit};
use super::output::Output;
use crate::chatwoot::crawling::Crawling;
use crate::config::Config;
use crate::domain::chatwoot_text::Generation;
use crate::domain::content::{ContentChange, Page, StoredBaseline};
use crate::domain::content_guard::QuarantineReason;
use crate::domain::document::DocumentRow;
use crate::domain::duration;
use crate::domain::failure::{Failure, FailureClass};
use crate::domain::id::DocumentId;
use crate::domain::link::host_of;
use crate::domain::representation::{HostMarkdown, Negotiation, Representation};
use crate::domain::retry::RetryPolicy;
use crate::domain::template::{BlockComparison, Template};
use crate::domain::text_comparison::{self, TextComparison};
use crate::fetch::{FetchRequest, FetchResponse, FetchSetupError, Fetcher, Hop, Probe, probe};
use crate::runner::is_fetched_otherwise;
use crate::store::{Store, StoreError};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Facts that a store has about the host of a page, and that a sync would use for the page's text.
#[derive(Clone, Debug)]
pub(super) struct HostFacts {
    /// Template of the host; `None` if it has none, or without a store.
    template: Option<Arc<Template>>,
    /// True if the template leaves nothing out of texts, as on a Chatwoot database.
    keeps_texts: bool,
    /// Representation that a sync of the whole page would request.
    negotiation: Negotiation,
    /// Generation of Chatwoot's converter that was seen in its texts, on a Chatwoot database.
    generation: Option<Generation>,
}

impl HostFacts {
    /// The facts about any host where there is no store.
    pub(super) const NONE: Self =
        Self { template: None, keeps_texts: false, negotiation: Negotiation::HtmlOnly, generation: None };

    /// Reads the facts about the host of `url`.
    pub(super) async fn read(store: &dyn Store, url: &str) -> Result<Self, StoreError> {
        let (host, keeps_texts) = (host_of(url).unwrap_or_default(), store.is_chatwoot_database());
        let negotiation = match keeps_texts {
            true => Negotiation::HtmlOnly,
            false => HostMarkdown::negotiation(store.host_markdown(&host).await?, store.now()),
        };
        let generation = if keeps_texts { store.chatwoot_generation().await? } else { None };
        Ok(Self { template: store.template(&host).await?.map(Arc::new), keeps_texts, negotiation, generation })
    }

    /// Returns true if the store is a Chatwoot database.
    pub(super) const fn is_chatwoots(&self) -> bool {
        self.keeps_texts
    }

    /// Returns the generation of Chatwoot's converter whose text is written, where `nearest` is the one whose text is the
    /// most like the stored one.
    pub(super) fn generation(&self, nearest: Option<Generation>) -> Generation {
        self.generation.or(nearest).unwrap_or(Generation::NEWEST)
    }

    /// Returns the template whose blocks are left out of the text.
    pub(super) fn text_template(&self) -> Option<&Arc<Template>> {
        self.template.as_ref().filter(|_| !self.keeps_texts)
    }

    /// Returns the request for the whole page that a sync would make.
    pub(super) fn request(&self, document: DocumentId, url: &str) -> FetchRequest {
        let (template, negotiation) = (self.text_template().cloned(), self.negotiation);
        FetchRequest { template, negotiation, ..FetchRequest::whole(document, url) }
    }
}

/// Stored facts that a probe compares its page with.
#[derive(Debug)]
pub(super) struct ProbeBaseline<'a> {
    pub stored: &'a StoredBaseline,
    pub text: &'a str,
    pub host: HostFacts,
    /// Chatwoot's own way of fetching pages; `None` in a store of our own.
    pub crawling: Option<&'a Crawling>,
}

/// Fetches the document once and prints each stage and the result.
pub(super) async fn run(
    config: &Config,
    row: &DocumentRow,
    baseline: ProbeBaseline<'_>,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let unusable = |error: FetchSetupError| CliError::Usage(error.to_string());
    let fetcher = Fetcher::new(config.fetch.clone()).map_err(unusable)?;
    let chatwoot = fetcher.writes_chatwoot_text(row.id, &row.url, baseline.host.keeps_texts);
    let request = FetchRequest { chatwoot, ..baseline.host.request(row.id, &row.url) };
    let report = probe(config.fetch.clone(), &request).await.map_err(unusable)?;
    out.line(format!("Probe of {} {}", row.id, row.url))?;
    for hop in &report.hops {
        print_hop(hop, out)?;
    }
    print_totals(&report, out)?;
    match &report.result {
        Ok(FetchResponse::Page(page)) => {
            let template = baseline.host.template.as_deref().filter(|_| fetcher.allows_template(row.id, &row.url));
            let page = Page { template: template.map(|template| template.version), ..(**page).clone() };
            let compare = |of| fetcher.compare_blocks(row.id, &row.url, of, (baseline.text, &page));
            let by_blocks = || template.map_or(BlockComparison::Different, compare);
            let found = chatwoot.then(|| {
                let is_otherwise =
                    is_fetched_otherwise(&fetcher, baseline.crawling, (row.id, &row.url), baseline.stored, &page);
                compare_with_chatwoots(&baseline, &page, is_otherwise)
            });
            print_page(&page, &baseline, found, by_blocks, out)?;
            Ok(Exit::Done)
        }
        // Cannot happen: the request knows nothing of the response before.
        Ok(FetchResponse::NotModified | FetchResponse::Identical(_)) => Ok(Exit::Done),
        Err(failure) => {
            out.line(format!("failed      {}", failure.detail))?;
            out.line(format!("            {}", describe_retry(failure, &config.runner.policy)))?;
            Ok(Exit::SomeFailed)
        }
    }
}

fn print_hop(hop: &Hop, out: &mut Output) -> io::Result<()> {
    out.line("")?;
    out.line(format!("GET {}", hop.url))?;
    let stages = [("dns", hop.dns), ("connect", hop.connect), ("tls", hop.tls), ("first byte", hop.first_byte)];
    for (name, took) in stages {
        if let Some(took) = took {
            out.line(format!("  {name:<10}{:>10}", milliseconds(took)))?;
        }
    }
    match hop.status {
        Some(status) => out.line(format!("  answered  {status:>10}"))?,
        None => out.line("  no answer")?,
    }
    for (name, value) in &hop.headers {
        out.line(format!("  {name}: {value}"))?;
    }
    Ok(())
}

fn print_totals(report: &Probe, out: &mut Output) -> io::Result<()> {
    out.line("")?;
    for (name, took) in [("body", report.body), ("convert", report.convert), ("in all", Some(report.total))] {
        if let Some(took) = took {
            out.line(format!("{name:<12}{:>10}", milliseconds(took)))?;
        }
    }
    Ok(())
}

/// Change of a page, the reason if it is suspect, and the generation of Chatwoot's converter whose text is the most like
/// the stored one.
type FoundChange = (ContentChange, Option<QuarantineReason>, Option<Generation>);

/// Prints facts about the page, and the change that a sync would make. The comparison is the same as in a sync; where
/// Chatwoot's own text is written it was made before, and has `found`.
fn print_page(
    page: &Page,
    baseline: &ProbeBaseline<'_>,
    found: Option<FoundChange>,
    by_blocks: impl FnOnce() -> BlockComparison,
    out: &mut Output,
) -> io::Result<()> {
    let ProbeBaseline { stored, text, .. } = *baseline;
    let characters = page.content.chars().count();
    let cut = page.truncation.map(|cut| format!(", {cut}")).unwrap_or_default();
    out.line(format!("title       {}", page.title.as_deref().unwrap_or("none")))?;
    out.line(format!("extracted   {characters} characters of {} bytes{cut}", page.bytes))?;
    out.line(format!("fingerprint {}", page.fingerprint.as_str()))?;
    if page.representation == Representation::Markdown {
        out.line("source      the server's Markdown")?;
    }
    if let Some(note) = &page.note {
        out.line(format!("note        {note}"))?;
    }
    let (mut change, mut reason, generation) = found.unwrap_or_else(|| {
        let (change, reason) = stored.compare(page);
        (change, reason, None)
    });
    if stored.may_be_same_by_blocks(page, change) {
        change = stored.change_by_blocks(page, change, by_blocks(), baseline.host.keeps_texts);
        reason = reason.filter(|_| change != ContentChange::Same);
    }
    if let Some(reason) = reason {
        out.line(format!("doubt       this text {reason}"))?;
    }
    out.line(match (change, reason) {
        (ContentChange::Same | ContentChange::NotModified | ContentChange::Identical | ContentChange::Gone, _) => {
            "A sync would change nothing."
        }
        (ContentChange::First, None) => "A sync would store this text as the first content:",
        (ContentChange::First, Some(_)) => "Despite the doubt, a sync would store this text as the first content:",
        (ContentChange::Changed, _) => "A sync would change the stored text:",
        (ContentChange::Reconverted, _) => {
            "A sync would store this text without reporting a change (the converter, the site rules, the source or the \
              host's template changed):"
        }
        (ContentChange::Quarantined, Some(QuarantineReason::Rejected)) => {
            "A sync would keep the stored text. The rejected changes:"
        }
        (ContentChange::Quarantined, _) if stored.chars.is_none() => {
            "A sync would store nothing: the document would fail as access_denied, and this text would need review:"
        }
        (ContentChange::Quarantined, _) => {
            "The text would need review, and the stored one would stay. What it would change:"
        }
    })?;
    if !change.writes() && change != ContentChange::Quarantined {
        return Ok(());
    }
    out.line("")?;
    let theirs = page.chatwoot.as_ref().and_then(|texts| texts.to_write(baseline.host.generation(generation)));
    difference::print(text, theirs.map_or(&page.content, |theirs| &theirs.content), out)
}

/// Compares the page with the stored text where Chatwoot's own text is written. `is_otherwise` is true if that text is
/// known to have been fetched in another way.
fn compare_with_chatwoots(baseline: &ProbeBaseline<'_>, page: &Page, is_otherwise: bool) -> FoundChange {
    let ProbeBaseline { stored, text, .. } = *baseline;
    if stored.chars.is_none() {
        return (ContentChange::First, None, None);
    }
    match text_comparison::compare(stored, page, Some(text)) {
        TextComparison::Same(_) | TextComparison::NeedsText => (ContentChange::Same, None, None),
        TextComparison::Changed(difference) if difference.fetched_otherwise || is_otherwise => {
            (ContentChange::Quarantined, Some(QuarantineReason::FetchedOtherwise), difference.nearest)
        }
        TextComparison::Changed(difference) if difference.by_another_version => {
            (ContentChange::Reconverted, None, difference.nearest)
        }
        TextComparison::Changed(difference) => (ContentChange::Changed, None, difference.nearest),
    }
}

/// Returns a sentence about the retries that would follow this failure in a sync.
fn describe_retry(failure: &Failure, policy: &RetryPolicy) -> String {
    let attempts = policy.attempts(failure.class);
    match failure.class {
        FailureClass::Permanent => "A sync would fail and not be retried automatically.".to_owned(),
        FailureClass::Transient | FailureClass::Unexpected => {
            match policy.wait(failure.class, 1, failure.retry_after) {
                Some(wait) => {
                    let wait = duration::exact(Duration::from_secs(wait.as_secs()));
                    format!("A sync would be retried in {wait}, {attempts} attempts in all.")
                }
                None => "A sync would fail and not be retried automatically.".to_owned(),
            }
        }
    }
}

fn milliseconds(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1_000.0)
}
