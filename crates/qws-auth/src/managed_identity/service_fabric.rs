//! Service Fabric: an https endpoint of the node, known by the SHA-1 of its certificate.
//!
//! Protocol: <https://learn.microsoft.com/azure/service-fabric/how-to-managed-identity-service-fabric-app-code>

use std::sync::Arc;

use qws_config::Secret;
use qws_http::{Http, RetryPolicy};

use super::{
    Identity,
    answer::Expected,
    endpoint::{Ask, only_system, secret_header, token_url},
};
use crate::{AuthError, Host, access_token::AccessToken};

mod pinned;

use pinned::Pinned;

pub(super) async fn token(
    host: &Host,
    endpoint: &str,
    header: &Secret,
    thumbprint: &str,
    identity: &Identity,
    resource: &str,
) -> Result<AccessToken, AuthError> {
    only_system(identity, "Service Fabric")?;
    let url = token_url(endpoint, "2019-07-01-preview", resource, None)?;
    if !url.starts_with("https://") {
        return Err(AuthError::invalid("the IDENTITY_ENDPOINT of Service Fabric must be an https URL"));
    }
    let transport = Pinned::new(sha1_thumbprint(thumbprint)?)
        .map_err(|error| AuthError::refused("cannot set up the network").with_source(error))?;
    let transport = Arc::new(transport);
    let http =
        Http::new(transport.clone()).with_clock(host.clock().clone()).with_retry(RetryPolicy::default());

    let asked = host.clock().now();
    let answer = Ask::get(host, "IDENTITY_ENDPOINT", &url)
        .header("Secret", secret_header("IDENTITY_HEADER", header)?)
        .send_through(http)
        .await;
    let answer = answer.map_err(|error| {
        if !transport.met_another_server() {
            return error;
        }
        let text = "the server at IDENTITY_ENDPOINT is not the one whose certificate IDENTITY_SERVER_THUMBPRINT names; the secret was not sent";
        AuthError::refused(text).with_hint("restart the application, so that the cluster sets both anew")
    })?;
    Expected { asked, identity, secrets: &[header] }.read(&answer, answer.attempts)
}

/// 40 hexadecimal digits, which may be written with spaces and colons.
fn sha1_thumbprint(text: &str) -> Result<[u8; 20], AuthError> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b':').collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let hexadecimal = digits.len() == 40 && digits.iter().all(u8::is_ascii_hexdigit);
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(pair).collect();
    bytes.filter(|_| hexadecimal).and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
        AuthError::invalid(
            "IDENTITY_SERVER_THUMBPRINT must be 40 hexadecimal digits, the SHA-1 of a certificate",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbprints_are_read_as_people_write_them() {
        let mut expected = [0x0A; 20];
        expected[19] = 0xFF;
        let text = format!("{}ff", "0A: ".repeat(19));
        assert_eq!(sha1_thumbprint(&format!("\t{text}\r\n")).unwrap(), expected);
        for bad in ["", "0A", &"0A".repeat(21), &"+A".repeat(20), &"é".repeat(20)] {
            assert!(sha1_thumbprint(bad).is_err(), "{bad}");
        }
    }
}
