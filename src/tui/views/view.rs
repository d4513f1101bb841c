//! The interface of what stands in a pane: the views of the main area, the details and the outcome panel.

use super::selected::SelectedDocument;
use crate::domain::id::AccountId;
use crate::domain::pause::PauseScope;
use crate::domain::time::Timestamp;
use crate::tui::action::Action;
use crate::tui::layout::Peek;
use crate::tui::model::Model;
use crate::tui::table::state::Rows;
use crate::tui::text::Words;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The place in which a view is drawn.
#[derive(Clone, Debug)]
pub struct Pane {
    /// Its cells, the frame included; none while the view is not shown.
    pub area: Rect,
    /// It has the focus.
    pub focused: bool,
    /// The message for the bottom line of its frame, when it is the one that carries it.
    pub toast: Words,
    /// The peek pane explains the row under the cursor.
    pub explained: bool,
}

/// The content of the peek pane: a row in sentences.
#[derive(Clone, Debug, Default)]
pub struct Explanation {
    /// The title of its frame.
    pub title: Words,
    /// At the right end of the title's line, when there is room.
    pub aside: Words,
    /// Its lines.
    pub lines: Vec<Words>,
    /// At the right end of the first line, when there is room.
    pub beside: Words,
    /// The data is old: the database does not answer.
    pub is_old: bool,
}

/// A view. Its state is in the model; this is what it makes of that. A method that does not apply keeps its default.
pub trait View: Sync {
    /// Draws it.
    fn draw(&self, model: &Model, pane: Pane, buf: &mut Buffer);

    /// Returns its rows, when they are read as a whole.
    fn rows<'m>(&self, _model: &'m Model) -> Option<&'m dyn Rows> {
        None
    }

    /// Returns its rows to move in, or to read again.
    fn rows_mut<'m>(&self, _model: &'m mut Model) -> Option<&'m mut dyn Rows> {
        None
    }

    /// Lines above the rows that do not scroll with them.
    fn heading_lines(&self) -> u16 {
        1
    }

    /// The cursor is where a person wants it: it follows its row from now on.
    fn choose(&self, model: &mut Model) {
        if let Some(rows) = self.rows_mut(model) {
            rows.choose();
        }
    }

    /// The pane that explains the row under the cursor.
    fn peek(&self, _model: &Model) -> Peek {
        Peek::Absent
    }

    /// Explains the row under the cursor in the `inner` cells of the peek pane.
    fn explain(&self, _model: &Model, _inner: Rect) -> Explanation {
        Explanation::default()
    }

    /// Returns a title and all that is known of the row under the cursor, for text to be read over the screen.
    fn about(&self, _model: &Model) -> Option<(String, Vec<Words>)> {
        None
    }

    /// Returns the earliest moment at which an age or a countdown among the first `lines` lines on the screen reads
    /// differently.
    fn next_refresh(&self, model: &Model, lines: usize) -> Option<Timestamp>;

    /// Returns the document under the cursor, or why there is none.
    fn document(&self, model: &Model) -> Result<SelectedDocument, &'static str>;

    /// Returns the host or the account under the cursor, as a pause of it is written, or why there is none.
    fn group(&self, _model: &Model) -> Result<PauseScope, &'static str> {
        Err("no host or account is selected")
    }

    /// Returns host and account of the document under the cursor, when the row there knows both by itself.
    fn owners(&self, _model: &Model) -> Option<(String, AccountId)> {
        None
    }

    /// Returns why one of its own actions cannot be done now, in words for the person who tried.
    fn refusal(&self, _model: &Model, _action: Action) -> Option<&'static str> {
        None
    }
}
