//! Fetching: one page in, its title and Markdown out, or a failure in plain words. The only module that opens connections to
//! pages.
//!
//! `ask` is the request and the answer, `settings` what a fetch may cost and where it may go. `fetcher` routes a document to
//! one of the `fetchers` and to its fallback. They share `client` (single HTTP requests, refused by the `guard` when they
//! lead to addresses that are not public: `address`, its exceptions in `allowed`, name look-ups in `lookup`), `memory` and
//! `robots`. `errors` says what went wrong in plain words, `roots` whether https can be checked, `probe` watches one fetch.
//!
//! `pipeline` turns an answer into a page, step by step: `head`, the body, `charset`, then on a thread of `conversion_pool`
//! `convert`: `html` parses, `main_content` chooses under the `content_rules` of the site, `markdown` writes, all within
//! `budget`.

mod address;
mod allowed;
mod ask;
mod budget;
mod charset;
mod client;
mod content_rules;
mod conversion_pool;
mod convert;
mod dom;
mod errors;
mod fetcher;
mod fetchers;
#[cfg(test)]
pub(crate) mod fuzz;
mod guard;
mod head;
mod html;
mod lookup;
mod main_content;
mod markdown;
mod memory;
mod pipeline;
mod probe;
mod robots;
mod roots;
mod settings;
mod trace;

pub use allowed::{AllowedHost, AllowedHostError};
pub use ask::{Answer, Ask};
pub use budget::{ConvertError, MAX_MARKDOWN, TIME_LIMIT};
pub use client::FetchSetupError;
pub use content_rules::{CONVERTER, check_site};
pub use convert::{Converted, convert, convert_body};
pub use fetcher::Fetcher;
pub use guard::Refusal;
pub use lookup::{Addresses, Lookup, LookupError, NameServers, SystemLookup};
pub use probe::{Hop, Probe, probe};
pub use roots::roots;
pub use settings::{DENIED_PORTS, FetchSettings, FirecrawlSettings};
