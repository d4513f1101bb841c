//! Failures of a fetch in plain words, each with its class: time-outs, refused connections, DNS and TLS errors are
//! transient; a refused address, a bad URL, a page too large or of another type is permanent.

use super::guard::Refusal;
use super::lookup::LookupError;
use crate::domain::failure::{ErrorCode, Failure};
use rustix::io::Errno;
use rustls::{AlertDescription, CertificateError, Error as TlsError};
use std::error::Error;
use std::io;
use std::time::Duration;

/// Stage of a request at which a time-out occurred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Name look-up, connection and TLS.
    Connecting,
    /// The connection is open, but the status of the response has not arrived.
    Waiting,
    Reading,
    /// Any stage: the limit on the whole fetch was reached.
    Total,
}

impl Stage {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Waiting => "waiting for the answer",
            Self::Reading => "reading the body",
            Self::Total => "in all",
        }
    }
}

/// Returns the failure for a time-out of `limit` at `stage`.
pub(super) fn timed_out(limit: Duration, stage: Stage) -> Failure {
    let limit = seconds(limit);
    let detail = match stage {
        Stage::Total => format!("not finished within {limit} in all"),
        Stage::Reading => format!("no data for {limit} ({})", stage.as_str()),
        Stage::Connecting | Stage::Waiting => format!("no answer in {limit} ({})", stage.as_str()),
    };
    Failure::transient(ErrorCode::Timeout, detail)
}

/// Formats a duration in seconds, without trailing zeros: `20 s`, `0.05 s`.
fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

/// Returns a permanent failure: the next attempt would fail the same way.
pub(super) fn refused(detail: impl AsRef<str>) -> Failure {
    Failure::permanent(ErrorCode::FetchFailed, detail)
}

/// Returns the failure for a body that is not in the coding that its header names. It is transient: the server or a
/// proxy may have cut the body.
pub(super) fn damaged() -> Failure {
    transient("the compressed body is damaged")
}

/// Returns the failure for a body over `limit` bytes.
pub(super) fn too_large(limit: u64) -> Failure {
    refused(format!("the body is over {}", size(limit)))
}

/// Formats a number of bytes in the largest unit of which it is a multiple.
fn size(bytes: u64) -> String {
    const MB: u64 = 1024 * 1024;
    match bytes {
        0 => "0 bytes".into(),
        bytes if bytes % MB == 0 => format!("{} MB", bytes / MB),
        bytes if bytes % 1024 == 0 => format!("{} KB", bytes / 1024),
        bytes => format!("{bytes} bytes"),
    }
}

/// Converts an error of the HTTP client into a failure. `connect_timeout` and `read_timeout` are those of the client;
/// the message names them.
pub(super) fn failure(error: &reqwest::Error, connect_timeout: Duration, read_timeout: Duration) -> Failure {
    if let Some(known) = causes(error).find_map(recognise) {
        return known;
    }
    if error.is_timeout() {
        return if error.is_connect() {
            timed_out(connect_timeout, Stage::Connecting)
        } else {
            timed_out(read_timeout, Stage::Waiting)
        };
    }
    if error.is_connect() {
        return transient("the connection could not be made");
    }
    if let Some(hyper) = causes(error).find_map(|cause| cause.downcast_ref::<hyper::Error>()) {
        return transient(http_words(hyper));
    }
    if error.is_decode() {
        return damaged();
    }
    let innermost = causes(error).last().map(ToString::to_string).unwrap_or_default();
    Failure::unexpected("reqwest::Error", format!("the request failed: {innermost}"))
}

fn transient(detail: impl AsRef<str>) -> Failure {
    Failure::transient(ErrorCode::FetchFailed, detail)
}

/// Iterates over an error and its causes, outermost first. The source of an `io::Error` is the cause of its content, so
/// the content itself is inserted here.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error: &'a (dyn Error + 'static) = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(content) => Some(content as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

fn recognise(cause: &(dyn Error + 'static)) -> Option<Failure> {
    if let Some(refusal) = cause.downcast_ref::<Refusal>() {
        return Some(refused(refusal.to_string()));
    }
    if let Some(not_found) = cause.downcast_ref::<LookupError>() {
        return Some(match not_found {
            LookupError::OutOfFiles => Failure::out_of_files(),
            other => transient(other.to_string()),
        });
    }
    if let Some(tls) = cause.downcast_ref::<TlsError>() {
        return Some(transient(format!("TLS: {}", tls_words(tls))));
    }
    let io = cause.downcast_ref::<io::Error>()?;
    if is_out_of_files(io) {
        return Some(Failure::out_of_files());
    }
    Some(match io.kind() {
        io::ErrorKind::ConnectionRefused => transient("connection refused"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            transient("connection reset")
        }
        io::ErrorKind::HostUnreachable => transient("the host is unreachable"),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => transient("the network is unreachable"),
        io::ErrorKind::UnexpectedEof => transient("the connection ended in the middle of the answer"),
        io::ErrorKind::TimedOut => Failure::transient(ErrorCode::Timeout, "the connection timed out"),
        _ => return None,
    })
}

/// Returns true for the error of a process, or of a machine, that may open no more files.
pub(super) fn is_out_of_files(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    [Errno::MFILE, Errno::NFILE].iter().any(|errno| code == Some(errno.raw_os_error()))
}

fn http_words(error: &hyper::Error) -> &'static str {
    if error.is_incomplete_message() {
        "the connection ended in the middle of the answer"
    } else if error.is_parse_too_large() {
        "the answer's header is too large"
    } else if error.is_parse() {
        "the answer is not valid HTTP"
    } else {
        "the connection broke off"
    }
}

fn tls_words(error: &TlsError) -> String {
    use CertificateError as Bad;
    let words = match error {
        TlsError::InvalidCertificate(bad) => match bad {
            Bad::Expired | Bad::ExpiredContext { .. } => "the certificate has expired",
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => "the certificate is not valid yet",
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => "the certificate is for another name",
            Bad::UnknownIssuer => "the certificate's issuer is not known",
            Bad::Revoked => "the certificate was revoked",
            Bad::BadSignature => "the certificate's signature is wrong",
            // A certificate that is its own authority, as common commands create it. The verifier reports it only by
            // this word.
            Bad::Other(other) if other.to_string() == "CaUsedAsEndEntity" => "the certificate is self-signed",
            _ => "the certificate is not valid",
        },
        TlsError::AlertReceived(AlertDescription::HandshakeFailure | AlertDescription::ProtocolVersion)
        | TlsError::PeerIncompatible(_) => "no common protocol version or cipher",
        TlsError::AlertReceived(AlertDescription::UnrecognisedName) => "the server does not know the host name",
        TlsError::InvalidMessage(_) => "the server does not speak TLS on this port",
        other => return other.to_string(),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::failure::Blame;

    #[test]
    fn tls_errors_are_told_apart() {
        let words = |bad| tls_words(&TlsError::InvalidCertificate(bad));
        assert_eq!(words(CertificateError::Expired), "the certificate has expired");
        assert_eq!(words(CertificateError::NotValidForName), "the certificate is for another name");
        assert_eq!(words(CertificateError::UnknownIssuer), "the certificate's issuer is not known");
        assert_eq!(
            tls_words(&TlsError::AlertReceived(AlertDescription::HandshakeFailure)),
            "no common protocol version or cipher"
        );
    }

    #[test]
    fn an_error_wrapped_in_an_io_error_is_found() {
        let inner = io::Error::new(io::ErrorKind::InvalidData, TlsError::InvalidCertificate(CertificateError::Expired));
        let outer = io::Error::other(inner);
        let found = causes(&outer).find_map(recognise).expect("the TLS error is within");
        assert_eq!(found.detail.as_str(), "TLS: the certificate has expired");
    }

    #[test]
    fn what_the_system_says_of_a_connection_is_transient() {
        use io::ErrorKind as Kind;
        for (kind, code, detail) in [
            (Kind::ConnectionRefused, ErrorCode::FetchFailed, "connection refused"),
            (Kind::ConnectionReset, ErrorCode::FetchFailed, "connection reset"),
            (Kind::BrokenPipe, ErrorCode::FetchFailed, "connection reset"),
            (Kind::HostUnreachable, ErrorCode::FetchFailed, "the host is unreachable"),
            (Kind::NetworkUnreachable, ErrorCode::FetchFailed, "the network is unreachable"),
            (Kind::UnexpectedEof, ErrorCode::FetchFailed, "the connection ended in the middle of the answer"),
            (Kind::TimedOut, ErrorCode::Timeout, "the connection timed out"),
        ] {
            assert_eq!(recognise(&io::Error::from(kind)), Some(Failure::transient(code, detail)));
        }
        assert_eq!(recognise(&io::Error::other("else")), None);
        for errno in [Errno::MFILE, Errno::NFILE] {
            let failure = recognise(&io::Error::from(errno)).expect("it is known");
            assert_eq!(failure.blame, Blame::Machine, "{errno}: no failure of a page");
        }
        let lookup = recognise(&LookupError::OutOfFiles).expect("it is known");
        assert_eq!(lookup.blame, Blame::Machine);
    }

    #[test]
    fn sizes_are_in_whole_units() {
        assert_eq!(size(40 * 1024 * 1024), "40 MB");
        assert_eq!(size(64 * 1024), "64 KB");
        assert_eq!(size(1000), "1000 bytes");
    }
}
