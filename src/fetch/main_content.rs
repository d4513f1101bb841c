//! Choice of a page's main content: `main`, else `[role=main]`, else the only `article`, else `body`, without
//! navigation, headers and other noise. If that would lose more than half of the words, `body` without noise is tried,
//! then the whole body is taken. Navigation around the content does not count as a loss: a short page of a large site
//! has more navigation than text. A site rule may select other elements or the whole body.

mod noise;

use super::budget::{BudgetMeter, ConvertError};
use super::content_rules::{ContentRules, Selector};
use super::dom::{is_heading, name_of, with_text};
use crate::domain::site_rule::Extract;
use dom_query::{Document, NodeId, NodeRef};
use noise::{is_navigation, is_noise};
use std::collections::HashSet;

/// Title, base URL and content candidates of a document, found in one walk.
#[derive(Debug, Default)]
pub(super) struct Outline<'a> {
    /// The first `<title>`, with white space collapsed; `None` when blank.
    pub title: Option<String>,
    /// `href` of the first `<base>`.
    pub base: Option<String>,
    main: Option<NodeRef<'a>>,
    role_main: Option<NodeRef<'a>>,
    articles: Vec<NodeRef<'a>>,
}

impl<'a> Outline<'a> {
    /// Collects title, base URL and content candidates in one walk over the document.
    pub fn of(document: &'a Document, clock: &mut BudgetMeter) -> Result<Self, ConvertError> {
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

/// Kinds of elements that are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContentScope {
    /// Leaves out noise around the content, and elements without readable text, such as scripts.
    Main,
    /// Leaves out only elements without readable text, such as scripts.
    Whole,
}

/// Treatment of an element when the words of the content are counted or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// The element and its children are content.
    All,
    /// Only the headings in the element are content: a `header` inside the content has the page's heading among noise.
    Headings,
    /// The element is left out.
    None,
}

/// The chosen content: its root elements, and rules for what is left out below them.
#[derive(Debug)]
pub(super) struct MainContent<'a> {
    /// Root elements of the content, in page order; none is inside another. There is more than one only if a site rule
    /// selects the content.
    pub roots: Vec<NodeRef<'a>>,
    pub scope: ContentScope,
    /// Elements that the site rule excludes.
    excluded: HashSet<NodeId>,
    /// Selectors of the site rule that match nothing on the page.
    pub unmatched: Vec<String>,
    /// True if the roots are the page's own content element or selected by the site rule, so that the headings of a
    /// `header` inside them belong to the content.
    within_content: bool,
}

impl MainContent<'_> {
    /// Returns the treatment of `element`, whose name is `name`. `in_article` is true inside an article.
    pub fn keep(&self, element: &NodeRef<'_>, name: &str, in_article: bool) -> Keep {
        if is_never_text(name) || self.excluded.contains(&element.id) {
            return Keep::None;
        }
        if self.scope == ContentScope::Whole || !is_noise(element, name) {
            return Keep::All;
        }
        if name == "header" && (self.within_content || in_article) { Keep::Headings } else { Keep::None }
    }
}

/// Chooses the content of a document under the rules of its site.
pub(super) fn choose<'a>(
    document: &'a Document,
    outline: &Outline<'a>,
    rules: &ContentRules,
    clock: &mut BudgetMeter,
) -> Result<MainContent<'a>, ConvertError> {
    let body = document.body().unwrap_or_else(|| document.root());
    let only_article = match outline.articles[..] {
        [article] => Some(article),
        _ => None,
    };
    let chosen = outline.main.or(outline.role_main).or(only_article);
    let Selected { included, excluded, unmatched } = select(body, rules, clock)?;
    let whole =
        MainContent { roots: vec![body], scope: ContentScope::Whole, excluded, unmatched, within_content: false };
    if !included.is_empty() {
        return Ok(MainContent { roots: included, scope: ContentScope::Main, within_content: true, ..whole });
    }
    if rules.extract == Extract::Body {
        return Ok(whole);
    }
    let mut content = MainContent { scope: ContentScope::Main, ..whole };
    for (root, within_content) in chosen.map(|chosen| (chosen, true)).into_iter().chain([(body, false)]) {
        content = MainContent { roots: vec![root], within_content, ..content };
        let counted = Words::of(body, &content, chosen.as_ref(), clock)?;
        if counted.kept > 0 && counted.kept * 2 >= counted.whole {
            return Ok(content);
        }
    }
    Ok(MainContent { scope: ContentScope::Whole, ..content })
}

/// Elements that the selectors of a site rule match (`included` without those inside another), and the selectors that
/// match nothing.
#[derive(Default)]
struct Selected<'a> {
    included: Vec<NodeRef<'a>>,
    excluded: HashSet<NodeId>,
    unmatched: Vec<String>,
}

fn select<'a>(body: NodeRef<'a>, rules: &ContentRules, clock: &mut BudgetMeter) -> Result<Selected<'a>, ConvertError> {
    let mut selected = Selected::default();
    if rules.include.is_empty() && rules.exclude.is_empty() {
        return Ok(selected);
    }
    let (mut include, mut exclude) = (vec![false; rules.include.len()], vec![false; rules.exclude.len()]);
    let mut stack = vec![(body, false)];
    while let Some((node, within)) = stack.pop() {
        clock.check()?;
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
    selected.unmatched = hits.filter(|(_, hit)| !hit).map(|(selector, _)| selector.source.clone()).collect();
    Ok(selected)
}

/// Word counts from one walk over the body, by which a choice of content is judged.
#[derive(Debug, Default)]
struct Words {
    /// Words in the whole body, except for the navigation around its content and what the site rule excludes.
    whole: usize,
    /// Words that the choice would keep.
    kept: usize,
}

/// Rules for counting the words below a node, derived from those of its parent.
#[derive(Clone, Copy)]
struct Counting {
    /// True if words count for [`Words::whole`].
    whole: bool,
    /// True if navigation counts too: inside the page's content element, and everywhere if the page has none.
    navigation: bool,
    /// Treatment inherited from the parent; `None` outside the content's roots.
    kept: Option<Keep>,
    in_article: bool,
}

impl Words {
    /// Counts the words of `body` and of `content`, which has one root inside `body`. `proper` is the page's own
    /// content element. Navigation outside that element is not counted; if the page has no such element, all navigation
    /// is counted.
    fn of(
        body: NodeRef<'_>,
        content: &MainContent<'_>,
        proper: Option<&NodeRef<'_>>,
        clock: &mut BudgetMeter,
    ) -> Result<Self, ConvertError> {
        let mut words = Self::default();
        // A root may be inside an element whose other words are not counted.
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

    fn below(
        node: &NodeRef<'_>,
        around: Counting,
        content: &MainContent<'_>,
        proper: Option<&NodeRef<'_>>,
    ) -> Counting {
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

/// Returns the treatment of a node, derived from the treatment of its element and that of its parent. A root of the
/// content is never noise; it is left out only if the site rule excludes it.
pub(super) fn inherited(
    content: &MainContent<'_>,
    node: &NodeRef<'_>,
    name: &str,
    parent: Keep,
    in_article: bool,
) -> Keep {
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

/// Returns true for elements whose text is not part of the readable page.
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
