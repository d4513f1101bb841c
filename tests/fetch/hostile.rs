//! Pages made to hurt, on a thread with the stack that a worker has: each ends in time, and none ends the process.

use quarterdeck::fetch::{ConvertError, Converted, MAX_MARKDOWN, TIME_LIMIT, convert};
use rustix::time::{ClockId, clock_gettime};
use std::fmt::Write;
use std::time::Duration;
use url::Url;

/// The last piece may be a slow one.
const SLACK: Duration = Duration::from_secs(4);

fn on_a_small_stack(html: String) -> (Result<Converted, ConvertError>, Duration) {
    let small = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    let run = move || {
        let base = Url::parse("https://example.org/a/b?c").expect("a URL");
        let converted = convert(&html, &base);
        // Of the processor, since this thread began: other tests keep the machine busy.
        let busy = clock_gettime(ClockId::ThreadCPUTime);
        let nanos = busy.tv_sec * 1_000_000_000 + busy.tv_nsec;
        (converted, Duration::from_nanos(u64::try_from(nanos).expect("time goes on")))
    };
    small.spawn(run).expect("a thread").join().expect("it does not panic")
}

#[track_caller]
fn ends(name: &str, html: String) -> Result<Converted, ConvertError> {
    let (converted, took) = on_a_small_stack(html);
    assert!(took < TIME_LIMIT + SLACK, "{name} took {took:?}");
    if let Ok(converted) = &converted {
        assert!(converted.markdown.len() < MAX_MARKDOWN * 4, "{name}: {} bytes", converted.markdown.len());
    }
    converted
}

fn nested(open: &str, count: usize, close: &str) -> String {
    format!("{}deep{}", open.repeat(count), close.repeat(count))
}

#[test]
fn marks_that_are_taken_away_again_and_code_in_cells() {
    let many = |begin: &str, part: &str| begin.to_owned() + &part.repeat(60_000);
    ends("closed before a letter", many("<p>", "<b>a:</b>b")).expect("sound enough");
    ends("closed within each other", many("<p>x<b>x", "<i><s>a:</s></i>b")).expect("sound enough");
    ends("code in a definition", many("<dl>", "<dt>a<dd><pre>x</pre>")).expect("sound enough");
    let code = format!("<pre>{}</pre>", "a\n".repeat(400_000));
    ends("short lines in a cell", format!("<table><tr><th>a<th>b<tr><td>c<td>d<tr><td>e<tr><td>{code}</table>"))
        .expect("sound enough");
}

#[test]
fn deep_nesting() {
    for (open, close) in [
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
    ] {
        let shallow = ends(open, nested(open, 500, close));
        assert!(shallow.is_ok(), "{open}: {shallow:?}");
        // Deeper than anything real, and over before the limit or refused by it.
        let _ = ends(open, nested(open, 3_000, close));
    }
    let _ = ends("50,000 divs", nested("<div>", 50_000, "</div>"));
    let _ = ends("50,000 b", "<b>".repeat(50_000) + "x");
    let _ = ends("3,000 lists without items", nested("<ul>", 3_000, "</ul>"));
}

#[test]
fn floods() {
    let many_attributes = (0..100_000).fold(String::from("<p "), |mut html, at| {
        let _ = write!(html, "a{at}=1 ");
        html
    });
    for (name, html) in [
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
    ] {
        let _ = ends(name, html);
    }
}

#[test]
fn tables_without_measure() {
    let wide = format!("<table><tr>{}</table>", "<td>x".repeat(50_000));
    let spans = format!("<table>{}</table>", "<tr><td colspan=1000000000 rowspan=1000000000>x".repeat(2_000));
    for (name, html) in [
        ("colspan", "<table><tr><td colspan=1000000000>x<td>y</table>".to_owned()),
        ("colspans", spans),
        ("columns", wide),
        ("rows", format!("<table>{}</table>", "<tr><td>a<td>b".repeat(100_000))),
        ("a wide cell", format!("<table><tr><td>{}{}</table>", "x".repeat(200_000), "<tr><td>y".repeat(5_000))),
        ("nested without rows", nested("<table>", 3_000, "")),
        ("text between rows", "<table>x<tr>y<td>z</table>".repeat(5_000)),
        ("unclosed b", format!("<table>{}", "<tr><td><b>x".repeat(3_000))),
    ] {
        let _ = ends(name, html);
    }
    let converted = ends("colspan", "<table><tr><td colspan=1000000000>x<td>y</table>".into()).expect("a small table");
    assert_eq!(converted.markdown.matches(" --- |").count(), 21, "{}", converted.markdown);
}

#[test]
fn things_left_open() {
    for open in [
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
    ] {
        let _ = ends(open, format!("<p>before</p>{open}{}", "text <b>bold</b> ".repeat(20_000)));
    }
}

#[test]
fn twenty_megabytes() {
    let page = "<h2>Part</h2><p>Some <b>bold</b> text with a <a href=/x>link</a>.</p>\n".repeat(300_000);
    assert!(page.len() > 20_000_000);
    let _ = ends("20 MB", page);
    // A page of the size of the largest real one is no problem.
    let page = "<h2>Part</h2><p>Some <b>bold</b> text with a <a href=/x>link</a>.</p>\n".repeat(20_000);
    let converted = ends("1.4 MB", page).expect("it is quick enough");
    assert!(converted.markdown.len() > MAX_MARKDOWN);
}

/// Many different open formatting elements are opened again in every paragraph: html5ever's way to grow without end.
#[test]
fn formatting_that_multiplies() {
    let formats = (0..3_000).fold(String::from("<p>"), |mut html, at| {
        let _ = write!(html, "<b id=i{at}>");
        html
    });
    let converted = ends("multiplying", formats + &"<p>x".repeat(20_000));
    assert!(converted.is_err(), "{converted:?}");
}

#[test]
fn a_page_that_takes_too_long_says_so() {
    let error = ConvertError::TooSlow(TIME_LIMIT);
    assert_eq!(error.to_string(), "the page takes longer than 2 s to convert");
}
