//! Tables: which are data and which only lay a page out, and the GFM form of the former.

use super::lines::Lines;
use crate::fetch::budget::{Clock, ConvertError};
use crate::fetch::dom::{is_heading, name_of};
use dom_query::{NodeId, NodeRef};
use std::collections::HashSet;

const MAX_COLUMNS: usize = 200;
const MAX_COLSPAN: usize = 20;
/// More items than this are a list that a table sets into columns.
const MAX_ITEMS: usize = 8;
const MAX_ROWSPAN: usize = 1000;

/// The tables under `roots` that are read as blocks: those that hold what a cell cannot (tables, headings, long lists, blocks
/// of code), those of one column and one row, and those of one column whose cells are blocks. Where the page says by a head or
/// a caption that it is a table, its rows tell what belongs together: neither blocks in one column nor code in some of the rows
/// make a layout of it.
pub(super) fn layout_tables(roots: &[NodeRef<'_>], clock: &mut Clock) -> Result<HashSet<NodeId>, ConvertError> {
    struct Open {
        id: NodeId,
        columns: bool,
        said: bool,
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
                let column = !table.columns && (table.rows < 2 || (table.blocks && !table.said));
                let code = table.codes > 0 && (!table.said || table.codes * 2 > table.rows);
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
            open.push(Open { id: node.id, columns: false, said: false, codes: 0, blocks: false, items: 0, rows: 0 });
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
            table.said |= matches!(&*name, "th" | "thead" | "caption");
            table.codes += usize::from(&*name == "pre");
            table.rows += usize::from(&*name == "tr");
            table.items += usize::from(&*name == "li");
            table.blocks |=
                matches!(&*name, "p" | "div" | "ul" | "ol" | "dl" | "blockquote" | "section" | "form" | "br");
        }
    }
    Ok(layout)
}

/// A data table as its cells come.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
    /// For each column: how many more rows the cell above reaches into.
    reaching: Vec<usize>,
    bytes: usize,
}

impl Table {
    /// Returns the number of bytes.
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Begins a row.
    pub fn row(&mut self) {
        self.rows.push(Vec::new());
        self.bytes += 1;
    }

    /// Adds a cell to the row; `columns` and `rows` are what it spans.
    pub fn cell(&mut self, text: String, columns: usize, rows: usize) {
        if self.rows.is_empty() {
            self.row();
        }
        self.skip_reached();
        let Some(row) = self.rows.last_mut() else {
            return;
        };
        let columns = columns.clamp(1, MAX_COLSPAN).min(MAX_COLUMNS.saturating_sub(row.len()));
        self.bytes += text.len() + columns;
        let mut text = Some(text);
        for _ in 0..columns {
            let at = row.len();
            if self.reaching.len() <= at {
                self.reaching.resize(at + 1, 0);
            }
            self.reaching[at] = rows.clamp(1, MAX_ROWSPAN) - 1;
            row.push(text.take().unwrap_or_default());
        }
    }

    /// Leaves columns free that a cell above reaches into.
    fn skip_reached(&mut self) {
        let Some(row) = self.rows.last_mut() else {
            return;
        };
        while let Some(left) = self.reaching.get_mut(row.len()).filter(|left| **left > 0) {
            *left -= 1;
            row.push(String::new());
            self.bytes += 1;
        }
    }

    /// Writes it: the first row is the head, since GFM needs one; it is as wide as the widest row, since GFM drops what
    /// stands beyond it. Other rows have their own cells alone.
    pub fn write(mut self, lines: &mut Lines) {
        self.rows.retain(|row| row.iter().any(|cell| !cell.is_empty()));
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let mut rows = self.rows.into_iter();
        let Some(mut head) = rows.next() else {
            return;
        };
        head.resize(columns, String::new());
        lines.no_text();
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
