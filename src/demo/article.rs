//! Main content of a page: sections with paragraphs, lists, tables, code, pictures and links.

use super::catalogue::{Catalogue, PagePlan, Template};
use super::draw::Draw;
use super::language::{Language, Phrase};
use crate::domain::word_enum::variant_list;
use std::fmt::Write as _;

/// Main content of a page as HTML, without navigation and footer.
#[derive(Debug, Default)]
pub(super) struct Article {
    /// Sections of the text.
    pub(super) main: String,
    /// List of links to the sections.
    pub(super) contents: String,
}

/// Numbers that separate the random draws of one page by purpose.
const SUBJECT: u64 = 1;
const SECTION: u64 = 2;
const BULK: u64 = 3;

/// Writes the article of `plan`. An `edition` redraws one section and adds a line that names the edition.
pub(super) fn article(catalogue: &Catalogue, plan: &PagePlan, edition: Option<u64>) -> Article {
    let language = plan.language();
    let mut draw = Draw::of(&[catalogue.seed, plan.index as u64, SUBJECT]);
    let drawn = draw.pick(&language.objects);
    let object = catalogue.object(plan).unwrap_or(drawn);
    let sections = draw.between(4, 7);
    let first_heading = draw.below(language.headings.len());
    let redrawn = edition.map(|edition| edition % sections);
    let neighbours = catalogue.neighbours(plan, 6);
    let mut article = Article::default();
    article.contents.push_str("<ul>\n");
    if let Some(edition) = edition {
        // Writing to a `String` cannot fail, here and below.
        let _ = writeln!(article.main, "<p><em>{} {edition}</em></p>", language.phrase(Phrase::Revision));
    }
    for section in 0..sections {
        let edition = edition.filter(|_| redrawn == Some(section)).unwrap_or(0);
        let mut draw = Draw::of(&[catalogue.seed, plan.index as u64, SECTION, section, edition]);
        let heading =
            language.headings.get((first_heading + section as usize) % language.headings.len().max(1)).copied();
        let heading = heading.unwrap_or_default();
        let _ = writeln!(article.contents, "<li><a href=\"#s{section}\">{heading}</a></li>");
        let _ = writeln!(article.main, "<h2 id=\"s{section}\">{heading}</h2>");
        paragraph(&mut article.main, language, object, &mut draw);
        let kind = match (plan.template, section) {
            (Template::Api, 0) => Block::Table,
            (Template::Api, 1) => Block::Code,
            (_, 1) => Block::Steps,
            _ => Block::ALL[draw.below(Block::ALL.len())],
        };
        block(&mut article.main, kind, plan, object, &mut draw);
        paragraph(&mut article.main, language, object, &mut draw);
        if let Some(other) = neighbours.get(draw.below(neighbours.len())) {
            let _ = writeln!(
                article.main,
                "<p>{}: <a href=\"{}\">{}</a></p>",
                language.phrase(Phrase::Related),
                catalogue.path(other),
                catalogue.title(other)
            );
        }
    }
    article.contents.push_str("</ul>\n");
    article
}

/// Returns part number `part` of a huge page, about 20 kB of HTML.
pub(super) fn bulk(seed: u64, plan: &PagePlan, part: u64) -> String {
    let language = plan.language();
    let mut draw = Draw::of(&[seed, plan.index as u64, BULK, part]);
    let object = draw.pick(&language.objects);
    let mut html = format!("<h2>{} {}</h2>\n", draw.pick(&language.headings), part + 1);
    while html.len() < 20_000 {
        paragraph(&mut html, language, object, &mut draw);
    }
    html
}

variant_list! {
    #[derive(Clone, Copy)]
    enum Block {
        Steps,
        List,
        Table,
        Code,
        Quote,
        Picture,
        Definitions,
        Nested,
    }
}

fn block(html: &mut String, kind: Block, plan: &PagePlan, object: &str, draw: &mut Draw) {
    let language = plan.language();
    let sentence = |draw: &mut Draw| filled(draw.pick(&language.sentences), object, draw);
    match kind {
        Block::Steps => {
            html.push_str("<ol>\n");
            let first = draw.below(4);
            for step in language.steps.iter().skip(first).take(4) {
                let _ = writeln!(html, "<li>{}</li>", filled(step, object, draw));
            }
            html.push_str("</ol>\n");
        }
        Block::List => {
            html.push_str("<ul>\n");
            for _ in 0..draw.between(3, 5) {
                let _ = writeln!(html, "<li>{}</li>", sentence(draw));
            }
            html.push_str("</ul>\n");
        }
        Block::Table => {
            let head = [Phrase::Name, Phrase::Value, Phrase::Description].map(|phrase| language.phrase(phrase));
            let _ = writeln!(
                html,
                "<table>\n<thead><tr><th>{}</th><th>{}</th><th>{}</th></tr></thead>\n<tbody>",
                head[0], head[1], head[2]
            );
            for _ in 0..draw.between(3, 7) {
                let (name, value) = (draw.pick(&SETTINGS), draw.between(1, 500));
                let _ =
                    writeln!(html, "<tr><td><code>{name}</code></td><td>{value}</td><td>{}</td></tr>", sentence(draw));
            }
            html.push_str("</tbody>\n</table>\n");
        }
        Block::Code => {
            let (name, value, id) = (draw.pick(&SETTINGS), draw.between(1, 500), draw.between(1_000, 9_999));
            let code = match draw.below(3) {
                0 => format!(
                    "curl -X PATCH https://api.example.com/v2/items/{id} \\\n  -H \"Authorization: Bearer $TOKEN\" \\\n  -d '{{\"{name}\": {value}}}'"
                ),
                1 => format!("{{\n  \"id\": {id},\n  \"{name}\": {value},\n  \"active\": true\n}}"),
                _ => format!(
                    "client = Client(token)\nfor item in client.items(limit={value}):\n    if item.{name} &gt; {id}:\n        item.archive()"
                ),
            };
            let _ = writeln!(html, "<pre><code>{code}</code></pre>");
        }
        Block::Quote => {
            let _ = writeln!(html, "<blockquote><p><strong>{}</strong></p></blockquote>", sentence(draw));
        }
        Block::Picture => {
            let picture = draw.between(1, 40);
            let _ = writeln!(html, "<p><img src=\"/images/{picture}.svg\" alt=\"{object}\"></p>");
            let _ = writeln!(html, "<p>{}</p>", sentence(draw));
        }
        Block::Definitions => {
            html.push_str("<dl>\n");
            for _ in 0..3 {
                let _ = writeln!(html, "<dt>{}</dt><dd>{}</dd>", draw.pick(&language.objects), sentence(draw));
            }
            html.push_str("</dl>\n");
        }
        Block::Nested => {
            let (outer, inner) = (sentence(draw), sentence(draw));
            let last = sentence(draw);
            let _ = writeln!(
                html,
                "<ul>\n<li>{outer}<ul>\n<li>{inner}</li>\n<li><code>{}</code></li>\n</ul></li>\n<li>{last}</li>\n</ul>",
                draw.pick(&SETTINGS)
            );
        }
    }
}

/// Names in code, tables and nested lists, the same in every language.
const SETTINGS: [&str; 14] = [
    "page_size",
    "retry_after",
    "max_items",
    "cursor",
    "locale",
    "archived_at",
    "sort_order",
    "owner_id",
    "webhook_url",
    "time_zone",
    "priority",
    "visibility",
    "expires_in",
    "batch_size",
];

fn paragraph(html: &mut String, language: &Language, object: &str, draw: &mut Draw) {
    // Sentences at a fixed stride in the bank, so that none occurs twice in a paragraph.
    let first = draw.below(language.sentences.len());
    let stride = [1, 3, 7][draw.below(3)];
    html.push_str("<p>");
    for index in 0..draw.between(3, 5) as usize {
        // Languages that write no space between sentences get none here either.
        if index > 0 && language.code != "ja" {
            html.push(' ');
        }
        let sentence = language.sentences.get((first + index * stride) % language.sentences.len().max(1));
        html.push_str(&filled(sentence.copied().unwrap_or_default(), object, draw));
    }
    html.push_str("</p>\n");
}

fn filled(sentence: &str, object: &str, draw: &mut Draw) -> String {
    let sentence = sentence.replace("{o}", object);
    if sentence.contains("{n}") { sentence.replace("{n}", &draw.between(2, 90).to_string()) } else { sentence }
}
