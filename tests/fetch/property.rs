//! Tests random pages: no panic, no control characters for a terminal, and no HTML in the Markdown.

use proptest::prelude::*;
use quarterdeck::fetch::{convert, convert_body, explain};
use url::Url;

/// Generates whole and broken pieces of pages.
fn piece() -> impl Strategy<Value = String> {
    let tags = "a b i em strong code pre p div br hr ul ol li table tr td th caption thead dl dt dd h1 h3 blockquote \
                header main article nav section details summary img span q del svg math template select form button";
    let names: Vec<&'static str> = tags.split_whitespace().collect();
    let attributes = prop::sample::select(vec![
        "",
        " href='/x'",
        " href=javascript:x",
        " class=modal",
        " class=comments",
        " class='has-sidebar related'",
        " itemprop=articleBody",
        " colspan=7",
        " rowspan=9",
        " start=5",
        " alt='a]b' src=c",
        " hidden",
        " role=main",
        " href='",
        " class=language-x",
    ]);
    let opening = (prop::sample::select(names.clone()), attributes).prop_map(|(name, more)| format!("<{name}{more}>"));
    let closing = prop::sample::select(names).prop_map(|name| format!("</{name}>"));
    let text = prop::sample::select(vec![
        "word",
        "A sentence of some length, with a comma and a full stop at its end. ",
        " ",
        "\n",
        "*",
        "**",
        "_a_",
        "`",
        "```",
        "[x](y)",
        "[a]: b",
        "# h",
        "- i",
        "1. n",
        "> q",
        "|",
        "~~",
        "\\",
        "&lt;b>",
        "&amp;lt;",
        "&#27;[2J",
        "\u{1b}]0;x\u{7}",
        "\u{202e}",
        "\u{9b}1m",
        "\0",
        "é",
        "日本",
        "&nbsp;",
        "<",
        "</",
        "<!--",
        "-->",
        "---",
        "===",
        "!",
        "(",
        "&lt;/div>",
        "\t",
        "\r\n",
    ]);
    prop_oneof![3 => opening, 2 => closing, 4 => text.prop_map(str::to_owned), 1 => any::<String>()]
}

/// Returns a tag that the Markdown would let through: an unescaped `<` outside of code, followed by a name.
fn leftover_tag(markdown: &str) -> Option<&str> {
    markdown.match_indices('<').map(|(at, _)| (&markdown[..at], &markdown[at..])).find_map(|(before, tag)| {
        let escaped = before.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1;
        let named = tag[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
        (named && !escaped && !tag.starts_with("<br>")).then_some(tag)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_page_becomes_safe_text(pieces in prop::collection::vec(piece(), 0..60)) {
        let html = pieces.concat();
        let base = Url::parse("https://example.org/a/").expect("a URL");
        let converted = convert(&html, &base).expect("a small page is quick");
        let bad = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        prop_assert!(!converted.markdown.contains(bad), "{:?}", converted.markdown);
        prop_assert_eq!(convert(&html, &base).map(|again| again.markdown), Ok(converted.markdown.clone()));
        // The choice of the main content never leaves nothing of a page that has text outside its frame.
        let body = convert_body(&html, &base).expect("a small page is quick").markdown;
        let is_shell = explain(&html, None).expect("a small page is quick").page_type == "shell";
        prop_assert!(is_shell || body.trim().is_empty() || !converted.markdown.trim().is_empty(), "{body:?}");
        let has_frame = ["<nav", "<header", "<footer", "<aside", "hidden"].iter().any(|part| html.contains(part));
        prop_assert!(!is_shell || has_frame, "{html:?}");
        // Code is kept as it is, so only pages without code are checked.
        if !html.contains("<code") && !html.contains("<pre") {
            prop_assert_eq!(leftover_tag(&converted.markdown), None);
            prop_assert!(!converted.markdown.contains("\n\n\n"), "{:?}", converted.markdown);
        }
    }
}
