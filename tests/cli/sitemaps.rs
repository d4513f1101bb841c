//! Tests sitemaps: the pages that are read, in every encoding and format, and the messages about files that are no
//! sitemap.

use quarterdeck::cli::import::lines::{ImportFormat, ImportLine, read};
use std::io::Cursor;

/// Returns the URLs, or `number: why` for a bad entry; the error is the message about the whole file.
fn shown(file: impl AsRef<[u8]>) -> Result<Vec<String>, String> {
    let line = |line: ImportLine| match line {
        ImportLine::Document(document) => document.link.as_str().to_owned(),
        ImportLine::Unreadable { number, reason: why } => format!("{number}: {why}"),
    };
    let lines = read(ImportFormat::Sitemap, Box::new(Cursor::new(file.as_ref().to_vec())), 1, 2)?;
    Ok(lines.map(|read| line(read.expect("from memory"))).collect())
}

fn urls(file: impl AsRef<[u8]>) -> Vec<String> {
    shown(file).expect("is a sitemap")
}

fn refused(file: impl AsRef<[u8]>) -> String {
    shown(file).expect_err("is none")
}

#[test]
fn each_loc_of_a_url_is_a_page_and_nothing_else_is() {
    let file = r#"<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet type="text/xsl" href="https://example.org/style.xsl"?>
<!-- <url><loc>https://example.org/commented-out</loc></url> -->
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
        xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"
        xmlns:xhtml="http://www.w3.org/1999/xhtml">
  <url>
    <loc>
      https://example.org/a
    </loc>
    <lastmod>2026-11-01</lastmod><changefreq>daily</changefreq><priority>0.5</priority>
    <image:image><image:loc>https://example.org/a.png</image:loc></image:image>
    <image:loc>https://example.org/stray.png</image:loc>
    <xhtml:link rel="alternate" hreflang="de" href="https://example.org/de/a"/>
  </url>
  <url><loc>https://example.org/b?x=1&amp;y=2</loc></url>
  <url><loc><![CDATA[https://example.org/c?x=1&y=2]]></loc></url>
  <url><loc>https://example.org/&#100;/&#x65;</loc></url>
  <url><loc>https://example.org/f?x=1&y=2&z</loc></url>
  <url><loc>https://example.org/<!-- no -->g<![CDATA[/h]]></loc></url>
  <url><loc>https://example.org/a</loc></url>
  <loc>https://example.org/not-in-a-url</loc>
  <other><url><loc>https://example.org/too-deep</loc></url></other>
</urlset>
"#;
    let pages = ["a", "b?x=1&y=2", "c?x=1&y=2", "d/e", "f?x=1&y=2&z", "g/h", "a"];
    assert_eq!(urls(file), pages.map(|page| format!("https://example.org/{page}")));
    assert_eq!(urls(file.replace('\n', "\r\n")), urls(file));
}

#[test]
fn a_namespace_may_be_prefixed_wrong_or_missing() {
    for file in [
        "<urlset><url><loc>https://a.b/1</loc></url></urlset>",
        "<s:urlset xmlns:s='http://www.sitemaps.org/schemas/sitemap/0.9'><s:url><s:loc>https://a.b/1</s:loc></s:url></s:urlset>",
        "<s:urlset><s:url><s:loc>https://a.b/1</s:loc></s:url></s:urlset>",
        "<urlset xmlns='https://www.google.com/schemas/sitemap/0.84'><url><loc>https://a.b/1</loc></url></urlset>",
        "<urlset xmlns='u:x'><p:url xmlns:p='u:x'><p:loc>https://a.b/1</p:loc></p:url></urlset>",
        "<urlset xmlns='u:x'><url><loc xmlns='u:y'>https://a.b/2</loc><loc>https://a.b/1</loc></url></urlset>",
    ] {
        assert_eq!(urls(file), ["https://a.b/1"], "{file}");
    }
    // Several sitemaps in one file, as `cat *.xml` makes them.
    let file = "<?xml version='1.0'?><urlset><url><loc>https://a.b/1</loc></url></urlset>\n";
    assert_eq!(urls(file.repeat(2)), ["https://a.b/1", "https://a.b/1"]);
    assert!(urls("<urlset/>").is_empty());
}

#[test]
fn encodings_are_marked_declared_or_seen() {
    let file = |encoding: &str| {
        format!("<?xml version='1.0' encoding='{encoding}'?><urlset><url><loc>https://a.b/é</loc></url></urlset>")
    };
    let page = ["https://a.b/%C3%A9"];
    let wide = |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<_>>();
    let latin = |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect::<Vec<_>>();
    assert_eq!(urls(file("UTF-8")), page);
    assert_eq!(urls(format!("\u{feff}{}", file("utf-8"))), page);
    assert_eq!(urls(format!("\n \u{20}{}", file("utf-8"))), page, "blank lines before it");
    assert_eq!(urls(file("UTF-16")), page, "which it is not");
    assert_eq!(urls(latin(&file("ISO-8859-1"))), page);
    assert_eq!(urls(latin(&file("windows-1252"))), page);
    for text in [file("UTF-16"), format!("\u{feff}{}", file("UTF-16")), file("utf-8")] {
        assert_eq!(urls(wide(&text, u16::to_le_bytes)), page, "{text}");
        assert_eq!(urls(wide(&text, u16::to_be_bytes)), page, "{text}");
    }
    assert_eq!(refused(file("klingon")), "has an unknown encoding, klingon");
    let file = file("k\u{1b}[2Jling\u{202e}on");
    assert_eq!(refused(file), "has an unknown encoding, klingon", "nothing that a terminal would act on");
    assert_eq!(
        urls(b"<urlset><url><loc>https://a.b/\xe9</loc></url>\n<url><loc>https://a.b/2</loc></url></urlset>"),
        ["1: https://a.b/\u{fffd}: is not UTF-8 text", "https://a.b/2"]
    );
}

#[test]
fn entries_that_cannot_be_read_are_named_and_the_others_taken() {
    let file = "<urlset>\n\
        <url><loc>https://a.b/1</loc></url>\n\
        <url>\n<lastmod>2026-11-01</lastmod></url>\n\
        <url><loc/></url>\n\
        <url><loc>/relative</loc></url>\n\
        <url><loc>https://a.b/c.pdf</loc></url>\n\
        <url><loc>https://a.b/&home;</loc></url>\n\
        <url><loc>https://a.b/&#0;</loc></url>\n\
        <url><loc>https://ana:secret@a.b/</loc></url>\n\
        <url><loc>https://a.b/2</loc></url></urlset>";
    assert_eq!(
        urls(file),
        [
            "https://a.b/1",
            "3: entry 2 has no loc",
            "5: entry 3 has an empty loc",
            "6: /relative: must begin with http:// or https://",
            "7: https://a.b/c.pdf: is a PDF, which is never fetched",
            "8: &home; is an unknown entity",
            "9: &#0; is an unknown entity",
            "10: https://ana:***@a.b/: must not contain a user name or password",
            "https://a.b/2",
        ]
    );
}

#[test]
fn what_is_cut_off_or_broken_is_read_up_to_there() {
    let whole = "<urlset>\n<url><loc>https://a.b/1</loc></url>\n<url><loc>https://a.b/2</loc></url>\n</urlset>";
    // For a file that is cut at any byte, half a URL is never taken for a whole one and the cut is always reported.
    for length in 0..whole.trim_end().len() {
        let read = shown(&whole[..length]);
        let Ok(read) = read else {
            assert!(!whole[..length].contains("<urlset>"), "{length}: {read:?}");
            continue;
        };
        let (complaint, pages) = read.split_last().expect("a complaint");
        let complete = whole[..length].matches("</loc>").count();
        assert_eq!(pages, &["https://a.b/1", "https://a.b/2"][..complete], "{length}");
        assert!(complaint.contains("cut off") || complaint.contains("the rest was not read"), "{complaint}");
    }
    assert_eq!(
        urls("<urlset>\n<url><loc>https://a.b/1</loc></url>\n<url><loc>https://a.b/2</lock></url>\n</urlset>"),
        [
            "https://a.b/1",
            "3: is not well-formed XML: ill-formed document: expected `</loc>`, but `</lock>` was found; the rest \
             was not read"
        ]
    );
    assert_eq!(
        urls("<urlset><url><loc>https://a.b/1</loc></url></urlset>\n<html></html>"),
        ["https://a.b/1", "2: is an HTML page, not a sitemap; the rest was not read"]
    );
}

#[test]
fn what_is_no_sitemap_is_said_to_be_what_it_is() {
    for (file, said) in [
        ("", "is not a sitemap: it has no elements"),
        ("rubbish", "is not a sitemap: it has no elements"),
        ("<!DOCTYPE html>\n<html><head><meta charset=utf-8>", "is an HTML page, not a sitemap"),
        ("<\u{1b}[2Jsvg>", "is not a sitemap: its outermost element is svg, not urlset"),
        ("<<<<", "is not well-formed XML: syntax error: tag not closed: `>` not found before end of input"),
    ] {
        assert_eq!(refused(file), said, "{file}");
    }
}

#[test]
fn feeds_list_pages_too() {
    let rss = "<rss version='2.0' xmlns:atom='u:a'><channel><link>https://a.b/</link>\
        <atom:link href='https://a.b/feed'/><item><title>T</title><link>https://a.b/1</link>\
        <pubDate>Mon, 30 Nov 2026 10:00:00 GMT</pubDate></item><item><title>no link</title></item></channel></rss>";
    assert_eq!(urls(rss), ["https://a.b/1", "1: entry 2 has no link"]);
    let atom = "<feed xmlns='http://www.w3.org/2005/Atom'><link href='https://a.b/'/><entry>\
        <link rel='enclosure' href='https://a.b/x.mp3'/><link href='https://a.b/1?a=1&amp;b=2'/>\
        <updated>2026-11-30T10:00:00Z</updated></entry></feed>";
    assert_eq!(urls(atom), ["https://a.b/1?a=1&b=2"]);
    let rdf = "<rdf:RDF xmlns:rdf='u:r' xmlns='u:rss'><channel><link>https://a.b/</link></channel>\
        <item><link>https://a.b/1</link></item></rdf:RDF>";
    assert_eq!(urls(rdf), ["https://a.b/1"]);
}

#[test]
fn an_index_names_the_sitemaps_to_import() {
    let file = "<sitemapindex xmlns='u:x'>\
        <sitemap><loc>https://a.b/s1.xml.gz</loc><lastmod>2026-11-01</lastmod></sitemap>\
        <sitemap><loc> https://a.b/s2.xml?a=1&amp;b=2 </loc></sitemap><url><loc>https://a.b/no</loc></url></sitemapindex>";
    assert_eq!(
        refused(file),
        "is a sitemap index, which lists no pages. Import it by its URL, or each of its sitemaps, as in\n  \
         quarterdeck import URL\n  https://a.b/s1.xml.gz\n  https://a.b/s2.xml?a=1&b=2"
    );
    let sitemap = |number: usize| format!("<sitemap><loc>https://a.b/{number}</loc></sitemap>");
    let many: String = (0..50).map(sitemap).collect();
    let said = refused(format!("<sitemapindex>{many}</sitemapindex>"));
    assert!(said.ends_with("https://a.b/19\n  and 30 more"), "{said}");
    assert_eq!(refused("<sitemapindex/>"), "is a sitemap index without sitemaps");
}

#[test]
fn bombs_do_nothing() {
    let mut entities = "<!ENTITY a0 \"https://a.b/\">".to_owned();
    for level in 1..20 {
        let inner = format!("&a{};", level - 1).repeat(10);
        entities.push_str(&format!("<!ENTITY a{level} \"{inner}\">"));
    }
    let laughs = format!(
        "<!DOCTYPE urlset [{entities}<!ENTITY file SYSTEM \"file:///etc/passwd\">]>\n\
         <urlset><url><loc>&a19;</loc></url><url><loc>https://a.b/&file;</loc></url></urlset>"
    );
    assert_eq!(urls(laughs), ["2: &a19; is an unknown entity", "2: &file; is an unknown entity"]);
    assert_eq!(
        urls(format!("<urlset>{}", "<a>".repeat(100_000))),
        ["1: has elements nested more than 100 deep; the rest was not read"]
    );
    // Each of these took quadratic time in some version of the reader.
    let names: String = (0..200_000).map(|number| format!(" xmlns:n{number}='u:{number}'")).collect();
    let attributes: String = (0..200_000).map(|number| format!(" n{number}=''")).collect();
    let pages = "<url><loc>https://a.b/1</loc></url>".repeat(20_000);
    for file in [
        format!("<urlset{names}>{pages}</urlset>"),
        format!("<urlset><url{attributes}><loc>https://a.b/1</loc></url></urlset>"),
        format!("<urlset><!--{}", "<!--".repeat(1 << 20)),
        format!("<urlset>{}", "<![CDATA[".repeat(1 << 20)),
        format!("<urlset><url><loc>{}", "&amp;".repeat(1 << 20)),
        format!("<urlset><url><loc>{}", "&".repeat(4 << 20)),
        format!("<!DOCTYPE x [{}", "<!ENTITY".repeat(1 << 18)),
        format!("<urlset>{}", "<url a='".repeat(1 << 20)),
    ] {
        let _ = shown(file);
    }
}

#[test]
fn the_largest_sitemap_that_the_protocol_allows_is_read() {
    let entry = |number: usize| {
        let path = "p".repeat(920);
        format!("<url><loc>https://example.org/{number}/{path}</loc><lastmod>2026-11-01</lastmod></url>\n")
    };
    let entries: String = (0..50_000).map(entry).collect();
    let file = format!("<urlset>\n{entries}</urlset>\n");
    assert!(file.len() > 45 << 20, "{} MB", file.len() >> 20);
    let read = urls(file);
    assert_eq!(read.len(), 50_000);
    assert!(read.last().is_some_and(|last| last.starts_with("https://example.org/49999/")));
}
