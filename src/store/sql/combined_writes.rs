//! One PostgreSQL statement that writes everything that a transaction has to write: row changes and outcomes, as common
//! table expressions. It takes one round trip, however much is written. With a guard it is a whole optimistic
//! transaction: it writes nothing unless the guard passes.

use crate::store::sql::rows::outcomes::{self, NewOutcome};
use crate::store::sql::statement::{IntoValue as _, Statement, Value};

/// Parts of a statement that see the rows as they were before it, and that all happen or none.
pub(in crate::store) struct CombinedWrites {
    text: String,
    values: Vec<Value>,
    changes: usize,
    has_guard: bool,
    has_outcomes: bool,
}

/// The rows of a batch, given to a change only if the guard passes.
const GUARDED_ROWS: &str = "(SELECT value FROM elements(?) WHERE (SELECT passed FROM guard)) k";

impl CombinedWrites {
    /// Creates a statement of a transaction at the time `now`, in microseconds since 1970, UTC. `guard` is a query of one
    /// row with the column `passed`.
    pub(in crate::store) fn new(now: i64, guard: Option<Statement>) -> Self {
        let mut new = Self {
            text: "WITH ".into(),
            values: vec![now.into_value()],
            changes: 0,
            has_guard: guard.is_some(),
            has_outcomes: false,
        };
        if let Some(Statement { text, values }) = guard {
            let text = renumbered(&text, new.values.len());
            new.text.push_str(&format!("guard AS MATERIALIZED ({text})"));
            new.values.extend(values);
        }
        new
    }

    /// Adds the changes of a kind: `statement` reads the JSON array `?1`, `rows`, and the time `?2`.
    pub(in crate::store) fn add_changes(&mut self, statement: &str, rows: String) {
        self.values.push(rows.into_value());
        let place = format!("?{}", self.values.len());
        let guarded = GUARDED_ROWS.replace('?', &place);
        // Marked first, since the places of the new statement use the same numbers.
        let statement = statement.replace("?2", "?now").replace("?1", "?rows");
        let statement = if self.has_guard { statement.replace("elements(?rows) k", &guarded) } else { statement };
        let statement = statement.replace("?rows", &place).replace("?now", "?1");
        let comma = if self.changes > 0 || self.has_guard { ", " } else { "" };
        self.text.push_str(&format!("{comma}c{} AS ({statement} RETURNING 1)", self.changes));
        self.changes += 1;
    }

    /// Adds the outcomes `new` with the next numbers.
    pub(in crate::store) fn add_outcomes(&mut self, new: &[NewOutcome]) {
        self.values.push(i64::try_from(new.len()).unwrap_or(i64::MAX).into_value());
        let count = self.values.len();
        self.values.push(outcomes::rows(new).into_value());
        let comma = if self.changes > 0 || self.has_guard { ", " } else { "" };
        self.text.push_str(&format!("{comma}numbered AS (UPDATE @outcome_seq SET last = last + ?{count} WHERE id = 1"));
        if self.has_guard {
            self.text.push_str(" AND (SELECT passed FROM guard)");
        }
        // The counter's row is locked after every other row: whoever waits for a row has not locked the counter.
        for change in 0..self.changes {
            self.text.push_str(&format!(" AND (SELECT count(*) FROM c{change}) >= 0"));
        }
        let insert = outcomes::INSERT_NUMBERED.replace("?count", &format!("?{count}"));
        let insert = insert.replace("?rows", &format!("?{}", count + 1));
        self.text.push_str(&format!(" RETURNING last), logged AS ({insert})"));
        self.has_outcomes = true;
    }

    /// Returns the statement. Its one row has the columns `passed` and `last`, the number of the last outcome, which is
    /// NULL without outcomes.
    pub(in crate::store) fn statement(self) -> Statement {
        let Self { mut text, values, has_guard, has_outcomes, .. } = self;
        let passed = if has_guard { "(SELECT passed FROM guard)" } else { "true" };
        let last = if has_outcomes { "(SELECT last FROM numbered)" } else { "CAST(NULL AS BIGINT)" };
        text.push_str(&format!(" SELECT {passed} AS passed, {last} AS last"));
        Statement { text: text.into(), values }
    }
}

/// Returns `text` with the numbers of its placeholders raised by `offset`. Every placeholder has a number.
fn renumbered(text: &str, offset: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut parts = text.split('?');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let number: usize = part[..digits].parse().unwrap_or_default();
        out.push_str(&format!("?{}{}", number + offset, &part[digits..]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sql::statement::Sql;

    #[test]
    fn a_guard_stands_before_everything() {
        let mut guard = Sql::new("SELECT count(*) = ");
        guard.bind(4_i64).push(" AS passed FROM t WHERE id IN (SELECT each(").bind(vec![1_i64]).push("))");
        let mut writes = CombinedWrites::new(7, Some(guard.query()));
        writes.add_changes("UPDATE a SET at = ?2 FROM elements(?1) k WHERE a.id = k.value ->> 'id'", "[]".into());
        writes.add_outcomes(&[]);
        let statement = writes.statement();
        let text = &statement.text;
        assert!(text.starts_with("WITH guard AS MATERIALIZED (SELECT count(*) = ?2 AS passed"), "{text}");
        assert!(
            text.contains("each(?3))), c0 AS (UPDATE a SET at = ?1 FROM (SELECT value FROM elements(?4) WHERE"),
            "{text}"
        );
        assert!(
            text.contains("last + ?5 WHERE id = 1 AND (SELECT passed FROM guard) AND (SELECT count(*) FROM c0)"),
            "{text}"
        );
        assert!(
            text.ends_with("SELECT (SELECT passed FROM guard) AS passed, (SELECT last FROM numbered) AS last"),
            "{text}"
        );
        assert_eq!(statement.values.len(), 6);
    }
}
