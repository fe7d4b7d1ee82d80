//! Workspaces found through the Resource Manager and Resource Graph, and where tokens may go.

use std::sync::Arc;

use async_trait::async_trait;
use qws::{
    ErrorKind, KeyType, Management, Workspace, WorkspaceBuilder, WorkspaceQuery,
    auth::{Audience, AuthError, AuthRequest, Authorization, Credential},
    config::{Cloud, Settings},
};
use qws_contract::Local;
use qws_emulator::{Action, Fault, Operation as Route};

/// Gives the emulator's tokens, each to the service it is for.
#[derive(Debug)]
struct Tokens {
    data_plane: String,
    management: String,
}

#[async_trait]
impl Credential for Tokens {
    fn describe(&self) -> String {
        "tokens of the emulator".into()
    }

    async fn authorize(&self, request: &AuthRequest) -> Result<Authorization, AuthError> {
        let for_data_plane = *request.audience() == Audience::QUANTUM;
        Authorization::bearer(if for_data_plane { &self.data_plane } else { &self.management })
    }
}

fn tokens(local: &Local) -> Arc<dyn Credential> {
    let (data_plane, management) = (local.emulator.bearer_token(), local.emulator.management_token());
    Arc::new(Tokens { data_plane, management })
}

fn cloud(local: &Local) -> Cloud {
    Cloud::public().with_resource_manager(&local.emulator.endpoint()).unwrap()
}

fn builder(local: &Local) -> WorkspaceBuilder {
    let settings = Settings::new().with_cloud(&cloud(local));
    Workspace::builder().settings(settings).options(local.options()).credential(tokens(local))
}

fn management(local: &Local) -> Management {
    Management::new(tokens(local), &local.options().cloud(cloud(local))).unwrap()
}

fn count(local: &Local, route: Route) -> usize {
    local.emulator.requests().iter().filter(|request| request.operation == Some(route)).count()
}

#[tokio::test]
async fn a_resource_id_is_enough() {
    let local = Local::start().await;
    let workspace =
        builder(&local).resource_id(&local.emulator.resource_id()).unwrap().connect().await.unwrap();
    assert_eq!(workspace.address().endpoint().to_string(), local.emulator.endpoint());
    assert!(!workspace.targets().await.unwrap().is_empty());
    assert_eq!((count(&local, Route::WorkspaceGet), count(&local, Route::ResourceGraph)), (1, 0));
    let sent = local.emulator.requests();
    let scopes: Vec<bool> = sent.iter().map(|request| request.header("authorization").is_some()).collect();
    assert_eq!(scopes, [true, true]);
    assert_ne!(
        sent[0].header("authorization"),
        sent[1].header("authorization"),
        "each service gets its own token"
    );
}

#[tokio::test]
async fn a_name_alone_is_looked_up() {
    let local = Local::start().await;
    let name = local.emulator.workspace_name();
    let workspace = builder(&local).workspace_name(&name).unwrap().connect().await.unwrap();
    assert_eq!(workspace.address().resource_id().to_string(), local.emulator.resource_id());
    assert_eq!((count(&local, Route::WorkspaceGet), count(&local, Route::ResourceGraph)), (0, 1));
}

#[tokio::test]
async fn with_an_endpoint_nothing_is_asked() {
    let local = Local::start().await;
    let id = local.emulator.resource_id();
    let given = builder(&local).resource_id(&id).unwrap().endpoint(&local.emulator.endpoint()).unwrap();
    let workspace = given.connect().await.unwrap();
    assert!(local.emulator.requests().is_empty());
    assert!(workspace.targets().await.is_ok());
}

#[tokio::test]
async fn what_is_not_there_is_told() {
    let local = Local::start().await;
    let unknown = local.emulator.resource_id().replace(&local.emulator.workspace_name(), "no-such-ws");
    let error = builder(&local).resource_id(&unknown).unwrap().connect().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, Some("ResourceNotFound")));
    let error = builder(&local).workspace_name("no-such-ws").unwrap().connect().await.unwrap_err();
    assert_eq!(error.to_string(), "connect: no workspace named `no-such-ws` is visible to this identity");
    assert!(error.hint().unwrap().contains("tenant"), "{:?}", error.hint());
}

#[tokio::test]
async fn what_the_resource_manager_does_not_find_comes_with_what_to_check() {
    let local = Local::start().await;
    for (code, advice) in [
        ("SubscriptionNotFound", "tenant"),
        ("ResourceGroupNotFound", "resource group and name"),
        ("ResourceNotFound", "az quantum workspace list"),
    ] {
        local.emulator.inject(Fault::new(Route::WorkspaceGet, Action::service_error(404, code, "not there")));
        let error =
            builder(&local).resource_id(&local.emulator.resource_id()).unwrap().connect().await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, Some(code)));
        assert!(error.hint().is_some_and(|hint| hint.contains(advice)), "{code}: {:?}", error.hint());
    }
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let body = r#"{"location": "eastus", "properties": {"provisioningState": "Provisioning"}}"#;
    let unready = Action::Status { status: 200, headers, body: body.into() };
    local.emulator.inject(Fault::new(Route::WorkspaceGet, unready));
    let error =
        builder(&local).resource_id(&local.emulator.resource_id()).unwrap().connect().await.unwrap_err();
    assert!(error.to_string().contains("its state is `Provisioning`"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("wait until")), "{:?}", error.hint());
}

#[tokio::test]
async fn a_location_stands_in_only_where_the_resource_manager_refuses_or_is_out_of_reach() {
    let local = Local::start().await;
    let connect = || {
        builder(&local)
            .resource_id(&local.emulator.resource_id())
            .unwrap()
            .location("East US")
            .unwrap()
            .connect()
    };
    for (status, by_location) in [(401, true), (403, true), (404, false), (400, false)] {
        local.emulator.inject(Fault::new(Route::WorkspaceGet, Action::status(status)));
        match connect().await {
            Ok(workspace) => {
                assert!(by_location, "{status}");
                assert_eq!(workspace.address().endpoint().to_string(), "https://eastus.quantum.azure.com/");
            }
            Err(error) => assert!(!by_location, "{status}: {error}"),
        }
    }
}

#[tokio::test]
async fn a_foreign_endpoint_gets_no_token() {
    let local = Local::start().await;
    let foreign = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    for uri in [
        "https://eastus.quantum.azure.com.evil.example/".to_owned(),
        format!("http://localhost.evil.example:{}/", foreign.local_addr().unwrap().port()),
        "https://evil.example/".to_owned(),
        "http://eastus.quantum.azure.com/".to_owned(),
    ] {
        let resource =
            serde_json::json!({"location": "eastus", "properties": {"endpointUri": uri}}).to_string();
        let headers = vec![("content-type".into(), "application/json".into())];
        let answer = Action::Status { status: 200, headers, body: resource.into() };
        local.emulator.inject(Fault::new(Route::WorkspaceGet, answer));
        let error =
            builder(&local).resource_id(&local.emulator.resource_id()).unwrap().connect().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ForeignOrigin, "{uri}");
    }
    let nobody = futures::poll!(std::pin::pin!(foreign.accept()));
    assert!(nobody.is_pending(), "nobody came to the foreign host");
}

#[tokio::test]
async fn a_wrong_endpoint_is_looked_up_anew_once() {
    let local = Local::start().await;
    let other = Local::start().await;
    // The settings say one place, the Resource Manager knows another.
    let wrong = other.emulator.endpoint();
    let given = builder(&local).resource_id(&local.emulator.resource_id()).unwrap().endpoint(&wrong).unwrap();
    let workspace = given.connect().await.unwrap();
    let elsewhere = Action::service_error(400, "IncorrectDataplaneEndpoint", "The workspace is elsewhere.");
    other.emulator.inject(Fault::new(Route::ProviderStatus, elsewhere).always());
    assert!(!workspace.targets().await.unwrap().is_empty());
    assert_eq!(workspace.address().endpoint().to_string(), local.emulator.endpoint());
    assert!(workspace.targets().await.is_ok());
    assert_eq!(
        (count(&other, Route::ProviderStatus), count(&local, Route::WorkspaceGet)),
        (1, 1),
        "asked once"
    );
}

#[tokio::test]
async fn a_place_that_is_wrong_again_is_not_looked_up_again() {
    let local = Local::start().await;
    let other = Local::start().await;
    let wrong = other.emulator.endpoint();
    let given = builder(&local).resource_id(&local.emulator.resource_id()).unwrap().endpoint(&wrong).unwrap();
    let workspace = given.connect().await.unwrap();
    for place in [&local, &other] {
        let elsewhere =
            Action::service_error(400, "IncorrectDataplaneEndpoint", "The workspace is elsewhere.");
        place.emulator.inject(Fault::new(Route::ProviderStatus, elsewhere).always());
    }
    let error = workspace.targets().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongEndpoint);
    let asked = (count(&other, Route::ProviderStatus), count(&local, Route::ProviderStatus));
    assert_eq!((asked, count(&local, Route::WorkspaceGet)), ((1, 1), 1), "each once, and one look");
}

#[tokio::test]
async fn keys_are_listed_replaced_and_switched() {
    let local = Local::start().await;
    let management = management(&local);
    let id = local.emulator.resource_id().parse().unwrap();
    let keys = management.keys(&id).await.unwrap();
    assert!(keys.api_key_enabled);
    let primary =
        |keys: &qws::AccessKeys| keys.primary_key.as_ref().unwrap().key.as_ref().unwrap().expose().to_owned();
    assert_eq!(primary(&keys), local.emulator.api_key());
    assert!(!format!("{keys:?}").contains(&primary(&keys)));
    let by_string = keys.primary_connection_string.as_ref().unwrap().expose().to_owned();
    assert!(local.workspace_at(&by_string).unwrap().targets().await.is_ok());

    management.regenerate_keys(&id, &[KeyType::Primary]).await.unwrap();
    let error = local.workspace_at(&by_string).unwrap().targets().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    let renewed = management.keys(&id).await.unwrap();
    assert_ne!(primary(&renewed), primary(&keys));

    let resource = management.set_access_keys_enabled(&id, false).await.unwrap();
    assert_eq!(resource.properties.api_key_enabled, Some(false));
    let by_new_key = renewed.primary_connection_string.as_ref().unwrap().expose().to_owned();
    assert!(local.workspace_at(&by_new_key).unwrap().targets().await.is_err());
    management.set_access_keys_enabled(&id, true).await.unwrap();
    assert!(local.workspace_at(&by_new_key).unwrap().targets().await.is_ok());
}

#[tokio::test]
async fn regenerating_keys_is_never_repeated() {
    let local = Local::start().await;
    local.emulator.inject(Fault::new(Route::KeysRegenerate, Action::ResetAfter).always());
    let id = local.emulator.resource_id().parse().unwrap();
    let error = management(&local).regenerate_keys(&id, &[KeyType::Secondary]).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Network, 1));
    assert_eq!(count(&local, Route::KeysRegenerate), 1);
}

#[tokio::test]
async fn workspaces_are_listed_and_found() {
    let local = Local::start().await;
    let management = management(&local);
    let subscription = local.emulator.subscription_id().parse().unwrap();
    let all = management.workspaces(&subscription, None).collect().await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].properties.provisioning_state.as_deref(), Some("Succeeded"));
    let group = local.emulator.resource_group().parse().unwrap();
    assert_eq!(management.workspaces(&subscription, Some(&group)).collect().await.unwrap().len(), 1);
    let name = local.emulator.workspace_name().to_uppercase().parse().unwrap();
    let found = management.find(&WorkspaceQuery::by_name(name)).await.unwrap();
    assert_eq!(found[0].resource_id().map(|id| id.to_string()), Some(local.emulator.resource_id()));
}

#[tokio::test]
async fn a_key_does_not_open_the_resource_manager_and_is_not_sent_there() {
    let local = Local::start().await;
    let key = Arc::new(qws::auth::ApiKey::new(local.emulator.api_key()).unwrap());
    let management = Management::new(key, &local.options().cloud(cloud(&local))).unwrap();
    let id = local.emulator.resource_id().parse().unwrap();
    let error = management.workspace(&id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credential);
    assert!(error.hint().unwrap().contains("connection string"), "{:?}", error.hint());
    assert!(local.emulator.requests().is_empty());
}
