//! The differences between the two databases in statements that are otherwise the same: names, placeholders, times,
//! JSON.
//!
//! Statements are written once, with markers that [`Dialect::render`] replaces. On PostgreSQL our own tables are in the
//! schema `quarterdeck`, and the times of documents are timestamps. On SQLite there is no schema, and times are
//! numbers.

/// The SQL dialect of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Dialect {
    /// Placeholders `?1`, times as microseconds since 1970, JSON as text.
    Sqlite,
    /// Placeholders `$1`, times of documents as timestamps, JSON as `jsonb`.
    Postgres,
}

/// Test for a document `d` whose link is that of a PDF, on PostgreSQL. Case matters, as in Chatwoot's own scope.
macro_rules! link_is_pdf {
    () => {
        "(d.external_link LIKE 'PDF:%' OR d.external_link LIKE '%.pdf')"
    };
}

/// Test for a document `d` to which a PDF is attached, by all files that are attached, for many rows.
macro_rules! among_pdfs {
    () => {
        "(d.id IN (SELECT quarterdeck.attached_pdfs(NULL, NULL, NULL)))"
    };
}

/// Markers, each with its replacement on SQLite and on PostgreSQL. The first that matches applies.
const MARKS: [(&str, &str, &str); 17] = [
    // A table or sequence of our own.
    ("@", "", "quarterdeck."),
    // A time of `captain_documents` as microseconds, and the reverse.
    ("micros(", "(", "quarterdeck.micros("),
    ("stamp(", "(", "quarterdeck.stamp("),
    // The numbers of a list.
    ("each(", "value FROM json_each(", "unnest("),
    // A test for one of the values that a query yields, which ends with `))`. PostgreSQL runs the query first, and then
    // looks its few values up in an index; it would rather read the whole table for a subquery of IN.
    ("among(", "IN (SELECT * FROM (", "= ANY(ARRAY("),
    // The elements of a JSON array, as rows with a column `value`.
    ("elements(", "json_each(", "quarterdeck.elements("),
    // Lower case for ASCII letters; other characters stay.
    ("fold(", "lower(", "quarterdeck.fold("),
    // The text before a LIKE with a pattern in lower case. On SQLite LIKE itself ignores the case of ASCII letters.
    ("ignoring_case(", "(", "quarterdeck.fold("),
    // SQLite compares bytes anyway, and uses some indexes only for columns without a collation.
    ("COLLATE bytes", "", "COLLATE \"C\""),
    // The first characters of a text, as many as an index of PostgreSQL can take.
    ("leading(", "(", "quarterdeck.leading("),
    // The document's metadata as an object with these keys set; other keys stay.
    (
        "metadata = merged(",
        "metadata = json_set(CASE WHEN json_valid(metadata) THEN \
         CASE json_type(metadata) WHEN 'object' THEN metadata ELSE '{}' END ELSE '{}' END, ",
        "metadata = (CASE jsonb_typeof(metadata) WHEN 'object' THEN metadata ELSE '{}'::jsonb END) \
         || jsonb_build_object(",
    ),
    // Host and port of a URL, as `domain::link::host_of` gives them for an ordinary one. Only for documents of Chatwoot.
    ("host_of(", "(", "quarterdeck.host_of("),
    // Tests whether document `d` is a PDF: by its link, as Chatwoot's own scope does (case matters); by a file that
    // is attached to it, which few rows are looked up for; and by all files that are attached, for many rows.
    ("link_is_pdf", "(d.external_link GLOB 'PDF:*' OR d.external_link GLOB '*.pdf')", link_is_pdf!()),
    ("has_pdf", "0", "EXISTS (SELECT 1 FROM quarterdeck.attached_pdfs(ARRAY[d.id], NULL, NULL))"),
    ("among_pdfs", "0", among_pdfs!()),
    // The status of a document `d` of Chatwoot that is not synced because of its kind, NULL for another one, and in a
    // store of our own, whose table of documents this program has made. SQLite has no documents of Chatwoot.
    (
        "status_by_kind",
        "NULL",
        concat!(
            "CASE WHEN EXISTS (SELECT 1 FROM quarterdeck.made WHERE name = 'captain_documents') THEN NULL WHEN ",
            link_is_pdf!(),
            " OR ",
            among_pdfs!(),
            " THEN 8 WHEN d.status <> 1 THEN 9 END"
        ),
    ),
    // A key in `merged(…)`.
    ("key:", "$.", ""),
];

impl Dialect {
    /// Returns the maximum number of rows whose values one statement lists. It is one on SQLite, which has no round
    /// trips and keeps one-row statements prepared.
    pub(in crate::store) const fn rows_per_statement(self) -> usize {
        match self {
            Self::Sqlite => 1,
            Self::Postgres => 50,
        }
    }

    /// Returns the statement `text` with its markers and placeholders replaced for this database.
    pub(in crate::store) fn render(self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + text.len() / 4);
        let (mut rest, mut placeholders) = (text, 0_usize);
        while let Some(first) = rest.chars().next() {
            if first == '?' {
                rest = &rest[1..];
                let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                // A placeholder without a number gets the next one, as on SQLite.
                placeholders = rest[..digits].parse().unwrap_or(placeholders + 1);
                rest = &rest[digits..];
                out.push(if self == Self::Sqlite { '?' } else { '$' });
                out.push_str(&placeholders.to_string());
                continue;
            }
            // `meta.KEY`: a text in the metadata of document `d`.
            if let Some(after) = rest.strip_prefix("meta.") {
                let length = after.bytes().take_while(|byte| byte.is_ascii_lowercase() || *byte == b'_').count();
                self.push_meta(&mut out, &after[..length]);
                rest = &after[length..];
                continue;
            }
            if let Some((mark, sqlite, postgres)) = MARKS.iter().find(|(mark, ..)| rest.starts_with(mark)) {
                out.push_str(if self == Self::Sqlite { sqlite } else { postgres });
                rest = &rest[mark.len()..];
                continue;
            }
            // A word is copied whole, so that no marker is found inside another name.
            let word = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
            let length = if word > 0 { word } else { first.len_utf8() };
            out.push_str(&rest[..length]);
            rest = &rest[length..];
        }
        out
    }

    fn push_meta(self, out: &mut String, key: &str) {
        match self {
            Self::Sqlite => {
                out.push_str("CASE WHEN json_valid(d.metadata) THEN d.metadata ->> '$.");
                out.push_str(key);
                out.push_str("' END");
            }
            Self::Postgres => {
                out.push_str("(d.metadata ->> '");
                out.push_str(key);
                out.push_str("')");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_written_once_for_both() {
        let text = "UPDATE captain_documents SET last_synced_at = stamp(?2), metadata = merged('key:sync_step', ?) \
             WHERE id = ?1 AND fold(name) <> timestamp(1) AND id IN (SELECT document_id FROM @jobs)";
        let sqlite = Dialect::Sqlite.render(text);
        assert!(sqlite.starts_with("UPDATE captain_documents SET last_synced_at = (?2), metadata = json_set("));
        assert!(sqlite.contains("'$.sync_step', ?3)") && sqlite.contains("lower(name) <> timestamp(1)"), "{sqlite}");
        assert!(sqlite.ends_with("FROM jobs)"), "{sqlite}");
        let postgres = Dialect::Postgres.render(text);
        assert!(postgres.contains("last_synced_at = quarterdeck.stamp($2)"), "{postgres}");
        assert!(postgres.contains("jsonb_build_object('sync_step', $3)"), "{postgres}");
        assert!(postgres.ends_with("FROM quarterdeck.jobs)"), "{postgres}");
        assert_eq!(Dialect::Postgres.render("SELECT meta.sync_step AS s"), "SELECT (d.metadata ->> 'sync_step') AS s");
    }
}
