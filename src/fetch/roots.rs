//! The certificates by which pages on https are checked: the system's own.

use super::client::FetchSetupError;
use reqwest::Client;

/// Checks that the system has root certificates. Without them pages on https cannot be fetched.
pub fn roots() -> Result<(), FetchSetupError> {
    // An error means that main, or a fetcher, was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // A client without any of its own is not made when the system has none.
    Client::builder().build().map(drop).map_err(FetchSetupError::Client)
}
