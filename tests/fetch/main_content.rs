//! Tests the detection of a page's main content, including the cases P1 to P10 of Chatwoot's page parser
//! (assets/docs/chatwoot.md, "Conformance cases").

use quarterdeck::fetch::convert;
use url::Url;

#[track_caller]
fn content(html: &str, expected: &str) {
    let base = Url::parse("https://example.org/").expect("a URL");
    let markdown = convert(html, &base).expect("a small page").markdown;
    assert_eq!(markdown.trim_end_matches('\n'), expected, "{html}");
}

/// Enough words that dropping the rest loses less than half of the page.
const TEXT: &str = "one two three four five six seven eight nine ten";

#[test]
fn main_then_role_main_then_the_only_article_then_body() {
    content(&format!("<div>x</div><main>{TEXT}</main><div role=main>y</div>"), TEXT);
    content(&format!("<div>x</div><div role=main>{TEXT}</div><article>y</article>"), TEXT);
    content(&format!("<div>x</div><article>{TEXT}</article>"), TEXT);
    content(&format!("<div>x</div><article>{TEXT}</article><article>y</article>"), &format!("x\n\n{TEXT}\n\ny"));
    content(&format!("<div>x</div><p>{TEXT}"), &format!("x\n\n{TEXT}"));
}

#[test]
fn what_stands_around_the_content_goes() {
    for noise in [
        "<nav>x</nav>",
        "<header>x</header>",
        "<footer>x</footer>",
        "<aside>x</aside>",
        "<form>x</form>",
        "<div hidden>x</div>",
        "<div aria-hidden=true>x</div>",
        "<div role=navigation>x</div>",
        "<div role=banner>x</div>",
        "<div role=contentinfo>x</div>",
        "<div class='site cookie-banner'>x</div>",
        "<div id=announcement>x</div>",
        "<div class=newsletter-box>x</div>",
        "<div class=popup>x</div>",
        "<div class='a modal b'>x</div>",
        "<div class=drawer__inner>x</div>",
        "<ol class=breadcrumb><li>x</ol>",
        "<iframe>x</iframe>",
    ] {
        content(&format!("{noise}<p>{TEXT}</p>"), TEXT);
        content(&format!("<main><p>{TEXT}</p>{noise}</main>"), TEXT);
    }
}

#[test]
fn parts_of_words_are_no_noise() {
    for kept in ["class=multimodal", "id=bookie", "class=withdrawer", "hidden=until-found", "aria-hidden=false"] {
        content(&format!("<p>{TEXT}</p><div {kept}>x</div>"), &format!("{TEXT}\n\nx"));
    }
    // An id is a link target: on a part of the content it names that part's subject.
    for part in ["h2 id=cookies", "section id=cookie-objects", "dt id=http.cookies", "div class=section id=modal"] {
        let name = part.split(' ').next().unwrap_or_default();
        let mark = if name == "h2" { "## " } else { "" };
        content(&format!("<p>{TEXT}</p><{part}>x</{name}>"), &format!("{TEXT}\n\n{mark}x"));
    }
    // The root element is the page, whatever its class or id.
    content(&format!("<body class='modal-open'><main id=drawer>{TEXT}</main>"), TEXT);
}

#[test]
fn the_whole_body_when_more_than_half_of_the_words_would_go() {
    content("<nav>a b c</nav><main>d e f</main>", "d e f");
    content("<div>a b c d</div><main>e f g</main>", "a b c d\n\ne f g");
    content("<nav>x</nav><div>a b c d</div><main>e f g</main>", "a b c d\n\ne f g");
    content("<main><nav>a b c d</nav>e f g</main>", "a b c d\n\ne f g");
    content("<nav>a b c d</nav>e f g", "a b c d\n\ne f g");
    content("<form><p>the page is one form</p></form>", "the page is one form");
    content("<main></main><div id=app>rendered elsewhere</div>", "rendered elsewhere");
    content(&format!("<div class=modal>{TEXT}</div><p>x<script>not a word</script>"), &format!("{TEXT}\n\nx"));
}

#[test]
fn asides_that_are_notes_belong_to_the_text() {
    for note in ["role=note", "role=doc-footnote", "class=footnote-list", "class='admonition tip'", "class=callout"] {
        content(&format!("<main>{TEXT}<aside {note}>x</aside></main>"), &format!("{TEXT}\n\nx"));
    }
}

#[test]
fn navigation_around_the_content_is_no_loss() {
    content("<nav>a b c d</nav><main>e f g</main>", "e f g");
    content("<div role=navigation>a b c d</div><article>e f g</article>", "e f g");
    content("<nav>a b c d</nav><main>e</main><div>f g h</div>", "e\n\nf g h");
    content("<nav>a b c d</nav><main></main>", "a b c d");
}

#[test]
fn a_content_within_navigation_is_found() {
    let around = "<ul><li>a<li>b<li>c</ul>";
    content(&format!("<nav>{around}<main>{TEXT}</main>{around}</nav>"), TEXT);
    content(&format!("<nav><div><div role=main><nav>x</nav>{TEXT}</div></div>{around}</nav><p>y</p>"), TEXT);
    content(&format!("<noscript>{around}</noscript><nav><main>z</main></nav><p>{TEXT}</p>"), TEXT);
}

#[test]
fn a_header_within_the_content_keeps_its_headings() {
    content(
        &format!("<main><header><nav>x</nav>by y<h1>Page <b>title</b></h1></header>{TEXT}</main>"),
        &format!("# Page **title**\n\n{TEXT}"),
    );
    content(&format!("<article><header><h1>T</h1><p>date</p></header>{TEXT}</article>"), &format!("# T\n\n{TEXT}"));
    content(&format!("<header><h1>Site</h1></header><main>{TEXT}</main>"), TEXT);
    content(&format!("<header><h1>Site</h1></header><p>{TEXT}"), TEXT);
    content(
        &format!("<article><header><h2>T</h2>x</header>{TEXT}</article><article>z</article>"),
        &format!("## T\n\n{TEXT}\n\nz"),
    );
}
