use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use azure_core::time::OffsetDateTime;
use bytes::Bytes;
use qws_auth::{
    AuthErrorKind, AzureCli, Chain, Credential, CredentialName, DefaultCredential, Host, ManagedIdentity,
    StepOutcome,
};
use qws_http::{ManualClock, ResponseBody, Transport, TransportError, TransportErrorKind};

use crate::{
    entra::{CLIENT_ID, TENANT, entra},
    header, host,
    server::{Server, json},
    tools::program,
};

/// The machine's surroundings outside Azure: nobody at the metadata service's address.
#[derive(Debug)]
struct Nobody;

#[async_trait]
impl Transport for Nobody {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<ResponseBody>, TransportError> {
        Err(TransportError::new(TransportErrorKind::Connect, request.uri()))
    }
}

/// Packets to that address vanish.
#[derive(Debug)]
struct Silence;

#[async_trait]
impl Transport for Silence {
    async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<ResponseBody>, TransportError> {
        futures::future::pending().await
    }
}

/// Notes whether each request carried the metadata header, and answers as the metadata service does.
#[derive(Debug, Default)]
struct Vm(std::sync::Mutex<Vec<bool>>);

#[async_trait]
impl Transport for Vm {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<ResponseBody>, TransportError> {
        assert_eq!(request.uri().host(), Some("169.254.169.254"));
        let with_header = request.headers().contains_key("metadata");
        self.0.lock().unwrap().push(with_header);
        let (status, body) =
            if with_header { (200, r#"{"access_token":"vm","expires_in":"3600"}"#) } else { (400, "{}") };
        Ok(http::Response::builder().status(status).body(ResponseBody::from_bytes(body)).unwrap())
    }
}

const SIGNED_IN: &str = r#"echo '{"accessToken":"dev","expires_on":1800003600}'"#;

fn default(host: Host) -> DefaultCredential {
    DefaultCredential::builder().host(host).build().unwrap()
}

fn outcomes(credential: &DefaultCredential) -> Vec<String> {
    let report = credential.report().unwrap();
    let line = |outcome: &StepOutcome| match outcome {
        StepOutcome::Succeeded => "used",
        StepOutcome::Unavailable(_) => "not there",
        StepOutcome::Failed(_) => "failed",
        StepOutcome::Skipped(_) => "skipped",
        _ => "other",
    };
    report.steps().iter().map(|step| format!("{}: {}", step.credential(), line(step.outcome()))).collect()
}

#[tokio::test]
async fn on_a_developers_machine_the_tool_is_found_and_each_step_is_told() {
    let (_folder, host) = program("az", SIGNED_IN);
    let credential = default(host.with_identity_transport(Arc::new(Nobody)));
    assert_eq!(header(&credential).await.unwrap(), "Bearer dev");
    assert_eq!(
        outcomes(&credential),
        [
            "environment: not there",
            "workload identity: not there",
            "managed identity (system-assigned): not there",
            "SharedTokenCacheCredential: skipped",
            "VisualStudioCodeCredential: skipped",
            "Azure CLI: used",
        ]
    );
    assert_eq!(credential.describe(), "Azure CLI");
}

#[tokio::test]
async fn with_nothing_at_all_every_credential_is_in_the_report() {
    let nothing = host(&[("PATH", "/nonexistent")]).with_identity_transport(Arc::new(Nobody));
    let error = header(&default(nothing)).await.unwrap_err();
    assert!(error.is_unavailable());
    let names: Vec<_> =
        error.report().unwrap().steps().iter().map(|step| step.credential().to_owned()).collect();
    assert_eq!(names.len(), CredentialName::ORDER.len());
    assert_eq!(
        names[5..],
        [
            "Azure CLI",
            "Azure PowerShell",
            "Azure Developer CLI",
            "InteractiveBrowserCredential",
            "BrokerCredential"
        ]
    );
    let report = error.report().unwrap().to_string();
    for line in [
        "SharedTokenCacheCredential: skipped: not in this crate: it reads what Microsoft's desktop tools have stored",
        "VisualStudioCodeCredential: skipped: not in this crate: it needs Microsoft's sign-in broker",
        "InteractiveBrowserCredential: skipped: it is used only where it is named",
        "BrokerCredential: skipped: not in this crate: it needs Microsoft's sign-in broker",
    ] {
        assert!(report.contains(line), "{report}");
    }
    for part in [
        "AZURE_TENANT_ID is not set",
        "no managed identity on this machine",
        "the Azure CLI is not installed",
    ] {
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test]
async fn an_environment_that_is_set_up_but_refused_ends_the_search() {
    let server = Server::start(entra).await;
    let (folder, _) = program("az", SIGNED_IN);
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let variables = [
        ("AZURE_TENANT_ID", TENANT),
        ("AZURE_CLIENT_ID", CLIENT_ID),
        ("AZURE_CLIENT_SECRET", "wrong"),
        ("PATH", &path),
    ];
    let credential = default(host(&variables).with_authority_host(&server.url()).unwrap());
    let error = header(&credential).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (AuthErrorKind::Refused, Some("AADSTS7000215")));
    assert!(error.hint().unwrap().contains("secret's value"));
    assert_eq!(
        outcomes(&credential),
        [format!("environment (client id {CLIENT_ID}, tenant {TENANT}): failed")]
    );
}

#[tokio::test]
async fn a_throttled_managed_identity_is_not_replaced_by_a_developer() {
    let busy = Server::start(|_| json(429, r#"{"error":"too_many_requests"}"#)).await;
    let (folder, _) = program("az", SIGNED_IN);
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let variables = [("AZURE_POD_IDENTITY_AUTHORITY_HOST", &*busy.url()), ("PATH", &path)];
    let error = header(&default(host(&variables))).await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Refused);
    assert!(
        error.to_string().starts_with("managed identity (system-assigned) is set up but failed"),
        "{error}"
    );
}

#[tokio::test]
async fn the_variable_chooses_and_the_program_has_the_last_word() {
    let skipped = |value: &str, exclude: Option<CredentialName>, include: Option<CredentialName>| {
        let host = host(&[("AZURE_TOKEN_CREDENTIALS", value), ("PATH", "/nonexistent")]);
        let mut builder = DefaultCredential::builder().host(host.with_identity_transport(Arc::new(Nobody)));
        builder = exclude.into_iter().fold(builder, qws_auth::DefaultCredentialBuilder::exclude);
        builder = include.into_iter().fold(builder, qws_auth::DefaultCredentialBuilder::include);
        let credential = builder.build().unwrap();
        async move {
            header(&credential).await.unwrap_err();
            let tried = outcomes(&credential).into_iter().filter(|line| !line.ends_with("skipped"));
            tried.map(|line| line.split([':', '(']).next().unwrap().trim().to_owned()).collect::<Vec<_>>()
        }
    };
    assert_eq!(skipped(" DEV ", None, None).await, ["Azure CLI", "Azure PowerShell", "Azure Developer CLI"]);
    let production = ["environment", "workload identity", "managed identity"];
    assert_eq!(skipped("prod", None, None).await, production);
    assert_eq!(skipped("azureclicredential", None, None).await, ["Azure CLI"]);
    assert_eq!(skipped("prod", Some(CredentialName::Environment), None).await, production[1..]);
    let browser = Some(CredentialName::InteractiveBrowser);
    assert_eq!(skipped("InteractiveBrowserCredential", None, None).await, ["browser"]);
    assert_eq!(skipped("dev", None, browser).await[3..], ["browser"]);
    let with_cli = skipped("prod", None, Some(CredentialName::AzureCli)).await;
    assert_eq!(with_cli, [&production[..], &["Azure CLI"]].concat());
}

#[tokio::test]
async fn the_browser_is_never_opened_in_production_or_without_a_terminal() {
    let (folder, _) = program("xdg-open", "echo opened > \"$(dirname \"$0\")/log\"");
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    for (chosen, terminal, why) in [
        ("prod", true, "AZURE_TOKEN_CREDENTIALS is prod"),
        ("", false, "there is no terminal"),
        ("InteractiveBrowserCredential", false, "there is no terminal"),
    ] {
        let host = host(&[("AZURE_TOKEN_CREDENTIALS", chosen), ("PATH", &path), ("DISPLAY", ":0")]);
        let host = host.with_identity_transport(Arc::new(Nobody)).with_terminal(terminal);
        let builder = DefaultCredential::builder().host(host).include(CredentialName::InteractiveBrowser);
        let error = header(&builder.build().unwrap()).await.unwrap_err();
        assert!(error.is_unavailable(), "{error}");
        let report = error.report().unwrap().to_string();
        assert!(report.contains(&format!("no browser is opened: {why}")), "{report}");
    }
    assert!(!folder.path().join("log").exists());
}

#[test]
fn names_that_cannot_be_served_are_errors_that_say_so() {
    let built = |value: &str| {
        DefaultCredential::builder().host(host(&[("AZURE_TOKEN_CREDENTIALS", value)])).build().unwrap_err()
    };
    let error = built("VisualStudioCodeCredential");
    assert_eq!(error.kind(), AuthErrorKind::Unsupported);
    assert_eq!(
        error.to_string(),
        "AZURE_TOKEN_CREDENTIALS names VisualStudioCodeCredential, which is not in this crate: it needs Microsoft's sign-in broker"
    );
    for unknown in ["everything", "BrokerCredential", "SharedTokenCacheCredential"] {
        let error = built(unknown);
        assert_eq!(error.kind(), AuthErrorKind::InvalidInput, "{unknown}");
        assert!(error.hint().unwrap().starts_with("set it to dev, prod, EnvironmentCredential, "));
    }
    let host = host(&[("AZURE_CLIENT_ID", "me")]);
    assert_eq!(
        DefaultCredential::builder().host(host).build().unwrap_err().kind(),
        AuthErrorKind::InvalidInput
    );
}

#[tokio::test]
async fn on_a_virtual_machine_the_service_is_probed_once_and_only_inside_a_chain() {
    let vm = Arc::new(Vm::default());
    let surroundings = || host(&[("PATH", "/nonexistent")]).with_identity_transport(vm.clone());
    let credential = default(surroundings());
    assert_eq!(header(&credential).await.unwrap(), "Bearer vm");
    assert_eq!(std::mem::take(&mut *vm.0.lock().unwrap()), [false, true]);

    let alone = DefaultCredential::builder().host(
        host(&[("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")]).with_identity_transport(vm.clone()),
    );
    header(&alone.build().unwrap()).await.unwrap();
    header(&ManagedIdentity::system().with_host(surroundings())).await.unwrap();
    assert_eq!(*vm.0.lock().unwrap(), [true, true]);
}

#[tokio::test]
async fn a_stand_in_that_only_says_unreachable_counts_as_nobody() {
    let mut docker = qws_http::MockTransport::new();
    docker.expect_send().times(1).returning(|_| {
        let text = "connecting to 169.254.169.254:80: dial tcp: host is unreachable.";
        Ok(http::Response::builder().status(403).body(ResponseBody::from_bytes(text)).unwrap())
    });
    let (_folder, host) = program("az", SIGNED_IN);
    let credential = default(host.with_identity_transport(Arc::new(docker)));
    assert_eq!(header(&credential).await.unwrap(), "Bearer dev");
}

#[tokio::test]
async fn a_silent_network_costs_a_chain_one_second() {
    let clock = ManualClock::new(OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap());
    let (_folder, host) = program("az", SIGNED_IN);
    let host = host.with_identity_transport(Arc::new(Silence)).with_clock(Arc::new(clock.clone()));
    let chain = Chain::new()
        .with_clock(Arc::new(clock.clone()))
        .then(ManagedIdentity::system().with_host(host.clone()))
        .then(AzureCli::new().with_host(host));
    let mut call = std::pin::pin!(header(&chain));
    assert!(futures::poll!(call.as_mut()).is_pending());
    clock.advance(Duration::from_secs(1));
    assert_eq!(call.await.unwrap(), "Bearer dev");
    let report = chain.report().unwrap();
    assert_eq!(report.steps()[0].elapsed(), Duration::from_secs(1));
    assert!(report.steps()[0].to_string().contains("nothing answered at the metadata service's address"));
}
