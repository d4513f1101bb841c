//! Checks of a server and a database on it for `quarterdeck doctor`. Changes nothing.

use super::migrate::Server;
use super::{schema, url::DatabaseUrl};
use crate::domain::finding::{CheckStatus, Finding};
use crate::domain::time::Timestamp;
use crate::store::checks::{CLOCK, RIGHTS, SCHEMA, STORE, of_error};
use crate::store::sql::conn::{Conn, get};
use crate::store::sql::error::reading;
use crate::store::sql::statement::query;
use crate::store::{Access, Clock as _, Result, StoreError, SystemClock};
use std::time::Duration;

/// Largest difference of two clocks that is not reported: a person who reads ages does not notice it.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(2);
/// Number of free connections below which the check warns: as many as one more worker needs.
const MIN_FREE_CONNECTIONS: i64 = 10;

pub(in crate::store) async fn examine(url: &str) -> Vec<Finding> {
    let server = match Server::from_url(url).await {
        Ok(server) => server,
        Err(error) => return vec![of_error(STORE, &error)],
    };
    let mut found = Vec::new();
    let checks = async {
        let mut conn = server.conn().await.map_err(|error| connection_failure(&error))?;
        examine_database(&mut conn, server.url(), &mut found).await.map_err(|error| of_error(STORE, &error))
    };
    if let Err(finding) = checks.await {
        found.push(finding);
    }
    found
}

/// Returns the finding for a failed connection. Its status is `Unreachable`, whatever the error.
fn connection_failure(error: &StoreError) -> Finding {
    Finding { status: CheckStatus::Unreachable, ..of_error(STORE, error) }
}

async fn examine_database(conn: &mut Conn, url: &DatabaseUrl, found: &mut Vec<Finding>) -> Result<()> {
    check_server(conn, url, found).await?;
    found.push(check_connections(conn).await?);
    found.push(check_clock(conn).await?);
    let state = schema::read_state(conn, url).await?;
    let set_up = state.check_migratable(url).and_then(|()| state.check_set_up(url));
    found.push(match &set_up {
        Ok(()) => Finding::ok(SCHEMA, format!("up to date, {}", state.describe())),
        Err(error) => of_error(SCHEMA, error),
    });
    let rights = state.check_rights(url, Access::Write);
    found.push(match (&rights, &set_up, read_only_reason(conn).await?) {
        (Err(error), ..) => of_error(RIGHTS, error),
        (Ok(()), _, Some(why)) => {
            Finding::fail(RIGHTS, url.describe(why), "name the primary server, or use --read-only")
        }
        (Ok(()), Ok(()), None) => Finding::ok(RIGHTS, "this role has all the rights it needs"),
        // Rights on missing tables cannot be checked.
        (Ok(()), Err(_), None) => return Ok(()),
    });
    Ok(())
}

async fn check_server(conn: &mut Conn, url: &DatabaseUrl, found: &mut Vec<Finding>) -> Result<()> {
    let facts = query(
        "SELECT current_setting('server_version') AS version, current_user::text AS role, \
         coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS encrypted",
    );
    let rows = conn.fetch_all(facts).await.map_err(reading)?;
    let row = rows.first().ok_or_else(|| reading(sqlx::Error::RowNotFound))?;
    let version = get::<&str>(row, "version")?.split(' ').next().unwrap_or_default().to_owned();
    let (role, encrypted) = (get::<&str>(row, "role")?, get::<bool>(row, "encrypted")?);
    let how = match (url.pgbouncer, encrypted) {
        (true, _) => "behind PgBouncer: dead workers are noticed only when their leases expire",
        (false, true) => "encrypted",
        (false, false) => "not encrypted",
    };
    found.push(Finding::ok(STORE, url.describe(&format!("version {version}, role {role}, {how}"))));
    if !(url.pgbouncer || encrypted || url.is_local()) {
        found.push(Finding::warn(
            "encryption",
            "the connection is not encrypted: others on the network can read the password's hash and every page",
            "write ?sslmode=require at the end of the URL, unless the network is your own",
        ));
    }
    Ok(())
}

async fn check_connections(conn: &mut Conn) -> Result<Finding> {
    let facts = query(
        "SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used, \
         current_setting('max_connections')::bigint AS most",
    );
    let rows = conn.fetch_all(facts).await.map_err(reading)?;
    let row = rows.first().ok_or_else(|| reading(sqlx::Error::RowNotFound))?;
    let (used, most) = (get::<i64>(row, "used")?, get::<i64>(row, "most")?);
    let message = format!("{used} of the server's {most} connections are in use; a process takes up to ten");
    if most - used >= MIN_FREE_CONNECTIONS {
        return Ok(Finding::ok("connections", message));
    }
    Ok(Finding::warn("connections", message, "raise max_connections, or put PgBouncer before the server"))
}

async fn check_clock(conn: &mut Conn) -> Result<Finding> {
    let before = SystemClock.now();
    // Does not use our own SQL function `micros`, since the schema may be missing.
    let statement = query("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint");
    let rows = conn.fetch_all(statement).await.map_err(reading)?;
    let row = rows.first().ok_or_else(|| reading(sqlx::Error::RowNotFound))?;
    let server = Timestamp::from_micros(get(row, 0)?);
    let after = SystemClock.now();
    // The server read its clock at some moment between `before` and `after`.
    let (off, direction) =
        if server > after { (server.since(after), "ahead of") } else { (before.since(server), "behind") };
    if off <= CLOCK_TOLERANCE {
        return Ok(Finding::ok(CLOCK, "the server's clock agrees with this machine's"));
    }
    let message =
        format!("the server's clock is {} s {direction} this machine's; quarterdeck uses the server's", off.as_secs());
    Ok(Finding::warn(CLOCK, message, "synchronize both with NTP"))
}

/// Returns the reason why this role cannot write to the server; `None` if it can.
async fn read_only_reason(conn: &mut Conn) -> Result<Option<&'static str>> {
    let facts =
        query("SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only')::boolean AS read_only");
    let rows = conn.fetch_all(facts).await.map_err(reading)?;
    let row = rows.first().ok_or_else(|| reading(sqlx::Error::RowNotFound))?;
    Ok(match (get::<bool>(row, "standby")?, get::<bool>(row, "read_only")?) {
        (true, _) => Some("is a standby, which is read-only"),
        (false, true) => Some("is read-only for this role or database (default_transaction_read_only)"),
        (false, false) => None,
    })
}
