//! Parses the URL of a database, builds its connection options, and explains connection failures with advice.

use super::error::code;
use crate::domain::text::SafeLine;
use crate::store::sql::error::message;
use crate::store::{Access, Result, StoreError};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Error};
use std::net::IpAddr;
use std::str::FromStr;

/// Settings of each transaction behind PgBouncer, where session settings would affect other clients. Ends with the
/// query for the server process of the transaction, so that a read in it can be stopped.
pub(super) const TRANSACTION_SETTINGS: &str = "; SET LOCAL statement_timeout = '30s'; \
     SET LOCAL lock_timeout = '10s'; SET LOCAL jit = off; SELECT pg_backend_pid()";

/// Settings of our own sessions: timeouts of statements and locks, and of a transaction that a stuck process leaves
/// open. The server asks a silent client for a sign of life after 30 s, and ends the session a minute after the last one:
/// a client whose network is cut off within a statement would keep its locks for two hours by default. JIT is off, since our statements touch few rows: where the server expects many, compiling takes longer (150 ms
/// and more) than the statement.
const SESSION_SETTINGS: [(&str, &str); 8] = [
    ("statement_timeout", "30s"),
    ("lock_timeout", "10s"),
    ("idle_in_transaction_session_timeout", "10s"),
    ("tcp_keepalives_idle", "30s"),
    ("tcp_keepalives_interval", "10s"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "60s"),
    ("jit", "off"),
];

/// The parameters of a URL that sqlx knows.
const PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// Address of a database, as messages show it: without the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct DatabaseUrl {
    user: String,
    host: String,
    port: u16,
    pub(super) database: String,
    /// True if, by the URL's parameter `pgbouncer`, the connections go through PgBouncer in transaction mode. It keeps
    /// no session state, so there are no prepared statements, notifications or session locks.
    pub(super) pgbouncer: bool,
}

impl DatabaseUrl {
    /// Parses a `postgres:` URL; returns the address and the options for connecting. Error messages repeat at most
    /// host, port, user and database of the URL.
    pub(in crate::store) fn parse(url: &str, access: Access) -> Result<(Self, PgConnectOptions)> {
        let unusable = |why: &str| {
            StoreError::Address(format!(
                "the store URL {why}; write postgres://USER:PASSWORD@HOST:5432/DATABASE (special characters in the \
                 password as %XX)"
            ))
        };
        let mut parsed = url::Url::parse(url).map_err(|error| unusable(&format!("cannot be read ({error})")))?;
        // Without the second slash, or with a third one, user and password are parsed as the name of a database, which
        // error messages repeat.
        if !url.contains("://") || parsed.path().contains('@') {
            return Err(unusable("has its user or host in the wrong position"));
        }
        let mut pgbouncer = false;
        let mut kept = Vec::new();
        for (name, value) in parsed.query_pairs() {
            if name == "pgbouncer" {
                pgbouncer = matches!(&*value, "true" | "1" | "yes");
            } else if PARAMETERS.contains(&&*name) || name.starts_with("options[") {
                kept.push((name.into_owned(), value.into_owned()));
            } else {
                // sqlx would write the value to the log, and it may be a password.
                tracing::warn!("the store URL's parameter {} is not known and has no effect", SafeLine::new(&name));
            }
        }
        parsed.set_query(None);
        if !kept.is_empty() {
            parsed.query_pairs_mut().extend_pairs(kept);
        }
        // The wrong part may be the password itself, so the error's message is not repeated.
        let options = PgConnectOptions::from_str(parsed.as_str())
            .map_err(|_| unusable("contains a part that PostgreSQL does not accept"))?;
        let mut options = options.application_name("quarterdeck").disable_statement_logging();
        if pgbouncer {
            options = options.statement_cache_capacity(0).extra_float_digits(None);
        } else {
            options = options.options(SESSION_SETTINGS);
            if access.is_read_only() {
                options = options.options([("default_transaction_read_only", "on")]);
            }
        }
        let host = options.get_socket().map(|socket| socket.display().to_string());
        let database_url = Self {
            user: options.get_username().to_owned(),
            host: host.unwrap_or_else(|| options.get_host().to_owned()),
            port: options.get_port(),
            database: options.get_database().unwrap_or(options.get_username()).to_owned(),
            pgbouncer,
        };
        Ok((database_url, options))
    }

    /// Returns a message that names the database: `PostgreSQL at db.example.org:5432/chatwoot: …`, with `detail` at the
    /// end.
    pub(super) fn describe(&self, detail: &str) -> String {
        format!("PostgreSQL at {}:{}/{}: {detail}", self.host, self.port, self.database)
    }

    /// Returns the arguments with which PostgreSQL's own tools connect; the password is not among them.
    pub(in crate::store) fn tool_arguments(&self) -> Vec<String> {
        let host = self.host.trim_matches(['[', ']']);
        [("host", host), ("port", &self.port.to_string()), ("username", &self.user), ("dbname", &self.database)]
            .map(|(name, value)| format!("--{name}={value}"))
            .to_vec()
    }

    /// Returns true if the server is on this machine, so that no network is in between.
    pub(super) fn is_local(&self) -> bool {
        self.host.starts_with('/')
            || self.host == "localhost"
            || self.host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Returns the store's name for display: `postgres db.example.org/chatwoot`.
    pub(super) fn label(&self) -> String {
        format!("postgres {}/{}", self.host, self.database)
    }

    /// Converts a failed connection into an error with its reason and advice.
    pub(super) fn explain(&self, error: &Error) -> StoreError {
        let unusable = |detail: &str, cure: &str| StoreError::Unusable(format!("{}; {cure}", self.describe(detail)));
        let message = message(error);
        match (error, code(error).as_deref()) {
            (_, Some("28P01" | "28000")) => unusable(
                &message,
                &format!(
                    "check user `{}` and its password in --store or QUARTERDECK_STORE, and pg_hba.conf",
                    self.user
                ),
            ),
            (_, Some("3D000")) => unusable(&message, "create it, or name another database in the URL"),
            (_, Some("42501")) => unusable(&message, &format!("grant CONNECT on it to `{}`", self.user)),
            (_, Some("08P01")) => unusable(&message, "behind PgBouncer write ?pgbouncer=true at the end of the URL"),
            (Error::Tls(_), _) | (Error::Io(_), _) if is_tls_failure(error) => unusable(
                &format!("no encrypted connection: {message}"),
                "check sslmode and sslrootcert in the URL against the server's certificate",
            ),
            (Error::Configuration(_), _) => unusable(&message, "check the parameters of the URL"),
            (Error::Io(_), _) => StoreError::Unavailable(format!(
                "{}; check host and port, and that the server runs and may be reached from here",
                self.describe(&message)
            )),
            _ => StoreError::Unavailable(self.describe(&message)),
        }
    }
}

/// Returns true if the encryption of a connection failed. An untrusted certificate causes an I/O error of kind
/// `InvalidData`.
fn is_tls_failure(error: &Error) -> bool {
    match error {
        Error::Tls(_) => true,
        Error::Io(error) => {
            error.kind() == std::io::ErrorKind::InvalidData || error.to_string().contains("certificate")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_no_password_is_repeated() {
        let parse = |url: &str| DatabaseUrl::parse(url, Access::Write).map(|(database_url, _)| database_url);
        let database_url =
            parse("postgres://ana:s%40cret@db.test:6432/chatwoot?pgbouncer=true&sslmode=disable").expect("right");
        assert_eq!((database_url.label(), database_url.pgbouncer), ("postgres db.test/chatwoot".to_owned(), true));
        assert!(!format!("{database_url:?}").contains("cret"));
        for wrong in [
            "postgres://ana:s3cret@db:port/x",
            "postgres://ana:s3cret@db/x?sslmode=s3cret",
            "postgres:/ana:s3cret@db/x",
            "postgres:ana:s3cret@db/x",
            "postgres:///ana:s3cret@db/x",
        ] {
            let message = parse(wrong).expect_err("wrong").to_string();
            assert!(!message.contains("s3cret") && message.contains("postgres://USER"), "{message}");
        }
    }
}
