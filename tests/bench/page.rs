//! The page that the benchmarks fetch.

use std::fmt::Write as _;

/// The size of a typical documentation page (the median of a corpus of 3,350).
pub const PAGE_BYTES: usize = 13_000;

/// Returns a page with this name in its title and heading.
pub fn page(name: &str) -> String {
    let mut html = format!("<html><head><title>Page {name}</title></head><body><nav>menu</nav><main><h1>{name}</h1>");
    while html.len() < PAGE_BYTES {
        let _ = write!(
            html,
            "<h2>Section {}</h2><p>Some <b>plain</b> words with a <a href=\"/x\">link</a> and <code>code</code>.</p>\
             <ul><li>one</li><li>two <ul><li>three</li></ul></li></ul><table><tr><th>a</th><td>b</td></tr></table>",
            html.len()
        );
    }
    html + "</main></body></html>"
}
