//! The interface of a fetcher to the router.

use crate::domain::content::Validators;
use crate::domain::failure::Failure;
use crate::fetch::ask::Answer;
use crate::fetch::content_rules::ContentRules;
use async_trait::async_trait;
use std::sync::Arc;
use url::Url;

/// Request for a page whose URL has passed the guard.
#[derive(Clone, Copy, Debug)]
pub(in crate::fetch) struct PageRequest<'a> {
    /// The page.
    pub url: &'a Url,
    /// The `ETag` and `Last-Modified` of the stored text: the server may answer that nothing has changed. `None` asks for
    /// the whole page.
    pub validators: Option<&'a Validators>,
    /// The rules of its site on what counts as content.
    pub rules: &'a Arc<ContentRules>,
}

/// A way to get a page.
#[async_trait]
pub(in crate::fetch) trait PageFetcher: Send + Sync {
    /// Fetches a page and turns it into text. Dropping the future ends the request; a conversion that has begun ends by its
    /// own deadline.
    async fn fetch(&self, request: PageRequest<'_>) -> Result<Answer, Failure>;

    /// Returns true if another fetcher may succeed after this failure.
    fn may_fall_back(&self, failure: &Failure) -> bool;

    /// Returns the part of the stored converter's version that tells this fetcher's texts from those of the others. A change
    /// of it has every page read anew.
    fn version(&self) -> &'static str;
}
