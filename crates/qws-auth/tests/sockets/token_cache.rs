//! Programs that are run one after the other, and a sign-in that outlives them.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use qws_auth::{Challenge, Credential, DeviceCode, Host, InteractiveBrowser, ServicePrincipal, TokenCache};
use qws_http::ManualClock;

use crate::{
    clock,
    entra::{CLIENT_ID, TENANT},
    header, host, quantum,
    server::{Reply, Seen, Server, json},
};

/// Entra ID for one person and one application; a refresh token is good once.
fn entra() -> impl FnMut(&Seen) -> Reply + Send {
    let mut given = 0;
    move |seen| {
        if seen.path.ends_with("/devicecode") {
            return json(
                200,
                r#"{"device_code":"d","user_code":"A","verification_uri":"https://x","expires_in":900}"#,
            );
        }
        if seen.form["grant_type"] == "refresh_token"
            && seen.form["refresh_token"] != format!("refresh-{given}")
        {
            return crate::device_code::refusal("invalid_grant", 700_082);
        }
        given += 1;
        let refresh = match seen.form["grant_type"].as_str() {
            "client_credentials" => String::new(),
            _ => format!(r#","refresh_token":"refresh-{given}""#),
        };
        json(200, &format!(r#"{{"access_token":"tok-{given}","expires_in":3600{refresh}}}"#))
    }
}

struct Programs {
    server: Server,
    clock: ManualClock,
    folder: tempfile::TempDir,
    asked: Arc<AtomicUsize>,
}

impl Programs {
    async fn new() -> Self {
        let (server, folder) = (Server::start(entra()).await, tempfile::tempdir().unwrap());
        Self { server, clock: clock(), folder, asked: Arc::default() }
    }

    fn cache(&self) -> std::path::PathBuf {
        self.folder.path().join("cache")
    }

    fn host(&self, cache: &Path) -> Host {
        let host = host(&[]).with_authority_host(&self.server.url()).unwrap();
        host.with_clock(Arc::new(self.clock.clone())).with_token_cache(TokenCache::in_folder(cache).unwrap())
    }

    /// The credential of a program that was started just now.
    fn person(&self) -> DeviceCode {
        let asked = self.asked.clone();
        let show = move |_: &qws_auth::DeviceCodePrompt| {
            asked.fetch_add(1, Ordering::Relaxed);
        };
        DeviceCode::new(show).with_host(self.host(&self.cache()))
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn the_next_program_does_not_ask_again() {
    let programs = Programs::new().await;
    assert_eq!(header(&programs.person()).await.unwrap(), "Bearer tok-1");
    let requests = programs.server.seen().len();
    assert_eq!(header(&programs.person()).await.unwrap(), "Bearer tok-1");
    assert_eq!(programs.server.seen().len(), requests, "not even Entra ID");

    programs.clock.advance(Duration::from_secs(3600));
    assert_eq!(header(&programs.person()).await.unwrap(), "Bearer tok-2");
    // The new refresh token is kept in place of the old one, and serves the browser's credential too.
    programs.clock.advance(Duration::from_secs(3600));
    let browser = InteractiveBrowser::new().with_host(programs.host(&programs.cache())).silent_only();
    assert_eq!(header(&browser).await.unwrap(), "Bearer tok-3");
    assert_eq!(programs.asked(), 1);
}

#[tokio::test]
async fn another_tenant_or_application_is_another_sign_in() {
    let programs = Programs::new().await;
    header(&programs.person()).await.unwrap();
    let silent = || programs.person().silent_only();
    assert!(header(&silent()).await.is_ok());
    for other in [silent().with_tenant(TENANT.parse().unwrap()), silent().with_client_id(CLIENT_ID).unwrap()]
    {
        assert!(header(&other).await.unwrap_err().is_unavailable());
    }
    let elsewhere = programs.folder.path().join("another");
    let other = silent().with_host(programs.host(&elsewhere));
    assert!(header(&other).await.unwrap_err().is_unavailable());
}

#[tokio::test]
async fn a_sign_in_that_has_ended_is_forgotten() {
    let programs = Programs::new().await;
    header(&programs.person()).await.unwrap();
    let file = programs.cache().join("tokens.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("refresh-1", "refresh-0")).unwrap();
    programs.clock.advance(Duration::from_secs(3600));
    assert!(header(&programs.person().silent_only()).await.unwrap_err().is_unavailable());
    assert!(!std::fs::read_to_string(&file).unwrap().contains("refresh-"));
    header(&programs.person()).await.unwrap();
    assert_eq!(programs.asked(), 2);
}

#[tokio::test]
async fn a_refused_token_does_not_come_back_from_disk() {
    let programs = Programs::new().await;
    let person = programs.person();
    let refused = person.authorize(&quantum()).await.unwrap();
    let next = person.refused(&quantum(), &refused, &Challenge::default()).await.unwrap();
    assert!(next.is_some());
    assert_eq!(header(&person).await.unwrap(), "Bearer tok-2");
    assert_eq!(header(&programs.person()).await.unwrap(), "Bearer tok-2");
}

#[tokio::test]
async fn claims_are_asked_for_and_not_taken_from_disk() {
    let programs = Programs::new().await;
    header(&programs.person()).await.unwrap();
    let request = quantum().with_claims(Some(r#"{"a":1}"#.into()));
    programs.person().authorize(&request).await.unwrap();
    assert_eq!(programs.server.seen().last().unwrap().form["claims"], r#"{"a":1}"#);
}

#[tokio::test]
async fn an_application_and_a_person_never_share_a_token() {
    let programs = Programs::new().await;
    let tenant = || TENANT.parse().unwrap();
    let application = || {
        let principal = ServicePrincipal::with_secret(tenant(), CLIENT_ID, "s").unwrap();
        principal.with_host(programs.host(&programs.cache()))
    };
    assert_eq!(header(&application()).await.unwrap(), "Bearer tok-1");
    assert_eq!(header(&application()).await.unwrap(), "Bearer tok-1");
    let person = programs.person().with_tenant(tenant()).with_client_id(CLIENT_ID).unwrap();
    assert_eq!(header(&person).await.unwrap(), "Bearer tok-2");
    assert_eq!(header(&application()).await.unwrap(), "Bearer tok-1");
    assert_eq!(programs.server.seen().len(), 3);
}

#[tokio::test]
async fn a_cache_that_has_become_unsafe_is_not_used_and_said_so() {
    use std::os::unix::fs::PermissionsExt;
    let log = crate::log::log();
    let programs = Programs::new().await;
    let person = programs.person();
    std::fs::set_permissions(programs.cache(), std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(header(&person).await.unwrap(), "Bearer tok-1");
    assert!(!programs.cache().join("tokens.json").exists());
    assert!(log.text().contains("the token cache is not used"));
}
