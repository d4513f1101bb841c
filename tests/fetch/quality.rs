//! Measures how much of real pages the Markdown preserves: it is rendered again and compared with the page, as whole
//! bodies.
//!
//! `QUARTERDECK_CORPUS=DIR cargo test --release --test main -- quality --nocapture` measures the pages of a folder,
//! prints the table, and fails below the figures of the best of twelve converters; without it the golden pages are
//! measured. An element is preserved when one of its kind has exactly the same text, white space aside; equal counts
//! are not enough. `QUARTERDECK_LOST=FILE` lists the lost elements, `QUARTERDECK_SHOW=PAGE` the words of one page.

use dom_query::{Document, NodeRef};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use quarterdeck::fetch::{convert, convert_body};
use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use url::Url;

/// Kinds of elements, in the order of the table.
const COLUMNS: [&str; 7] = ["headings", "items", "links", "code blocks", "rows", "cells", "inline code"];
/// Figures of the best converter in the comparison: recall and precision of words; `LEAST` has the columns.
const WORDS: (f64, f64) = (0.992, 0.967);
/// Recall of the words of the page's marked content; the missing ones are tables of contents and forms within it.
const MAIN: f64 = 0.99;
const LEAST: [f64; 7] = [0.995, 0.995, 0.95, 0.995, 0.87, 0.99, 0.96];

/// Words and elements of a page, or of its Markdown.
#[derive(Default)]
struct Read {
    words: Vec<String>,
    word: String,
    /// All text without white space, because white space is the only difference between two renderings of a text.
    flat: String,
    open: Vec<(usize, usize)>,
    /// The text of each element, by column.
    elements: [Vec<String>; 7],
    tags: Vec<String>,
}

impl Read {
    fn text(&mut self, text: &str) {
        for c in text.chars() {
            if c.is_whitespace() {
                self.gap();
            } else {
                self.word.push(c);
                self.flat.push(c);
            }
        }
    }

    fn gap(&mut self) {
        if !self.word.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
        }
    }

    fn enter(&mut self, column: usize) {
        self.open.push((column, self.flat.len()));
    }

    fn leave(&mut self) {
        let (column, start) = self.open.pop().expect("it was entered");
        self.elements[column].push(self.flat[start..].to_owned());
    }
}

/// Returns true for a heading's link to itself, and for a link without visible text: readers do not read them.
fn is_sign(node: &NodeRef<'_>) -> bool {
    let Some(href) = node.attr("href").filter(|_| node.has_name("a")) else { return false };
    match node.text().trim() {
        "" => !node.descendants().iter().any(|one| one.has_name("img")),
        "¶" | "§" | "#" | "🔗" => href.starts_with('#'),
        _ => false,
    }
}

/// Returns true if a node has neither text nor an image.
fn is_blank(node: &NodeRef<'_>) -> bool {
    !node.descendants().iter().any(|one| one.has_name("img") || (one.is_text() && !one.text().trim().is_empty()))
}

enum Step<'a> {
    Enter(NodeRef<'a>, bool),
    Gap,
    Leave,
}

fn of_page(body: NodeRef<'_>) -> Read {
    let mut read = Read::default();
    let mut stack = vec![Step::Enter(body, false)];
    while let Some(step) = stack.pop() {
        let (node, pre) = match step {
            Step::Enter(node, pre) => (node, pre),
            Step::Gap => {
                read.gap();
                continue;
            }
            Step::Leave => {
                read.leave();
                continue;
            }
        };
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
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => Some(0),
            "li" => Some(1),
            "a" if node.has_attr("href") => Some(2),
            // A `pre` within another contains the same lines of code.
            "pre" if !pre => Some(3),
            "tr" => Some(4),
            "td" | "th" => Some(5),
            "code" if !pre => Some(6),
            _ => None,
        };
        // An empty element leaves no Markdown, except a cell, which keeps the other cells of its row in their columns.
        let is_blank = |column| is_blank(&if column == 5 { node.parent().unwrap_or(node) } else { node });
        if let Some(column) = column.filter(|column| !is_blank(*column)) {
            read.enter(column);
            stack.push(Step::Leave);
        }
        let inline = "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd mark q s samp small span strike strong sub sup \
                      time tt u var";
        if !inline.split(' ').any(|one| one == name) {
            read.gap();
            stack.push(Step::Gap);
        }
        let pre = pre || name == "pre";
        let mut child = node.last_child();
        while let Some(next) = child {
            stack.push(Step::Enter(next, pre));
            child = next.prev_sibling();
        }
    }
    read.gap();
    read
}

fn of_markdown(markdown: &str) -> Read {
    let mut read = Read::default();
    let mut images = 0;
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(Tag::Image { .. }) => images += 1,
            Event::End(TagEnd::Image) => images -= 1,
            Event::Start(tag) => {
                let tag = tag.to_end();
                if is_block(tag) {
                    read.gap();
                }
                if let Some(column) = column_of(tag) {
                    read.enter(column);
                }
            }
            Event::End(tag) => {
                if column_of(tag).is_some() {
                    read.leave();
                }
                if is_block(tag) {
                    read.gap();
                }
            }
            Event::SoftBreak | Event::HardBreak | Event::Rule => read.gap(),
            // The text describes an image and is not in the page's text.
            Event::Text(text) if images > 0 => read.words.extend(text.split_whitespace().map(str::to_owned)),
            Event::Text(text) => read.text(&text),
            Event::Code(text) => {
                read.enter(6);
                read.text(&text);
                read.leave();
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

fn is_block(tag: TagEnd) -> bool {
    !matches!(tag, TagEnd::Link | TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough)
}

fn column_of(tag: TagEnd) -> Option<usize> {
    match tag {
        TagEnd::Heading(_) => Some(0),
        TagEnd::Item => Some(1),
        TagEnd::Link => Some(2),
        TagEnd::CodeBlock => Some(3),
        TagEnd::TableHead | TagEnd::TableRow => Some(4),
        TagEnd::TableCell => Some(5),
        _ => None,
    }
}

fn common(a: &[String], b: &[String]) -> usize {
    a.len() - missing(a, b).len()
}

/// Returns the elements of `wanted` that are missing in `there`, each as often as it is missing.
fn missing<'a>(wanted: &'a [String], there: &[String]) -> Vec<&'a String> {
    let mut left: HashMap<&str, usize> = HashMap::new();
    for one in there {
        *left.entry(one).or_default() += 1;
    }
    let mut is_missing = |one: &String| match left.get_mut(one.as_str()) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    wanted.iter().filter(|one| is_missing(one)).collect()
}

/// Prints the first difference in the words of one page, for debugging the writer.
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
    let (mut there, mut counted, mut back, mut made) = ([0; 7], [0; 7], [0; 7], [0; 7]);
    let mut log = std::env::var_os("QUARTERDECK_LOST").map(|path| File::create(path).expect("the log can be written"));
    let mut lost: [Vec<(usize, String)>; 7] = Default::default();
    let (mut of_contents, mut of_mains, mut least) = (0, 0, Vec::new());
    let (mut refused, mut tags, mut around, mut worst) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for path in files {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let html = String::from_utf8_lossy(&std::fs::read(&path).expect("a page")).into_owned();
        let converted = match convert_body(&html, &base) {
            Ok(converted) => converted,
            Err(error) => {
                refused.push(format!("{name}: {error}"));
                continue;
            }
        };
        // The cut of long pages is not the writer's fault.
        if html.len() > 250_000 || converted.markdown.chars().count() >= 200_000 {
            continue;
        }
        let document = Document::from(html.as_str());
        let page = of_page(document.body().expect("a parser makes a body"));
        let text = of_markdown(&converted.markdown);
        let same = common(&page.words, &text.words);
        pages += 1;
        of_pages += page.words.len();
        of_texts += text.words.len();
        shared += same;
        for column in 0..7 {
            let (of_page, of_text) = (&page.elements[column], &text.elements[column]);
            let missing = missing(of_page, of_text);
            there[column] += of_page.len();
            counted[column] += of_page.len().min(of_text.len());
            back[column] += of_page.len() - missing.len();
            made[column] += of_text.len();
            for text in &missing {
                if let Some(log) = &mut log {
                    writeln!(log, "{}\t{name}\t{text}", COLUMNS[column]).expect("the log can be written");
                }
            }
            lost[column].push((missing.len(), name.clone()));
        }
        if std::env::var("QUARTERDECK_SHOW").is_ok_and(|wanted| wanted == name) {
            show(&page.words, &text.words);
        }
        worst.push((page.words.len() - same, text.words.len() - same, name.clone()));
        tags.extend(text.tags.into_iter().map(|tag| format!("{name}: {tag}")));
        // Measures the main content: without scripts and navigation.
        let main = convert(&html, &base).expect("it was converted before").markdown;
        let main = of_markdown(&main).words;
        // The page's marked content, without navigation inside it.
        if let [content] = document.select("main, [role=main]").nodes() {
            let content = of_page(*content).words;
            let kept = common(&content, &main);
            (of_contents, of_mains) = (of_contents + content.len(), of_mains + kept);
            least.push((content.len() - kept, content.len(), name.clone()));
        }
        let main = main.join(" ");
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
        let of = |part: usize| share(part, there[column]);
        let (back, counted, made) = (of(back[column]), of(counted[column]), of(made[column]));
        println!(
            "{:<12} {back:.4} by text, {counted:.4} by number, {made:.3} made of {}",
            COLUMNS[column], there[column]
        );
    }
    println!("{} left-over tags, {} pages with text from around the main content", tags.len(), around.len());
    for column in 0..7 {
        lost[column].sort();
        println!("  most {} lost: {:?}", COLUMNS[column], lost[column].iter().rev().take(5).collect::<Vec<_>>());
    }
    println!("main content: words recall {:.4}", share(of_mains, of_contents));
    least.sort();
    for (lost, of, name) in least.iter().rev().take(8) {
        println!("  {name}: {lost} of {of} words of the main content lost");
    }
    worst.sort();
    for (lost, added, name) in worst.iter().rev().take(8) {
        println!("  {name}: {lost} words lost, {added} added");
    }
    assert!(refused.is_empty(), "{refused:?}");
    assert!(tags.is_empty(), "{:?}", &tags[..tags.len().min(20)]);
    assert!(around.is_empty(), "{:?}", &around[..around.len().min(20)]);
    if is_corpus {
        assert!(share(of_mains, of_contents) >= MAIN, "{of_mains} of {of_contents} words of main contents");
        assert!(recall >= WORDS.0 && precision >= WORDS.1, "recall {recall}, precision {precision}");
        for (column, least) in LEAST.into_iter().enumerate() {
            assert!(share(back[column], there[column]) >= least, "{}", COLUMNS[column]);
        }
    }
}
