//! Tests import files: the documents that are read, and the messages about bad lines.

use quarterdeck::cli::import::lines::{ImportFormat, ImportLine, read};
use std::io::Cursor;
use std::path::Path;

/// Formats each line as `url name account assistant`, or `number: why` for a bad one.
fn shown(form: ImportFormat, text: impl AsRef<[u8]>) -> Vec<String> {
    let lines = read(form, Box::new(Cursor::new(text.as_ref().to_vec())), 1, 2).expect("has a header");
    let line = |line: ImportLine| match line {
        ImportLine::Document(document) => format!(
            "{} {} {} {}",
            document.link.as_str(),
            document.name.as_deref().unwrap_or("-"),
            document.account_id,
            document.assistant_id
        ),
        ImportLine::Unreadable { number, reason: why } => format!("{number}: {why}"),
    };
    lines.map(|read| line(read.expect("from memory"))).collect()
}

#[test]
fn a_list_is_one_url_a_line() {
    let text = "\u{feff}https://example.org/a\r\n\n# a comment\n  https://example.org/b#part  \nnonsense\nhttps://a.b/c.pdf\nftp://a.b\nhttps://last.example.org";
    assert_eq!(
        shown(ImportFormat::List, text),
        [
            "https://example.org/a - 1 2",
            "https://example.org/b - 1 2",
            "5: nonsense: must begin with http:// or https://",
            "6: https://a.b/c.pdf: is a PDF, which is never fetched",
            "7: ftp://a.b: must begin with http:// or https://",
            "https://last.example.org - 1 2",
        ]
    );
    assert_eq!(
        shown(ImportFormat::List, b"https://a.b/1\n\xff\xfe\nhttps://a.b/2"),
        ["https://a.b/1 - 1 2", "2: is not UTF-8 text", "https://a.b/2 - 1 2",]
    );
    assert!(shown(ImportFormat::List, "").is_empty());
}

#[test]
fn csv_has_a_header_in_any_order() {
    let text = "name,URL,assistant_id,color,account_id\n\
                \"Start, here\",https://example.org/a,4,red,3\n\
                ,https://example.org/b,,,\n\
                No link,,,,\n\
                Bad,https://example.org/c,none,,\n\
                \"Two\nlines\",https://example.org/d,,,\n\
                Zero,https://example.org/e,,,0\n\
                short\n\
                Last,https://example.org/f,,,\n";
    assert_eq!(
        shown(ImportFormat::Csv, text),
        [
            "https://example.org/a Start, here 3 4",
            "https://example.org/b - 1 2",
            "4: has no url",
            "5: assistant_id must be a number from 1, not none",
            "https://example.org/d Two lines 1 2",
            "8: account_id must be a number from 1, not 0",
            "9: has no url",
            "https://example.org/f Last 1 2",
        ]
    );
    assert_eq!(
        shown(ImportFormat::Csv, b"url\nhttps://a.b/\xff\nhttps://a.b/2"),
        ["2: is not UTF-8 text", "https://a.b/2 - 1 2"]
    );
    assert_eq!(
        read(ImportFormat::Csv, Box::new(Cursor::new("link,name\nhttps://a.b,x")), 1, 1).err(),
        Some("the first line must be a header with a column url".to_owned())
    );
}

#[test]
fn json_lines_take_what_list_prints() {
    let text = r#"{"url":"https://example.org/a","name":"Start","account_id":3,"assistant_id":"4"}
{"id":812,"name":null,"url":"https://example.org/b","account_id":5,"assistant_id":6,"status":"failed","attempt":null}

{"url":"https://example.org/c"
["https://example.org/d"]
{"name":"no link"}
{"url":{"href":"https://example.org/e"}}
{"url":"https://example.org/f","account_id":1.5}
{"url":"https://example.org/g"}"#;
    assert_eq!(
        shown(ImportFormat::Jsonl, text),
        [
            "https://example.org/a Start 3 4",
            "https://example.org/b - 5 6",
            "4: is not JSON: EOF while parsing an object",
            "5: is not a JSON object",
            "6: has no url",
            "7: url is neither text nor a number",
            "8: account_id must be a number from 1, not 1.5",
            "https://example.org/g - 1 2",
        ]
    );
}

#[test]
fn what_is_untrusted_comes_out_safe() {
    assert_eq!(shown(ImportFormat::List, "\x1b[2Jhttps\n"), ["1: https: is not a URL"]);
    let long = "x".repeat(300);
    let said = &shown(ImportFormat::List, &long)[0];
    assert!(said.chars().count() < 150 && said.contains('…'), "{said}");
}

#[test]
fn an_endless_line_takes_no_memory_and_hides_no_other() {
    let text = format!("https://a.b/1\n{}\nhttps://a.b/2\n{}", "x".repeat(3_000_000), "y".repeat(1_000_001));
    let expected = ["https://a.b/1 - 1 2", "2: is longer than 1 MB", "https://a.b/2 - 1 2", "4: is longer than 1 MB"];
    assert_eq!(shown(ImportFormat::List, text), expected);
}

#[test]
fn the_form_is_told_from_name_or_first_line() {
    for (name, text, form) in [
        ("pages.csv", "", ImportFormat::Csv),
        ("pages.JSONL", "", ImportFormat::Jsonl),
        ("pages.ndjson", "", ImportFormat::Jsonl),
        ("pages.txt", "https://a.b/?url=x,url2", ImportFormat::List),
        ("-", "\n {\"url\":\"https://a.b\"}", ImportFormat::Jsonl),
        ("-", "\u{feff}name, \"url\"\nx,y", ImportFormat::Csv),
        ("-", "url\nhttps://a.b", ImportFormat::Csv),
        ("-", "https://a.b\nhttps://a.c", ImportFormat::List),
        ("-", "", ImportFormat::List),
        ("sitemap.xml", "", ImportFormat::Sitemap),
        ("sitemap-1.XML.gz", "", ImportFormat::Sitemap),
        ("pages.csv.gz", "", ImportFormat::Csv),
        ("pages.txt", "\n  <urlset>", ImportFormat::Sitemap),
        ("-", "\u{feff}<?xml version='1.0'?>", ImportFormat::Sitemap),
        ("-", "<\0u\0r\0l\0", ImportFormat::Sitemap),
        ("-", "\0<\0u\0r\0l", ImportFormat::Sitemap),
    ] {
        assert_eq!(ImportFormat::guess(Path::new(name), text.as_bytes()), form, "{name} {text:?}");
    }
}
