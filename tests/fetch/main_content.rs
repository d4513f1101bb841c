//! Tests the detection of a page's main content, including the cases P1 to P10 of Chatwoot's page parser
//! (assets/docs/chatwoot.md, "Conformance cases").

use quarterdeck::domain::site_rule::{Extract, SiteRule};
use quarterdeck::fetch::{Budget, convert, convert_file, convert_within, explain};
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
fn a_short_page_keeps_what_is_outside_its_content_element() {
    content("<nav>a b c</nav><main>d e f</main>", "d e f");
    content("<div>a b c d</div><main>e f g</main>", "a b c d\n\ne f g");
    content("<nav>x</nav><div>a b c d</div><main>e f g</main>", "a b c d\n\ne f g");
    content("<main><nav>a b c d</nav>e f g</main>", "e f g");
    content("<nav>a b c d</nav>e f g", "e f g");
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

/// Sentences of `number` paragraphs, each of which says something else.
fn paragraphs(number: usize) -> String {
    let one = |n| {
        format!(
            "<p>The keeper of lock {n} opened the gates at dawn, as the rule demands. By noon {n} barges had passed, and \
             the water stood a hand lower than on the day before.</p>"
        )
    };
    (1..=number).map(one).collect()
}

#[test]
fn comments_under_an_article_go_and_answers_of_a_forum_stay() {
    let comments = "<div id=comments><h2>Comments</h2><ul>\
                    <li><p>I was there and I saw it all, every barge of it, from the old bridge.</p>\
                    <li><p>The rule is a hundred years old, and nobody has ever asked for another one.</p></ul></div>";
    let article = format!("<meta property=og:type content=article><body><h1>Locks</h1>{}{comments}", paragraphs(5));
    let base = Url::parse("https://example.org/").expect("a URL");
    let text = convert(&article, &base).expect("a page").markdown;
    assert!(text.contains("lock 5") && !text.contains("old bridge"), "{text}");
    let types = "<script type=application/ld+json>{\"@type\": [\"WebPage\", \"QAPage\"]}</script>";
    let answers = format!("{types}<body><h1>Locks?</h1><div class=question>{}</div>{comments}", paragraphs(1));
    let text = convert(&answers, &base).expect("a page").markdown;
    assert!(text.contains("lock 1") && text.contains("old bridge"), "{text}");
}

#[test]
fn what_is_left_out_has_a_reason() {
    let page = include_str!("golden/article_in_frame.html");
    let explained = explain(page, None).expect("a page");
    assert_eq!(explained.page_type, "article");
    let reason = |selector: &str| {
        let found = explained.dropped.iter().find(|dropped| &*dropped.element == selector);
        found.map(|dropped| dropped.reason.clone())
    };
    assert_eq!(reason("div.cookie-consent").as_deref(), Some("overlay"));
    assert_eq!(reason("aside.related-box").as_deref(), Some("sidebar"));
    assert_eq!(reason("div.grid").as_deref(), Some("teasers"));
    assert_eq!(reason("div#comments").as_deref(), Some("comments"));
    assert_eq!(reason("ul.share-bar").as_deref(), Some("sharing"));
    let teasers = explained.dropped.iter().find(|dropped| &*dropped.element == "div.grid").expect("it is left out");
    assert!(teasers.characters > 100 && teasers.linked > 0.2 && teasers.prose > 0.2, "{teasers:?}");
    for page in ["", "<p>a", "<frameset></frameset>"] {
        assert_eq!(explain(page, None).expect("a page").dropped, [], "{page}");
    }
}

#[test]
fn what_is_around_the_content_and_what_a_rule_excludes_is_explained() {
    let text = paragraphs(4);
    let page = format!(
        "<div class=top>Open today</div><div class=page><div class=rail-free><main>{text}<p class=rating>Rate it, \
         please.</p></main></div></div><div class=below><div class=newsletter>Buy two of these today.</div></div>"
    );
    let reasons = |site: &SiteRule| {
        let explained = convert_file(page.as_bytes(), None, (site, None), 1 << 20).expect("a page");
        let dropped = explained.report.expect("a report").dropped.into_iter();
        dropped.map(|dropped| (dropped.element.to_string(), dropped.reason.into_owned())).collect::<Vec<_>>()
    };
    let pair = |element: &str, reason: &str| (element.to_owned(), reason.to_owned());
    let around = [pair("div.top", "outside the content"), pair("div.newsletter", "promotion")];
    assert_eq!(reasons(&SiteRule::default()), around);
    let excluded = SiteRule { exclude: vec![".rating".into()], ..SiteRule::default() };
    let rating = pair("p.rating", "site rule");
    assert_eq!(reasons(&excluded), [around[0].clone(), rating.clone(), around[1].clone()]);
    let included = SiteRule { include: vec![".rating".into()], ..SiteRule::default() };
    let listed = reasons(&included);
    assert!(listed.len() == 6 && listed.iter().all(|(element, _)| element != "p.rating"), "{listed:?}");
    assert_eq!(reasons(&SiteRule { extract: Extract::Body, ..SiteRule::default() }), []);
}

#[test]
fn the_type_of_a_page_is_read_from_its_shape() {
    for (page, expected) in [
        (include_str!("golden/forum_answers.html"), "forum"),
        (include_str!("golden/product_page.html"), "product"),
        (include_str!("golden/listing_notices.html"), "listing"),
        (include_str!("golden/collection_shop.html"), "collection"),
        (include_str!("golden/service_sections.html"), "service"),
        (include_str!("golden/docs_reference.html"), "documentation"),
    ] {
        assert_eq!(explain(page, None).expect("a page").page_type, expected);
    }
}

/// Checks that the text of the body has `words` under the first of two heads and not under the second; each head comes
/// with the type that the page then has.
#[track_caller]
fn only_in_the_first(pages: [(&str, &str); 2], body: &str, words: &str) {
    let base = Url::parse("https://example.org/").expect("a URL");
    let found = pages.map(|(head, kind)| {
        let page = format!("{head}<body>{body}");
        assert_eq!(explain(&page, None).expect("a page").page_type, kind, "{head}");
        convert(&page, &base).expect("a page").markdown.contains(words)
    });
    assert_eq!(found, [true, false], "{words}");
}

#[test]
fn what_a_page_says_of_itself_decides_what_its_parts_are() {
    const ARTICLE: &str = "<script type=application/ld+json>{\"@type\": \"Article\"}</script>";
    const MARKED: &str = "<meta property=og:type content=article>";
    const PRODUCT: &str = "<script type=application/ld+json>{\"@type\": \"Product\"}</script>";
    let text = paragraphs(4);
    let call = "<section class=cta><p>Ask for a visit today.</p></section>";
    let body = format!("<main><h1>Locks</h1>{text}{call}</main>");
    only_in_the_first([("", "service"), (ARTICLE, "article")], &body, "Ask for a visit");
    let praise = "<div class=reviews><p>I have had mine for two years, and it has never let me down.</p></div>";
    let body = format!("<main><h1>Pump</h1>{text}<p>$ 5.00 <button class=add-to-cart>Buy</button></p>{praise}</main>");
    only_in_the_first([("", "product"), (PRODUCT, "product")], &body, "never let me down");
    let line = "The keeper of the lock opened the gates at dawn, as the rule demands, and shut them at night. ";
    let long = |times: usize| format!("<p>{}</p>", line.repeat(4)).repeat(times);
    let card =
        |n| format!("<div class=card><a href=/{n}><h3>Story number {n}</h3></a><p>A line about it, {n}.</p></div>");
    let cards: String = (1..=6).map(card).collect();
    let body = format!("<main><h1>Locks</h1>{}<div class=grid>{cards}</div></main>", long(5));
    only_in_the_first([(MARKED, "article"), (ARTICLE, "article")], &body, "Story number 3");
    let body = format!("<div class=a>{}</div><div class=b><p>A second text. {line}</p>{}</div>", long(8), long(1));
    only_in_the_first([("", "article"), (MARKED, "article")], &body, "second text");
}

#[test]
fn a_frame_that_holds_the_page_is_no_frame() {
    let text = paragraphs(4);
    let base = Url::parse("https://example.org/").expect("a URL");
    for around in
        ["div class=has-sidebar", "div class='page cookie-policy'", "form", "div class=hidden", "div hidden", "aside"]
    {
        let name = around.split(' ').next().unwrap_or_default();
        let page = format!("<nav>menu</nav><{around}>{text}</{name}><footer>imprint</footer>");
        let markdown = convert(&page, &base).expect("a page").markdown;
        assert!(markdown.contains("lock 1") && markdown.contains("lock 4"), "{around}: {markdown}");
    }
}

#[test]
fn a_shell_with_its_text_in_noscript_is_read_there() {
    let base = Url::parse("https://example.org/").expect("a URL");
    let text = paragraphs(3);
    let shell = format!("<nav>menu</nav><div id=app></div><noscript><div>{text}</div></noscript>");
    let markdown = convert(&shell, &base).expect("a page").markdown;
    assert!(markdown.contains("lock 3"), "{markdown}");
    // Beside a text of the page's own, `noscript` is a notice.
    let page =
        format!("<main>{text}</main><noscript><p>Please switch scripts on, or this page works badly.</p></noscript>");
    let markdown = convert(&page, &base).expect("a page").markdown;
    assert!(!markdown.contains("scripts"), "{markdown}");
}

#[test]
fn a_page_that_scripts_fill_has_no_content() {
    const FRAME: &str = "<header><a href=/>Pumps and locks</a></header><nav><ul><li><a href=/a>Pumps</a><li><a href=/b>Locks and gates\
                         </a><li><a href=/e>Prices and delivery</a><li><a href=/f>Visit our showroom</a></ul></nav><footer><h2>Help</h2><a href=/c>Terms of use</a> <a href=/d>Privacy</a> © Pumps \
                         Ltd. All rights reserved.</footer>";
    let base = Url::parse("https://example.org/").expect("a URL");
    let has_text = |html: &str| {
        let converted = convert(html, &base).expect("a page");
        let is_shell = explain(html, None).expect("a page").page_type == "shell";
        assert_eq!(is_shell, converted.markdown.trim().is_empty(), "{html}");
        !is_shell
    };
    let app = "<div id=app></div><script src=/app.js></script>";
    assert!(!has_text(&format!("{FRAME}{app}")));
    assert!(!has_text(&format!("{FRAME}<main>\n</main>")), "scripts may fill it");
    assert!(!has_text(&format!("<h1>Pumps</h1>{FRAME}{app}<div class=cookie-banner>We use cookies.</div>")));
    // With something of its own the page is stored.
    assert!(has_text(&format!("{FRAME}<p>")), "nothing is there to fill");
    assert!(has_text(&format!("<header><h1>Pump 3</h1></header>{FRAME}{app}")));
    assert!(has_text(&format!(
        "{FRAME}{app}<p>The keeper of the lock opened the gates at dawn, as the rule demands.</p>"
    )));
    let opening = "We are open from dawn to dusk, but never on a Sunday; in winter the keeper of the lock lives at the mill, \
                   where he can be found at night.";
    assert!(has_text(&format!("{FRAME}{app}<footer><p>{opening}</p></footer>")));
    let line = "The keeper of the lock opened the gates at dawn, as the rule demands. ";
    let named = format!("<main><div class=theme-announcement><p>{}</p></div></main>", line.repeat(2));
    assert!(has_text(&format!("{FRAME}{}{app}{named}", FRAME.replace("<h2>", "<h3>").repeat(3))), "a name is no proof");
    let stated =
        format!("{{\"@type\": \"Product\", \"description\": \"{} By noon five barges had passed.\"}}", line.repeat(4));
    let page = format!("<script type=application/ld+json>{stated}</script><body>{FRAME}{app}");
    assert!(convert(&page, &base).expect("a page").markdown.contains("five barges"), "it states its text");
    let report = explain(&format!("{FRAME}{app}"), None).expect("a page");
    let reasons: Vec<_> = report.dropped.iter().map(|one| one.reason.clone()).collect();
    assert_eq!(reasons, ["header", "navigation", "footer"]);
}

#[test]
fn sentences_contradict_the_name_of_a_banner_a_panel_and_an_offer() {
    let base = Url::parse("https://example.org/").expect("a URL");
    let text = |html: &str| convert(html, &base).expect("a page").markdown;
    let page = |part: &str| text(&format!("<main><h1>Locks</h1>{}{part}</main>", paragraphs(6)));
    let banner = "<section class=hero-banner><h2>At your service</h2><p>We come within a day, wherever your lock may be.</p>\
                  <a href=/call>Call</a></section>";
    assert!(page(banner).contains("within a day"));
    assert!(!page("<section class=hero-banner>FREE SHIPPING | LIFETIME WARRANTY</section>").contains("FREE"));
    let panel = "<button>When are you open?</button><div class=item-content hidden><p>We are open from dawn to dusk, but \
                 never on a Sunday.</p></div>";
    assert!(page(panel).contains("never on a Sunday"));
    let notice = panel.replace("item-content", "newsletter-content");
    assert!(!page(&notice).contains("never on a Sunday"));
    let row = |words: &str| {
        let cell = format!("<div class=cell><h3><a href=/x>Read about this model</a></h3><p>{words}</p></div>");
        let head = "<script type=application/ld+json>{\"@type\": \"Product\"}</script><body>";
        text(&format!("{head}<main><h1>Pump</h1>{}<div class=row>{}</div></main>", paragraphs(6), cell.repeat(3)))
    };
    assert!(row("Its motor needs no oil, and it runs for ten years without a rest.").contains("ten years"));
    assert!(!row("Also in red").contains("Also in red"), "other products");
}

#[test]
fn hostile_shapes_take_time_in_proportion() {
    let base = Url::parse("https://example.org/").expect("a URL");
    let shapes = [
        "<div class=comment>".repeat(3_000),
        "<ul><li><a href=/x>".repeat(1_500),
        format!("{}{}", "<b>".repeat(400), "<p>a sentence, more or less.</p>".repeat(2_000)),
        "<div class='card teaser'><a href=/x><h3>A linked title</h3></a></div>".repeat(3_000),
        "<div class='aB-cD_eF1g sidebar'>".repeat(2_000),
        format!("<main>{}", "<section><h2>x</h2></section>".repeat(5_000)),
    ];
    for shape in shapes {
        let most = Budget::Visits(shape.len() as u64 * 4 + 100_000);
        let done = convert_within(&shape, &base, most);
        assert!(done.is_ok(), "{}: {done:?}", &shape[..40]);
    }
}

#[test]
fn a_menu_with_prices_is_no_navigation() {
    let page = |parts: [&str; 3]| {
        let [first, second, third] = parts;
        format!(
            "<main><h1>The Old Mill</h1><p>We bake from four in the morning, with rye and spelt from the fields around the \
             mill, and serve breakfast under the lime trees until noon. Dogs are welcome, and so are muddy boots.</p>\
             <p>The wheel still turns. On Saturdays we grind for visitors, and you may take the flour home with you. \
             Groups of more than ten should call a day before they come, so that there is bread for all.</p>\
             <div class=menu><div>{first}</div><div>{second}</div><div>{third}</div></div></main>"
        )
    };
    let base = Url::parse("https://example.org/").expect("a URL");
    let text = |parts| convert(&page(parts), &base).expect("a small page").markdown;
    let priced = text(["Rye bread $4.20", "Soup of the day $6.50", "Apple cake $3.90"]);
    assert!(priced.contains("Soup of the day $6.50"), "{priced}");
    // Without prices it is taken for one.
    let bare = text(["Home", "Our history and team", "How to find us"]);
    assert!(bare.contains("muddy boots") && !bare.contains("How to find us"), "{bare}");
}
