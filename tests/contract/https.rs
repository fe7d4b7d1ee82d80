//! The same over HTTPS, under a certificate authority that the emulator makes at start and that only we trust.

use std::sync::Arc;

use qws::{
    ErrorKind, Program, Workspace,
    auth::{Host, ServicePrincipal},
    config::{Cloud, Settings},
    http::HyperTransport,
};
use qws_contract::Local;
use qws_emulator::{Application, Emulator};

use crate::main_job::GHZ;

#[tokio::test]
async fn sign_in_lookup_and_a_job_go_over_tls_that_the_emulator_vouches_for() {
    let local = Local::with(Emulator::builder().manual_clock().https().start().await.unwrap());
    let application = Application { secrets: vec!["canary-s3cret".to_owned()], ..Application::default() };
    local.emulator.identity().register(application);
    let pem = local.emulator.ca_pem().unwrap().as_bytes().to_vec();
    let trusting = HyperTransport::builder().add_root_pem(&pem).unwrap().build().unwrap();
    let transport = Arc::new(trusting);

    let authority = local.emulator.identity().authority_url();
    assert!(authority.starts_with("https://") && local.emulator.endpoint().starts_with("https://"));
    let host = Host::new(|_| None)
        .with_clock(Arc::new(local.clock.clone()))
        .with_transport(transport.clone())
        .with_authority_host(&authority)
        .unwrap();
    let tenant = local.emulator.identity().tenant_id().parse().unwrap();
    let client = Application::default().client_id;
    let principal = ServicePrincipal::with_secret(tenant, &client, "canary-s3cret").unwrap().with_host(host);
    let cloud = Cloud::public().with_resource_manager(&local.emulator.endpoint()).unwrap();
    let connect = |options| {
        Workspace::builder()
            .settings(Settings::new().with_cloud(&cloud))
            .resource_id(&local.emulator.resource_id())
            .unwrap()
            .credential(Arc::new(principal.clone()))
            .options(options)
            .connect()
    };
    let workspace = connect(local.options().transport(transport)).await.unwrap();
    let target = workspace.target("ionq.simulator").await.unwrap();
    let mut job = target.submit(Program::ionq_json(GHZ).unwrap()).send().await.unwrap();
    job.wait().await.unwrap();
    assert_eq!(job.results().await.unwrap().histogram().unwrap().outcomes().len(), 2);

    local.emulator.clear_requests();
    let untrusting = Arc::new(HyperTransport::new().unwrap());
    let error = connect(local.options().transport(untrusting)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    assert!(local.emulator.requests().is_empty(), "nothing was sent to a server that is not trusted");
}
