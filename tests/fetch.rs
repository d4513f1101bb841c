//! Tests the module `fetch` against real servers on loopback, and its converter on good and hostile pages.

mod address;
mod charset;
mod chatwoot_text;
mod client;
mod credentials;
mod encoding;
mod firecrawl;
mod golden;
mod hostile;
mod identical;
mod listing;
mod login;
mod main_content;
mod markdown;
mod probe;
mod property;
mod quality;
mod redirect;
mod robots;
mod sites;
mod storm;
mod trap;

use crate::support::limit::PATIENCE;
use crate::support::pages::Pages;
use quarterdeck::domain::content::Page;
use quarterdeck::domain::failure::{ErrorCode, Failure, FailureClass};
use quarterdeck::domain::id::DocumentId;
use quarterdeck::fetch::{FetchRequest, FetchSettings, Fetcher};

/// The default settings with time-outs as long as a test's limit. Tests of a time-out set their own, on a paused clock.
fn patient() -> FetchSettings {
    FetchSettings {
        connect_timeout: PATIENCE,
        read_timeout: PATIENCE,
        total_timeout: PATIENCE,
        ..FetchSettings::default()
    }
}

/// [`patient`] settings that allow this private server and no other.
fn limits(pages: &Pages) -> FetchSettings {
    let allowed = pages.address.to_string().parse().expect("an address with a port");
    FetchSettings { allow_private_hosts: vec![allowed], ..patient() }
}

fn fetcher(limits: FetchSettings) -> Fetcher {
    Fetcher::new(limits).expect("a client can be set up")
}

/// Fetches the whole page at a URL, as for a document that was never synced.
trait Get {
    async fn get(&self, url: &str) -> Result<Page, Failure>;
}

impl Get for Fetcher {
    async fn get(&self, url: &str) -> Result<Page, Failure> {
        let answer = self.fetch(&FetchRequest::whole(DocumentId(1), url)).await?;
        Ok(answer.page().expect("nothing but a page was asked for"))
    }
}

async fn fetch(pages: &Pages, path: &str) -> Result<Page, Failure> {
    fetcher(limits(pages)).get(&pages.url(path)).await
}

#[track_caller]
fn assert_failure(failure: Result<Page, Failure>, class: FailureClass, code: ErrorCode, detail: &str) {
    let failure = failure.expect_err("the fetch fails");
    assert_eq!((failure.class, failure.code, failure.detail.as_str()), (class, code, detail));
}
