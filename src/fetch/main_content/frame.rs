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
    Promotion,
    Overlay,
    Form,
    Filters,
    Metadata,
    Editing,
    /// Mostly links, with no sentences.
    Links,
    /// Outside the densest part of the page, and no text of its own.
    Outside,
    /// A heading over nothing.
    EmptySection,
}

/// Returns the reason for which `one` is part of the frame. `whole` is the body, `in_content` is true inside an article
/// or the page's own content element.
pub(super) fn frame(
    one: &ElementMeasure,
    whole: &ElementMeasure,
    kind: PageType,
    in_content: bool,
) -> Option<DropReason> {
    let hints = one.hints;
    let prose = share(one.prose + one.code, whole.prose + whole.code);
    let text = share(one.text, whole.text);
    // A part of the frame is small beside the text, or else it holds the page.
    let small = |most: f32| prose <= most && (prose > 0.0 || text < 0.9) && !one.has_main;
    let by_tag = match one.tag {
        Tag::Nav if small(0.4) => Some(DropReason::Navigation),
        Tag::Footer if small(0.3) => Some(DropReason::Footer),
        Tag::Aside if !hints.has(Hints::NOTE) && small(0.3) => Some(DropReason::Sidebar),
        Tag::Form if small(0.3) => Some(DropReason::Form),
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
    let strong: &[(Hints, DropReason, f32)] = match kind {
        PageType::Article | PageType::Documentation | PageType::Service => &TEXT_STRONG,
        _ => &OTHER_STRONG,
    };
    for (hint, reason, most) in strong {
        if hints.has(*hint) && small(*most) {
            return Some(*reason);
        }
    }
    if is_texty {
        return None;
    }
    let weak: &[(Hints, DropReason, f32)] = match kind {
        PageType::Article | PageType::Documentation | PageType::Service => &TEXT_WEAK,
        _ => &OTHER_WEAK,
    };
    weak.iter().find(|(hint, _, most)| hints.has(*hint) && small(*most)).map(|(_, reason, _)| *reason)
}

type Rule = (Hints, DropReason, f32);

const TEXT_STRONG: [Rule; 7] = [
    (Hints::OVERLAY, DropReason::Overlay, 0.2),
    (Hints::FOOTER, DropReason::Footer, 0.15),
    (Hints::SIDEBAR, DropReason::Sidebar, 0.25),
    (Hints::RELATED, DropReason::Related, 0.3),
    (Hints::ADVERTISEMENT, DropReason::Promotion, 0.15),
    (Hints::COMMENTS, DropReason::Comments, 0.8),
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
    (Hints::OVERLAY, DropReason::Overlay, 0.2),
    (Hints::FOOTER, DropReason::Footer, 0.15),
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
