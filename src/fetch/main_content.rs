//! The part of a page that is its content: `main`, else `[role=main]`, else the only `article`, else
//! `body`, without what stands around it; the whole body when that would lose more than half of the words. Navigation
//! around a content is no loss: a short page among many has more of it than text.

mod noise;

use super::budget::{Clock, ConvertError};
use super::content_rules::{ContentRules, Selector};
use super::dom::{is_heading, name_of, with_text};
use crate::domain::site_rule::Extract;
use dom_query::{Document, NodeId, NodeRef};
use noise::{is_navigation, is_noise};
use std::collections::HashSet;

/// Facts about a document, found in one walk.
#[derive(Debug, Default)]
pub(super) struct Outline<'a> {
    /// The first `<title>`, white space collapsed; `None` when blank.
    pub title: Option<String>,
    /// `href` of the first `<base>`.
    pub base: Option<String>,
    main: Option<NodeRef<'a>>,
    role_main: Option<NodeRef<'a>>,
    articles: Vec<NodeRef<'a>>,
}

impl<'a> Outline<'a> {
    /// Walks over the document.
    pub fn of(document: &'a Document, clock: &mut Clock) -> Result<Self, ConvertError> {
        let mut outline = Self::default();
        let mut title = None;
        let mut stack = vec![document.root()];
        while let Some(node) = stack.pop() {
            clock.step()?;
            let name = name_of(&node);
            match &*name {
                "title" if title.is_none() => title = Some(node.immediate_text()),
                "base" if outline.base.is_none() => outline.base = node.attr("href").map(String::from),
                "main" => outline.main = outline.main.or(Some(node)),
                "article" if outline.articles.len() < 2 => outline.articles.push(node),
                _ => {}
            }
            if outline.role_main.is_none() && node.attr("role").is_some_and(|role| role.trim() == "main") {
                outline.role_main = Some(node);
            }
            if !is_never_text(&name) {
                push_children(&node, &mut stack);
            }
        }
        let title = title.map(|title| title.split_whitespace().collect::<Vec<_>>().join(" "));
        outline.title = title.filter(|title| !title.is_empty());
        Ok(outline)
    }
}

/// Elements that are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Elements around the content, and elements without text.
    Main,
    /// Elements without text.
    Whole,
}

/// Treatment of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// The element is content.
    All,
    /// Only its headings are content: a header within the content contains the page's heading among noise.
    Headings,
    /// Nothing.
    None,
}

/// The content: where it begins and what of it counts.
#[derive(Debug)]
pub(super) struct Content<'a> {
    /// None within another, in the order of the page; more than one only where a site rule says what is the content.
    pub roots: Vec<NodeRef<'a>>,
    pub scope: Scope,
    /// The elements that its site rule leaves out.
    excluded: HashSet<NodeId>,
    /// Selectors that nothing on the page fits.
    pub unmatched: Vec<String>,
    /// The root is the page's content proper, so that a header within it is the content's own.
    within_content: bool,
}

impl Content<'_> {
    /// Returns the treatment of `element`, which has the name `name`. `in_article`: it is within an article.
    pub fn keep(&self, element: &NodeRef<'_>, name: &str, in_article: bool) -> Keep {
        if is_never_text(name) || self.excluded.contains(&element.id) {
            return Keep::None;
        }
        if self.scope == Scope::Whole || !is_noise(element, name) {
            return Keep::All;
        }
        if name == "header" && (self.within_content || in_article) { Keep::Headings } else { Keep::None }
    }
}

/// Chooses the content.
pub(super) fn choose<'a>(
    document: &'a Document,
    outline: &Outline<'a>,
    rules: &ContentRules,
    clock: &mut Clock,
) -> Result<Content<'a>, ConvertError> {
    let body = document.body().unwrap_or_else(|| document.root());
    let only_article = match outline.articles[..] {
        [article] => Some(article),
        _ => None,
    };
    let chosen = outline.main.or(outline.role_main).or(only_article);
    let Selected { included, excluded, unmatched } = select(body, rules, clock)?;
    let whole = Content { roots: vec![body], scope: Scope::Whole, excluded, unmatched, within_content: false };
    if !included.is_empty() {
        return Ok(Content { roots: included, scope: Scope::Main, within_content: true, ..whole });
    }
    if rules.extract == Extract::Body {
        return Ok(whole);
    }
    let mut content = Content { scope: Scope::Main, ..whole };
    for (root, within_content) in chosen.map(|chosen| (chosen, true)).into_iter().chain([(body, false)]) {
        content = Content { roots: vec![root], within_content, ..content };
        let counted = Words::of(body, &content, chosen.as_ref(), clock)?;
        if counted.kept > 0 && counted.kept * 2 >= counted.whole {
            return Ok(content);
        }
    }
    Ok(Content { scope: Scope::Whole, ..content })
}

/// The elements that the selectors of a site rule match.
#[derive(Default)]
struct Selected<'a> {
    included: Vec<NodeRef<'a>>,
    excluded: HashSet<NodeId>,
    unmatched: Vec<String>,
}

fn select<'a>(body: NodeRef<'a>, rules: &ContentRules, clock: &mut Clock) -> Result<Selected<'a>, ConvertError> {
    let mut selected = Selected::default();
    if rules.include.is_empty() && rules.exclude.is_empty() {
        return Ok(selected);
    }
    let (mut include, mut exclude) = (vec![false; rules.include.len()], vec![false; rules.exclude.len()]);
    let mut stack = vec![(body, false)];
    while let Some((node, within)) = stack.pop() {
        clock.look()?;
        let mut within = within;
        if node.is_element() {
            let fits = |selectors: &[Selector], hits: &mut [bool]| {
                let mut any = false;
                for (selector, hit) in selectors.iter().zip(hits) {
                    let fits = selector.matcher.match_element(&node);
                    *hit |= fits;
                    any |= fits;
                }
                any
            };
            if fits(&rules.include, &mut include) && !within {
                selected.included.push(node);
                within = true;
            }
            if fits(&rules.exclude, &mut exclude) {
                selected.excluded.insert(node.id);
            }
        }
        let mut child = node.last_child();
        while let Some(next) = child {
            stack.push((next, within));
            child = next.prev_sibling();
        }
    }
    let hits = rules.include.iter().zip(include).chain(rules.exclude.iter().zip(exclude));
    selected.unmatched = hits.filter(|(_, hit)| !hit).map(|(selector, _)| selector.words.clone()).collect();
    Ok(selected)
}

/// Numbers of words, from one walk over the body.
#[derive(Debug, Default)]
struct Words {
    /// In the whole body, but for the navigation around its content.
    whole: usize,
    /// In what would be kept of it.
    kept: usize,
}

/// Counting state below a node.
#[derive(Clone, Copy)]
struct Counting {
    /// The words of the whole.
    whole: bool,
    /// Navigation counts: it is within the content here.
    navigation: bool,
    /// Treatment inherited from above; `None` outside the content's root.
    kept: Option<Keep>,
    in_article: bool,
}

impl Words {
    /// Of `content`, which has one root within `body`, and of the body. `proper`: the page's content proper, if it says
    /// which that is: the navigation outside it is no text.
    fn of(
        body: NodeRef<'_>,
        content: &Content<'_>,
        proper: Option<&NodeRef<'_>>,
        clock: &mut Clock,
    ) -> Result<Self, ConvertError> {
        let mut words = Self::default();
        // A root may stand within what counts for nothing else.
        let path: HashSet<_> = content.roots.iter().flat_map(|root| root.ancestors(None)).map(|node| node.id).collect();
        let all = Counting { whole: true, navigation: proper.is_none(), kept: None, in_article: false };
        let mut stack = vec![(body, all)];
        while let Some((node, around)) = stack.pop() {
            clock.step()?;
            if node.is_text() {
                let counted = with_text(&node, count_words).unwrap_or_default();
                words.whole += if around.whole { counted } else { 0 };
                words.kept += if around.kept == Some(Keep::All) { counted } else { 0 };
                continue;
            }
            let below = Self::below(&node, around, content, proper);
            if below.whole || below.kept.is_some_and(|kept| kept != Keep::None) || path.contains(&node.id) {
                let mut child = node.first_child();
                while let Some(next) = child {
                    stack.push((next, below));
                    child = next.next_sibling();
                }
            }
        }
        Ok(words)
    }

    fn below(node: &NodeRef<'_>, around: Counting, content: &Content<'_>, proper: Option<&NodeRef<'_>>) -> Counting {
        let name = name_of(node);
        let is_root = content.roots.iter().any(|root| root.id == node.id);
        let navigation = around.navigation || proper.is_some_and(|proper| proper.id == node.id);
        let never = is_never_text(&name) || content.excluded.contains(&node.id);
        let kept = match around.kept {
            None if !is_root => None,
            Some(Keep::None) => Some(Keep::None),
            kept => Some(inherited(content, node, &name, kept.unwrap_or(Keep::All), around.in_article)),
        };
        Counting {
            whole: around.whole && !never && (navigation || !is_navigation(node, &name)),
            navigation,
            kept,
            in_article: kept.is_some() && (around.in_article || &*name == "article"),
        }
    }
}

fn count_words(text: &str) -> usize {
    if !text.is_ascii() {
        return text.split_whitespace().count();
    }
    let mut before = b' ';
    let mut begins = |byte: &u8| {
        let last = std::mem::replace(&mut before, *byte);
        last.is_ascii_whitespace() && !byte.is_ascii_whitespace()
    };
    text.as_bytes().iter().filter(|byte| begins(byte)).count()
}

/// Returns the treatment of a node below a parent with this treatment. The root itself is never noise.
pub(super) fn inherited(content: &Content<'_>, node: &NodeRef<'_>, name: &str, parent: Keep, in_article: bool) -> Keep {
    if content.roots.iter().any(|root| root.id == node.id) {
        return if content.excluded.contains(&node.id) { Keep::None } else { Keep::All };
    }
    match (content.keep(node, name, in_article), parent) {
        (Keep::All, Keep::Headings) if is_heading(name) => Keep::All,
        (Keep::All, parent) => parent,
        (own, Keep::All) => own,
        (Keep::None, _) => Keep::None,
        (_, parent) => parent,
    }
}

/// Elements whose text nobody reads as the page's.
fn is_never_text(name: &str) -> bool {
    matches!(
        name,
        "script"
            | "style"
            | "noscript"
            | "template"
            | "svg"
            | "iframe"
            | "title"
            | "object"
            | "canvas"
            | "audio"
            | "video"
            | "textarea"
            | "select"
            | "datalist"
            | "frameset"
            | "noframes"
            | "noembed"
    )
}

fn push_children<'a>(node: &NodeRef<'a>, stack: &mut Vec<NodeRef<'a>>) {
    let mut child = node.last_child();
    while let Some(next) = child {
        stack.push(next);
        child = next.prev_sibling();
    }
}
