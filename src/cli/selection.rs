//! Selection of documents: by ID, by URL, by filter, or all.

use super::exit::CliError;
use super::output::shortened;
use crate::domain::document::DocumentRow;
use crate::domain::filter::{Filter, Subject};
use crate::domain::id::DocumentId;
use crate::domain::job::QueueClass;
use crate::domain::link::Link;
use crate::domain::pause::PauseScope;
use crate::domain::request::RequestScope;
use crate::store::{DocumentRef, Queries, Targets};
use std::collections::HashSet;

/// Arguments that select documents; exactly one of the three ways.
#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct Selection {
    /// Documents by ID or URL
    #[arg(value_name = "ID|URL")]
    pub documents: Vec<String>,
    /// All documents that match this filter
    #[arg(long, allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// All documents
    #[arg(long)]
    pub all: bool,
}

/// Documents that the arguments select.
#[derive(Clone, Debug)]
pub enum Selected {
    /// Documents that were named, in that order, without duplicates.
    Rows(Vec<DocumentRow>),
    /// All documents that match the filter; for `--all`, a filter without terms.
    Matching(Filter),
    /// The documents that are due by their plans.
    Due(Vec<DocumentId>),
}

impl Selected {
    /// Returns the scope to record in a request: documents that were named one by one, or documents that a filter or
    /// `--all` selected.
    pub fn scope(&self) -> RequestScope {
        match self {
            Self::Rows(_) => RequestScope::Named,
            Self::Matching(_) | Self::Due(_) => RequestScope::Bulk,
        }
    }

    /// Returns true if a pause of `scope` may stop a job of `class` of one of the documents. The documents of a filter
    /// are not known here, so for a filter only a pause of another class returns false.
    pub fn may_be_paused(&self, scope: &PauseScope, class: QueueClass) -> bool {
        match (self, scope) {
            (Self::Rows(rows), _) => rows.iter().any(|row| scope.covers(row.account_id, &row.host, Some(class))),
            (Self::Matching(_) | Self::Due(_), PauseScope::Class(of)) => *of == class,
            (Self::Matching(_) | Self::Due(_), _) => true,
        }
    }

    /// Returns the documents in the form that the store's preview takes.
    pub fn targets(&self) -> Targets {
        match self {
            Self::Rows(rows) => Targets::Ids(rows.iter().map(|row| row.id).collect()),
            Self::Matching(filter) => Targets::Matching(filter.clone()),
            Self::Due(ids) => Targets::Ids(ids.clone()),
        }
    }
}

/// Parses a filter for `subject`; the error has the filter's text, in which it marks the mistake.
pub fn read_filter(text: &str, subject: Subject) -> Result<Filter, CliError> {
    Filter::parse_for(text, subject).map_err(|error| CliError::Filter { error, text: text.to_owned() })
}

/// Parses an argument that names a document: digits are an ID, and anything else must be a URL.
pub fn read_name(text: &str) -> Result<DocumentRef, CliError> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let id = text.parse().map_err(|_| CliError::Usage(format!("{text}: no document has this ID")))?;
        return Ok(DocumentRef::Id(DocumentId(id)));
    }
    match Link::parse(text) {
        Ok(link) => Ok(DocumentRef::Url(link)),
        Err(error) if text.contains("://") => Err(CliError::Usage(format!("{}: {error}", shortened(text)))),
        Err(_) => Err(CliError::Usage(format!("{text}: is neither a document's ID nor a URL"))),
    }
}

/// Finds the documents that `names` (IDs or URLs) name. Fails if there is no document for a name, so that a verb acts
/// on all named documents or on none.
pub(super) async fn find(store: &dyn Queries, names: &[String]) -> Result<Vec<DocumentRow>, CliError> {
    find_or_offer(store, names, false).await
}

/// Does the same as [`find`]. If `offers_add`, the error about an unknown URL names the verb that adds it.
async fn find_or_offer(store: &dyn Queries, names: &[String], offers_add: bool) -> Result<Vec<DocumentRow>, CliError> {
    let (mut rows, mut wrong, mut selected) = (Vec::new(), Vec::new(), HashSet::new());
    for name in names {
        let named = match read_name(name) {
            Ok(named) => named,
            Err(error) => {
                wrong.push(error.to_string());
                continue;
            }
        };
        let found = store.find(&named).await?;
        if found.is_empty() {
            let offer = match named {
                DocumentRef::Url(_) if offers_add => "; `quarterdeck add --sync URL` adds the page and syncs it",
                _ => "",
            };
            wrong.push(format!("{name}: no such document{offer}"));
        }
        rows.extend(found.into_iter().filter(|row| selected.insert(row.id)));
    }
    if wrong.is_empty() { Ok(rows) } else { Err(CliError::Usage(wrong.join("\n"))) }
}

/// Checks the arguments that select documents before a store is opened, and returns the parsed filter; `None` without a
/// filter. Fails for an invalid name or filter, and for a filter without terms.
pub(super) fn check(documents: &[String], filter: Option<&str>) -> Result<Option<Filter>, CliError> {
    for name in documents {
        read_name(name)?;
    }
    let Some(text) = filter else {
        return Ok(None);
    };
    let filter = read_filter(text, Subject::Documents)?;
    // An empty variable in a script must not select every document.
    if filter.terms.is_empty() {
        return Err(CliError::Usage("an empty filter matches every document; use --all if the verb has it".to_owned()));
    }
    Ok(Some(filter))
}

impl Selection {
    /// Finds the selected documents. `filter` is the result of [`check`] for these arguments. If `offers_add`, the error
    /// about an unknown URL names the verb that adds it.
    pub(super) async fn resolve(
        &self,
        store: &dyn Queries,
        filter: Option<Filter>,
        offers_add: bool,
    ) -> Result<Selected, CliError> {
        match filter {
            Some(filter) => Ok(Selected::Matching(filter)),
            None if self.all => Ok(Selected::Matching(Filter::default())),
            None => Ok(Selected::Rows(find_or_offer(store, &self.documents, offers_add).await?)),
        }
    }
}
