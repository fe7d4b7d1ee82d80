//! Servers with Azure Arc: an agent on the machine, which makes us prove that we may read its files.
//!
//! It answers the first request with the name of a file that only privileged users can read; the second request
//! carries its content. Protocol:
//! <https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication#acquiring-an-access-token-using-rest-api>

use std::path::PathBuf;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use qws_config::Secret;

use super::{
    Identity,
    answer::Expected,
    endpoint::{Ask, named, secret_header, token_url},
};
use crate::{
    AuthError, Host,
    access_token::AccessToken,
    files::{self, FileError, Links},
};

const LINUX_FOLDER: &str = "/var/opt/azcmagent/tokens";

const KEY_LIMIT_BYTES: u64 = 4096;

pub(super) async fn token(
    host: &Host,
    endpoint: &str,
    identity: &Identity,
    resource: &str,
) -> Result<AccessToken, AuthError> {
    let url = token_url(endpoint, "2020-06-01", resource, named(identity, "client_id", "msi_res_id"))?;
    let asked = host.clock().now();
    let ask =
        || Ask::get(host, "IDENTITY_ENDPOINT", &url).header("Metadata", HeaderValue::from_static("true"));
    let first = ask().send().await?;
    match first.response.status() {
        StatusCode::UNAUTHORIZED => {}
        // Whoever hands out a token unasked for proof is not the agent, and nothing of the answer is shown.
        StatusCode::OK => {
            return Err(AuthError::refused("Azure Arc's agent answered without asking for its key file")
                .with_hint("update the agent (`azcmagent version`), and look at IDENTITY_ENDPOINT"));
        }
        _ => return Expected { asked, identity, secrets: &[] }.read(&first, first.attempts),
    }
    let key = read_key(host, first.response.headers()).await?;
    let proof = Secret::new(format!("Basic {}", key.expose()));
    let authorization = secret_header("the key file of Azure Arc's agent", &proof)?;
    // The agent takes each key once.
    let answer = ask().header(header::AUTHORIZATION.as_str(), authorization).send_once().await?;
    Expected { asked, identity, secrets: &[&key, &proof] }.read_confirmed(&answer)
}

async fn read_key(host: &Host, headers: &HeaderMap) -> Result<Secret, AuthError> {
    let folder = folder(host)?;
    let name = key_name(headers, &folder.as_named)?;
    let failed = |what: &str| AuthError::refused(format!("the key file of Azure Arc's agent {what}"));
    let bytes = files::read(&folder.here.join(name), KEY_LIMIT_BYTES, Links::Refuse).await;
    let bytes = bytes.map_err(|error| match error {
        FileError::Unreadable(cause) => failed("cannot be read")
            .with_hint("on Linux the program's user must be in the group `himds`; on Windows, an administrator or in `Hybrid Agent Extension Applications`")
            .with_source(cause),
        FileError::NotAFile => failed("is not a file"),
        FileError::TooLong => failed("is longer than 4096 bytes"),
    })?;
    let text = std::str::from_utf8(&bytes).map_err(|_| failed("holds no text"))?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}

/// The one folder in which key files lie: as the agent names it, and where it is.
struct Folder {
    as_named: String,
    here: PathBuf,
}

fn folder(host: &Host) -> Result<Folder, AuthError> {
    if cfg!(target_os = "linux") {
        return Ok(Folder { as_named: LINUX_FOLDER.into(), here: host.system_path(LINUX_FOLDER) });
    }
    match host.variable("ProgramData").filter(|_| cfg!(windows)) {
        Some(data) => {
            let as_named = format!("{data}\\AzureConnectedMachineAgent\\Tokens");
            Ok(Folder { here: PathBuf::from(&as_named), as_named })
        }
        None => Err(AuthError::unsupported("Azure Arc's agent exists on Linux and Windows only")),
    }
}

/// The name of the key file that the challenge `Basic realm=FOLDER/NAME.key` tells. Whoever answers in the agent's
/// place must not have us read and send any other file.
fn key_name(headers: &HeaderMap, folder: &str) -> Result<String, AuthError> {
    let refused = |what: &str| AuthError::refused(format!("the challenge of Azure Arc's agent {what}"));
    let realm = headers.get_all(header::WWW_AUTHENTICATE).iter().find_map(|value| {
        let (scheme, rest) = value.to_str().ok()?.trim().split_once(' ')?;
        let rest = rest.trim().strip_prefix("realm=")?;
        scheme.eq_ignore_ascii_case("basic").then(|| rest.trim_matches('"').to_owned())
    });
    let path = realm.ok_or_else(|| refused("names no key file"))?;
    let separator = if cfg!(windows) { '\\' } else { '/' };
    let (named, name) = path.rsplit_once(separator).unwrap_or_default();
    let same_folder = if cfg!(windows) { named.eq_ignore_ascii_case(folder) } else { named == folder };
    if !same_folder {
        return Err(refused("names a file outside the agent's own folder"));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let stem = name.strip_suffix(".key").unwrap_or_default();
    if stem.is_empty() || stem.starts_with('.') || !stem.chars().all(plain) {
        return Err(refused("names a file that is no key file"));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    fn name(challenge: &str) -> Result<String, String> {
        let mut headers = HeaderMap::new();
        headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=x"));
        headers.append(header::WWW_AUTHENTICATE, challenge.parse().unwrap());
        key_name(&headers, LINUX_FOLDER).map_err(|error| error.to_string())
    }

    #[test]
    fn the_key_file_is_named_by_the_realm() {
        let expected = Ok("5-a_b.key".to_owned());
        assert_eq!(name("Basic realm=/var/opt/azcmagent/tokens/5-a_b.key"), expected);
        assert_eq!(name("basic realm=\"/var/opt/azcmagent/tokens/5-a_b.key\""), expected);
    }

    #[test]
    fn no_other_file_can_be_asked_for() {
        for path in [
            "/etc/shadow.key",
            "5.key",
            "/var/opt/azcmagent/tokens/../5.key",
            "/var/opt/azcmagent/tokens/../tokens/5.key",
            "/var/opt/azcmagent/tokens//5.key",
            "/var/opt/azcmagent/tokens/a/5.key",
            "/var/opt/azcmagent/tokens2/5.key",
            "//host/var/opt/azcmagent/tokens/5.key",
        ] {
            let error = name(&format!("Basic realm={path}")).unwrap_err();
            assert!(error.ends_with("outside the agent's own folder"), "{path}: {error}");
        }
        for file in ["", ".key", "..key", "shadow", "5.key.txt", "5.KEY", "a\\b.key", "5 6.key", "5\".key"] {
            let error = name(&format!("Basic realm=/var/opt/azcmagent/tokens/{file}")).unwrap_err();
            assert!(error.ends_with("no key file"), "{file}: {error}");
        }
        for odd in ["Basic", "Basic file=/var/opt/azcmagent/tokens/5.key", "Digest realm=/x/5.key"] {
            assert!(name(odd).unwrap_err().ends_with("names no key file"), "{odd}");
        }
    }
}
