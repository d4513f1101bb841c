//! Tables: distinguishes data tables from layout tables, and writes the data tables in GFM.

use super::lines::Lines;
use crate::fetch::budget::{BudgetMeter, ConvertError};
use crate::fetch::dom::{is_heading, name_of};
use dom_query::{NodeId, NodeRef};
use std::collections::HashSet;

const MAX_COLUMNS: usize = 200;
const MAX_COLSPAN: usize = 20;
/// Maximum number of list items in a data table. A table with more is a list that is laid out in columns.
const MAX_ITEMS: usize = 8;
const MAX_ROWSPAN: usize = 1000;

/// Returns the layout tables under `roots`, whose cells are read as blocks: tables with the role `presentation` or
/// `none`, tables with content that a cell cannot contain (tables, headings, long lists, code blocks), tables of one
/// column and one row, and tables of one column whose cells are blocks. A table with a head or a caption stays a data
/// table even with blocks in its only column, or with code in up to half of its rows.
pub(super) fn layout_tables(roots: &[NodeRef<'_>], clock: &mut BudgetMeter) -> Result<HashSet<NodeId>, ConvertError> {
    struct Open {
        id: NodeId,
        columns: bool,
        is_declared: bool,
        codes: usize,
        blocks: bool,
        items: usize,
        rows: usize,
    }
    let mut layout = HashSet::new();
    let mut open: Vec<Open> = Vec::new();
    let mut stack: Vec<_> = roots.iter().map(|root| (*root, false)).collect();
    while let Some((node, leaving)) = stack.pop() {
        clock.step()?;
        if leaving {
            let is_layout = |table: &Open| {
                let column = !table.columns && (table.rows < 2 || (table.blocks && !table.is_declared));
                let code = table.codes > 0 && (!table.is_declared || table.codes * 2 > table.rows);
                column || code || table.items > MAX_ITEMS
            };
            layout.extend(open.pop().filter(is_layout).map(|table| table.id));
            continue;
        }
        let name = name_of(&node);
        let is_table = &*name == "table";
        if is_table || is_heading(&name) {
            layout.extend(open.last().map(|table| table.id));
        }
        if is_table {
            if node.attr("role").is_some_and(|role| matches!(role.trim(), "presentation" | "none")) {
                layout.insert(node.id);
            }
            open.push(Open {
                id: node.id,
                columns: false,
                is_declared: false,
                codes: 0,
                blocks: false,
                items: 0,
                rows: 0,
            });
            stack.push((node, true));
        }
        let (mut child, mut cells) = (node.last_child(), 0);
        while let Some(next) = child {
            cells += usize::from(&*name == "tr" && next.is_element());
            stack.push((next, false));
            child = next.prev_sibling();
        }
        if let Some(table) = open.last_mut() {
            table.columns |= cells > 1;
            table.is_declared |= matches!(&*name, "th" | "thead" | "caption");
            table.codes += usize::from(&*name == "pre");
            table.rows += usize::from(&*name == "tr");
            table.items += usize::from(&*name == "li");
            table.blocks |=
                matches!(&*name, "p" | "div" | "ul" | "ol" | "dl" | "blockquote" | "section" | "form" | "br");
        }
    }
    Ok(layout)
}

/// A data table that is being read.
#[derive(Debug, Default)]
pub(super) struct DataTable {
    rows: Vec<Vec<String>>,
    /// Per column, the number of further rows into which the cell above extends.
    spanned_rows: Vec<usize>,
    bytes: usize,
}

impl DataTable {
    /// Returns the length of the table so far, in bytes.
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Begins a row; the following cells belong to it.
    pub fn row(&mut self) {
        self.rows.push(Vec::new());
        self.bytes += 1;
    }

    /// Adds a cell to the current row; `columns` and `rows` are its column span and row span.
    pub fn cell(&mut self, text: String, columns: usize, rows: usize) {
        if self.rows.is_empty() {
            self.row();
        }
        self.skip_spanned();
        let Some(row) = self.rows.last_mut() else {
            return;
        };
        let columns = columns.clamp(1, MAX_COLSPAN).min(MAX_COLUMNS.saturating_sub(row.len()));
        self.bytes += text.len() + columns;
        let mut text = Some(text);
        for _ in 0..columns {
            let at = row.len();
            if self.spanned_rows.len() <= at {
                self.spanned_rows.resize(at + 1, 0);
            }
            self.spanned_rows[at] = rows.clamp(1, MAX_ROWSPAN) - 1;
            row.push(text.take().unwrap_or_default());
        }
    }

    /// Adds empty cells for the columns into which a cell above extends.
    fn skip_spanned(&mut self) {
        let Some(row) = self.rows.last_mut() else {
            return;
        };
        while let Some(left) = self.spanned_rows.get_mut(row.len()).filter(|left| **left > 0) {
            *left -= 1;
            row.push(String::new());
            self.bytes += 1;
        }
    }

    /// Writes the table. The first row becomes the head, since GFM needs one, and is padded to the widest row, since
    /// GFM drops cells beyond the head. Other rows have only their own cells. Rows without text are left out.
    pub fn write(mut self, lines: &mut Lines) {
        self.rows.retain(|row| row.iter().any(|cell| !cell.is_empty()));
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let mut rows = self.rows.into_iter();
        let Some(mut head) = rows.next() else {
            return;
        };
        head.resize(columns, String::new());
        lines.begin_non_text();
        lines.block([line(&head).as_str(), &format!("|{}", " --- |".repeat(columns))]);
        for row in rows {
            lines.block([line(&row).as_str()]);
        }
    }
}

fn line(row: &[String]) -> String {
    let mut line = String::from("|");
    for cell in row {
        line.push(' ');
        line.push_str(cell);
        line.push_str(if cell.is_empty() { "|" } else { " |" });
    }
    line
}
