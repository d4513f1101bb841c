//! Text that a page states about itself in JSON-LD: the body of an article, the text of a forum's posts, the description
//! of a product. It completes the text of a page whose elements hold next to none.

use super::budget::{BudgetMeter, ConvertError};
use super::dom::{name_of, with_text};
use dom_query::Document;
use serde_json::Value;
use std::collections::HashSet;
use std::fmt::Write as _;

/// Length of a page's Markdown in characters from which the page has a text of its own.
const LEAST_TEXT: usize = 250;
/// Length of a stated text in characters from which it completes a page: a shorter one is a teaser.
const LEAST_STATED: usize = 200;
/// Number of bytes of JSON-LD that are parsed at the most.
const MOST_JSON: usize = 1 << 20;
/// Share of the words of a stated text from which the page has it already, in percent.
const KNOWN_PERCENT: usize = 70;

/// Returns the stated texts of a page as HTML, if the page's own text, `markdown`, is next to none and does not contain
/// them.
pub(super) fn completion(
    document: &Document,
    markdown: &str,
    clock: &mut BudgetMeter,
) -> Result<Option<String>, ConvertError> {
    if markdown.chars().filter(|c| !c.is_whitespace()).take(LEAST_TEXT).count() == LEAST_TEXT {
        return Ok(None);
    }
    let mut texts = Vec::new();
    for json in scripts(document, clock)? {
        clock.check()?;
        if let Ok(value) = serde_json::from_str(&json) {
            collect(&value, &mut texts);
        }
    }
    let known: HashSet<String> = words(markdown).collect();
    let is_new = |text: &&String| {
        let all: Vec<String> = words(text).collect();
        let has = all.iter().filter(|word| known.contains(*word)).count();
        has * 100 < all.len() * KNOWN_PERCENT
    };
    let mut stated: HashSet<&String> = HashSet::new();
    let new: Vec<&String> = texts.iter().filter(is_new).filter(|text| stated.insert(*text)).collect();
    let length: usize = new.iter().map(|text| text.chars().count()).sum();
    clock.check()?;
    Ok((length >= LEAST_STATED).then(|| new.into_iter().map(|text| html_of(text)).collect()))
}

/// Returns the JSON-LD scripts of a page, up to [`MOST_JSON`] bytes.
fn scripts(document: &Document, clock: &mut BudgetMeter) -> Result<Vec<String>, ConvertError> {
    let (mut scripts, mut left) = (Vec::new(), MOST_JSON);
    let mut stack = vec![document.root()];
    while let Some(node) = stack.pop() {
        clock.step()?;
        if &*name_of(&node) == "script" {
            let is_json = node.attr("type").is_some_and(|kind| kind.trim() == "application/ld+json");
            let text = node.first_child().filter(|_| is_json).and_then(|text| with_text(&text, str::to_owned));
            if let Some(text) = text.filter(|text| text.len() <= left) {
                left -= text.len();
                scripts.push(text);
            }
            continue;
        }
        let mut child = node.last_child();
        while let Some(next) = child {
            stack.push(next);
            child = next.prev_sibling();
        }
    }
    Ok(scripts)
}

/// Adds the texts in `value`, in their order. The parser limits the depth of values.
fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, texts)),
        Value::Object(object) => {
            let kind = object.get("@type").map(type_of).unwrap_or_default();
            let is_post = matches!(kind, "DiscussionForumPosting" | "SocialMediaPosting" | "Comment");
            let own = match kind {
                "Product" | "ProductGroup" => "description",
                "Question" | "Answer" => "text",
                _ if is_post => "text",
                _ => "articleBody",
            };
            if let Some(Value::String(text)) = object.get(own).or_else(|| object.get("articleBody")) {
                texts.push(text.clone());
            }
            // Comments are content below a post; reviews never are.
            let is_content = |name: &str| name != "review" && (name != "comment" || is_post);
            object.iter().filter(|(name, _)| is_content(name)).for_each(|(_, value)| collect(value, texts));
        }
        _ => {}
    }
}

/// Returns the first type of a thing, without the vocabulary's address.
fn type_of(value: &Value) -> &str {
    let name = match value {
        Value::Array(names) => names.first().and_then(Value::as_str),
        value => value.as_str(),
    };
    name.and_then(|name| name.rsplit('/').next()).unwrap_or_default()
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Returns a stated text as HTML: as it is if it has tags, else each line as a paragraph.
fn html_of(text: &str) -> String {
    if text.contains("</") || text.contains("<br") {
        return format!("<div>{text}</div>");
    }
    text.lines().filter(|line| !line.trim().is_empty()).fold(String::new(), |mut html, line| {
        let _ = write!(html, "<p>{}</p>", line.replace('&', "&amp;").replace('<', "&lt;"));
        html
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::convert;
    use url::Url;

    const STATED: &str = "The lock at Varn was opened again on Friday, three weeks after a barge had torn off one of its \
                          gates. The new gate was built in Holm and came down the river on a raft, which took four days \
                          because of the low water, and then it was hung within an hour.";

    fn markdown(json: &str, body: &str) -> String {
        let page = format!("<script type=application/ld+json>{json}</script>{body}");
        convert(&page, &Url::parse("https://example.org/").expect("a URL")).expect("a small page").markdown
    }

    #[test]
    fn a_shell_has_the_text_that_it_states() {
        let article = format!(r#"{{"@type":"NewsArticle","articleBody":"{STATED}"}}"#);
        assert_eq!(markdown(&article, ""), format!("{STATED}\n"));
        assert_eq!(markdown(&article, "<p>Loading"), format!("Loading\n\n{STATED}\n"));
        let product = format!(r#"[{{"@graph":[{{"@type":["Product"],"description":"{STATED}"}}]}}]"#);
        assert_eq!(markdown(&product, ""), format!("{STATED}\n"));
    }

    #[test]
    fn a_page_with_a_text_of_its_own_is_not_completed() {
        let article = format!(r#"{{"@type":"NewsArticle","articleBody":"{STATED}"}}"#);
        let other = "Forty boats had waited above the lock and below it. ".repeat(7);
        assert_eq!(markdown(&article, &format!("<p>{other}")), format!("{}\n", other.trim_end()));
        // Words that stand on the page already, in whatever order.
        let short = format!(r#"{{"@type":"NewsArticle","articleBody":"{}"}}"#, "One two three. ".repeat(20));
        assert_eq!(markdown(&short, "<p>three, two, one"), "three, two, one\n");
    }

    #[test]
    fn teasers_reviews_and_broken_json_complete_nothing() {
        let nested = "[".repeat(100_000);
        let long = format!(r#"{{"articleBody":"{}"}}"#, "words ".repeat(MOST_JSON / 4));
        for json in [
            r#"{"@type":"NewsArticle","articleBody":"Too short."}"#,
            &format!(r#"{{"@type":"WebPage","description":"{STATED}"}}"#),
            &format!(r#"{{"@type":"Product","review":{{"@type":"Review","articleBody":"{STATED}"}}}}"#),
            &format!(r#"{{"@type":"NewsArticle","comment":{{"@type":"Comment","text":"{STATED}"}}}}"#),
            &format!(r#"{{"@type":"NewsArticle","articleBody":"{STATED}""#),
            &nested,
            &long,
        ] {
            assert_eq!(markdown(json, "<p>x"), "x\n", "{}", json.get(..80).unwrap_or(json));
        }
    }

    #[test]
    fn a_stated_text_is_as_safe_as_any_other() {
        let hostile = format!(r#"{{"articleBody":"\u001b[31m# {STATED} <b>x</b> <script>no()</script> *y*"}}"#);
        let text = markdown(&hostile.replace("</script>", r"<\/script>"), "");
        assert!(!text.contains('\u{1b}') && !text.contains("no()"), "{text}");
        assert!(text.contains("**x**") && text.contains(r"\*y\*"), "{text}");
    }
}
