//! The mark of a store that `quarterdeck copy` fills: a table that is there from the first row of the copy to the last.
//! Other verbs refuse such a store, which lacks a part of its documents.

/// Name of the table, without the schema. It has one row: the id of the copied store, and its address for people.
pub(super) const TABLE: &str = "copy_progress";

/// Returns the message for a store that another verb opens. `source` is the address of the copied store, without
/// secrets.
pub(super) fn message(source: &str) -> String {
    format!(
        "a copy of another store into this one is not complete; go on with `quarterdeck copy --from {source} --to` and \
         the URL of this store"
    )
}
