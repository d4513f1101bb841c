//! The interface that every pane's view implements: the views of the main area, the details and the outcome panel.

use super::selected::SelectedDocument;
use crate::domain::id::AccountId;
use crate::domain::pause::PauseScope;
use crate::domain::time::Timestamp;
use crate::tui::action::Action;
use crate::tui::layout::Peek;
use crate::tui::model::Model;
use crate::tui::table::state::Rows;
use crate::tui::text::Spans;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The pane in which a view is drawn: its area, and its state on the screen.
#[derive(Clone, Debug)]
pub struct Pane {
    /// The pane's area with the frame; empty while the view is not shown.
    pub area: Rect,
    pub focused: bool,
    /// The toast (a short message) for the bottom line of the frame; empty if there is no toast or another pane shows
    /// it.
    pub toast: Spans,
    /// The way to the view, for the begin of the title: the places that Escape goes back to.
    pub crumbs: Spans,
    /// True if the peek pane, which is below the main area, is shown; it explains the row under the cursor of the main
    /// area's view.
    pub explained: bool,
}

/// The content of the peek pane, which explains the row under the cursor in sentences.
#[derive(Clone, Debug, Default)]
pub struct Explanation {
    pub title: Spans,
    /// Shown at the right end of the title's line if it fits.
    pub aside: Spans,
    pub lines: Vec<Spans>,
    /// Shown at the right end of the first line if it fits.
    pub first_line_aside: Spans,
    /// True if the data is old, because the last read failed.
    pub is_old: bool,
}

/// A view, which reads its state from the model. Methods that do not apply to a view keep their default.
pub trait View: Sync {
    /// Draws the view with its frame into `pane`.
    fn draw(&self, model: &Model, pane: Pane, buf: &mut Buffer);

    /// Returns the view's rows if one read loads all of them. Returns `None` for the list of documents and the outcome
    /// panel, which load parts, and for the details.
    fn rows<'m>(&self, _model: &'m Model) -> Option<&'m dyn Rows> {
        None
    }

    /// Returns the rows of [`View::rows`], mutable: for moving the cursor and for starting a read.
    fn rows_mut<'m>(&self, _model: &'m mut Model) -> Option<&'m mut dyn Rows> {
        None
    }

    /// Returns the number of heading lines above the rows, which do not scroll with the rows, in a frame with `height`
    /// lines inside.
    fn heading_lines(&self, _height: u16) -> u16 {
        1
    }

    /// Makes the cursor follow its row from now on, since a person has used an action in the view.
    fn follow_row(&self, model: &mut Model) {
        if let Some(rows) = self.rows_mut(model) {
            rows.follow_row();
        }
    }

    /// Returns the kind of peek pane that explains the row under the cursor.
    fn peek(&self, _model: &Model) -> Peek {
        Peek::Absent
    }

    /// Explains the row under the cursor, for a peek pane with the given area inside its frame.
    fn explain(&self, _model: &Model, _inner: Rect) -> Explanation {
        Explanation::default()
    }

    /// Returns a title and every known fact about the row under the cursor, for a reader (a text shown over the
    /// screen). `None` if the view has no such text or no row.
    fn about(&self, _model: &Model) -> Option<(String, Vec<Spans>)> {
        None
    }

    /// Returns the earliest time at which an age or a countdown in the view changes its text; `None` if there is none.
    /// `lines` is the number of lines in which the view shows rows.
    fn next_refresh(&self, model: &Model, lines: usize) -> Option<Timestamp>;

    /// Returns the document of the row under the cursor, or that of the details. The error tells the person why there
    /// is none.
    fn document(&self, model: &Model) -> Result<SelectedDocument, &'static str>;

    /// Returns the host or account under the cursor as the scope of a pause. The error tells the person why there is
    /// none.
    fn group(&self, _model: &Model) -> Result<PauseScope, &'static str> {
        Err("no host or account is selected")
    }

    /// Returns the host and the account of the document under the cursor, if the row itself contains both.
    fn owners(&self, _model: &Model) -> Option<(String, AccountId)> {
        None
    }

    /// Returns the reason why an action of this view is impossible now, as a text for the person; `None` if the action
    /// is possible.
    fn refusal(&self, _model: &Model, _action: Action) -> Option<&'static str> {
        None
    }
}
