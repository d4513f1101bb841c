//! The places that the person has left, to which Escape and `-` return: view, focus, filter, cursor and details, as they
//! were.

use super::{Focus, Model};
use crate::domain::filter::Filter;
use crate::domain::id::{DocumentId, Seq};
use crate::domain::text::SafeLine;
use crate::store::{DocumentPage, Sort};
use crate::tui::scope::PaneId;
use crate::tui::views::catalog::ViewId;
use crate::tui::views::detail::state::Tab;

/// Largest number of places that are kept. Each has the loaded rows of the document list.
const MAX_LOCATIONS: usize = 16;

/// The open details of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetailLocation {
    pub document: DocumentId,
    pub name: SafeLine,
    pub tab: Tab,
    pub attempt: Option<Seq>,
    pub scroll: usize,
    pub version: Option<u64>,
}

/// The document list of a place: what it shows, and where its cursor is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListLocation {
    pub filter: Filter,
    pub filter_text: String,
    pub sort: Sort,
    pub page: DocumentPage,
    pub cursor: Option<DocumentId>,
    pub cursor_index: u64,
    pub top: u64,
    pub follows_row: bool,
}

/// What the screen showed when the person left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScreenLocation {
    pub view: ViewId,
    pub focus: Focus,
    pub zoom: bool,
    pub list: ListLocation,
    pub detail: Option<DetailLocation>,
    /// The person went on by the key of a view, not from a row of this place.
    pub left_by_key: bool,
}

impl ScreenLocation {
    /// Returns the place that the screen shows now.
    pub fn here(model: &Model) -> Self {
        let list = &model.documents;
        Self {
            view: model.active_view,
            focus: model.focus,
            zoom: model.zoom,
            list: ListLocation {
                filter: list.filter.clone(),
                filter_text: list.filter_text.clone(),
                sort: list.sort,
                page: list.page.clone(),
                cursor: list.cursor,
                cursor_index: list.cursor_index,
                top: list.top,
                follows_row: list.follows_row,
            },
            detail: model.detail.as_ref().map(|detail| DetailLocation {
                document: detail.document,
                name: detail.name.clone(),
                tab: detail.tab,
                attempt: detail.attempt,
                scroll: detail.scroll,
                version: detail.version,
            }),
            left_by_key: false,
        }
    }

    /// Returns the word for the place in the breadcrumbs.
    pub fn word(&self) -> &str {
        match (&self.detail, self.focus) {
            (_, Focus::Outcomes) => PaneId::Outcomes.word(),
            (Some(detail), Focus::Main) => &detail.name,
            (None, Focus::Main) => self.view.word(),
        }
    }
}

/// The places that the person has left, and those to which a key leads back.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    /// The way to the present place, the first place first. Escape goes to the last one.
    pub places: Vec<ScreenLocation>,
    /// The place before the present one, to which `-` goes.
    pub last: Option<Box<ScreenLocation>>,
    /// The place where the prompt of the list's filter was opened, while it is open.
    pub before_filter: Option<Box<ScreenLocation>>,
}

impl Trail {
    /// Notes that the person leaves `place`.
    pub fn leave(&mut self, place: ScreenLocation) {
        self.last = Some(Box::new(place.clone()));
        if self.places.len() == MAX_LOCATIONS {
            self.places.remove(0);
        }
        self.places.push(place);
    }

    /// Returns to the part of the way before the view `view`, if the way leads through it with the filter `text`, so
    /// that going to and fro between views makes no long way.
    pub fn shorten(&mut self, view: ViewId, text: &str) {
        let is_it =
            |place: &ScreenLocation| place.view == view && place.detail.is_none() && place.list.filter_text == text;
        if let Some(at) = self.places.iter().position(is_it) {
            self.places.truncate(at);
        }
    }
}
