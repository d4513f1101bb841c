//! The columns of the list of documents: those that are shown at first, and those that a person can add.

use super::column_id::{ColumnId, DEFAULT};
use super::draw::{mark, name, sign, status};
use super::peek::results_strip;
use super::text::{attempted, faqs, next, status_detail, synced};
use crate::domain::document::DocumentRow;
use crate::format;
use crate::store::SortBy;
use crate::tui::model::Model;
use crate::tui::table::columns::{Columns, PositionedColumn, TableColumn};
use crate::tui::text::lines::clip;
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;

/// Smallest width inside the pane's frame, in cells, at which one time column is shown.
const ONE_TIME_MIN_WIDTH: u16 = 38;
/// Smallest width inside the pane's frame, in cells, at which all columns are shown.
const ALL_COLUMNS_MIN_WIDTH: u16 = 66;
/// Smallest width inside the pane's frame, in cells, at which the number of FAQs is shown.
const FAQS_MIN_WIDTH: u16 = 80;
/// Width of the longest short cause, `403 access denied`, in cells.
const SHORT_CAUSE_CELLS: u16 = 17;
/// Cells that stay reserved for name and error when columns are added.
const MIN_TEXT_CELLS: u16 = 40;

type DocumentColumn = TableColumn<DocumentRow>;

static SIGN: DocumentColumn = DocumentColumn::left("", 1, |model, row, _| vec![sign(model, row)]);

static MARK: [DocumentColumn; 1] = [DocumentColumn::left("", 1, |model, row, _| mark(model, row))];

static COLUMNS: Columns<DocumentRow> = Columns {
    columns: &MARK,
    margin: 0,
    min_text: MIN_TEXT_CELLS,
    text_widths: |text| {
        // Names get more space than causes, which have short forms, but a cause keeps the cells of its longest short
        // form.
        let name = (text / 2).max((text * 3 / 5).min(text.saturating_sub(SHORT_CAUSE_CELLS)));
        [name, text - name]
    },
};

/// The same without a column of errors, whose cells the name takes.
static WITHOUT_ERROR: Columns<DocumentRow> =
    Columns { columns: &MARK, margin: 0, min_text: MIN_TEXT_CELLS, text_widths: |text| [text, 0] };

/// Returns the columns of a list that is `width` cells wide, from left to right.
pub(super) fn layout(model: &Model, width: u16) -> Vec<PositionedColumn<DocumentRow>> {
    let chosen = model.documents.columns.as_deref().unwrap_or(&DEFAULT);
    let mut columns: Vec<&'static DocumentColumn> = COLUMNS.columns.iter().collect();
    if !chosen.contains(&ColumnId::Status) {
        // The sign of the status stays, since no row should be without it.
        columns.push(&SIGN);
    }
    columns.extend(chosen.iter().flat_map(|id| forms(*id)));
    let rule = if chosen.contains(&ColumnId::Error) { &COLUMNS } else { &WITHOUT_ERROR };
    rule.layout_with(&columns, width, model.options.faqs_unknown.is_none())
}

/// Returns the forms of a column, of which a list shows at most one.
fn forms(id: ColumnId) -> &'static [DocumentColumn] {
    match id {
        ColumnId::Status => {
            static FORMS: [DocumentColumn; 2] = [
                DocumentColumn::left("", 1, |model, row, _| vec![sign(model, row)]).within(0..ALL_COLUMNS_MIN_WIDTH),
                DocumentColumn::left("status", 9, |model, row, _| status(model, row))
                    .within(ALL_COLUMNS_MIN_WIDTH..u16::MAX)
                    .sorted_by(SortBy::Status),
            ];
            &FORMS
        }
        ColumnId::Document => {
            static FORMS: [DocumentColumn; 1] = [DocumentColumn::text("document", name).sorted_by(SortBy::Name)];
            &FORMS
        }
        ColumnId::Error => {
            static FORMS: [DocumentColumn; 1] = [DocumentColumn::text("last error", |model, row, cells| {
                let (text, tone) = status_detail(model, row, usize::from(cells));
                vec![span(text, tone)]
            })
            .gap(2)
            .sorted_by(SortBy::Error)];
            &FORMS
        }
        ColumnId::Faqs => {
            static FORMS: [DocumentColumn; 1] = [DocumentColumn::right("FAQs", 9, |model, row, _| {
                let (text, tone) = faqs(model, row);
                vec![span(text, tone)]
            })
            .with_faqs_within(FAQS_MIN_WIDTH..u16::MAX)];
            &FORMS
        }
        ColumnId::Attempted => {
            static FORMS: [DocumentColumn; 2] = [
                DocumentColumn::right("tried", 6, attempted_cell)
                    .within(ONE_TIME_MIN_WIDTH..ALL_COLUMNS_MIN_WIDTH)
                    .sorted_by(SortBy::Attempted),
                DocumentColumn::right("attempted", 6, attempted_cell)
                    .within(ALL_COLUMNS_MIN_WIDTH..u16::MAX)
                    .sorted_by(SortBy::Attempted),
            ];
            &FORMS
        }
        ColumnId::Synced => {
            static FORMS: [DocumentColumn; 1] =
                [DocumentColumn::right("synced", 7, |model, row, _| vec![span(synced(model, row), Tone::Dim)])
                    .within(ALL_COLUMNS_MIN_WIDTH..u16::MAX)
                    .sorted_by(SortBy::Synced)];
            &FORMS
        }
        ColumnId::Next => {
            static FORMS: [DocumentColumn; 1] = [DocumentColumn::right("next", 9, |model, row, _| {
                let (text, tone) = next(model, row);
                vec![span(text, tone)]
            })
            .within(ALL_COLUMNS_MIN_WIDTH..u16::MAX)
            .sorted_by(SortBy::Next)];
            &FORMS
        }
        added => added_form(added),
    }
}

/// Returns the form of a column that is not shown at first. It is shown where it fits beside name and error.
fn added_form(id: ColumnId) -> &'static [DocumentColumn] {
    static CHANGED: [DocumentColumn; 1] = [DocumentColumn::right("changed", 9, |model, row, _| {
        dim(row.changed_at.map_or_else(|| model.glyphs.none.to_owned(), |at| format::age(model.now.since(at))))
    })
    .rank(1)];
    static HOST: [DocumentColumn; 1] = [DocumentColumn::left("host", 18, |model, row, cells| {
        dim(clip(&row.host, usize::from(cells), model.glyphs.ellipsis))
    })
    .gap(2)
    .rank(2)];
    static ACCOUNT: [DocumentColumn; 1] =
        [DocumentColumn::right("account", 9, |_, row, _| dim(row.account_id.to_string())).rank(3)];
    static ASSISTANT: [DocumentColumn; 1] =
        [DocumentColumn::right("assistant", 11, |_, row, _| dim(row.assistant_id.to_string())).rank(4)];
    static ID: [DocumentColumn; 1] =
        [DocumentColumn::right("id", 9, |_, row, _| dim(row.id.to_string())).rank(5).sorted_by(SortBy::Id)];
    static HTTP: [DocumentColumn; 1] = [DocumentColumn::right("HTTP", 6, |model, row, _| {
        dim(row.http_status.map_or_else(|| model.glyphs.none.to_owned(), |status| status.to_string()))
    })
    .rank(6)];
    static ATTEMPTS: [DocumentColumn; 1] = [DocumentColumn::right("attempts", 10, |model, row, _| {
        dim(row.attempt.map_or_else(|| model.glyphs.none.to_owned(), |attempt| attempt.to_string()))
    })
    .rank(7)];
    static RECENT: [DocumentColumn; 1] =
        [DocumentColumn::left("results", 9, |model, row, _| results_strip(model, row)).gap(2).rank(8)];
    static TOOK: [DocumentColumn; 1] = [DocumentColumn::right("took", 8, |model, row, _| {
        dim(row.took.map_or_else(|| model.glyphs.none.to_owned(), format::duration))
    })
    .rank(9)];
    static SIZE: [DocumentColumn; 1] = [DocumentColumn::right("size", 9, |model, row, _| {
        dim(row.content_length.map_or_else(|| model.glyphs.none.to_owned(), |chars| format::short_number(chars, 8)))
    })
    .rank(10)];
    static BY: [DocumentColumn; 1] = [DocumentColumn::left("by", 12, |model, row, cells| {
        let by = row.requested_by.as_deref().unwrap_or_default();
        dim(clip(by, usize::from(cells), model.glyphs.ellipsis))
    })
    .gap(2)
    .rank(11)];
    match id {
        ColumnId::Changed => &CHANGED,
        ColumnId::Host => &HOST,
        ColumnId::Account => &ACCOUNT,
        ColumnId::Assistant => &ASSISTANT,
        ColumnId::Id => &ID,
        ColumnId::Http => &HTTP,
        ColumnId::Attempts => &ATTEMPTS,
        ColumnId::Recent => &RECENT,
        ColumnId::Took => &TOOK,
        ColumnId::Size => &SIZE,
        ColumnId::By => &BY,
        ColumnId::Status
        | ColumnId::Document
        | ColumnId::Error
        | ColumnId::Faqs
        | ColumnId::Attempted
        | ColumnId::Synced
        | ColumnId::Next => &[],
    }
}

fn dim(text: String) -> Spans {
    vec![span(text, Tone::Dim)]
}

fn attempted_cell(model: &Model, row: &DocumentRow, _: u16) -> Spans {
    dim(attempted(model, row))
}
