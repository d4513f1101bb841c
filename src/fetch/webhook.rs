//! Delivery of notifications to webhooks, as the Standard Webhooks specification describes: a POST with the record, its
//! id, the time and a signature. The guard judges the address; redirects are not followed.

use super::allowed::AllowedHost;
use super::client::{FetchSetupError, HttpClient};
use super::error_reports::innermost;
use super::fetcher::lookup_of;
use super::settings::FetchSettings;
use crate::domain::notification::{SigningKey, SinkReceiver};
use crate::domain::outbox::DeliveryError;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use async_trait::async_trait;
use reqwest::header::{CONTENT_TYPE, HeaderName};
use reqwest::{RequestBuilder, StatusCode};
use std::sync::OnceLock;
use std::time::Duration;

/// Longest time of one delivery, until the head of the response; shorter than [`LEASE`](Webhook::LEASE).
const TIMEOUT: Duration = Duration::from_secs(10);
const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Receiver of records that are sent to a URL.
pub struct Webhook {
    /// The path of a URL is often the secret of its receiver.
    url: Secret,
    key: Option<SigningKey>,
    settings: FetchSettings,
    /// Made for the first delivery: most processes deliver nothing.
    client: OnceLock<HttpClient>,
}

impl Webhook {
    /// Creates the receiver. Without a key, records are not signed. `settings` are those of the fetches, whose proxy, name
    /// servers and ports are used; of the hosts that are not public only `allowed` ones are connected to.
    pub fn new(url: Secret, key: Option<SigningKey>, settings: &FetchSettings, allowed: &[AllowedHost]) -> Self {
        let settings = FetchSettings { allow_private_hosts: allowed.to_vec(), ..settings.clone() };
        Self { url, key, settings, client: OnceLock::new() }
    }

    fn client(&self) -> Result<&HttpClient, FetchSetupError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = HttpClient::new(self.settings.clone(), lookup_of(&self.settings)?, None)?;
        Ok(self.client.get_or_init(|| client))
    }

    async fn request(&self, body: String, id: &str, now: Timestamp) -> Result<RequestBuilder, DeliveryError> {
        let client = self.client().map_err(DeliveryError::unavailable)?;
        let url = client.guard.parse(self.url.reveal()).map_err(DeliveryError::refused)?;
        client.judge_before_proxy(&url).await.map_err(DeliveryError::refused)?;
        // The time of this delivery, by which a receiver recognises a record that somebody sends anew.
        let timestamp = now.micros().div_euclid(1_000_000);
        let request = client.post(url).header(CONTENT_TYPE, "application/json");
        let request = request.header(ID, id).header(TIMESTAMP, timestamp).timeout(TIMEOUT);
        let request = match &self.key {
            Some(key) => request.header(SIGNATURE, key.sign(id, timestamp, &body)),
            None => request,
        };
        Ok(request.body(body))
    }
}

#[async_trait]
impl SinkReceiver for Webhook {
    const LEASE: Duration = Duration::from_secs(15);

    async fn receive(&self, record: String, key: &str, now: Timestamp) -> Result<(), DeliveryError> {
        let request = self.request(record, key, now).await?;
        // Errors without their URL, which may be secret. The body of the response says nothing, so it is not read.
        let failed = |error: reqwest::Error| DeliveryError::unavailable(innermost(&error.without_url()));
        let status = request.send().await.map_err(failed)?.status();
        match status {
            _ if status.is_success() => Ok(()),
            StatusCode::GONE => Err(DeliveryError::gone("the receiver answered 410 Gone")),
            _ if status.is_redirection() => {
                Err(DeliveryError::refused(format!("the receiver answered {status}; redirects are not followed")))
            }
            // The receiver is at fault, or its proxy, and not the record.
            StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Err(DeliveryError::unavailable(format!("the receiver answered {status}"))),
            _ => Err(DeliveryError::refused(format!("the receiver answered {status}"))),
        }
    }
}
