//! Complete pages: an article inside its template (navigation, header, footer), error pages, the front page of a host.

use super::article::{Article, article};
use super::catalogue::{Catalogue, PagePlan, Template, brand_of};
use super::draw::Draw;
use super::language::{ENGLISH, LANGUAGES, Phrase};
use std::fmt::Write as _;

/// Marker in a huge page at which its parts are inserted.
pub(super) const BULK_MARK: &str = "<!--bulk-->";

/// Style sheet of all templates.
pub(super) const STYLE: &str = include_str!("../../assets/demo/style.css");

/// Returns the page of `plan`. `edition` is passed to [`article`]; `charset` is the label in the page's meta element.
pub(super) fn page(catalogue: &Catalogue, plan: &PagePlan, edition: Option<u64>, charset: &str) -> String {
    furnished(catalogue, plan, article(catalogue, plan, edition), charset)
}

/// Returns the page of `plan` with [`BULK_MARK`] after its article.
pub(super) fn page_for_bulk(catalogue: &Catalogue, plan: &PagePlan) -> String {
    let mut article = article(catalogue, plan, None);
    article.main.push_str(BULK_MARK);
    furnished(catalogue, plan, article, "utf-8")
}

fn furnished(catalogue: &Catalogue, plan: &PagePlan, article: Article, charset: &str) -> String {
    let template = match plan.template {
        Template::Docs => include_str!("../../assets/demo/templates/docs.html"),
        Template::Help => include_str!("../../assets/demo/templates/help.html"),
        Template::Wiki => include_str!("../../assets/demo/templates/wiki.html"),
        Template::Blog => include_str!("../../assets/demo/templates/blog.html"),
        Template::Api => include_str!("../../assets/demo/templates/api.html"),
    };
    let language = plan.language();
    let phrase_text = |phrase| language.phrase(phrase).to_owned();
    fill(template, |name| match name {
        "lang" => language.code.to_owned(),
        "dir" => language.direction.to_owned(),
        "charset" => charset.to_owned(),
        "title" => catalogue.title(plan),
        "brand" => plan.brand().to_owned(),
        "id" => plan.number().to_string(),
        "date" => date(catalogue.seed, plan),
        "main" => article.main.clone(),
        "toc" => article.contents.clone(),
        "neighbours" => links(catalogue, &catalogue.neighbours(plan, 6)),
        "nav" => format!(
            "<ul><li><a href=\"/\">{}</a></li><li><a href=\"/guides\">{}</a></li><li><a href=\"/prices\">{}</a></li><li><a href=\"/contact\">{}</a></li></ul>",
            phrase_text(Phrase::Home),
            phrase_text(Phrase::Guides),
            phrase_text(Phrase::Prices),
            phrase_text(Phrase::Contact)
        ),
        "search" => format!(
            "<form action=\"/search\"><input type=\"search\" name=\"q\" placeholder=\"{0}\"><button>{0}</button></form>",
            phrase_text(Phrase::Search)
        ),
        "cookies" => format!(
            "<div class=\"cookie-banner\" id=\"cookie-consent\" role=\"dialog\"><p>{}</p><button>{}</button></div>",
            phrase_text(Phrase::Cookies),
            phrase_text(Phrase::Accept)
        ),
        "home" => phrase_text(Phrase::Home),
        "guides" => phrase_text(Phrase::Guides),
        "contact" => phrase_text(Phrase::Contact),
        "contents" => phrase_text(Phrase::Contents),
        "related" => phrase_text(Phrase::Related),
        "reviewed" => phrase_text(Phrase::Reviewed),
        "rights" => phrase_text(Phrase::Rights),
        "helpful" => phrase_text(Phrase::Helpful),
        _ => String::new(),
    })
}

/// Replaces each `{{name}}` of `template` by `value(name)`; inserted text is not searched for further names.
fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut page = String::with_capacity(template.len() * 4);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        page.push_str(before);
        match after.split_once("}}") {
            Some((name, after)) => {
                page.push_str(&value(name));
                rest = after;
            }
            None => rest = after,
        }
    }
    page.push_str(rest);
    page
}

fn links(catalogue: &Catalogue, plans: &[&PagePlan]) -> String {
    let mut list = String::from("<ul>\n");
    for plan in plans {
        let _ = writeln!(list, "<li><a href=\"{}\">{}</a></li>", catalogue.path(plan), catalogue.title(plan));
    }
    list.push_str("</ul>\n");
    list
}

fn date(seed: u64, plan: &PagePlan) -> String {
    let mut draw = Draw::of(&[seed, plan.index as u64, 4]);
    format!("2026-{:02}-{:02}", draw.between(1, 9), draw.between(1, 28))
}

/// Returns the page of an error response of `host`, with `phrase` as title and heading; in English if the request was
/// for no document.
pub(super) fn error_page(plan: Option<&PagePlan>, host: usize, phrase: Phrase) -> String {
    let language = plan.map_or(&LANGUAGES[ENGLISH], PagePlan::language);
    format!(
        "<!DOCTYPE html>\n<html lang=\"{}\" dir=\"{}\"><head><meta charset=\"utf-8\"><title>{phrase} | {brand}</title></head>\n<body><main><h1>{phrase}</h1><p><a href=\"/\">{}</a></p></main></body></html>\n",
        language.code,
        language.direction,
        language.phrase(Phrase::Home),
        phrase = language.phrase(phrase),
        brand = brand_of(host),
    )
}

/// Returns the cookie wall: a page with status 200 that does not have the document's content.
pub(super) fn cookie_wall(plan: &PagePlan) -> String {
    let language = plan.language();
    format!(
        "<!DOCTYPE html>\n<html lang=\"{}\" dir=\"{}\"><head><meta charset=\"utf-8\"><title>{brand}</title></head>\n<body><main><h1>{brand}</h1><p>{}</p><p>{}</p></main></body></html>\n",
        language.code,
        language.direction,
        language.phrase(Phrase::Cookies),
        language.phrase(Phrase::Accept),
        brand = plan.brand(),
    )
}

/// Returns a page without text in its body, of three kinds that occur on real sites: a shell for a script, nothing at
/// all, white space. `index` decides on the kind.
pub(super) fn empty_page(title: &str, index: usize) -> String {
    match index / 60 % 3 {
        0 => format!(
            "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body><div id=\"root\"></div><script src=\"/app.js\"></script></body></html>\n"
        ),
        1 => String::new(),
        _ => format!(
            "<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><main>&nbsp;\n \t</main></body></html>\n"
        ),
    }
}

/// Returns a page with links to the first 300 documents of `host`, for people who follow a link there.
pub(super) fn front_page(catalogue: &Catalogue, host: usize) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{brand}</title><link rel=\"stylesheet\" href=\"/style.css\"></head>\n<body><header><h1>{brand}</h1></header><main>{}</main></body></html>\n",
        links(catalogue, &catalogue.of_host(host, 300)),
        brand = brand_of(host),
    )
}

/// Draws a bar chart as SVG, whose bars depend on `number`.
pub(super) fn picture(number: u64) -> String {
    let mut draw = Draw::of(&[number]);
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 320 120\" width=\"640\" height=\"240\">\n",
    );
    for bar in 0..16 {
        let height = draw.between(10, 110);
        let _ = writeln!(
            svg,
            "<rect x=\"{}\" y=\"{}\" width=\"14\" height=\"{height}\" fill=\"#4a7fb5\"/>",
            bar * 20 + 3,
            115 - height
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Returns `html` with other white space in its text, except where white space is content.
pub(super) fn respaced(html: &str, draw: &mut Draw) -> String {
    const GAPS: [&str; 6] = [" ", "  ", "\n", "\n    ", "\t", " \r\n"];
    let mut spaced = String::with_capacity(html.len() * 3 / 2);
    let mut verbatim = 0_usize;
    let mut in_tag = false;
    for (offset, c) in html.char_indices() {
        match c {
            '<' => {
                in_tag = true;
                let tag = &html[offset + 1..];
                // The title is left as it is: only the white space of the text is to differ.
                for element in ["pre", "script", "style", "title"] {
                    if tag.starts_with(element) {
                        verbatim += 1;
                    } else if tag.strip_prefix('/').is_some_and(|tag| tag.starts_with(element)) {
                        verbatim = verbatim.saturating_sub(1);
                    }
                }
                spaced.push(c);
            }
            '>' => {
                in_tag = false;
                spaced.push(c);
            }
            ' ' | '\n' if !in_tag && verbatim == 0 => spaced.push_str(draw.pick(&GAPS)),
            _ => spaced.push(c),
        }
    }
    spaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spacing_touches_neither_tags_nor_code() {
        let html = "<title>a b</title><p class=\"x y\">one two <b>three</b>\nfour</p><pre>a  b\n c</pre> end";
        let mut draw = Draw::of(&[1]);
        let (one, two) = (respaced(html, &mut draw), respaced(html, &mut draw));
        assert_ne!(one, two);
        let words = |html: &str| html.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&one), words(html));
        assert!(
            one.contains("<p class=\"x y\">") && one.contains("<pre>a  b\n c</pre>") && one.contains("<title>a b<")
        );
    }

    #[test]
    fn no_mark_of_a_template_is_left() {
        let catalogue = Catalogue::new(1, 60);
        for plan in catalogue.plans() {
            let page = page(&catalogue, plan, None, "utf-8");
            assert!(!page.contains("{{") && !page.contains("}}") && !page.contains("{o}") && !page.contains("{n}"));
        }
        assert_eq!(fill("a {{x}} b {{y}}", |name| format!("<{{{{{name}")), "a <{{x b <{{y");
    }
}
