//! Every credential signs in to the emulator's identity services over sockets, and what it brings opens the workspace.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use azure_core::time::OffsetDateTime;
use qws::{
    ErrorKind, Workspace,
    auth::{
        Audience, AuthError, AuthErrorKind, AuthRequest, AzureCli, AzureDeveloperCli, BoxError, Chain,
        ClientAssertion, Credential, DefaultCredential, EnvironmentCredential, Host, ManagedIdentity, Secret,
        ServicePrincipal, StaticCredential, TokenCredentialAdapter, WorkloadIdentity,
    },
};
use qws_contract::{Local, everything};
use qws_emulator::{
    Action, Application, Assertion, AssignedIdentity, Fault, FederatedCredential, Identity, Operation, Role,
};

const SECRET: &str = "canary-s3cret";
const ISSUER: &str = "https://cluster.example/oidc";
const SUBJECT: &str = "system:serviceaccount:default:quantum";

type Variables<'a> = &'a [(&'a str, &'a str)];

/// An emulator that knows one application, by secret and by assertion, and one user-assigned identity.
async fn start() -> Local {
    let local = Local::start().await;
    local.emulator.identity().register(Application {
        secrets: vec![SECRET.to_owned()],
        expired_secrets: vec!["canary-old".to_owned()],
        federated_credentials: vec![FederatedCredential {
            issuer: ISSUER.to_owned(),
            subject: SUBJECT.to_owned(),
            audience: "api://AzureADTokenExchange".to_owned(),
        }],
        ..Application::default()
    });
    local.emulator.identity().assign(AssignedIdentity::default());
    local
}

/// A machine with these variables and no others, which signs in at the emulator and goes by its clock.
fn host(local: &Local, variables: Variables<'_>) -> Host {
    let variables: HashMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Host::new(move |name| variables.get(name).cloned())
        .with_clock(Arc::new(local.clock.clone()))
        .with_authority_host(&local.emulator.identity().authority_url())
        .unwrap()
}

fn on_vm(local: &Local, identity: ManagedIdentity) -> ManagedIdentity {
    let imds = local.emulator.identity().imds_url();
    identity.with_host(host(local, &[("AZURE_POD_IDENTITY_AUTHORITY_HOST", &imds)]))
}

fn in_app(local: &Local, identity: ManagedIdentity, header: &str) -> ManagedIdentity {
    let endpoint = local.emulator.identity().app_service_endpoint();
    identity.with_host(host(local, &[("IDENTITY_ENDPOINT", &endpoint), ("IDENTITY_HEADER", header)]))
}

fn principal(local: &Local, client_id: &str, secret: &str) -> ServicePrincipal {
    let tenant = local.emulator.identity().tenant_id().parse().unwrap();
    ServicePrincipal::with_secret(tenant, client_id, secret).unwrap().with_host(host(local, &[]))
}

/// Signs what it is told to, as the cluster would.
#[derive(Debug)]
struct Cluster(Identity, Assertion);

#[async_trait]
impl ClientAssertion for Cluster {
    async fn assertion(&self) -> Result<Secret, BoxError> {
        Ok(Secret::new(self.0.assertion(&self.1)))
    }
}

fn federated(local: &Local, assertion: Assertion) -> ServicePrincipal {
    let identity = local.emulator.identity();
    let tenant = identity.tenant_id().parse().unwrap();
    let client_id = Application::default().client_id;
    let credential = ServicePrincipal::with_assertion(tenant, &client_id, Cluster(identity, assertion));
    credential.unwrap().with_host(host(local, &[]))
}

/// The workspace with this credential: ids and endpoint are given, so that only sign-in and the call go out.
fn workspace(local: &Local, credential: Arc<dyn Credential>) -> Workspace {
    let builder = Workspace::builder().connection_string(&local.emulator.connection_string()).unwrap();
    builder.credential(credential).options(local.options()).build().unwrap()
}

/// Lists the targets, and makes sure that a token of this credential was what opened the door.
async fn opens(local: &Local, what: &str, credential: impl Credential + 'static) {
    local.emulator.clear_requests();
    let targets = workspace(local, Arc::new(credential)).targets().await;
    let targets = targets.unwrap_or_else(|error| panic!("{what}: {}", everything(&error)));
    assert!(targets.iter().any(|target| target.id() == "ionq.simulator"), "{what}");
    let listed = local.emulator.requests().pop().unwrap();
    assert_eq!(listed.operation, Some(Operation::ProviderStatus), "{what}");
    assert!(listed.header("authorization").unwrap().starts_with("Bearer "), "{what}");
    assert_eq!(listed.header("x-ms-quantum-api-key"), None, "{what}");
}

/// What the credential itself says, and that a workspace passes its text, kind and hint on.
async fn refused(local: &Local, credential: impl Credential + 'static) -> AuthError {
    let credential: Arc<dyn Credential> = Arc::new(credential);
    let own = credential.authorize(&AuthRequest::new(Audience::QUANTUM)).await.unwrap_err();
    let error = workspace(local, credential).targets().await.unwrap_err();
    assert_eq!((error.kind(), error.hint()), (ErrorKind::Credential, own.hint()), "{own}");
    let shown = everything(&error);
    // Each request has a correlation id of its own.
    let text = own.to_string();
    assert!(shown.contains(text.split(" (correlation id ").next().unwrap()), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
    own
}

/// A folder of this test run, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Another process writes the program: what this one holds open for writing, and so whatever it starts at that
    /// moment, cannot be run.
    fn program(&self, name: &str, script: &str) {
        let draft = self.write("draft", &format!("#!/bin/sh\n{script}\n"));
        let copied = Command::new("install").args(["-m", "755"]).arg(draft).arg(self.0.join(name)).status();
        assert!(copied.unwrap().success());
    }

    fn path(&self) -> String {
        format!("{}:/usr/bin:/bin", self.0.display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn managed_identities_open_the_workspace_on_machines_and_in_apps() {
    let local = start().await;
    let user = AssignedIdentity::default();
    let header = local.emulator.identity().app_service_header();
    for (what, identity) in [
        ("system", ManagedIdentity::system()),
        ("client id", ManagedIdentity::by_client_id(&user.client_id).unwrap()),
        ("object id", ManagedIdentity::by_object_id(&user.object_id).unwrap()),
        ("resource id", ManagedIdentity::by_resource_id(&user.resource_id).unwrap()),
    ] {
        opens(&local, what, on_vm(&local, identity.clone())).await;
        opens(&local, what, in_app(&local, identity, &header)).await;
    }
    local.emulator.identity().set_times_as_numbers(true);
    opens(&local, "numbers", on_vm(&local, ManagedIdentity::system())).await;
    opens(&local, "numbers", in_app(&local, ManagedIdentity::system(), &header)).await;
}

#[tokio::test]
async fn applications_open_the_workspace_by_secret_and_by_assertion() {
    let local = start().await;
    let (tenant, client_id) = (local.emulator.identity().tenant_id(), Application::default().client_id);
    opens(&local, "secret", principal(&local, &client_id, SECRET)).await;
    opens(&local, "assertion", federated(&local, Assertion::new(ISSUER, SUBJECT))).await;
    let variables =
        [("AZURE_TENANT_ID", tenant), ("AZURE_CLIENT_ID", &client_id), ("AZURE_CLIENT_SECRET", SECRET)];
    opens(&local, "environment", EnvironmentCredential::new().with_host(host(&local, &variables))).await;

    let folder = Folder::new("workload");
    let token = local.emulator.identity().assertion(&Assertion::new(ISSUER, SUBJECT));
    let file = folder.write("token", &format!("{token}\n"));
    let variables =
        [("AZURE_TENANT_ID", tenant), ("AZURE_CLIENT_ID", &client_id), ("AZURE_FEDERATED_TOKEN_FILE", &file)];
    opens(&local, "workload", WorkloadIdentity::new().with_host(host(&local, &variables))).await;
}

#[cfg(unix)]
#[tokio::test]
async fn the_tools_of_developers_open_the_workspace() {
    let local = start().await;
    let token = local.emulator.bearer_token();
    let end = local.emulator.clock().now() + Duration::from_hours(1);
    let folder = Folder::new("tools");
    let asked = "account get-access-token --output json --resource https://quantum.microsoft.com";
    folder.program(
        "az",
        &format!(
            r#"[ "$*" = "{asked}" ] && echo '{{"accessToken":"{token}","expires_on":{}}}'"#,
            end.unix_timestamp()
        ),
    );
    let asked = "auth token --output json --no-prompt --scope https://quantum.microsoft.com/.default";
    let until = azure_core::time::to_rfc3339(&end);
    folder.program(
        "azd",
        &format!(r#"[ "$*" = "{asked}" ] && echo '{{"token":"{token}","expiresOn":"{until}"}}'"#),
    );
    let host = host(&local, &[("PATH", &folder.path())]);
    opens(&local, "az", AzureCli::new().with_host(host.clone())).await;
    opens(&local, "azd", AzureDeveloperCli::new().with_host(host)).await;

    folder.program("az", "echo \"Please run 'az login' to setup account.\" >&2; exit 1");
    folder.program("azd", "echo 'AADSTS70043: The refresh token has expired.' >&2; exit 1");
    let host = self::host(&local, &[("PATH", &folder.path())]);
    let signed_out = refused(&local, AzureCli::new().with_host(host.clone())).await;
    assert!(signed_out.is_unavailable());
    assert_eq!(signed_out.hint(), Some("run `az login`"));
    let expired = refused(&local, AzureDeveloperCli::new().with_host(host)).await;
    assert_eq!((expired.kind(), expired.code()), (AuthErrorKind::Refused, Some("AADSTS70043")));
}

#[tokio::test]
async fn chains_and_tokens_of_others_open_the_workspace() {
    let local = start().await;
    let client_id = Application::default().client_id;
    let nothing = || EnvironmentCredential::new().with_host(host(&local, &[]));
    let chain = Chain::new().then(nothing()).then(principal(&local, &client_id, SECRET));
    opens(&local, "chain", chain.clone()).await;
    assert_eq!(chain.report().unwrap().steps().len(), 2);

    let imds = local.emulator.identity().imds_url();
    let variables = [("AZURE_POD_IDENTITY_AUTHORITY_HOST", &*imds), ("AZURE_TOKEN_CREDENTIALS", "prod")];
    let default = DefaultCredential::builder().host(host(&local, &variables)).build().unwrap();
    opens(&local, "default", default.clone()).await;
    assert_eq!(default.describe(), "managed identity (system-assigned)");

    opens(&local, "static", StaticCredential::new(local.emulator.bearer_token()).unwrap()).await;
    let official = Arc::new(principal(&local, &client_id, SECRET));
    opens(&local, "azure_core", TokenCredentialAdapter::new(official)).await;

    // What is there but fails ends the search: nobody else's identity is taken in its place.
    let wrong = principal(&local, &client_id, "canary-wrong");
    let stopped = Chain::new().then(nothing()).then(wrong).then(on_vm(&local, ManagedIdentity::system()));
    local.emulator.clear_requests();
    let error = refused(&local, stopped).await;
    assert_eq!(error.code(), Some("AADSTS7000215"));
    assert!(local.emulator.requests().iter().all(|request| request.operation == Some(Operation::EntraToken)));
}

#[tokio::test]
async fn each_refusal_of_entra_has_its_number_and_its_advice() {
    let local = start().await;
    let known = Application::default().client_id;
    let unknown = "00000000-0000-4000-8000-000000000000";
    let at = |issuer: &str, subject: &str| federated(&local, Assertion::new(issuer, subject));
    let nowhere = ServicePrincipal::with_secret("contoso.com".parse().unwrap(), &known, SECRET);
    let nowhere = nowhere.unwrap().with_host(host(&local, &[]));
    let not_yet = Assertion { lifetime_seconds: 0, ..Assertion::new(ISSUER, SUBJECT) };
    for (credential, code, advice) in [
        (principal(&local, &known, "canary-wrong"), "AADSTS7000215", "the client secret is wrong"),
        (principal(&local, &known, "canary-old"), "AADSTS7000222", "has expired"),
        (principal(&local, unknown, SECRET), "AADSTS700016", "not in this tenant"),
        (nowhere, "AADSTS90002", "the tenant is not known"),
        (at("https://other.example", SUBJECT), "AADSTS700211", "compare them"),
        (at(ISSUER, "system:serviceaccount:default:else"), "AADSTS700213", "compare them"),
        (federated(&local, not_yet), "AADSTS700024", "outside its time of validity"),
    ] {
        let error = refused(&local, credential).await;
        assert_eq!((error.kind(), error.code()), (AuthErrorKind::Refused, Some(code)), "{error}");
        assert!(error.hint().unwrap_or_default().contains(advice), "{code}: {:?}", error.hint());
        assert!(error.to_string().contains("(correlation id "), "{error}");
    }
    local.emulator.identity().publish_keys(ISSUER, &serde_json::json!({ "keys": [] })).unwrap();
    let unsigned = refused(&local, at(ISSUER, SUBJECT)).await;
    assert_eq!(unsigned.code(), Some("AADSTS700027"));
}

#[tokio::test]
async fn each_refusal_of_a_machine_goes_on_or_stops() {
    let local = start().await;
    let stranger = ManagedIdentity::by_client_id("00000000-0000-4000-8000-000000000000").unwrap();
    let header = local.emulator.identity().app_service_header();
    for absent in [on_vm(&local, stranger.clone()), in_app(&local, stranger, &header)] {
        let error = refused(&local, absent).await;
        assert!(error.is_unavailable(), "{error}");
        assert!(error.hint().unwrap().contains("assign that identity"), "{:?}", error.hint());
    }
    let wrong = refused(&local, in_app(&local, ManagedIdentity::system(), "canary-header")).await;
    assert_eq!(wrong.kind(), AuthErrorKind::Refused);
    assert!(wrong.to_string().contains("401"), "{wrong}");

    for (route, status) in
        [(Operation::Imds, 410), (Operation::Imds, 429), (Operation::Imds, 500), (Operation::AppService, 500)]
    {
        local.emulator.inject(Fault::new(route, Action::status(status)).always());
        let error = match route {
            Operation::Imds => refused(&local, on_vm(&local, ManagedIdentity::system())).await,
            _ => refused(&local, in_app(&local, ManagedIdentity::system(), &header)).await,
        };
        assert_eq!(error.kind(), AuthErrorKind::Refused, "{error}");
        assert!(error.to_string().contains(&format!("answered {status} after ")), "{error}");
        assert!(error.hint().unwrap().contains("try again later"), "{:?}", error.hint());
        local.emulator.clear_faults();
    }
    // One bad moment is waited for.
    local.emulator.inject(Fault::new(Operation::Imds, Action::status(410)).times(2));
    opens(&local, "after an update", on_vm(&local, ManagedIdentity::system())).await;

    local.emulator.identity().unassign_all();
    let none = refused(&local, on_vm(&local, ManagedIdentity::system())).await;
    assert!(none.is_unavailable() && none.hint().unwrap().contains("switch on"), "{none}");
}

#[tokio::test]
async fn an_identity_without_a_role_is_told_which_one_to_get() {
    let local = start().await;
    let client_id = Application::default().client_id;
    local.emulator.identity().set_role(&client_id, Role::None);
    let workspace = workspace(&local, Arc::new(principal(&local, &client_id, SECRET)));
    let error = workspace.targets().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Forbidden, Some("Forbidden")));
    assert!(error.hint().unwrap().contains("Quantum Workspace Data Contributor"), "{:?}", error.hint());
    local.emulator.identity().set_role(&client_id, Role::Contributor);
    assert!(workspace.targets().await.is_ok(), "with the same token");
}

#[tokio::test]
async fn tokens_are_kept_while_good_and_replaced_when_refused_or_over() {
    let local = start().await;
    let credential = principal(&local, &Application::default().client_id, SECRET);
    let workspace = workspace(&local, Arc::new(credential.clone()));
    let sign_ins = || {
        let requests = local.emulator.requests();
        requests.iter().filter(|request| request.operation == Some(Operation::EntraToken)).count()
    };
    let before = local.emulator.clock().now();
    for _ in 0..3 {
        workspace.targets().await.unwrap();
    }
    assert_eq!(sign_ins(), 1);
    let end: OffsetDateTime =
        credential.authorize(&AuthRequest::new(Audience::QUANTUM)).await.unwrap().expires_on().unwrap();
    assert_eq!((end - before).whole_seconds(), 3600);
    local.emulator.revoke_bearer_tokens();
    workspace.targets().await.unwrap();
    assert_eq!(sign_ins(), 2, "the refused token was replaced, once");
    local.clock.advance(Duration::from_hours(2));
    workspace.targets().await.unwrap();
    assert_eq!(sign_ins(), 3);
}
