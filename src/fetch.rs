//! Fetching of pages: takes a URL and returns the page's title and Markdown, or a failure in plain words. The only
//! module that opens connections to pages.
//!
//! `request` has the request and the response, `settings` the limits, addresses and rules. `fetcher` chooses one of the
//! `fetchers` for a document, and its fallback. The fetchers share `client` (single HTTP requests), `memory` and
//! `robots`. `guard` refuses addresses that are not public: `address` classifies them, `allowed` holds the exceptions,
//! `lookup` resolves names. `credentials` has the headers of site rules. `errors` describes failures, `roots` checks for
//! root certificates, `probe` measures and explains one fetch, `file` converts a page from a file, `listing` reads which
//! pages a site has.
//!
//! `pipeline` turns a response into a page in these steps: `head`, the body, `sniff`, `charset`, then on a thread of
//! `conversion_pool` `convert`: `html` parses, `main_content` chooses under the site's `content_rules`, `markdown`
//! writes, all within `budget`;
//! `stated_text` completes the text of a page that is a shell. `explain` says what was left out of a page, and why.

mod address;
mod allowed;
mod budget;
mod charset;
mod chatwoot_text;
mod client;
mod content_rules;
mod conversion_pool;
mod convert;
mod credentials;
mod dom;
mod encoding;
mod error_reports;
mod errors;
mod explain;
mod fetcher;
mod fetchers;
mod file;
#[cfg(test)]
pub(crate) mod fuzz;
mod guard;
mod head;
mod html;
mod listing;
mod login_form;
mod lookup;
mod main_content;
mod markdown;
mod memory;
mod observer;
mod paths;
mod pipeline;
mod probe;
mod request;
mod robots;
mod roots;
mod settings;
mod sniff;
mod stage_clock;
mod stated_text;
mod trace;
mod webhook;

pub use allowed::{AllowedHost, AllowedHostError};
pub use budget::{Budget, ConvertError, MAX_MARKDOWN, TIME_LIMIT};
pub use chatwoot_text::chatwoot_texts;
pub use client::FetchSetupError;
pub use content_rules::{CONVERTER_VERSION, check_site};
pub use convert::{Converted, convert, convert_body, convert_within};
pub use credentials::check_credentials;
pub use error_reports::SentryReports;
pub use explain::explain;
pub use fetcher::Fetcher;
pub use fetchers::may_be_refused_markdown;
pub use file::convert_file;
pub use guard::Refusal;
pub use listing::{
    ListingBatch, ListingEntry, ListingLimits, ListingReader, ListingSummary, PageLocation, is_likely_xml, parse_xml,
};
pub use lookup::{Addresses, Lookup, LookupError, NameServers, SystemLookup};
pub use probe::{Hop, Probe, probe};
pub use request::{FetchRequest, FetchResponse};
pub use roots::roots;
pub use settings::{DEFAULT_API_VERSION, DENIED_PORTS, FetchSettings, FirecrawlAccess, FirecrawlSettings};
pub use sniff::BinaryFormat;
pub use webhook::Webhook;
