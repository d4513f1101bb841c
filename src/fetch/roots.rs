//! Check for the system's root certificates, which verify pages on https.

use super::client::FetchSetupError;
use reqwest::Client;

/// Checks that the system has root certificates. Without them no page on https can be fetched.
pub fn roots() -> Result<(), FetchSetupError> {
    // An error means that main or a fetcher has already installed a provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // The client has no other certificates, so building it fails if the system has none.
    Client::builder().build().map(drop).map_err(FetchSetupError::Client)
}
