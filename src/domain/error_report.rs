//! Reports of jobs that were given up through errors of this program or lost workers, in the form that Sentry takes:
//! one event per job. They have neither content of pages nor secrets.

use super::outbox::{OutboxMessage, OutcomeEvent};
use super::outcome::OutcomeResult;
use super::secret::Secret;
use serde_json::json;
use std::fmt;
use thiserror::Error;
use url::Url;

/// Reason why a text is no DSN. The message follows the name of the setting, and never repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be a DSN of Sentry, such as https://KEY@sentry.example.org/7")]
pub struct DsnError;

/// Address of a project of Sentry, with the key that lets this program send events there.
#[derive(Clone, PartialEq, Eq)]
pub struct Dsn {
    endpoint: Url,
    key: Secret,
    /// Second half of the key, which old servers want.
    secret: Option<Secret>,
}

impl Dsn {
    /// Reads a DSN: `SCHEME://KEY[:SECRET]@HOST[:PORT]/[PATH/]PROJECT`.
    pub fn parse(text: &Secret) -> Result<Self, DsnError> {
        let url = Url::parse(text.reveal().trim()).map_err(|_| DsnError)?;
        let (prefix, project) = url.path().rsplit_once('/').ok_or(DsnError)?;
        let is_valid = matches!(url.scheme(), "http" | "https") && url.has_host();
        if !is_valid || url.username().is_empty() || project.is_empty() || url.query().is_some() {
            return Err(DsnError);
        }
        let mut endpoint = url.clone();
        endpoint.set_path(&format!("{prefix}/api/{project}/envelope/"));
        endpoint.set_fragment(None);
        // Only URLs without a host refuse these.
        endpoint.set_username("").map_err(|()| DsnError)?;
        endpoint.set_password(None).map_err(|()| DsnError)?;
        Ok(Self { endpoint, key: Secret::new(url.username()), secret: url.password().map(Secret::new) })
    }

    /// Returns the URL to which envelopes are sent; it has no secret.
    pub const fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    /// Returns the value of the header `X-Sentry-Auth`.
    pub fn authorization(&self) -> Secret {
        let client = concat!("quarterdeck/", env!("CARGO_PKG_VERSION"));
        let key = self.key.reveal();
        let secret = self.secret.as_ref().map(|secret| format!(", sentry_secret={}", secret.reveal()));
        let secret = secret.unwrap_or_default();
        Secret::new(format!("Sentry sentry_version=7, sentry_client={client}, sentry_key={key}{secret}"))
    }
}

impl fmt::Debug for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dsn").field("endpoint", &self.endpoint.as_str()).finish_non_exhaustive()
    }
}

/// Returns the message for an outcome; `None` unless a job was given up through errors of this program or lost workers.
///
/// The event's id is made with the message, in the transaction of the outcome, so that each delivery of it has the same:
/// Sentry keeps one event per id. The text of the error itself stays here: that of a panic may quote a page.
pub fn message(event: &OutcomeEvent<'_>) -> Option<OutboxMessage> {
    let outcome = event.outcome;
    let class = match outcome.result {
        OutcomeResult::UnexpectedRetryExhausted => outcome.exception_class.as_deref().unwrap_or("unexpected"),
        OutcomeResult::CrashExhausted => "worker_lost",
        _ => return None,
    };
    let result = outcome.result.word();
    let payload = json!({
        "event_id": event.id,
        // Seconds since 1970.
        "timestamp": outcome.at.micros() as f64 / 1e6,
        "platform": "other",
        "level": "error",
        "logger": "quarterdeck",
        "release": concat!("quarterdeck@", env!("CARGO_PKG_VERSION")),
        "server_name": outcome.worker.as_ref().map(|worker| worker.as_str()),
        "exception": { "values": [{ "type": class, "value": outcome.detail.as_ref().map(|detail| detail.as_str()) }] },
        "fingerprint": [result, class],
        "tags": {
            "result": result,
            "queue": outcome.queue.word(),
            "account_id": outcome.account_id.0.to_string(),
            "document_id": outcome.document_id.0.to_string(),
        },
        "extra": {
            "seq": outcome.seq.0,
            "job_id": outcome.job_id.0,
            "attempt": outcome.attempt,
            "url": bare_url(&outcome.url),
        },
    });
    Some(OutboxMessage { key: event.id.to_owned(), payload: payload.to_string() })
}

/// Returns scheme, host and path of a URL: parameters and user names may be secret.
fn bare_url(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{}{port}{}", url.scheme(), url.host_str()?, url.path()))
}

/// Returns the envelope of a message, as Sentry takes it: three lines, the last of which is the event.
pub fn envelope(message: &OutboxMessage) -> String {
    let head = json!({ "event_id": message.key });
    let item = json!({ "type": "event", "length": message.payload.len() });
    format!("{head}\n{item}\n{}\n", message.payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dsn(text: &str) -> Result<Dsn, DsnError> {
        Dsn::parse(&Secret::new(text))
    }

    #[test]
    fn a_dsn_names_endpoint_and_key() {
        for (text, endpoint) in [
            ("https://abc@o1.ingest.sentry.io/42", "https://o1.ingest.sentry.io/api/42/envelope/"),
            ("http://abc:def@10.0.0.7:9000/deep/path/42", "http://10.0.0.7:9000/deep/path/api/42/envelope/"),
        ] {
            let dsn = dsn(text).expect("a DSN");
            assert_eq!(dsn.endpoint().as_str(), endpoint);
            assert!(dsn.authorization().reveal().contains("sentry_key=abc"));
            assert_eq!(dsn.authorization().reveal().contains("sentry_secret=def"), text.contains("def"));
            assert!(!format!("{dsn:?}").contains("abc"));
        }
    }

    #[test]
    fn what_is_no_dsn_is_refused_without_being_repeated() {
        for text in
            ["", "abc", "https://sentry.io/42", "https://abc@sentry.io/", "ftp://abc@sentry.io/1", "https://abc@/1"]
        {
            assert_eq!(dsn(text), Err(DsnError), "{text}");
        }
    }

    #[test]
    fn a_url_loses_what_may_be_secret() {
        let bare = bare_url("https://ana:secret@a.test:8443/p/q?token=1#x");
        assert_eq!(bare.as_deref(), Some("https://a.test:8443/p/q"));
    }
}
