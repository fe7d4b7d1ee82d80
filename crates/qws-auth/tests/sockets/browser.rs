//! A browser with a person in it, Entra ID behind it, and what others might send to the port that waits for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use qws_auth::{Audience, AuthError, AuthErrorKind, AuthRequest, Credential, InteractiveBrowser};
use qws_http::ManualClock;
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
};

use crate::{
    device_code::{DEVELOPERS, refusal},
    header, host, quantum,
    server::{Reply, Seen, Server, json},
};

/// The page that the browser was told to open.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) address: String,
    pub(crate) query: HashMap<String, String>,
}

impl Page {
    pub(crate) fn parse(address: &str) -> Self {
        let url = url::Url::parse(address).unwrap();
        Self { address: address.to_owned(), query: url.query_pairs().into_owned().collect() }
    }

    fn port(&self) -> u16 {
        let redirect = &self.query["redirect_uri"];
        redirect.strip_prefix("http://localhost:").unwrap().parse().unwrap()
    }

    pub(crate) fn state(&self) -> &str {
        &self.query["state"]
    }

    /// Sends bytes to the waiting port as a browser would, and gives what comes back.
    pub(crate) async fn send(&self, request: &str) -> std::io::Result<String> {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port())).await?;
        socket.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    /// Posts a form to the waiting port.
    pub(crate) async fn post(&self, form: &[(&str, &str)]) -> std::io::Result<String> {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.send(&format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: https://login.microsoftonline.com\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        ))
        .await
    }
}

/// Entra ID's token endpoint, which knows the page that was opened last.
fn entra(page: Arc<Mutex<Option<Page>>>) -> impl FnMut(&Seen) -> Reply + Send {
    move |seen| {
        assert_eq!(seen.path, "/organizations/oauth2/v2.0/token");
        let field = |name: &str| seen.form.get(name).map(String::as_str);
        assert_eq!(field("client_id"), Some(DEVELOPERS));
        if field("grant_type") == Some("refresh_token") {
            assert_eq!(field("refresh_token"), Some("refresh"));
            return json(200, r#"{"access_token":"refreshed","expires_in":3600}"#);
        }
        let page = page.lock().unwrap().clone().unwrap();
        assert_eq!(field("grant_type"), Some("authorization_code"));
        assert_eq!(field("redirect_uri"), Some(&*page.query["redirect_uri"]));
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier").unwrap()));
        if field("code") != Some("the code") || challenge != page.query["code_challenge"] {
            return refusal("invalid_grant", 70_008);
        }
        let told = URL_SAFE_NO_PAD.encode(format!(r#"{{"nonce":"{}"}}"#, page.query["nonce"]));
        let body = format!(
            r#"{{"access_token":"tok","expires_in":3600,"refresh_token":"refresh","id_token":"e30.{told}.x"}}"#
        );
        json(200, &body)
    }
}

/// A credential whose pages are handed over here, with Entra ID behind it.
async fn signing_in() -> (InteractiveBrowser, mpsc::UnboundedReceiver<Page>, Server) {
    let last: Arc<Mutex<Option<Page>>> = Arc::default();
    let server = Server::start(entra(last.clone())).await;
    let (opened, pages) = mpsc::unbounded_channel();
    let host = host(&[]).with_authority_host(&server.url()).unwrap().with_terminal(true);
    let credential = InteractiveBrowser::new().with_host(host).with_opener(move |page| {
        let page = Page::parse(page);
        *last.lock().unwrap() = Some(page.clone());
        opened.send(page)?;
        Ok(())
    });
    (credential, pages, server)
}

/// Signs in while somebody does something with the page; what came of it, and what Entra ID was asked.
async fn with<F: Future<Output = ()>>(act: impl FnOnce(Page) -> F) -> (Result<String, AuthError>, Vec<Seen>) {
    let (credential, mut pages, server) = signing_in().await;
    let person = async {
        act(pages.recv().await.unwrap()).await;
    };
    let (token, ()) = futures::join!(header(&credential), person);
    (token, server.seen())
}

#[tokio::test]
async fn a_person_signs_in_and_the_page_asks_for_what_it_should() {
    let (token, seen) = with(|page| async move {
        assert!(page.address.starts_with("http://127.0.0.1"));
        assert!(page.address.contains("/organizations/oauth2/v2.0/authorize?"));
        let query = |name: &str| page.query.get(name).map(String::as_str);
        assert_eq!(query("client_id"), Some(DEVELOPERS));
        assert_eq!((query("response_type"), query("response_mode")), (Some("code"), Some("form_post")));
        assert_eq!(
            query("scope"),
            Some("https://quantum.microsoft.com/.default offline_access openid profile")
        );
        assert_eq!(query("code_challenge_method"), Some("S256"));
        assert_eq!(query("prompt"), Some("select_account"));
        for random in ["state", "nonce", "code_challenge"] {
            assert_eq!(query(random).unwrap().len(), 43, "256 bits each");
        }
        let answer = page.post(&[("code", "the code"), ("state", page.state())]).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("You can close this page"));
        assert!(answer.contains("Content-Security-Policy: default-src 'none'"));
    })
    .await;
    assert_eq!(token.unwrap(), "Bearer tok");
    assert_eq!(seen.len(), 1);
}

#[tokio::test]
async fn the_sign_in_lasts_and_each_one_has_its_own_randomness() {
    let (credential, mut pages, _server) = signing_in().await;
    let credential = credential.with_login_hint("ada@contoso.com");
    let mut states = Vec::new();
    for attempt in 0..2 {
        // A clone with another setting has no tokens yet, and asks the sign-in first.
        let fresh = credential.clone().with_time_limit(Duration::from_secs(60 + attempt));
        let person = async {
            if attempt == 0 {
                let page = pages.recv().await.unwrap();
                assert_eq!(page.query["login_hint"], "ada@contoso.com");
                page.post(&[("code", "the code"), ("state", page.state())]).await.unwrap();
                states.push(page.state().to_owned());
            }
        };
        let (token, ()) = futures::join!(header(&fresh), person);
        assert_eq!(token.unwrap(), if attempt == 0 { "Bearer tok" } else { "Bearer refreshed" });
    }
    let management = AuthRequest::new(Audience::RESOURCE_MANAGER);
    credential.authorize(&management).await.unwrap();

    let (other, mut pages, _server) = signing_in().await;
    let person = async {
        let page = pages.recv().await.unwrap();
        page.post(&[("code", "the code"), ("state", page.state())]).await.unwrap();
        states.push(page.state().to_owned());
    };
    let (token, ()) = futures::join!(header(&other), person);
    token.unwrap();
    assert_ne!(states[0], states[1]);
}

#[tokio::test]
async fn what_is_no_answer_is_turned_away_and_idle_connections_do_not_matter() {
    let (token, _) = with(|page| async move {
        let _idle = TcpStream::connect(("127.0.0.1", page.port())).await.unwrap();
        let state = page.state();
        let form = format!("code=the+code&state={state}");
        let others = [
            "GET /favicon.ico HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
            // An answer must be posted, to the root, as a form, whole and short.
            format!("GET /?{form} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            format!(
                "POST /x HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
                form.len()
            ),
            format!(
                "POST / HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{form}",
                form.len()
            ),
            format!("POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n{form}"),
            "POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 65537\r\n\r\n"
                .to_owned(),
            "POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 6\r\n\r\ncode=1"
                .to_owned(),
            "not HTTP at all\r\n\r\n".to_owned(),
            format!("GET / HTTP/1.1\r\nX-Long: {}\r\n\r\n", "x".repeat(20_000)),
        ];
        for other in others {
            // A page that is too long may end in a reset connection instead of an answer.
            if let Ok(answer) = page.send(&other).await {
                assert!(answer.starts_with("HTTP/1.1 404"), "{other}: {answer}");
                assert!(!answer.contains(state), "nothing is echoed");
            }
        }
        page.post(&[("code", "the code"), ("state", state)]).await.unwrap();
    })
    .await;
    assert_eq!(token.unwrap(), "Bearer tok");
}

#[tokio::test]
async fn an_answer_with_another_state_ends_the_sign_in_and_its_code_goes_nowhere() {
    for state in ["", "another", "the-very-state-of-somebody-else-0123456789-0"] {
        let (token, seen) = with(|page| async move {
            let answer = page.post(&[("code", "<b>attacker</b>"), ("state", state)]).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 400") && !answer.contains("attacker"), "{answer}");
        })
        .await;
        let error = token.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::Refused);
        assert_eq!(error.to_string(), "an answer to another sign-in came, so this one was given up");
        assert_eq!(seen.len(), 0);
    }
}

#[tokio::test]
async fn there_is_no_second_answer() {
    let (token, seen) = with(|page| async move {
        page.post(&[("code", "the code"), ("state", page.state())]).await.unwrap();
        // The port is closed, or the connection is never answered.
        let second = page.post(&[("code", "another code"), ("state", page.state())]).await;
        assert!(second.is_err() || second.is_ok_and(|answer| answer.is_empty()));
    })
    .await;
    assert_eq!(token.unwrap(), "Bearer tok");
    assert_eq!(seen.iter().filter(|seen| seen.form["code"] != "the code").count(), 0);
}

#[tokio::test]
async fn a_code_of_somebody_elses_sign_in_is_refused_by_its_verifier() {
    let (token, seen) = with(|page| async move {
        page.post(&[("code", "stolen or planted"), ("state", page.state())]).await.unwrap();
    })
    .await;
    assert_eq!(token.unwrap_err().code(), Some("AADSTS70008"));
    assert_eq!(seen.len(), 1);
}

#[tokio::test]
async fn a_token_with_another_nonce_is_thrown_away() {
    for id_token in [
        format!(r#","id_token":"e30.{}.x""#, URL_SAFE_NO_PAD.encode(r#"{"nonce":"another"}"#)),
        r#","id_token":"e30.e30.x""#.to_owned(),
        r#","id_token":"opaque""#.to_owned(),
        String::new(),
    ] {
        let server = Server::start(move |_| {
            json(200, &format!(r#"{{"access_token":"tok","expires_in":3600{id_token}}}"#))
        })
        .await;
        let host = host(&[]).with_authority_host(&server.url()).unwrap().with_terminal(true);
        let credential = InteractiveBrowser::new().with_host(host).with_opener(|page| {
            let page = Page::parse(page);
            tokio::spawn(async move {
                page.post(&[("code", "the code"), ("state", page.state())]).await.unwrap();
            });
            Ok(())
        });
        let error = header(&credential).await.unwrap_err();
        assert_eq!(error.to_string(), "the sign-in that came back is not the one that was begun");
    }
}

#[tokio::test]
async fn a_refusal_on_the_page_is_told() {
    let refused = async |error: &'static str, description: &'static str| {
        let (token, _) = with(|page| async move {
            let form = [("error", error), ("error_description", description), ("state", page.state())];
            let answer = page.post(&form).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 400") && !answer.contains("AADSTS"));
        })
        .await;
        token.unwrap_err()
    };
    let error = refused("access_denied", "AADSTS65004: User declined to consent.").await;
    assert_eq!(error.to_string(), "the person declined the sign-in");
    let error = refused("server_error", "AADSTS53003: Access has been blocked.\r\nTrace").await;
    assert_eq!(
        error.to_string(),
        "the sign-in with the browser failed: AADSTS53003: Access has been blocked. Trace"
    );
    assert_eq!(error.code(), Some("AADSTS53003"));
    assert!(error.hint().unwrap().contains("conditional access"));
    let (token, _) = with(|page| async move {
        page.post(&[("state", page.state())]).await.unwrap();
    })
    .await;
    assert!(token.unwrap_err().to_string().ends_with("no code came back"));
}

#[tokio::test]
async fn nobody_waits_for_ever() {
    let clock = ManualClock::new(azure_core::time::OffsetDateTime::from_unix_timestamp(1).unwrap());
    let (credential, mut pages, server) = signing_in().await;
    let host = host(&[]).with_authority_host(&server.url()).unwrap().with_terminal(true);
    let credential = credential.with_host(host.with_clock(Arc::new(clock.clone())));
    let call = tokio::spawn(async move { header(&credential).await });
    let page = pages.recv().await.unwrap();
    while clock.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    clock.advance(Duration::from_secs(300));
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "nobody signed in with the browser within 300 s");
    assert_eq!(error.kind(), AuthErrorKind::Refused);
    assert!(page.send("x").await.is_err(), "the port is closed");
}

#[tokio::test]
async fn without_terminal_session_or_port_no_page_is_opened() {
    let browser = |variables: &[(&str, &str)], terminal| {
        InteractiveBrowser::new().with_host(host(variables).with_terminal(terminal))
    };
    let cases = [
        (browser(&[], false), "there is no terminal"),
        (browser(&[("AZURE_TOKEN_CREDENTIALS", " PROD ")], true), "AZURE_TOKEN_CREDENTIALS is prod"),
        #[cfg(all(unix, not(target_os = "macos")))]
        (browser(&[("PATH", "/nonexistent")], true), "there is no graphical session"),
        #[cfg(all(unix, not(target_os = "macos")))]
        (
            browser(&[("PATH", "/nonexistent"), ("DISPLAY", ":0")], true),
            "no browser can be opened: `xdg-open` is not on PATH",
        ),
        (browser(&[], true).with_opener(|_| Err("no luck".into())), "the program's own way failed"),
    ];
    for (credential, why) in cases {
        let error = header(&credential).await.unwrap_err();
        assert!(error.is_unavailable() && error.to_string().contains(why), "{why}: {error}");
        assert!(error.hint().unwrap().contains("DeviceCode"));
    }
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = header(&browser(&[], true).with_port(port)).await.unwrap_err();
    assert!(error.is_unavailable() && error.to_string().contains("no port"), "{error}");
}

#[cfg(all(unix, not(target_os = "macos")))]
#[tokio::test]
async fn the_systems_own_program_opens_the_page() {
    use crate::tools::program;
    let last: Arc<Mutex<Option<Page>>> = Arc::default();
    let server = Server::start(entra(last.clone())).await;
    let surroundings = |folder: &std::path::Path, wsl: &str| {
        let path = format!("{}:/usr/bin:/bin", folder.display());
        let host = host(&[("PATH", &path), ("DISPLAY", ":0"), ("WSL_DISTRO_NAME", wsl)]);
        host.with_authority_host(&server.url()).unwrap().with_terminal(true)
    };
    let cases = [
        (
            "xdg-open",
            "",
            r#"printf '%s' "$1" > "$(dirname "$0")/draft"; mv "$(dirname "$0")/draft" "$(dirname "$0")/page""#,
        ),
        (
            "powershell.exe",
            "Debian",
            r#"[ "$1 $2 $3" = "-NoProfile -NonInteractive -Command" ] && printf '%s' "$4" | sed "s/^Start-Process '//; s/'$//" > "$(dirname "$0")/draft"; mv "$(dirname "$0")/draft" "$(dirname "$0")/page""#,
        ),
    ];
    for (name, wsl, script) in cases {
        let (folder, _) = program(name, script);
        let credential = InteractiveBrowser::new().with_host(surroundings(folder.path(), wsl));
        let person = async {
            let page = loop {
                match std::fs::read_to_string(folder.path().join("page")) {
                    Ok(page) => break Page::parse(&page),
                    Err(_) => tokio::task::yield_now().await,
                }
            };
            *last.lock().unwrap() = Some(page.clone());
            page.post(&[("code", "the code"), ("state", page.state())]).await.unwrap();
        };
        let (token, ()) = futures::join!(header(&credential), person);
        assert_eq!(token.unwrap(), "Bearer tok", "{name}");
    }
    let (folder, _) = program("xdg-open", "exit 3");
    let error =
        header(&InteractiveBrowser::new().with_host(surroundings(folder.path(), ""))).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    assert!(error.to_string().contains("the system's program for it failed"));
}

#[tokio::test]
async fn claims_are_asked_for_on_the_page_and_with_the_code() {
    let (credential, mut pages, server) = signing_in().await;
    let request = quantum().with_claims(Some(r#"{"a":1}"#.into()));
    let person = async {
        let page = pages.recv().await.unwrap();
        assert_eq!(page.query["claims"], r#"{"a":1}"#);
        page.post(&[("code", "the code"), ("state", page.state())]).await.unwrap();
    };
    let (token, ()) = futures::join!(credential.authorize(&request), person);
    token.unwrap();
    assert_eq!(server.seen()[0].form["claims"], r#"{"a":1}"#);
}
