//! The room that opens connections to pages: one page in, its title and Markdown out, or a failure in plain words.
//!
//! `ask` is what is asked and answered. `client` asks within `limits`, through the `guard` (`address`: what is public; `allowed`: the exceptions; `lookup`: from
//! names to addresses);
//! `sources` says what of a page counts; `errors` says what went wrong, `roots` whether https can be checked. `convert` turns bodies into text: `charset` decodes, `html` parses, `main_content` chooses, `markdown` writes.

mod address;
mod allowed;
mod ask;
mod body;
mod charset;
mod client;
mod convert;
mod errors;
mod firecrawl;
#[cfg(test)]
pub(crate) mod fuzz;
mod guard;
mod head;
mod html;
mod limits;
mod lookup;
mod main_content;
mod markdown;
mod memory;
mod probe;
mod robots;
mod roots;
mod sources;
mod trace;

pub use allowed::{AllowedHost, AllowedHostError};
pub use ask::{Answer, Ask};
pub use client::{FetchSetupError, Fetcher};
pub use firecrawl::Firecrawl;
pub use guard::{DENIED_PORTS, Refusal};
pub use html::{Budget, ConvertError, Converted, MAX_MARKDOWN, TIME_LIMIT, convert, convert_body, convert_within};
pub use limits::Limits;
pub use lookup::{Addresses, Lookup, LookupError, NameServers, SystemLookup};
pub use probe::{Hop, Probe, probe};
pub use roots::roots;
pub use sources::{CONVERTER, check_sources};
