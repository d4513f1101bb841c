//! Direct access to the database file, bypassing the store: for writes of another program, and for checks of the stored
//! rows.

use super::limit::PATIENCE;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};
use std::path::Path;

/// Opens a separate connection to the database at `file`.
pub async fn connect(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(PATIENCE);
    options.connect().await.expect("the database opens")
}

/// Runs one statement; returns the number of affected rows.
pub async fn execute(file: &Path, sql: &str) -> u64 {
    let mut connection = connect(file).await;
    sqlx::query(AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .expect("the statement runs")
        .rows_affected()
}

/// Returns the first column of every row, as text.
pub async fn texts(file: &Path, sql: &str) -> Vec<Option<String>> {
    let mut connection = connect(file).await;
    let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.expect("the query runs");
    rows.iter().map(|row| row.try_get(0).expect("text")).collect()
}

/// Returns the first column of every row, as integers.
pub async fn integers(file: &Path, sql: &str) -> Vec<Option<i64>> {
    let mut connection = connect(file).await;
    let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.expect("the query runs");
    rows.iter().map(|row| row.try_get(0).expect("an integer")).collect()
}
