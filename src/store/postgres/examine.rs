//! Checks of a server and a database on it for `quarterdeck doctor`. Changes nothing.

use super::migrate::Server;
use super::{schema, url::Place};
use crate::domain::finding::{Finding, Verdict};
use crate::domain::time::Timestamp;
use crate::store::checks::{CLOCK, RIGHTS, SCHEMA, STORE, of_error};
use crate::store::sql::conn::{Conn, get};
use crate::store::sql::error::reading;
use crate::store::sql::statement::query;
use crate::store::{Access, Clock as _, Result, StoreError, SystemClock};
use std::time::Duration;

/// Largest difference of two clocks that is not reported: a person who reads ages does not notice it.
const SAME_CLOCK: Duration = Duration::from_secs(2);
/// Free connections that one more worker needs; with fewer, a warning is due.
const LEFT: i64 = 10;

pub(in crate::store) async fn examine(url: &str) -> Vec<Finding> {
    let server = match Server::at(url).await {
        Ok(server) => server,
        Err(error) => return vec![of_error(STORE, &error)],
    };
    let mut found = Vec::new();
    let looked = async {
        let mut conn = server.conn().await.map_err(|error| unreachable(&error))?;
        look(&mut conn, server.place(), &mut found).await.map_err(|error| of_error(STORE, &error))
    };
    if let Err(finding) = looked.await {
        found.push(finding);
    }
    found
}

/// Reports a missing connection as unreachable, whatever the reason.
fn unreachable(error: &StoreError) -> Finding {
    Finding { verdict: Verdict::Unreachable, ..of_error(STORE, error) }
}

async fn look(conn: &mut Conn, place: &Place, found: &mut Vec<Finding>) -> Result<()> {
    server(conn, place, found).await?;
    found.push(connections(conn).await?);
    found.push(clock(conn).await?);
    let standing = schema::look(conn, place).await?;
    let set_up = standing.migratable(place).and_then(|()| standing.set_up(place));
    found.push(match &set_up {
        Ok(()) => Finding::ok(SCHEMA, format!("up to date, {}", standing.says())),
        Err(error) => of_error(SCHEMA, error),
    });
    let rights = standing.rights(place, Access::Write);
    found.push(match (&rights, &set_up, writes(conn).await?) {
        (Err(error), ..) => of_error(RIGHTS, error),
        (Ok(()), _, Some(why)) => {
            Finding::fail(RIGHTS, place.says(why), "name the server that writes, or use --read-only to look")
        }
        (Ok(()), Ok(()), None) => Finding::ok(RIGHTS, "this role may do all that is needed"),
        // Rights on missing tables cannot be checked.
        (Ok(()), Err(_), None) => return Ok(()),
    });
    Ok(())
}

async fn server(conn: &mut Conn, place: &Place, found: &mut Vec<Finding>) -> Result<()> {
    let facts = query(
        "SELECT current_setting('server_version') AS version, current_user::text AS role, \
         coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS encrypted",
    );
    let rows = conn.fetch_all(facts).await.map_err(reading)?;
    let row = rows.first().ok_or_else(|| reading(sqlx::Error::RowNotFound))?;
    let version = get::<&str>(row, "version")?.split(' ').next().unwrap_or_default().to_owned();
    let (role, encrypted) = (get::<&str>(row, "role")?, get::<bool>(row, "encrypted")?);
    let how = match (place.pgbouncer, encrypted) {
        (true, _) => "behind PgBouncer: dead workers are seen by their leases alone",
        (false, true) => "encrypted",
        (false, false) => "not encrypted",
    };
    found.push(Finding::ok(STORE, place.says(&format!("version {version}, role {role}, {how}"))));
    if !(place.pgbouncer || encrypted || place.is_local()) {
        found.push(Finding::warn(
            "encryption",
            "whoever is on the network between can read the password's hash and every page",
            "write ?sslmode=require at the end of the URL, unless the network is your own",
        ));
    }
    Ok(())
}

async fn connections(conn: &mut Conn) -> Result<Finding> {
    let facts = query(
        "SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used, \
         current_setting('max_connections')::bigint AS most",
    );
    let rows = conn.fetch_all(facts).await.map_err(reading)?;
    let row = rows.first().ok_or_else(|| reading(sqlx::Error::RowNotFound))?;
    let (used, most) = (get::<i64>(row, "used")?, get::<i64>(row, "most")?);
    let says = format!("{used} of the server's {most} connections are in use; a process takes up to ten");
    if most - used >= LEFT {
        return Ok(Finding::ok("connections", says));
    }
    Ok(Finding::warn("connections", says, "raise max_connections, or put PgBouncer before the server"))
}

async fn clock(conn: &mut Conn) -> Result<Finding> {
    let before = SystemClock.now();
    // Without our own SQL function: the schema may be missing.
    let asked = query("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint");
    let rows = conn.fetch_all(asked).await.map_err(reading)?;
    let row = rows.first().ok_or_else(|| reading(sqlx::Error::RowNotFound))?;
    let server = Timestamp::from_micros(get(row, 0)?);
    let after = SystemClock.now();
    // The server read its clock at some moment between the two.
    let (off, direction) =
        if server > after { (server.since(after), "ahead of") } else { (before.since(server), "behind") };
    if off <= SAME_CLOCK {
        return Ok(Finding::ok(CLOCK, "the server's clock is this machine's"));
    }
    let says =
        format!("the server's clock is {} s {direction} this machine's, and it is the one that counts", off.as_secs());
    Ok(Finding::warn(CLOCK, says, "let both be set by NTP"))
}

/// Returns the reason if nobody can write to this server.
async fn writes(conn: &mut Conn) -> Result<Option<&'static str>> {
    let facts =
        query("SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only')::boolean AS read_only");
    let rows = conn.fetch_all(facts).await.map_err(reading)?;
    let row = rows.first().ok_or_else(|| reading(sqlx::Error::RowNotFound))?;
    Ok(match (get::<bool>(row, "standby")?, get::<bool>(row, "read_only")?) {
        (true, _) => Some("is a standby, which only answers readings"),
        (false, true) => Some("is set to read only for this role or database (default_transaction_read_only)"),
        (false, false) => None,
    })
}
