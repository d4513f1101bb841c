//! Tests of the rendering, and of the pages: they use only the Markdown that the page parser knows.

use super::*;
use crate::cli::help::topics::TOPICS;
use crate::domain::text::width;
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag};

const PAGE: &str = "\
# The title

A paragraph of **several** words, with `code`
in two lines.

<!-- a comment
of two lines -->

## A heading

- one item that goes on
  in a second line
- another
  1. within it

```sh
quarterdeck list   # as it is
```

| key | what |
| --- | :-- |
| `a` | this \\| that |
";

#[test]
fn a_page_is_rendered_for_its_width() {
    let rendered = render(PAGE, RenderOptions { width: 40, styling: Styling::None });
    let expected = "\
The title

  A paragraph of several words, with
  `code` in two lines.

A heading

  - one item that goes on in a second
    line
  - another
    1. within it

      quarterdeck list   # as it is

  key  what
  ---  -----------
  `a`  this | that
";
    assert_eq!(rendered, expected);
}

#[test]
fn headings_are_bold_and_code_has_a_colour_that_can_be_refused() {
    let with = |styling| render(PAGE, RenderOptions { width: 80, styling });
    assert!(with(Styling::Colours).starts_with("\x1b[1mThe\x1b[0m"));
    assert!(with(Styling::Colours).contains("\x1b[36mcode"));
    assert!(with(Styling::Bold).contains("\x1b[1m") && !with(Styling::Bold).contains("\x1b[36m"));
    assert!(!with(Styling::None).contains('\x1b'));
}

#[test]
fn what_a_terminal_would_act_on_is_left_out() {
    let page = "# A \x1b]0;title\x07 \u{202e}page\n\n```\n\x1b[2J\u{9b}31m red\n```\n";
    assert_eq!(render(page, RenderOptions { width: 80, styling: Styling::None }), "A page\n\n       red\n");
}

#[test]
fn the_pages_fit_into_every_usual_width() {
    for topic in TOPICS {
        for cells in [72, 80, 100] {
            let rendered = render(topic.text, RenderOptions { width: cells, styling: Styling::None });
            // Code is not wrapped, and words are not broken.
            let breakable = |line: &&str| !line.starts_with("      ") && line.trim().contains(' ');
            let long = rendered.lines().filter(breakable).find(|line| width(line) > cells);
            assert_eq!(long, None, "{} at {cells}", topic.name);
        }
    }
}

/// A complete Markdown parser finds no construct in the pages that the page parser does not know.
#[test]
fn the_pages_are_written_in_what_is_read() {
    for topic in TOPICS {
        let name = topic.name;
        let (mut headings, mut items, mut code, mut rows) = (0, 0, 0, 0);
        for event in Parser::new_ext(topic.text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { level, .. }) => {
                    assert!(level <= HeadingLevel::H3, "{name}: a heading of the third level is the lowest");
                    headings += 1;
                }
                Event::Start(Tag::Item) => items += 1,
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) => code += 1,
                Event::Start(Tag::TableHead | Tag::TableRow) => rows += 1,
                Event::Html(html) => {
                    assert!(html.trim().starts_with("<!--"), "{name}: {html} is shown as it is written");
                }
                Event::Start(Tag::BlockQuote(_) | Tag::CodeBlock(_) | Tag::FootnoteDefinition(_))
                | Event::InlineHtml(_)
                | Event::HardBreak
                | Event::Rule => panic!("{name}: {event:?} is not read for a terminal"),
                _ => {}
            }
        }
        let found = blocks(topic.text);
        let count = |is: fn(&Block) -> bool| found.iter().filter(|block| is(block)).count();
        assert_eq!(count(|block| matches!(block, Block::Heading(_))), headings, "{name}: headings");
        assert_eq!(count(|block| matches!(block, Block::Item { .. })), items, "{name}: items of lists");
        assert_eq!(count(|block| matches!(block, Block::Code(_))), code, "{name}: blocks of code");
        let read: usize = found.iter().map(|block| if let Block::Table(rows) = block { rows.len() } else { 0 }).sum();
        assert_eq!(read, rows, "{name}: rows of tables");
    }
}

/// Both parsers find the same text: no mark is printed, and nothing is lost.
#[test]
fn the_text_of_the_pages_is_all_there() {
    for topic in TOPICS {
        let markdown = without_destinations(topic.text);
        let squeezed = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        let mut complete = String::new();
        for event in Parser::new_ext(&markdown, Options::ENABLE_TABLES) {
            if let Event::Text(text) | Event::Code(text) = event {
                complete.push_str(&squeezed(&text));
            }
        }
        let plain = |text: &str| squeezed(&print(&words(text, Styling::Colours), Styling::None, false));
        let small: String = blocks(&markdown)
            .into_iter()
            .map(|block| match block {
                Block::Heading(text) | Block::Paragraph(text) | Block::Item { text, .. } => plain(&text),
                Block::Code(lines) => squeezed(&lines.concat()),
                Block::Table(rows) => rows.concat().iter().map(|cell| plain(cell)).collect(),
            })
            .collect();
        let differs = complete.chars().zip(small.chars()).position(|(one, other)| one != other);
        let about = |text: &str| text.chars().skip(differs.unwrap_or_default().saturating_sub(20)).take(60).collect();
        let (complete_about, small_about): (String, String) = (about(&complete), about(&small));
        assert_eq!(small_about, complete_about, "{}", topic.name);
        assert_eq!(small.len(), complete.len(), "{}", topic.name);
    }
}

/// Removes the destinations of links: only the page parser prints them.
fn without_destinations(markdown: &str) -> String {
    let mut parts = markdown.split("](");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str("](#");
        text.push_str(part.find(')').map_or(part, |end| &part[end..]));
    }
    text
}
