//! How much of real pages comes back from their Markdown: it is rendered again and compared with the page, as whole bodies.
//!
//! `QUARTERDECK_CORPUS=DIR cargo test --release --test main -- quality --nocapture` measures the pages of a folder and prints the
//! table; without it the golden pages are measured.

use dom_query::{Document, NodeRef};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use quarterdeck::fetch::{convert, convert_body};
use std::collections::HashMap;
use std::path::PathBuf;
use url::Url;

/// What is counted, in the order of the table.
const COLUMNS: [&str; 7] = ["headings", "items", "links", "code blocks", "rows", "cells", "inline code"];
/// What the best line of the comparison of converters has: recall and precision of words, then the columns.
const WORDS: (f64, f64) = (0.992, 0.967);
const LEAST: [f64; 7] = [0.995, 0.995, 0.95, 0.995, 0.87, 0.99, 0.96];

#[derive(Default)]
struct Read {
    words: Vec<String>,
    word: String,
    counts: [usize; 7],
    tags: Vec<String>,
}

impl Read {
    fn text(&mut self, text: &str) {
        for c in text.chars() {
            if c.is_whitespace() { self.gap() } else { self.word.push(c) }
        }
    }

    fn gap(&mut self) {
        if !self.word.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
        }
    }
}

/// A heading's link to itself, or one without anything to see: nobody reads them.
fn is_sign(node: &NodeRef<'_>) -> bool {
    let is_link = node.has_name("a") && node.has_attr("href");
    is_link
        && matches!(node.text().trim(), "" | "¶" | "§" | "#" | "🔗")
        && !node.descendants().iter().any(|one| one.has_name("img"))
}

fn of_page(body: NodeRef<'_>) -> Read {
    let mut read = Read::default();
    let mut stack = vec![(body, false, false)];
    while let Some((node, pre, leaving)) = stack.pop() {
        if leaving {
            read.gap();
            continue;
        }
        if node.is_text() {
            read.text(&node.text());
            continue;
        }
        if is_sign(&node) {
            continue;
        }
        let name = node.node_name().unwrap_or_default().to_string();
        let dropped = "script style noscript template svg title head iframe object textarea select datalist";
        if node.is_element() && dropped.split(' ').any(|one| one == name) {
            continue;
        }
        let column = match &*name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" if !node.text().trim().is_empty() => Some(0),
            "li" => Some(1),
            "a" if node.has_attr("href") && !is_sign(&node) => Some(2),
            "pre" => Some(3),
            "tr" => Some(4),
            "td" | "th" => Some(5),
            "code" if !pre => Some(6),
            _ => None,
        };
        if let Some(column) = column {
            read.counts[column] += 1;
        }
        let inline = "a abbr b bdi bdo big cite code data del dfn em font i ins kbd mark q s samp small span strike strong sub sup \
                      time tt u var";
        if !inline.split(' ').any(|one| one == name) {
            read.gap();
            stack.push((node, pre, true));
        }
        let pre = pre || name == "pre";
        let mut child = node.last_child();
        while let Some(next) = child {
            stack.push((next, pre, false));
            child = next.prev_sibling();
        }
    }
    read.gap();
    read
}

fn of_markdown(markdown: &str) -> Read {
    let mut read = Read::default();
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(tag) => {
                let column = match tag {
                    Tag::Heading { .. } => Some(0),
                    Tag::Item => Some(1),
                    Tag::Link { .. } => Some(2),
                    Tag::CodeBlock(_) => Some(3),
                    Tag::TableHead | Tag::TableRow => Some(4),
                    Tag::TableCell => Some(5),
                    _ => None,
                };
                if let Some(column) = column {
                    read.counts[column] += 1;
                }
            }
            Event::End(TagEnd::Link | TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough) => {}
            Event::End(_) | Event::SoftBreak | Event::HardBreak | Event::Rule => read.gap(),
            Event::Text(text) => read.text(&text),
            Event::Code(text) => {
                read.counts[6] += 1;
                read.text(&text);
            }
            Event::Html(tag) | Event::InlineHtml(tag) => {
                read.gap();
                if tag.trim() != "<br>" {
                    read.tags.push(tag.to_string());
                }
            }
            _ => {}
        }
    }
    read.gap();
    read
}

fn common(a: &[String], b: &[String]) -> usize {
    let mut left: HashMap<&str, usize> = HashMap::new();
    for word in a {
        *left.entry(word).or_default() += 1;
    }
    let mut take = |word: &String| match left.get_mut(word.as_str()) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    };
    b.iter().filter(|word| take(word)).count()
}

/// Where the words of one page begin to differ: for who mends the writer.
fn show(page: &[String], text: &[String]) {
    let mut counts: HashMap<&str, i64> = HashMap::new();
    page.iter().for_each(|word| *counts.entry(word).or_default() += 1);
    text.iter().for_each(|word| *counts.entry(word).or_default() -= 1);
    let mut counts: Vec<_> = counts.into_iter().filter(|(_, count)| *count != 0).collect();
    counts.sort_by_key(|(word, count)| (-count.abs(), *word));
    println!("lost and added: {:?}", counts.iter().take(60).collect::<Vec<_>>());
}

fn files() -> (Vec<PathBuf>, bool) {
    let Some(folder) = std::env::var_os("QUARTERDECK_CORPUS") else { return (super::golden::pages(), false) };
    let all = std::fs::read_dir(folder).expect("the corpus is there").map(|entry| entry.expect("an entry").path());
    let mut all: Vec<_> = all.filter(|path| path.extension().is_some_and(|end| end == "html")).collect();
    all.sort();
    (all, true)
}

#[test]
fn what_is_written_says_what_the_page_says() {
    let base = Url::parse("https://docs.example.org/guide/page.html").expect("a URL");
    let (files, is_corpus) = files();
    let (mut pages, mut of_pages, mut of_texts, mut shared) = (0, 0, 0, 0);
    let (mut there, mut back, mut made) = ([0; 7], [0; 7], [0; 7]);
    let mut lost: [Vec<(usize, String)>; 7] = Default::default();
    let (mut tags, mut around, mut worst) = (Vec::new(), Vec::new(), Vec::new());
    for path in files {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let html = String::from_utf8_lossy(&std::fs::read(&path).expect("a page")).into_owned();
        let Ok(converted) = convert_body(&html, &base) else { continue };
        // What is cut off is no fault of the writer.
        if html.len() > 250_000 || converted.markdown.chars().count() >= 200_000 {
            continue;
        }
        let document = Document::from(html.as_str());
        let page = of_page(document.body().expect("a parser makes a body"));
        let text = of_markdown(&converted.markdown);
        let common = common(&page.words, &text.words);
        pages += 1;
        of_pages += page.words.len();
        of_texts += text.words.len();
        shared += common;
        for column in 0..7 {
            there[column] += page.counts[column];
            back[column] += page.counts[column].min(text.counts[column]);
            made[column] += text.counts[column];
            lost[column].push((page.counts[column].saturating_sub(text.counts[column]), name.clone()));
        }
        if std::env::var("QUARTERDECK_SHOW").is_ok_and(|wanted| wanted == name) {
            show(&page.words, &text.words);
        }
        worst.push((page.words.len() - common, text.words.len() - common, name.clone()));
        tags.extend(text.tags.into_iter().map(|tag| format!("{name}: {tag}")));
        // Of the main content: neither scripts nor what is there to find the way.
        let main = convert(&html, &base).expect("it was converted before").markdown;
        let main = of_markdown(&main).words.join(" ");
        for nav in document.select("nav, script").nodes() {
            let words = nav.text().split_whitespace().take(8).collect::<Vec<_>>().join(" ");
            let inside_kept = nav.ancestors(None).iter().any(|node| node.has_name("pre"));
            if words.split(' ').count() == 8 && !inside_kept && main.contains(&words) {
                around.push(format!("{name}: {words}"));
            }
        }
    }
    let share = |part: usize, whole: usize| if whole == 0 { 1.0 } else { part as f64 / whole as f64 };
    let (recall, precision) = (share(shared, of_pages), share(shared, of_texts));
    println!("{pages} pages, whole bodies: words recall {recall:.4}, precision {precision:.4}");
    for column in 0..7 {
        let (back, made) = (share(back[column], there[column]), share(made[column], there[column]));
        println!("{:<12} {back:.3}/{made:.3} of {}", COLUMNS[column], there[column]);
    }
    println!("{} left-over tags, {} pages with text from around the main content", tags.len(), around.len());
    for column in 0..7 {
        lost[column].sort();
        println!("  most {} lost: {:?}", COLUMNS[column], lost[column].iter().rev().take(5).collect::<Vec<_>>());
    }
    worst.sort();
    for (lost, added, name) in worst.iter().rev().take(8) {
        println!("  {name}: {lost} words lost, {added} added");
    }
    assert!(tags.is_empty(), "{:?}", &tags[..tags.len().min(20)]);
    assert!(around.is_empty(), "{:?}", &around[..around.len().min(20)]);
    if is_corpus {
        assert!(recall >= WORDS.0 && precision >= WORDS.1, "recall {recall}, precision {precision}");
        for (column, least) in LEAST.into_iter().enumerate() {
            assert!(share(back[column], there[column]) >= least, "{}", COLUMNS[column]);
        }
    }
}
