//! Compares the Markdown of whole pages of many kinds with stored texts. `QUARTERDECK_BLESS=1` rewrites the texts:
//! review the changes, and raise `fetch::CONVERTER_VERSION` with them.

use quarterdeck::fetch::convert;
use std::fs;
use std::path::{Path, PathBuf};
use url::Url;

pub fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fetch/golden");
    let all = fs::read_dir(folder).expect("the pages are there").map(|entry| entry.expect("an entry").path());
    let mut pages: Vec<_> = all.filter(|path| path.extension().is_some_and(|end| end == "html")).collect();
    pages.sort();
    pages
}

#[test]
fn every_page_gives_its_text() {
    let bless = std::env::var_os("QUARTERDECK_BLESS").is_some();
    let base = Url::parse("https://docs.example.org/guide/page.html").expect("a URL");
    let mut wrong = Vec::new();
    let pages = pages();
    assert!(pages.len() >= 40, "{} pages", pages.len());
    for path in pages {
        let html = fs::read_to_string(&path).expect("a page");
        let converted = convert(&html, &base).expect("a small page");
        let text = format!("title: {}\n---\n{}", converted.title.as_deref().unwrap_or("-"), converted.markdown);
        let golden = path.with_extension("md");
        if bless {
            fs::write(&golden, &text).expect("the text can be written");
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if text != expected {
            wrong.push(format!("{}:\n{text}\ninstead of\n{expected}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
