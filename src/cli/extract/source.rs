//! Source of the page of `extract`: a URL, a document of the store, a file or standard input.

use super::{Args, NO_DOCUMENT};
use crate::cli::context::Context;
use crate::cli::crawling::followed;
use crate::cli::exit::CliError;
use crate::cli::output::{masked, note};
use crate::cli::probe::HostFacts;
use crate::cli::selection::{find, read_name};
use crate::config::Config;
use crate::domain::id::DocumentId;
use crate::domain::link::Link;
use crate::domain::site_rule::SiteRule;
use crate::store::{DocumentRef, Store, StoreError};
use std::fs::File;
use std::io::{self, Read};
use url::Url;

/// Source of a page.
pub(super) enum PageSource {
    Remote(Remote),
    Local(Local),
}

/// Page that is fetched.
pub(super) struct Remote {
    pub url: String,
    /// The document with this URL; `None` without a store that has one.
    pub document: Option<DocumentId>,
    /// URL of the store that was opened, without its password.
    pub store: Option<String>,
    pub facts: HostFacts,
    /// Settings by which it is fetched: those of the process, and on a Chatwoot database its way of fetching pages.
    pub config: Box<Config>,
    /// Text of the document that is stored now.
    pub stored: Option<String>,
}

/// Facts that a store has about a page.
struct Known {
    facts: HostFacts,
    config: Box<Config>,
    stored: Option<String>,
}

impl Known {
    async fn read(
        context: &Context,
        store: &dyn Store,
        url: &str,
        document: Option<DocumentId>,
    ) -> Result<Self, StoreError> {
        let facts = HostFacts::read(store, url).await?;
        let stored = match document.filter(|_| facts.is_chatwoots()) {
            Some(id) => store.content(id).await?.map(|content| content.text),
            None => None,
        };
        Ok(Self { facts, config: Box::new(followed(&context.config, store).await?), stored })
    }
}

/// Page that was read from a file or standard input.
pub(super) struct Local {
    /// At most one byte more than a body may have.
    pub body: Vec<u8>,
    pub url: Option<Url>,
    /// Facts about the host of `url`.
    pub facts: HostFacts,
}

impl PageSource {
    /// Finds the page that the arguments name, and reads it unless it is to be fetched. A store is needed for an ID only;
    /// for a URL it says which document has it.
    ///
    /// # Errors
    /// There is no such document or file, or the store that has the document does not open.
    pub async fn resolve(context: &Context, args: &Args) -> Result<Self, CliError> {
        if is_name(&args.page) {
            if args.url.is_some() {
                return Err(CliError::Usage("--url is the URL of a page in a FILE or on standard input".to_owned()));
            }
            return Ok(Self::Remote(match read_name(&args.page)? {
                DocumentRef::Id(_) => document(context, args).await?,
                DocumentRef::Url(link) => page(context, args, link).await,
            }));
        }
        let url = args.url.as_deref().map(page_url).transpose()?;
        let body = read(&args.page, context.config.fetch.max_body)?;
        let facts = match &url {
            Some(url) => facts_of(context, args, url).await,
            None => HostFacts::NONE,
        };
        Ok(Self::Local(Local { body, url, facts }))
    }

    /// Returns the page's URL.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Remote(remote) => Some(&remote.url),
            Self::Local(local) => local.url.as_ref().map(Url::as_str),
        }
    }
}

/// Returns true for an ID or a URL; everything else is a file.
fn is_name(page: &str) -> bool {
    (!page.is_empty() && page.bytes().all(|byte| byte.is_ascii_digit())) || page.contains("://")
}

/// Finds the document whose ID the arguments name.
async fn document(context: &Context, args: &Args) -> Result<Remote, CliError> {
    let store = context.readable_store().await?;
    let found = async {
        let row = find(&*store, std::slice::from_ref(&args.page)).await?.swap_remove(0);
        let known = Known::read(context, &*store, row.url.as_str(), Some(row.id)).await?;
        Ok::<_, CliError>((row, known))
    };
    let found = found.await;
    store.close().await;
    let (row, Known { facts, config, stored }) = found?;
    let opened = masked(&context.config.store.url);
    let template = described(&facts, &args.rule(&config, row.id, row.url.as_str()));
    note(format!("store {opened}: document {} is fetched anew from {}{template}; nothing is stored", row.id, row.url));
    Ok(Remote { url: row.url.to_string(), document: Some(row.id), store: Some(opened), facts, config, stored })
}

/// Finds the document with a URL, if a store opens and has one.
async fn page(context: &Context, args: &Args, link: Link) -> Remote {
    let url = link.as_str().to_owned();
    let opened = masked(&context.config.store.url);
    let found = match context.readable_store().await {
        Ok(store) => {
            let found = async {
                let rows = store.find(&DocumentRef::Url(link)).await?;
                let document = rows.first().map(|row| row.id);
                Ok((document, Known::read(context, &*store, &url, document).await?))
            };
            let found = found.await;
            store.close().await;
            found.map_err(CliError::Store)
        }
        Err(error) => Err(error),
    };
    match found {
        Ok((document, Known { facts, config, stored })) => {
            let has =
                document.map_or("has no document with this URL".to_owned(), |id| format!("this is document {id}"));
            let rule = args.rule(&config, document.unwrap_or(NO_DOCUMENT), &url);
            note(format!("store {opened}: {has}{}; nothing is stored", described(&facts, &rule)));
            Remote { url, document, store: Some(opened), facts, config, stored }
        }
        Err(error) => {
            note(format!("no store is used: {error}"));
            let (facts, config) = (HostFacts::NONE, Box::new(context.config.clone()));
            Remote { url, document: None, store: None, facts, config, stored: None }
        }
    }
}

/// Returns what the store knows of the host of a page from a file, if a store opens.
async fn facts_of(context: &Context, args: &Args, url: &Url) -> HostFacts {
    let read = async {
        let store = context.readable_store().await?;
        let facts = HostFacts::read(&*store, url.as_str()).await;
        store.close().await;
        facts.map_err(CliError::Store)
    };
    match read.await {
        Ok(facts) => {
            let opened = masked(&context.config.store.url);
            let template = described(&facts, &args.rule(&context.config, NO_DOCUMENT, url.as_str()));
            note(format!("store {opened}: is read{template}; nothing is stored"));
            facts
        }
        Err(error) => {
            note(format!("no store is used: {error}"));
            HostFacts::NONE
        }
    }
}

/// Returns the part of a note that says whether a template is used: not where the rule of the page names the content.
fn described(facts: &HostFacts, rule: &SiteRule) -> &'static str {
    match facts.text_template() {
        Some(_) if !rule.names_content() => ", with the template of its host",
        _ => "",
    }
}

fn page_url(text: &str) -> Result<Url, CliError> {
    let wrong = |error: String| CliError::Usage(format!("--url {text}: {error}"));
    let link = Link::parse(text).map_err(|error| wrong(error.to_string()))?;
    Url::parse(link.as_str()).map_err(|error| wrong(error.to_string()))
}

/// Reads a file or standard input, at most one byte more than `most`.
fn read(page: &str, most: u64) -> Result<Vec<u8>, CliError> {
    let is_stdin = page == "-";
    let name = if is_stdin { "stdin" } else { page };
    let read = || -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        let limit = most.saturating_add(1);
        if is_stdin {
            io::stdin().lock().take(limit).read_to_end(&mut body)?;
        } else {
            File::open(page)?.take(limit).read_to_end(&mut body)?;
        }
        Ok(body)
    };
    read().map_err(|error| {
        let hint = if page.contains('.') && !page.contains('/') && error.kind() == io::ErrorKind::NotFound {
            "; a URL begins with https://"
        } else {
            ""
        };
        CliError::Usage(format!("cannot read {name}: {error}{hint}"))
    })
}
