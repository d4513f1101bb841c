//! Hostile pages by category, as name and HTML, for the tests of their conversion and the benchmark of its time.

use std::fmt::Write;

type Pages = Vec<(String, String)>;

fn named<N: Into<String>>(pages: impl IntoIterator<Item = (N, String)>) -> Pages {
    pages.into_iter().map(|(name, html)| (name.into(), html)).collect()
}

fn nested(open: &str, count: usize, close: &str) -> String {
    format!("{}deep{}", open.repeat(count), close.repeat(count))
}

/// Returns sound pages: marks that are removed again, code in cells, elements nested up to 500 deep, and one page of
/// the size of the largest real one.
pub fn sound() -> Pages {
    let many = |begin: &str, part: &str| begin.to_owned() + &part.repeat(60_000);
    let code = format!("<pre>{}</pre>", "a\n".repeat(400_000));
    let large = "<h2>Part</h2><p>Some <b>bold</b> text with a <a href=/x>link</a>.</p>\n";
    let mut pages = named([
        ("closed before a letter", many("<p>", "<b>a:</b>b")),
        ("closed within each other", many("<p>x<b>x", "<i><s>a:</s></i>b")),
        ("code in a definition", many("<dl>", "<dt>a<dd><pre>x</pre>")),
        ("short lines in a cell", format!("<table><tr><th>a<th>b<tr><td>c<td>d<tr><td>e<tr><td>{code}</table>")),
        (LARGE, large.repeat(20_000)),
        (COLSPAN, "<table><tr><td colspan=1000000000>x<td>y</table>".to_owned()),
    ]);
    pages.extend(named(NESTING.map(|(open, close)| (open, nested(open, 500, close)))));
    pages
}

/// The name of the sound page of 1.4 MB.
pub const LARGE: &str = "1.4 MB";
/// The name of the sound page with a cell over a billion columns.
pub const COLSPAN: &str = "colspan";

const NESTING: [(&str, &str); 20] = [
    ("<div>", "</div>"),
    ("<ul><li>", "</ul>"),
    ("<ol><li>a", "</ol>"),
    ("<blockquote>", "</blockquote>"),
    ("<blockquote>a", "</blockquote>"),
    ("<b>", "</b>"),
    ("<b><i>", "</i></b>"),
    ("<span>", "</span>"),
    ("<table><tr><td>", "</table>"),
    ("<table><tr><td>a", "</table>"),
    ("<dl><dd>", "</dl>"),
    ("<details><summary>", "</details>"),
    ("<a href=x><div>", "</div></a>"),
    ("<code>", "</code>"),
    ("<pre>", "</pre>"),
    ("<svg>", "</svg>"),
    ("<math><mrow>", "</math>"),
    ("<h1>", "</h1>"),
    ("<article><header>", "</header></article>"),
    ("<font color=red>", "</font>"),
];

/// Returns pages that are nested deeper than any real one.
pub fn deep() -> Pages {
    let mut pages = named(NESTING.map(|(open, close)| (open, nested(open, 3_000, close))));
    pages.extend(named([
        ("50,000 divs", nested("<div>", 50_000, "</div>")),
        ("50,000 b", "<b>".repeat(50_000) + "x"),
        ("3,000 lists without items", nested("<ul>", 3_000, "</ul>")),
    ]));
    pages
}

/// Returns pages that repeat one element very often.
pub fn floods() -> Pages {
    let many_attributes = (0..100_000).fold(String::from("<p "), |mut html, at| {
        let _ = write!(html, "a{at}=1 ");
        html
    });
    named([
        ("attributes", format!("{many_attributes}>x")),
        ("the same attribute", format!("<p {}>x", "a=1 ".repeat(100_000))),
        ("a long attribute", format!("<p class='{}'>x", "modal-x ".repeat(500_000))),
        ("entities", "&amp;".repeat(500_000)),
        ("broken entities", "&".repeat(1_000_000)),
        ("brackets", "[".repeat(1_000_000)),
        ("stars", "*a".repeat(500_000)),
        ("backticks", format!("<code>{}</code>", "`".repeat(1_000_000))),
        ("less than", "<".repeat(1_000_000)),
        ("breaks", "<br>".repeat(200_000)),
        ("breaks with text", "a<br>".repeat(200_000)),
        ("paragraphs", "<p>x".repeat(100_000)),
        ("unclosed b in paragraphs", "<p><b>x".repeat(5_000)),
        ("images", "<img alt=a src=b>".repeat(100_000)),
        ("links", "<a href=x>y</a>".repeat(100_000)),
        (
            "long links",
            format!("<base href='https://e.org/{}'>{}", "a".repeat(1900), "<a href=x>y</a>".repeat(100_000)),
        ),
        ("items", "<li>x".repeat(100_000)),
        ("rules", "<hr>".repeat(200_000)),
        ("line feeds in code in lists", format!("{}<pre>{}", "<ul><li>".repeat(39), "x\n".repeat(1_000_000))),
        ("one long line", "x".repeat(5_000_000)),
        ("spaces", " ".repeat(5_000_000)),
        ("nulls", "\0".repeat(1_000_000)),
        ("escapes", "\x1b]".repeat(500_000)),
        ("titles", "<title>x".repeat(100_000)),
    ])
}

/// Returns tables that are wide, long, nested or broken.
pub fn tables() -> Pages {
    let wide = format!("<table><tr>{}</table>", "<td>x".repeat(50_000));
    let spans = format!("<table>{}</table>", "<tr><td colspan=1000000000 rowspan=1000000000>x".repeat(2_000));
    named([
        ("colspans", spans),
        ("columns", wide),
        ("rows", format!("<table>{}</table>", "<tr><td>a<td>b".repeat(100_000))),
        ("a wide cell", format!("<table><tr><td>{}{}</table>", "x".repeat(200_000), "<tr><td>y".repeat(5_000))),
        ("nested without rows", nested("<table>", 3_000, "")),
        ("text between rows", "<table>x<tr>y<td>z</table>".repeat(5_000)),
        ("unclosed b", format!("<table>{}", "<tr><td><b>x".repeat(3_000))),
    ])
}

/// Returns pages with constructs that are opened and never closed.
pub fn left_open() -> Pages {
    let open = [
        "<!--",
        "<textarea>",
        "<title>",
        "<script>",
        "<style>",
        "<xmp>",
        "<plaintext>",
        "<select>",
        "<svg>",
        "<a href='",
        "<p class=\"",
        "<![CDATA[",
        "<!doctype",
        "<template>",
        "<frameset>",
        "<noscript>",
        "<iframe>",
        "<?",
        "</",
    ];
    let page = |open: &str| format!("<p>before</p>{open}{}", "text <b>bold</b> ".repeat(20_000));
    named(open.map(|open| (open, page(open))))
}

/// Returns more text than any page has.
pub fn twenty_megabytes() -> String {
    "<h2>Part</h2><p>Some <b>bold</b> text with a <a href=/x>link</a>.</p>\n".repeat(300_000)
}

/// Returns a page where many different open formatting elements are reopened in every paragraph, which makes
/// html5ever's tree grow without limit.
pub fn formatting_that_multiplies() -> String {
    let formats = (0..3_000).fold(String::from("<p>"), |mut html, at| {
        let _ = write!(html, "<b id=i{at}>");
        html
    });
    formats + &"<p>x".repeat(20_000)
}
