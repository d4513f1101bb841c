//! Tests the Markdown writer on snippets of HTML, for the exact output.

use quarterdeck::fetch::convert;
use url::Url;

fn markdown(html: &str) -> String {
    let base = Url::parse("https://example.org/docs/page").expect("a URL");
    convert(html, &base).expect("a small page").markdown
}

#[track_caller]
fn all(cases: &[(&str, &str)]) {
    for (html, expected) in cases {
        assert_eq!(markdown(html).trim_end_matches('\n'), *expected, "{html}");
    }
}

#[test]
fn headings_and_paragraphs() {
    all(&[
        ("<h1>A</h1><p>b  \n c</p><p>d", "# A\n\nb c\n\nd"),
        ("<h2><div>A</div><br>b</h2>", "## A b"),
        ("<h3></h3>text", "text"),
        ("<h6>C #</h6>", "###### C \\#"),
        ("a<div>b</div>c", "a\n\nb\n\nc"),
        ("<p>a<br>b<br><br>c<br></p>", "a  \nb\n\nc"),
        ("<br>a", "a"),
        ("a<hr>b", "a\n\n---\n\nb"),
        ("<h2>FAQ</h2><h3><button>Why?</button></h3><p>So.</p>", "## FAQ\n\n### Why?\n\nSo."),
        ("<p>a&nbsp;b</p>", "a\u{a0}b"),
    ]);
}

#[test]
fn labels_side_by_side_do_not_touch() {
    all(&[
        ("<span class=a>No 60</span><span class=b>Millrace</span>", "No 60 Millrace"),
        ("<span class=a>Oak (3)</span><span class=b>Beech</span>", "Oak (3) Beech"),
        ("<span class=a>Oak</span><span class=b>, beech</span>", "Oak, beech"),
        ("<span>un</span><span class=b>set</span>", "unset"),
        ("<span class=a>M</span><span class=a>i</span><span class=a>ll</span>", "Mill"),
        ("<code><span class=k>let</span><span class=n>x</span></code>", "`letx`"),
    ]);
}

#[test]
fn emphasis() {
    all(&[
        ("<b>a</b> <i>b</i> <del>c</del> <s>d</s>", "**a** *b* ~~c~~ ~~d~~"),
        ("a<b> b </b>c", "a **b** c"),
        ("a <b></b><i> </i>b", "a b"),
        ("<b>a</b><b>b</b>", "**ab**"),
        ("<b>a<b>b</b></b>", "**ab**"),
        ("<b>a <i>b</i></b>", "**a *b***"),
        ("<b><p>a</p><p>b</p></b>", "**a**\n\n**b**"),
        ("<strong>a<br>b</strong>", "**a  \nb**"),
        // Emphasis marks between a letter and a punctuation character have no effect, so none are written.
        ("a<b>(b)</b>c d<i>e</i>f <b>g:</b>h <b>i</b>: j<b>:k</b>", "a(b)c d*e*f g:h **i**: j:k"),
        ("Byte<em><code>n</code></em> <em><code>n</code></em>s <b><i>x:</i></b>y", "Byte`n` `n`s x:y"),
        ("<b>a:</b> b <b>c:</b><i>d</i> <b>e</b><a href=/x>f</a>", "**a:** b c:*d* **e**[f](https://example.org/x)"),
        ("<b><a href=/x>a</a></b>b <b>c</b><b>:</b>d", "[a](https://example.org/x)b c:d"),
        ("强调<b>（重要）</b>文字 <b>“引用”</b>。", "强调（重要）文字 **“引用”**。"),
        ("H<sub>2</sub>O <q>said</q> <u>u</u> <mark>m</mark>", "H2O \"said\" u m"),
        ("<ruby>漢字<rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby>", "漢字(かんじ)"),
    ]);
}

#[test]
fn code() {
    all(&[
        ("use <code>x  =\n1</code>.", "use `x = 1`."),
        ("<code>a`b</code>", "``a`b``"),
        ("<code>`</code>", "`` ` ``"),
        ("<code>*a*_b_<b>c</b></code>", "`*a*_b_c`"),
        ("<code>a</code><code>b</code>", "`ab`"),
        ("<code></code>a", "a"),
        ("<a href=/x><code>f()</code></a>", "[`f()`](https://example.org/x)"),
        ("<code>a<a href=/x>b</a>c</code>", "`a`[`b`](https://example.org/x)`c`"),
        ("<pre>a\n  b\n\n</pre>", "```\na\n  b\n```"),
        ("<pre><code class='hljs language-rust'>fn a() {}\n</code></pre>", "```rust\nfn a() {}\n```"),
        ("<div class='highlight-python'><pre>x = 1</pre></div>", "```python\nx = 1\n```"),
        ("<pre class='language-a`b'>x</pre>", "```\nx\n```"),
        ("<pre>```\na\n````</pre>", "`````\n```\na\n````\n`````"),
        ("<pre>a<br>b<b>*c*</b>\td</pre>", "```\na\nb*c*    d\n```"),
        ("<pre><div>a</div><div>b</div></pre>", "```\na\nb\n```"),
        ("<pre></pre>a", "a"),
    ]);
}

#[test]
fn links_and_images() {
    all(&[
        ("<a href=other>x</a>", "[x](https://example.org/docs/other)"),
        ("<a href='//a.b/c d(e)'>x</a>", "[x](https://a.b/c%20d%28e%29)"),
        ("<a href='#part'>x</a>", "[x](https://example.org/docs/page#part)"),
        (
            "<h2>A<a href='#a'>¶</a></h2><h2><a href='#b'>B</a></h2><h2><a href='#c'># C</a></h2>",
            "## A\n\n## B\n\n## # C",
        ),
        ("<h2>A <a href='#a'>#</a></h2><a href='#'>b</a>", "## A\n\nb"),
        ("<a href='javascript:x()'>x</a> <a>y</a> <a href='data:,z'>z</a>", "x y z"),
        ("<a href=''>this page</a> <a name=x>y</a>", "[this page](https://example.org/docs/page) y"),
        ("<a href='mailto:a@b.c'>mail</a>", "[mail](mailto:a@b.c)"),
        ("<a href=/x>[a](b)</a>", "[\\[a\\]\\(b)](https://example.org/x)"),
        ("<a href=/x> a </a>b", "[a](https://example.org/x) b"),
        ("<a href=/x></a>b", "b"),
        ("!<a href=/x>a</a>", "\\![a](https://example.org/x)"),
        ("<a href=/x><h3>T</h3><p>t</p></a>", "### [T](https://example.org/x)\n\n[t](https://example.org/x)"),
        ("<base href='https://cdn.org/v2/'><a href=x>x</a>", "[x](https://cdn.org/v2/x)"),
        ("<img src=/i.png alt='a [b]\nc'>", "![a \\[b\\] c](https://example.org/i.png)"),
        ("a<img src=/i.png alt=''><img src=/i.png>b", "ab"),
        ("<img src='data:image/png;base64,AAAA' alt='Logo'>", "Logo"),
        ("<a href=/x><img src=/i alt=I></a>", "[![I](https://example.org/i)](https://example.org/x)"),
    ]);
}

#[test]
fn lists() {
    all(&[
        ("<ul><li>a<li>b</ul>", "- a\n- b"),
        ("p<ul><li>a</ul>q", "p\n\n- a\n\nq"),
        ("<ol><li>a<ul><li>b<ol><li>c</ol></ul><li>d</ol>", "1. a\n   - b\n     1. c\n2. d"),
        ("<ol start=9><li>a<li>b<li value=20>c<li>d</ol>", "9. a\n10. b\n20. c\n21. d"),
        ("<ol start=x><li>a</ol><ol start=-3><li>b</ol>", "1. a\n\n1. b"),
        ("<ul><li><p>a</p><p>b</p><li><p>c</p></ul>", "- a\n\n  b\n- c"),
        ("<ul><li>a<br>b</li><li>c</ul>", "- a  \n  b\n- c"),
        ("<ul><li>a<pre>x\n y</pre>b</ul>", "- a\n\n  ```\n  x\n   y\n  ```\n\n  b"),
        ("<ul><li>a<ul><li>b</ul>c</ul>", "- a\n  - b\n\n  c"),
        ("<ul><li>a</li><ul><li>b</li></ul><li>c</li></ul>", "- a\n  - b\n- c"),
        ("<ul><li></li><li><ul><li>a</ul></ul>", "- - a"),
        ("<ul><li><h3>H</h3>t</ul>", "- ### H\n\n  t"),
        ("<li>stray", "- stray"),
        // Only a list that begins with 1 may directly follow a paragraph.
        ("<ul><li>a<ol start=3><li>b<li>c</ol></ul>", "- a\n\n  3. b\n  4. c"),
        ("<ul><li>a<ol><li value=2>b</ol><li>c</ul>", "- a\n\n  2. b\n- c"),
        ("<ul><li>[x] not a task<li># no</ul>", "- \\[x] not a task\n- \\# no"),
    ]);
}

#[test]
fn quotes_definitions_details() {
    all(&[
        ("<blockquote>a<p>b</p></blockquote>c", "> a\n>\n> b\n\nc"),
        ("<blockquote><blockquote>a</blockquote>b</blockquote>", "> > a\n>\n> b"),
        ("<blockquote><ul><li>a<li>b</ul></blockquote>", "> - a\n> - b"),
        ("<dl><dt>T<dd>a<dd>b<dt>U<dd><p>c</p><p>d</p></dl>e", "T\n: a\n: b\n\nU\n: c\n\n  d\n\ne"),
        // A definition's colon precedes text only: a fence after it would not open, and its closing fence would open
        // one.
        ("<dl><dt>T<dd><pre>x</pre>y<dt>U<dd>z</dl>", "T\n\n```\nx\n```\n\ny\n\nU\n: z"),
        ("<dl><dt>T<dd><ul><li>a<li>b</ul></dl>", "T\n\n- a\n- b"),
        ("<dl><dt>T<dd><table><tr><td>a<td>b</table></dl>", "T\n\n| a | b |\n| --- | --- |"),
        ("<dl><dt>T<dd><h3>H</h3>a</dl>", "T\n\n### H\n\na"),
        ("<dl><dt>T<dd><blockquote>a</blockquote></dl>", "T\n\n> a"),
        ("<dl><dt>T<dd>a<pre>x</pre></dl>", "T\n: a\n\n  ```\n  x\n  ```"),
        ("<dl><dt>T<dd><dl><dt>a<dd>b</dl></dl>", "T\n: a\n  b"),
        ("<details><summary>More</summary>text</details>", "**More**\n\ntext"),
        ("<details><summary><h3>More</h3></summary><p>text</p></details>", "### **More**\n\ntext"),
        ("<figure><img src=/i alt=I><figcaption>C</figcaption></figure>", "![I](https://example.org/i)\n\nC"),
    ]);
}

#[test]
fn tables() {
    all(&[
        (
            "<table><thead><tr><th>A<th>B<tbody><tr><td>1<td>2<tr><td>3</table>",
            "| A | B |\n| --- | --- |\n| 1 | 2 |\n| 3 |",
        ),
        ("p<table><tr><td>a|b<td><code>c|d</code></table>q", "p\n\n| a\\|b | `c\\|d` |\n| --- | --- |\n\nq"),
        ("<table><tr><td>a<tr><td>b<td>c</table>", "| a | |\n| --- | --- |\n| b | c |"),
        (
            "<table><tr><td colspan=2>a<td>b<tr><td>c<td>d<td>e</table>",
            "| a | | b |\n| --- | --- | --- |\n| c | d | e |",
        ),
        ("<table><tr><td rowspan=2>a<td>b<tr><td>c</table>", "| a | b |\n| --- | --- |\n| | c |"),
        (
            "<table><caption>Cap</caption><tr><td>a<br>b<td><p>c</p><p>d</p></table>",
            "Cap\n\n| a<br>b | c<br>d |\n| --- | --- |",
        ),
        ("<table><tr><td>a<ul><li>b<li>c</ul><td>d</table>", "| a<br>- b<br>- c | d |\n| --- | --- |"),
        ("<table><tr><td>x</table>", "x"),
        ("<table><tr><td>x<tr><td><ul><li>y</ul></table>", "x\n\n- y"),
        ("<table><tr><td> <ul> <li> a <li> b </ul> <td>c</table>", "| - a<br>- b | c |\n| --- | --- |"),
        ("<table><tr><td></table>y", "y"),
        ("<table><tr><td>a<table><tr><td>b<td>c</table><td>d</table>", "a\n\n| b | c |\n| --- | --- |\n\nd"),
        // A table with one column of blocks is layout, unless the page says that it is a table.
        ("<table><tr><td><p>a<p>b<tr><td>c</table>", "a\n\nb\n\nc"),
        ("<table><tr><th>H<tr><td><p>a<p>b<tr><td>c</table>", "| H |\n| --- |\n| a<br>b |\n| c |"),
        ("<table><tr><th>H</table>", "H"),
        // An occasional code block does not split the rows; rows that consist of code keep their lines.
        (
            "<table><tr><th>A<th>B<tr><td>a<td>b<tr><td>c<td>d<pre>x\n  y|z\n</pre>e</table>",
            "| A | B |\n| --- | --- |\n| a | b |\n| c | d<br>`x`<br>`y\\|z`<br>e |",
        ),
        (
            "<table><tr><th>A<th>B<tr><td>a<td><pre>x</pre><tr><td>b<td><pre>y</pre></table>",
            "A\n\nB\n\na\n\n```\nx\n```\n\nb\n\n```\ny\n```",
        ),
        (
            "<table><tr><td>1<td><pre>x</pre><tr><td>2<td>y<tr><td>3<td>z</table>",
            "1\n\n```\nx\n```\n\n2\n\ny\n\n3\n\nz",
        ),
        ("<table role=presentation><tr><td>a<td>b</table>", "a\n\nb"),
        ("<ul><li>a<table><tr><td>b<td>c</table></ul>", "- a\n\n  | b | c |\n  | --- | --- |"),
        ("<table><tr><td><b>a<td>b</table>c", "| **a** | b |\n| --- | --- |\n\nc"),
    ]);
}

#[test]
fn text_that_looks_like_markup_stays_text() {
    all(&[
        ("&lt;b>x&lt;/b> a &lt; b", "\\<b>x\\</b> a < b"),
        ("&amp;lt; &amp; &amp;copy", "\\&lt; & &copy"),
        ("1. a", "1\\. a"),
        ("a<br># b<br>- c", "a  \n\\# b  \n\\- c"),
        ("*a* _b_ `c` snake_case", "\\*a\\* \\_b\\_ \\`c\\` snake_case"),
        (
            "a<script>x</script><style>y</style><svg><title>z</title></svg><template>t</template><noscript>n</noscript>b",
            "ab",
        ),
        ("a<!-- b -->c<textarea>d</textarea><select><option>e</select>", "ac"),
        ("a\u{202e}b\u{200e}c\u{1b}[31md\u{7}e&#27;[1mf&#x9b;g", "abcdef›g"),
    ]);
}

#[test]
fn titles() {
    let title = |html: &str| {
        let base = Url::parse("https://example.org/").expect("a URL");
        convert(html, &base).expect("a small page").title
    };
    assert_eq!(title("<title> a\n b </title>").as_deref(), Some("a b"));
    assert_eq!(title("<title>&lt;a&gt; &amp; b</title><title>c</title>").as_deref(), Some("<a> & b"));
    assert_eq!(title("<svg><title>s</title></svg><title>t</title>").as_deref(), Some("t"));
    assert_eq!(title("<title> &nbsp; </title>"), None);
    assert_eq!(title("<p>a"), None);
}

#[test]
fn the_same_page_gives_the_same_text() {
    let page = "<h1>A</h1><table><tr><td>a<td>b</table><ul><li>x<li><a href=y>z</a></ul>".repeat(50);
    let first = markdown(&page);
    assert!((0..5).all(|_| markdown(&page) == first));
}
