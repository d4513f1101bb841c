//! Delivery of error reports to Sentry: the messages of the outbox as envelopes over HTTP.

use super::client::FetchSetupError;
use super::settings::FetchSettings;
use crate::domain::error_report::{self, Dsn};
use crate::domain::outbox::{Deliver, DeliveryError, OutboxMessage, OutcomeEvent, PendingDelivery, Subscriber};
use crate::domain::time::Timestamp;
use async_trait::async_trait;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, Proxy, StatusCode, redirect};
use std::sync::OnceLock;
use std::time::Duration;

/// Longest time of one delivery.
const TIMEOUT: Duration = Duration::from_secs(10);
const AUTHORIZATION: HeaderName = HeaderName::from_static("x-sentry-auth");

/// Subscriber that reports jobs which were given up to a project of Sentry.
pub struct SentryReports {
    dsn: Dsn,
    proxy: Option<Proxy>,
    user_agent: String,
    /// Made for the first delivery: most processes deliver nothing.
    client: OnceLock<Client>,
}

impl SentryReports {
    /// Creates the subscriber. It uses the proxy of the fetches, and connects to private addresses, too: the operator has
    /// named the server.
    pub fn new(dsn: Dsn, settings: &FetchSettings) -> Result<Self, FetchSetupError> {
        let proxy = settings.proxy.clone().map(Proxy::all).transpose().map_err(FetchSetupError::Client)?;
        Ok(Self { dsn, proxy, user_agent: settings.user_agent.clone(), client: OnceLock::new() })
    }

    fn client(&self) -> Result<&Client, reqwest::Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let builder = || {
            let builder = Client::builder()
                .user_agent(&self.user_agent)
                .timeout(TIMEOUT)
                .redirect(redirect::Policy::none())
                .referer(false)
                .no_proxy();
            // Must follow `no_proxy`, which removes this proxy too.
            self.proxy.iter().cloned().fold(builder, reqwest::ClientBuilder::proxy)
        };
        // A machine without root certificates can still reach a server over http.
        let client = builder().build().or_else(|_| builder().tls_certs_only([]).build())?;
        Ok(self.client.get_or_init(|| client))
    }
}

impl Subscriber for SentryReports {
    fn name(&self) -> &str {
        "sentry"
    }

    fn message(&self, event: &OutcomeEvent<'_>) -> Option<OutboxMessage> {
        error_report::message(event)
    }

    fn compares_texts(&self) -> bool {
        false
    }
}

#[async_trait]
impl Deliver for SentryReports {
    /// Returns zero: Sentry keeps one event per id, so a second delivery is harmless.
    fn lease(&self) -> Duration {
        Duration::ZERO
    }

    async fn deliver(&self, pending: &PendingDelivery, _: Timestamp) -> Result<(), DeliveryError> {
        let message = OutboxMessage { key: pending.key.clone(), payload: pending.payload.clone() };
        let mut authorization = HeaderValue::from_str(self.dsn.authorization().reveal())
            .map_err(|_| DeliveryError::refused("the key of errors.sentry_dsn is no value of a header"))?;
        authorization.set_sensitive(true);
        // Errors without their URL, though that has no secret: it is long.
        let failed = |error: reqwest::Error| DeliveryError::unavailable(innermost(&error.without_url()));
        let request = self.client().map_err(failed)?.post(self.dsn.endpoint().clone());
        let request = request.header(AUTHORIZATION, authorization);
        let request = request.header(CONTENT_TYPE, "application/x-sentry-envelope");
        let response = request.body(error_report::envelope(&message)).send().await.map_err(failed)?;
        match response.status() {
            status if status.is_success() => Ok(()),
            // The message itself is at fault; others may be accepted.
            status @ (StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE) => {
                Err(DeliveryError::refused(format!("Sentry answered {status}")))
            }
            status => Err(DeliveryError::unavailable(format!("Sentry answered {status}"))),
        }
    }
}

/// Returns the message of the error behind an error, which says more than "error sending request".
pub(super) fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
