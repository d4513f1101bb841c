//! Detection of a page's frame: the elements around the content, recognised by name, role and class, and confirmed by
//! their measures.

use super::hints::Hints;
use super::measure::{ElementMeasure, share};
use super::page_type::PageType;
use super::tag::Tag;

/// Reason for which an element is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::fetch) enum DropReason {
    Navigation,
    Header,
    Footer,
    Sidebar,
    Hidden,
    Sharing,
    Related,
    Comments,
    /// Reviews of what a page sells.
    Reviews,
    Promotion,
    Overlay,
    Form,
    Filters,
    Metadata,
    Caption,
    Editing,
    /// A list of teasers for other pages.
    Teasers,
    /// Mostly links, with no sentences.
    Links,
    /// Outside the densest part of the page, and no text of its own.
    Outside,
    /// A heading over nothing.
    EmptySection,
}

/// What the frame of a page depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameRules {
    pub kind: PageType,
    /// True if the comments of a forum are remarks on its posts, not the posts.
    pub has_remarks: bool,
}

/// Returns the reason for which `one` is part of the frame. `whole` is the body, `in_content` is true inside an article
/// or the page's own content element.
pub(super) fn frame(
    one: &ElementMeasure,
    whole: &ElementMeasure,
    FrameRules { kind, has_remarks }: FrameRules,
    in_content: bool,
) -> Option<DropReason> {
    let hints = one.hints;
    let prose = share(one.prose + one.code, whole.prose + whole.code);
    let text = share(one.text, whole.text);
    // A part of the frame is small beside the text, or else it holds the page.
    let rest = whole.prose.saturating_sub(one.prose);
    let small = |most: f32| {
        let is_small = prose <= 0.15 || (prose <= most && rest >= LEAST_REST && !one.has_title);
        is_small && prose <= most && (prose > 0.0 || text < 0.9) && !one.has_main
    };
    let rest = whole.prose.saturating_sub(one.prose);
    if hints.has(Hints::CONSENT) && !one.has_main && !one.has_title && whole.text - one.text >= LEAST_REST {
        let is_notice = prose <= 0.15 || text < 0.6 || rest >= LEAST_REST;
        if is_notice && !one.tag.is_heading() {
            return Some(DropReason::Overlay);
        }
    }
    let is_text = matches!(kind, PageType::Article | PageType::Documentation | PageType::Forum);
    let is_offer = kind == PageType::Product && text < 0.4;
    if (is_text || is_offer) && one.is_teasers && small(0.7) && !one.has_title {
        return Some(DropReason::Teasers);
    }
    let by_tag = match one.tag {
        Tag::Nav if small(0.4) => Some(DropReason::Navigation),
        Tag::Footer if small(0.6) => Some(DropReason::Footer),
        Tag::Aside if !hints.has(Hints::NOTE) && small(0.5) => Some(DropReason::Sidebar),
        Tag::Caption if kind == PageType::Article => Some(DropReason::Caption),
        Tag::Form if small(0.3) && (is_text || one.prices < 3) => Some(DropReason::Form),
        Tag::Header if !in_content && small(0.2) && !(one.has_title && one.prose > 0) => Some(DropReason::Header),
        _ => None,
    };
    if by_tag.is_some() || hints == Hints::NONE || one.tag.is_heading() {
        return by_tag;
    }
    let is_hidden = hints.has(Hints::HIDDEN) && !hints.has(Hints::DISCLOSURE);
    if is_hidden && small(0.4) {
        return Some(DropReason::Hidden);
    }
    // Sentences of some length without links contradict the weaker hints.
    let is_texty = one.prose >= 100 && one.link_share() < 0.3;
    let is_layout = hints.has(Hints::SIDEBAR) && hints.has(Hints::LAYOUT.with(Hints::SUBSTANCE)) && is_texty;
    let hints = if is_layout { hints.without(Hints::SIDEBAR) } else { hints };
    if kind == PageType::Forum {
        if has_remarks && hints.has(Hints::COMMENTS) && small(0.35) {
            return Some(DropReason::Comments);
        }
        // What a forum says about the author of each post.
        let is_about_author = hints.has(Hints::AUTHOR) && one.text < MOST_ABOUT_AUTHOR;
        if is_about_author && prose < 0.05 && !one.has_title {
            return Some(DropReason::Metadata);
        }
    }
    let strong: &[(Hints, DropReason, f32)] = match kind {
        PageType::Article | PageType::Documentation | PageType::Service => &TEXT_STRONG,
        _ => &OTHER_STRONG,
    };
    for (hint, reason, most) in strong {
        let is_beside = matches!(reason, DropReason::Related | DropReason::Sidebar | DropReason::Header);
        if is_beside && !is_text && kind != PageType::Service && text > 0.4 {
            continue;
        }
        if hints.has(*hint) && small(*most) {
            return Some(*reason);
        }
    }
    if kind == PageType::Product && hints.has(Hints::REVIEWS) && one.prose > 0 && small(0.85) && !one.has_title {
        return Some(DropReason::Reviews);
    }
    if is_texty {
        return None;
    }
    let weak: &[(Hints, DropReason, f32)] = match kind {
        PageType::Article | PageType::Documentation | PageType::Service => &TEXT_WEAK,
        _ => &OTHER_WEAK,
    };
    // A part with several prices sells something, and most of the text of a page without sentences is its content.
    if !is_text && kind != PageType::Service && (one.prices >= 3 || text > 0.4) {
        return None;
    }
    weak.iter().find(|(hint, _, most)| hints.has(*hint) && small(*most)).map(|(_, reason, _)| *reason)
}

/// Length of the longest text about the author of a post.
const MOST_ABOUT_AUTHOR: u32 = 300;
/// Length of the sentences that must be left when a larger part of the page is dropped.
const LEAST_REST: u32 = 250;

type Rule = (Hints, DropReason, f32);

const TEXT_STRONG: [Rule; 7] = [
    (Hints::OVERLAY, DropReason::Overlay, 0.6),
    (Hints::FOOTER, DropReason::Footer, 0.6),
    (Hints::SIDEBAR, DropReason::Sidebar, 0.4),
    (Hints::RELATED, DropReason::Related, 0.5),
    (Hints::ADVERTISEMENT, DropReason::Promotion, 0.15),
    (Hints::COMMENTS, DropReason::Comments, 0.9),
    (Hints::HEADER, DropReason::Header, 0.05),
];
const TEXT_WEAK: [Rule; 7] = [
    (Hints::NAVIGATION, DropReason::Navigation, 0.1),
    (Hints::SHARING, DropReason::Sharing, 0.1),
    (Hints::PROMOTION, DropReason::Promotion, 0.15),
    (Hints::CONTROLS, DropReason::Form, 0.05),
    (Hints::RIGHTS, DropReason::Footer, 0.05),
    (Hints::EDITING, DropReason::Editing, 0.01),
    (Hints::EDITING, DropReason::Editing, 0.01),
];
const OTHER_STRONG: [Rule; 6] = [
    (Hints::OVERLAY, DropReason::Overlay, 0.6),
    (Hints::FOOTER, DropReason::Footer, 0.6),
    (Hints::HEADER, DropReason::Header, 0.05),
    (Hints::RELATED, DropReason::Related, 0.1),
    (Hints::SIDEBAR, DropReason::Sidebar, 0.1),
    (Hints::ADVERTISEMENT, DropReason::Promotion, 0.05),
];
const OTHER_WEAK: [Rule; 4] = [
    (Hints::NAVIGATION, DropReason::Navigation, 0.1),
    (Hints::SHARING, DropReason::Sharing, 0.05),
    (Hints::FILTERS, DropReason::Filters, 0.1),
    (Hints::EDITING, DropReason::Editing, 0.01),
];
