//! Reads a whole listing: its file, and the sitemaps that an index names.

use super::ListingEntry;
use super::download::{Download, host};
use crate::domain::failure::Failure;
use crate::domain::listing::{ListedPage, ListingKind};
use crate::domain::mask::shortened;
use crate::fetch::client::HttpClient;
use crate::fetch::errors::refused;
use reqwest::header::HeaderMap;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use url::Url;

/// Maximum depth of indexes within indexes. The protocol allows none.
const MAX_DEPTH: usize = 3;

/// Limits of the reading of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListingLimits {
    /// Maximum number of files.
    pub max_files: usize,
    /// Hosts beside that of the listing from which its files may come.
    pub hosts: Vec<String>,
}

impl Default for ListingLimits {
    fn default() -> Self {
        Self { max_files: 1_000, hosts: Vec::new() }
    }
}

/// What a listing was, once it has been read whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListingSummary {
    /// Kind of its first file.
    pub kind: ListingKind,
    /// True if it has every page of its site.
    pub is_whole: bool,
    pub files: u64,
}

/// Part of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListingBatch {
    pub pages: Vec<ListedPage>,
    /// Entries that cannot be read, each with its file and line.
    pub unreadable: Vec<String>,
}

/// A file that is still to be read, and those that led to it.
struct Pending {
    url: Url,
    parents: Vec<Url>,
}

/// Reads a listing in parts, so that it need not fit into memory.
pub struct ListingReader {
    client: Arc<HttpClient>,
    credentials: HeaderMap,
    limits: ListingLimits,
    pending: VecDeque<Pending>,
    known: HashSet<Url>,
    current: Option<(Download, Pending)>,
    kinds: Vec<ListingKind>,
    /// Number of files of indexes.
    files: u64,
}

impl ListingReader {
    pub(in crate::fetch) fn new(
        client: Arc<HttpClient>,
        url: Url,
        credentials: HeaderMap,
        mut limits: ListingLimits,
    ) -> Self {
        limits.hosts.push(host(&url));
        let known = HashSet::from([url.clone()]);
        let pending = VecDeque::from([Pending { url, parents: Vec::new() }]);
        Self { client, credentials, limits, pending, known, current: None, kinds: Vec::new(), files: 0 }
    }

    /// Returns the next part; `None` when the listing has been read whole.
    ///
    /// # Errors
    /// A file of it could not be read whole. Nothing that it lacks is known to be gone then.
    pub async fn next(&mut self) -> Result<Option<ListingBatch>, Failure> {
        loop {
            let Some((download, _)) = &mut self.current else {
                if !self.begin_file().await? {
                    return Ok(None);
                }
                continue;
            };
            if let Some(entries) = download.next().await {
                return self.sorted(entries).map(Some);
            }
            self.end_file().await?;
        }
    }

    /// Returns what was read, once [`next`](Self::next) has returned `None`.
    pub fn summary(&self) -> Option<ListingSummary> {
        let kind = *self.kinds.first()?;
        let is_whole = self.kinds.iter().all(|kind| kind.is_whole());
        Some(ListingSummary { kind, is_whole, files: self.files })
    }

    /// Requests the next file. Returns false if there is none.
    async fn begin_file(&mut self) -> Result<bool, Failure> {
        let Some(pending) = self.pending.pop_front() else { return Ok(false) };
        let hosts = &self.limits.hosts;
        let allows = |url: &Url| match hosts.contains(&host(url)) {
            true => Ok(()),
            false => Err(format!("redirects to another host, {}", shortened(&host(url)))),
        };
        let is_own = self.known.len() == 1
            || pending.parents.first().is_some_and(|first| first.origin() == pending.url.origin());
        let none = HeaderMap::new();
        let credentials = if is_own { &self.credentials } else { &none };
        let download = Download::begin(&self.client, pending.url.clone(), credentials, allows).await;
        let download = download.map_err(|failure| named(failure, &pending))?;
        self.files += 1;
        self.current = Some((download, pending));
        Ok(true)
    }

    async fn end_file(&mut self) -> Result<(), Failure> {
        let Some((download, pending)) = self.current.take() else { return Ok(()) };
        let kind = download.end().await.map_err(|failure| named(failure, &pending))?;
        if kind == ListingKind::Index && !self.pending.iter().any(|other| other.parents.contains(&pending.url)) {
            let names_known = self.known.len() > 1;
            if !names_known {
                return Err(named(refused("is a sitemap index without sitemaps"), &pending));
            }
        }
        self.kinds.push(kind);
        Ok(())
    }

    /// Sorts entries of the current file: sitemaps are read later.
    fn sorted(&mut self, entries: Vec<ListingEntry>) -> Result<ListingBatch, Failure> {
        let mut batch = ListingBatch::default();
        let Some((download, pending)) = &self.current else { return Ok(batch) };
        let file = shortened(download.url.as_str());
        let mut sitemaps = Vec::new();
        for entry in entries {
            match entry {
                ListingEntry::Page { page, .. } => batch.pages.push(page),
                ListingEntry::Unreadable { line, reason } => batch.unreadable.push(format!("{file}:{line}: {reason}")),
                ListingEntry::Sitemap(url) => sitemaps.push(url),
                ListingEntry::Cut { line, reason } => {
                    return Err(named(refused(format!("line {line}: {reason}")), pending));
                }
            }
        }
        let mut parents = pending.parents.clone();
        parents.push(pending.url.clone());
        for text in sitemaps {
            let wrong = |why: &str| refused(format!("names the sitemap {}, {why}", shortened(&text)));
            let mut url = Url::parse(&text).map_err(|_| wrong("which is not a URL"))?;
            url.set_fragment(None);
            if !self.limits.hosts.contains(&host(&url)) {
                return Err(wrong("which is on another host"));
            }
            if parents.contains(&url) {
                return Err(wrong("which led to it: a loop"));
            }
            if parents.len() > MAX_DEPTH {
                return Err(wrong(&format!("an index more than {MAX_DEPTH} levels deep")));
            }
            if self.known.insert(url.clone()) {
                if self.known.len() > self.limits.max_files {
                    return Err(refused(format!("names more than {} sitemaps", self.limits.max_files)));
                }
                self.pending.push_back(Pending { url, parents: parents.clone() });
            }
        }
        Ok(batch)
    }
}

/// Adds the name of a file that an index names to a failure.
fn named(mut failure: Failure, file: &Pending) -> Failure {
    if !file.parents.is_empty() {
        failure.detail = format!("{}: {}", shortened(file.url.as_str()), failure.detail).as_str().into();
    }
    failure
}
