//! Generated pages with the structure of an article: navigation, headings, paragraphs with links, lists, a table, code,
//! scripts, a footer. The same number always gives the same page.

use std::fmt::Write as _;

/// Mean size of an article in bytes.
const MEAN_BYTES: usize = 37_000;
/// Number of different articles; each page adds its own title and first paragraph to one of them.
const ARTICLES: usize = 64;
/// A page of 22 bytes.
pub const TINY: &str = "<p>tiny page text</p>\n";

const WORDS: &str = "account address after agent answer archive before between bridge browser cable carriage change channel \
    chapter circle clear coast column common copper corner current daily delivery different document early \
    engine every example factory field figure first forest garden gentle ground harbour height history \
    island journey kitchen ladder language large letter level little machine market measure member message \
    middle morning motion mountain narrow north number office often open order paper pattern people picture \
    plain plan question quiet railway record river season second series shelter signal simple station stone \
    summer table theory timber travel valley village water window winter";

/// A generator of numbers that depend only on its seed.
struct Numbers {
    state: u64,
    words: Vec<&'static str>,
}

impl Numbers {
    fn new(seed: u64) -> Self {
        Self { state: seed, words: WORDS.split(' ').collect() }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) as usize % bound
    }

    fn words(&mut self, count: usize) -> String {
        let word = |_| {
            let index = self.below(self.words.len());
            self.words[index]
        };
        let words: Vec<&str> = (0..count).map(word).collect();
        words.join(" ")
    }

    fn paragraph(&mut self) -> String {
        let sentences = 2 + self.below(4);
        let mut paragraph = String::from("<p>");
        for _ in 0..sentences {
            let (start, middle, end) = (4 + self.below(8), 1 + self.below(3), 4 + self.below(8));
            let (start, middle, end) = (self.words(start), self.words(middle), self.words(end));
            let _ = match self.below(4) {
                0 => write!(paragraph, "The {start} <a href=\"/{middle}\" class=\"ref\">{middle}</a> {end}. "),
                1 => write!(paragraph, "A {start} <em>{middle}</em> {end}. "),
                _ => write!(paragraph, "Some {start}, {middle}, {end}. "),
            };
        }
        paragraph + "</p>\n"
    }

    fn block(&mut self) -> String {
        match self.below(8) {
            0 => {
                let items: String = (0..5).map(|_| format!("<li>{}</li>\n", self.words(7))).collect();
                format!("<ul>\n{items}</ul>\n")
            }
            1 => {
                let cells = |tag: &str, numbers: &mut Self| {
                    (0..4).map(|_| format!("<{tag}>{}</{tag}>", numbers.words(2))).collect::<String>()
                };
                let head = cells("th", self);
                let rows: String = (0..4).map(|_| format!("<tr>{}</tr>\n", cells("td", self))).collect();
                format!("<table><tr>{head}</tr>\n{rows}</table>\n")
            }
            2 => format!("<pre><code>{} = {}\n{}</code></pre>\n", self.words(1), self.words(3), self.words(4)),
            _ => self.paragraph(),
        }
    }
}

/// The articles that the pages share.
pub struct Articles(Vec<String>);

impl Articles {
    /// Generates the articles: from a third of the mean size to five thirds of it.
    pub fn generate() -> Self {
        Self(
            (0..ARTICLES)
                .map(|number| article(number as u64, MEAN_BYTES / 3 + MEAN_BYTES * 4 * number / 3 / 63))
                .collect(),
        )
    }

    /// Returns the page with this number.
    pub fn page(&self, number: usize) -> String {
        let mut numbers = Numbers::new(number as u64 + 1_000);
        let (title, lead) = (numbers.words(5), numbers.paragraph());
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{number}: {title}</title>\n\
             <link rel=\"stylesheet\" href=\"/style.css\"><script>window.page = {number};</script></head>\n\
             <body class=\"article\"><main><article><h1>{number}: {title}</h1>\n{lead}{}",
            self.0[number % self.0.len()]
        )
    }
}

/// Returns everything of a page behind its first paragraph.
fn article(seed: u64, bytes: usize) -> String {
    let mut numbers = Numbers::new(seed);
    let mut html = String::with_capacity(bytes + 4_000);
    while html.len() + 3_000 < bytes {
        let _ = writeln!(html, "<section><h2 id=\"s{}\">{}</h2>", html.len(), numbers.words(4));
        for _ in 0..4 + numbers.below(4) {
            html.push_str(&numbers.block());
        }
        html.push_str("</section>\n");
    }
    let links: String = (0..30).map(|_| format!("<li><a href=\"/{0}\">{0}</a></li>\n", numbers.words(1))).collect();
    let _ = write!(
        html,
        "</article></main>\n<nav><ul>\n{links}</ul></nav>\n<footer><p>{}</p></footer>\n",
        numbers.words(12)
    );
    html + "<script src=\"/script.js\"></script></body></html>\n"
}
