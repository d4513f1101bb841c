//! Reads a listing by its URL for an import.

use super::lines::{Fields, ImportedDocument};
use super::sorted::Sorter;
use super::{Args, Collected, unsortable};
use crate::cli::context::Context;
use crate::cli::exit::CliError;
use crate::cli::output::{problem, shortened};
use crate::cli::progress::ProgressLine;
use crate::cli::source::patterns;
use crate::cli::wiring;
use crate::domain::failure::{Failure, FailureClass};
use crate::domain::source::SourceSettings;
use crate::fetch::ListingLimits;

/// Fetches a listing with the files that it names, and returns its pages. Nothing is imported of one that cannot be read
/// whole.
pub(super) async fn collect(context: &Context, url: &str, args: &Args) -> Result<Collected, CliError> {
    if args.format.is_some() {
        return Err(CliError::Usage("--format is for files; what a URL answers is recognised".to_owned()));
    }
    let include = patterns("match", &args.include).map_err(CliError::Usage)?;
    let settings = SourceSettings { include, ..SourceSettings::default() };
    let failed = |failure: Failure| {
        let message = format!("{}: {}; nothing was imported", shortened(url), failure.detail);
        match failure.class {
            FailureClass::Permanent => CliError::Usage(message),
            FailureClass::Transient | FailureClass::Unexpected => CliError::Listing(message),
        }
    };
    let fetcher = wiring::fetcher(&context.config)?;
    let mut reader = fetcher.read_listing(url, ListingLimits::default()).map_err(failed)?;
    let owner = (args.owner.account(), args.owner.assistant());
    let mut collected = Collected { sorter: Sorter::default(), documents: 0, unreadable: 0 };
    let mut progress = ProgressLine::start("documents read", None);
    while let Some(batch) = reader.next().await.map_err(failed)? {
        for page in batch.pages {
            progress.advance(1);
            match Fields::url_only(page.url).into_document(owner) {
                Ok(document) if !settings.selects(document.link.as_str()) => {}
                Ok(document) => {
                    collected.documents += 1;
                    let document = ImportedDocument { document, modified: page.modified };
                    collected.sorter.push(document).map_err(unsortable)?;
                }
                Err(reason) => {
                    collected.unreadable += 1;
                    problem(format!("{}: {reason}", shortened(url)));
                }
            }
        }
        for unreadable in batch.unreadable {
            collected.unreadable += 1;
            problem(unreadable);
        }
    }
    if let Some(summary) = reader.summary() {
        settings.check_kind(summary.kind).map_err(|why| CliError::Usage(format!("{}: {why}", shortened(url))))?;
    }
    if collected.documents == 0 {
        return Err(CliError::Usage(format!("{}: lists no page that can be imported", shortened(url))));
    }
    Ok(collected)
}
