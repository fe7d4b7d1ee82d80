//! A marked secret goes into every input and comes back in every answer; no trace of it may be in what people see.

use std::{
    error::Error,
    fmt::{Debug, Write},
};

use async_trait::async_trait;
use azure_core::credentials::TokenCredential;
use qws_auth::{
    ApiKey, AuthError, Chain, ClientAssertion, Credential, DefaultCredential, EnvironmentCredential, Host,
    ManagedIdentity, ServicePrincipal, StaticCredential, WorkloadIdentity,
};
use qws_config::Secret;
use qws_http::BoxError;

use crate::{
    entra::{CLIENT_ID, TENANT},
    host,
    log::log,
    quantum,
    server::{Reply, Server},
    service_fabric,
};

/// Short and plain, so that nothing hides it but our own care.
const CANARY: &str = "canary-5ecre7";

fn show(out: &mut String, thing: &dyn Debug) {
    write!(out, "{thing:?}\n{thing:#?}\n").unwrap();
}

fn show_chain(out: &mut String, error: &dyn Error) {
    let mut next = Some(error);
    while let Some(error) = next {
        writeln!(out, "{error}").unwrap();
        show(out, &error);
        next = error.source();
    }
}

/// All that people can see of a credential that was asked once; whether it succeeded.
async fn seen<C: Credential + TokenCredential>(out: &mut String, credential: &C) -> bool {
    let outcome = credential.authorize(&quantum()).await;
    show(out, credential);
    out.push_str(&credential.describe());
    match &outcome {
        Ok(authorization) => show(out, authorization),
        Err(error) => {
            show_chain(out, error);
            out.push_str(error.hint().unwrap_or_default());
            out.push_str(error.code().unwrap_or_default());
            out.push_str(&error.report().map(ToString::to_string).unwrap_or_default());
        }
    }
    match credential.get_token(&["https://quantum.microsoft.com/.default"], None).await {
        Ok(token) => assert_eq!(token.token.secret(), CANARY),
        Err(error) => show_chain(out, &error),
    }
    outcome.is_ok()
}

#[derive(Debug)]
struct Given;

#[async_trait]
impl ClientAssertion for Given {
    async fn assertion(&self) -> Result<Secret, BoxError> {
        Ok(CANARY.into())
    }
}

const JSON: &str = "Content-Type: application/json";

/// Answers that hold the secret wherever a service might put it.
fn answers() -> Vec<(u16, &'static str, String)> {
    let described = format!(
        r#"{{"error":"{CANARY}","error_codes":[7000215],"error_description":"AADSTS7000215: {CANARY}\r\nTrace","correlation_id":"{CANARY}","message":"{CANARY}"}}"#
    );
    let mut answers = vec![
        (200, JSON, format!(r#"{{"access_token":"{CANARY}","expires_in":3600}}"#)),
        (200, JSON, format!(r#"{{"access_token":"{CANARY}"}}"#)),
        (200, JSON, format!(r#"{{"access_token":"{CANARY}\n","expires_in":3600}}"#)),
        (200, JSON, format!(r#"{{"access_token":"{CANARY}"#)),
        (200, JSON, format!(r#"["{CANARY}"]"#)),
        (200, "Content-Type: text/html", CANARY.to_owned()),
        (302, "Location: https://canary-5ecre7.example/canary-5ecre7", CANARY.to_owned()),
        (500, "X-Odd: canary-5ecre7", CANARY.to_owned()),
    ];
    answers.extend([400, 401, 403, 404, 410, 429, 503].map(|status| (status, JSON, described.clone())));
    answers
}

fn entra_credentials(host: &Host) -> [ServicePrincipal; 2] {
    let tenant = || TENANT.parse().unwrap();
    [
        ServicePrincipal::with_secret(tenant(), CLIENT_ID, CANARY).unwrap().with_host(host.clone()),
        ServicePrincipal::with_assertion(tenant(), CLIENT_ID, Given).unwrap().with_host(host.clone()),
    ]
}

#[tokio::test]
async fn no_secret_of_a_service_is_ever_shown() {
    let log = log();
    let (mut out, mut good, mut bad) = (String::new(), 0, 0);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, CANARY).unwrap();
    for (status, head, body) in answers() {
        let fabric_body = body.clone();
        let server = Server::start(move |_| Reply::Raw(status, head, body.clone())).await;
        let endpoint = format!("{}/msi/token", server.url());
        let entra = [
            ("AZURE_TENANT_ID", TENANT),
            ("AZURE_CLIENT_ID", CLIENT_ID),
            ("AZURE_CLIENT_SECRET", CANARY),
            ("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap()),
            ("PATH", "/nonexistent"),
        ];
        let app =
            host(&[("IDENTITY_ENDPOINT", &endpoint), ("IDENTITY_HEADER", CANARY), ("PATH", "/nonexistent")]);
        let learning = host(&[("MSI_ENDPOINT", &endpoint), ("MSI_SECRET", CANARY), ("PATH", "/nonexistent")]);
        let shell = host(&[("MSI_ENDPOINT", &endpoint), ("PATH", "/nonexistent")]);
        let entra = host(&entra).with_authority_host(&server.url()).unwrap();
        let mut count = |ok: bool| if ok { good += 1 } else { bad += 1 };
        for credential in entra_credentials(&entra) {
            count(seen(&mut out, &credential).await);
        }
        count(seen(&mut out, &EnvironmentCredential::new().with_host(entra.clone())).await);
        count(seen(&mut out, &WorkloadIdentity::new().with_host(entra.clone())).await);
        count(seen(&mut out, &ManagedIdentity::system().with_host(app.clone())).await);
        count(seen(&mut out, &ManagedIdentity::system().with_host(learning)).await);
        // It is sent no secret, so that it can repeat none in its errors.
        if status < 400 {
            count(seen(&mut out, &ManagedIdentity::system().with_host(shell)).await);
        }
        let (fabric, thumbprint) =
            service_fabric::start(move |_| Reply::Raw(status, head, fabric_body.clone())).await;
        let fabric = service_fabric::at(&fabric, CANARY, &thumbprint);
        count(seen(&mut out, &ManagedIdentity::system().with_host(fabric)).await);
        count(seen(&mut out, &DefaultCredential::builder().host(entra.clone()).build().unwrap()).await);
        count(seen(&mut out, &DefaultCredential::builder().host(app.clone()).build().unwrap()).await);
        count(seen(&mut out, &Chain::new().then(ManagedIdentity::system().with_host(app.clone()))).await);
        show(&mut out, &(app, entra));
    }
    assert_eq!((good, bad), (11, 14 * 11 - 8), "each answer was seen by each credential");
    assert!(!out.contains(CANARY), "{}", around(&out));
    let logged = log.text();
    assert!(logged.contains("signed in"), "logs are caught");
    assert!(!logged.contains(CANARY), "{}", around(&logged));
}

/// The agent's challenge first, then an answer; the key file holds the secret.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn no_secret_of_the_arc_agent_is_ever_shown() {
    let log = log();
    let (mut out, mut good) = (String::new(), 0);
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("var/opt/azcmagent/tokens");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("1.key"), CANARY).unwrap();
    for (status, head, body) in answers() {
        // Without its challenge the agent is sent no secret, so that it can repeat none in its errors.
        for challenged in [true, status >= 400] {
            let body = body.clone();
            let server = Server::start(move |seen| {
                if challenged && seen.header("authorization").is_none() {
                    let challenge = "WWW-Authenticate: Basic realm=/var/opt/azcmagent/tokens/1.key";
                    return Reply::Raw(401, challenge, CANARY.into());
                }
                Reply::Raw(status, head, body.clone())
            })
            .await;
            let variables = [("IDENTITY_ENDPOINT", &*server.url()), ("IMDS_ENDPOINT", "x")];
            let host = host(&variables).with_system_root(root.path());
            good += u32::from(seen(&mut out, &ManagedIdentity::system().with_host(host)).await);
        }
    }
    assert_eq!(good, 1);
    assert!(!out.contains(CANARY), "{}", around(&out));
    assert!(!log.text().contains(CANARY));
}

/// A person's sign-in, in which the device code, the code of the browser's answer and the refresh token are secret too.
#[tokio::test]
async fn no_secret_of_a_sign_in_is_ever_shown() {
    use qws_auth::{AzurePipelines, DeviceCode, InteractiveBrowser};
    let log = log();
    let (mut out, mut good) = (String::new(), 0);
    for (status, head, body) in answers() {
        let server = Server::start(move |seen| {
            if seen.path.ends_with("/devicecode") {
                let issued = format!(
                    r#"{{"device_code":"{CANARY}","user_code":"A","verification_uri":"https://x","expires_in":9,"interval":1}}"#
                );
                return Reply::Json(200, issued);
            }
            if seen.path == "/provider" {
                return Reply::Json(200, format!(r#"{{"oidcToken":"{CANARY}"}}"#));
            }
            let with_refresh = body.replace("\"expires_in\"", &format!("\"refresh_token\":\"{CANARY}\",\"expires_in\""));
            Reply::Raw(status, head, with_refresh)
        })
        .await;
        let provider = |path: &str| format!("{}{path}", server.url());
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| {
            let host = host(&[("SYSTEM_OIDCREQUESTURI", &provider(name))]);
            let host = host.with_authority_host(&server.url()).unwrap().with_terminal(true);
            match qws_auth::TokenCache::in_folder(folder.path().join(name.trim_start_matches('/'))) {
                Ok(cache) => host.with_token_cache(cache),
                Err(_) => host,
            }
        };
        let device = DeviceCode::new(|_| ()).with_host(at("/device"));
        good += u32::from(seen(&mut out, &device).await);
        let browser = InteractiveBrowser::new().with_host(at("/browser")).with_opener(|page| {
            let page = crate::browser::Page::parse(page);
            tokio::spawn(async move { page.post(&[("code", CANARY), ("state", page.state())]).await });
            Ok(())
        });
        good += u32::from(seen(&mut out, &browser).await);
        // Its key leaves no machine; what it signs was never in an answer to be repeated.
        #[cfg(feature = "certificate")]
        if status < 400 {
            let certificate = crate::certificate::certificate();
            let tenant = TENANT.parse().unwrap();
            let credential = ServicePrincipal::with_certificate(tenant, CLIENT_ID, certificate).unwrap();
            good += u32::from(seen(&mut out, &credential.with_host(at("/certificate"))).await);
        }
        for path in ["/provider", "/broken"] {
            let tenant = TENANT.parse().unwrap();
            let connection = crate::pipelines::CONNECTION;
            let job = AzurePipelines::new(tenant, CLIENT_ID, connection, CANARY).unwrap();
            good += u32::from(seen(&mut out, &job.with_host(at(path))).await);
        }
    }
    let expected = if cfg!(feature = "certificate") { 3 } else { 2 };
    assert_eq!(good, expected, "device code, pipeline, certificate; the browser's token lacks its nonce");
    assert!(!out.contains(CANARY), "{}", around(&out));
    assert!(!log.text().contains(CANARY), "{}", around(&log.text()));
}

#[tokio::test]
async fn no_secret_that_cannot_be_sent_is_ever_shown() {
    let log = log();
    let mut out = String::new();
    let mut refused = |error: AuthError| show_chain(&mut out, &error);
    let bad = format!("{CANARY}\nx");
    refused(ApiKey::new(bad.as_str()).unwrap_err());
    let pipelines = qws_auth::AzurePipelines::new;
    refused(pipelines(TENANT.parse().unwrap(), CLIENT_ID, CLIENT_ID, bad.as_str()).unwrap_err());
    refused(StaticCredential::new(bad.as_str()).unwrap_err());
    refused(host(&[]).with_authority_host(&format!("https://u:{CANARY}@x")).unwrap_err());
    refused(host(&[]).with_authority_host(&format!("https://x?{CANARY}")).unwrap_err());
    show(&mut out, &(ApiKey::new(CANARY).unwrap(), StaticCredential::new(CANARY).unwrap()));
    let tenant = TENANT.parse().unwrap();
    show_chain(&mut out, &ServicePrincipal::with_secret(tenant, "not a GUID", CANARY).unwrap_err());
    let endpoints = [
        format!("http://127.0.0.1:1/?{CANARY}"),
        format!("http://{CANARY}@127.0.0.1:1"),
        format!("{CANARY} {CANARY}"),
    ];
    for endpoint in endpoints {
        let app = host(&[("IDENTITY_ENDPOINT", &endpoint), ("IDENTITY_HEADER", &bad)]);
        seen(&mut out, &ManagedIdentity::system().with_host(app)).await;
        let vm = host(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", &endpoint)]);
        seen(&mut out, &ManagedIdentity::system().with_host(vm)).await;
        let learning = host(&[("MSI_ENDPOINT", &endpoint), ("MSI_SECRET", &bad)]);
        seen(&mut out, &ManagedIdentity::system().with_host(learning)).await;
        let (https, thumbprint) = (endpoint.replace("http://", "https://"), "00".repeat(20));
        let fabric = [
            ("IDENTITY_ENDPOINT", &*https),
            ("IDENTITY_HEADER", &bad),
            ("IDENTITY_SERVER_THUMBPRINT", &thumbprint),
        ];
        seen(&mut out, &ManagedIdentity::system().with_host(host(&fabric))).await;
    }
    assert!(!out.contains(CANARY), "{}", around(&out));
    assert!(!log.text().contains(CANARY));
}

#[cfg(unix)]
#[tokio::test]
async fn no_secret_of_a_tool_is_ever_shown() {
    use crate::tools::program;
    use qws_auth::{AzureCli, AzureDeveloperCli, AzurePowerShell};
    let log = log();
    let mut out = String::new();
    let token = format!("eyJ0eXAi.{CANARY}");
    let scripts = [
        format!(
            r#"echo '{{"accessToken":"{CANARY}","token":"{CANARY}","expires_on":1800003600,"expiresOn":"2027-01-15T09:00:00Z"}}'"#
        ),
        format!(r#"echo '{{"accessToken":"{CANARY}","token":"{CANARY}"}}'"#),
        format!(r#"echo '{{"accessToken":"{CANARY}\n","token":"{CANARY}\n","expires_on":1800003600}}'"#),
        format!(r#"echo '{{"accessToken":"{CANARY}'"#),
        format!("echo {CANARY}; exit 1"),
        format!("echo 'qws-auth%{CANARY}%1800003600'"),
        format!("echo 'qws-auth%{CANARY}%'"),
        format!("echo '{{\"accessToken\": \"{token}\"}}' >&2; exit 1"),
        format!("echo 'Bearer {token}' >&2; exit 3"),
    ];
    for script in scripts {
        let (_folder, host) = program("az", &script);
        seen(&mut out, &AzureCli::new().with_host(host)).await;
        let (_folder, host) = program("azd", &script);
        seen(&mut out, &AzureDeveloperCli::new().with_host(host)).await;
        let (_folder, host) = program("pwsh", &script);
        seen(&mut out, &AzurePowerShell::new().with_host(host)).await;
    }
    assert!(!out.contains(CANARY), "{}", around(&out));
    assert!(!log.text().contains(CANARY));
}

/// The neighbourhood of the first find.
fn around(text: &str) -> String {
    let at = text.find(CANARY).unwrap_or_default();
    text.chars().skip(at.saturating_sub(300)).take(600).collect()
}
