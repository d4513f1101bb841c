//! Rendered statements, kept for reuse: each text is rendered once per database, not at each execution.

use crate::store::sql::dialect::Dialect;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

/// Maximum number of texts kept per database. The program has a few hundred; only lists of bound values, whose lengths
/// vary, make more. A full table is emptied and fills again.
const MAX_TEXTS: usize = 2_000;

type Texts = RwLock<HashMap<Box<str>, Arc<str>>>;

static SQLITE: LazyLock<Texts> = LazyLock::new(Texts::default);
static POSTGRES: LazyLock<Texts> = LazyLock::new(Texts::default);

/// Returns `text` rendered for `dialect`, from the table if it is there.
pub(in crate::store) fn rendered(dialect: Dialect, text: &str) -> Arc<str> {
    let texts = match dialect {
        Dialect::Sqlite => &SQLITE,
        Dialect::Postgres => &POSTGRES,
    };
    // A panic elsewhere leaves the table whole: each insertion is one call.
    if let Some(known) = texts.read().unwrap_or_else(PoisonError::into_inner).get(text) {
        return known.clone();
    }
    let new: Arc<str> = dialect.render(text).into();
    let mut texts = texts.write().unwrap_or_else(PoisonError::into_inner);
    if texts.len() >= MAX_TEXTS {
        texts.clear();
    }
    texts.insert(text.into(), new.clone());
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_rendered_once_per_database() {
        let text = "SELECT id FROM @jobs WHERE id = ?";
        let (sqlite, postgres) = (rendered(Dialect::Sqlite, text), rendered(Dialect::Postgres, text));
        assert_eq!(&*sqlite, "SELECT id FROM jobs WHERE id = ?1");
        assert_eq!(&*postgres, "SELECT id FROM quarterdeck.jobs WHERE id = $1");
        assert!(Arc::ptr_eq(&sqlite, &rendered(Dialect::Sqlite, text)));
        assert!(Arc::ptr_eq(&postgres, &rendered(Dialect::Postgres, text)));
    }

    #[test]
    fn the_table_stays_small() {
        for length in 0..=2 * MAX_TEXTS {
            let text = format!("SELECT {length} FROM @jobs");
            assert_eq!(&*rendered(Dialect::Sqlite, &text), format!("SELECT {length} FROM jobs"));
        }
        assert!(SQLITE.read().expect("no panic holds it").len() <= MAX_TEXTS);
    }
}
