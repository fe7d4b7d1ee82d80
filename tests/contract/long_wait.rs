//! A wait of a day, through everything that happens in a day.

use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use qws::{
    JobEvent, JobStatus, Program, Workspace,
    auth::{Host, ServicePrincipal},
};
use qws_contract::Local;
use qws_emulator::{Action, Application, Emulator, EmulatorBuilder, Fault, Operation as Route};

use crate::main_job::GHZ;

const DAY: Duration = Duration::from_hours(24);
const SECRET: &str = "canary-s3cret";

/// Jobs take a day, links and tokens last for an hour.
fn builder() -> EmulatorBuilder {
    Emulator::builder().seed(1).job_timing(DAY / 2, DAY / 2).sas_lifetime(Duration::from_hours(1))
}

fn count(local: &Local, route: Route) -> usize {
    local.emulator.requests().iter().filter(|request| request.operation == Some(route)).count()
}

/// Makes the emulator know the application, and have bursts of throttling and of lost connections, spread by counting
/// requests.
fn prepare(local: &Local) {
    let application = Application { secrets: vec![SECRET.to_owned()], ..Application::default() };
    local.emulator.identity().register(application);
    for after in [100, 1000, 2000] {
        local.emulator.inject(Fault::new(Route::JobsGet, Action::throttle(30)).after(after).times(3));
        local.emulator.inject(Fault::new(Route::JobsGet, Action::ResetBefore).after(after + 50).times(30));
    }
}

/// The workspace as an application sees it that signs in with a secret.
fn workspace(local: &Local) -> Workspace {
    let host = Host::new(|_| None)
        .with_clock(Arc::new(local.clock.clone()))
        .with_authority_host(&local.emulator.identity().authority_url())
        .unwrap();
    let tenant = local.emulator.identity().tenant_id().parse().unwrap();
    let credential = ServicePrincipal::with_secret(tenant, &Application::default().client_id, SECRET);
    Workspace::builder()
        .resource_id(&local.emulator.resource_id())
        .unwrap()
        .endpoint(&local.emulator.endpoint())
        .unwrap()
        .credential(Arc::new(credential.unwrap().with_host(host)))
        .options(local.options())
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_wait_of_a_day_ends_well_through_expiry_throttling_and_a_restart() {
    let mut local = Local::with(builder().manual_clock().start().await.unwrap());
    prepare(&local);
    let target = workspace(&local).target("ionq.simulator").await.unwrap();
    let mut job = target.submit(Program::ionq_json(GHZ).unwrap()).shots(100).send().await.unwrap();
    local.emulator.clear_requests();

    let (mut interruptions, mut asked, mut sign_ins) = (0, 0, 0);
    let mut events = job.wait().deadline(2 * DAY).events();
    // Half a day, then the service is away for a while, and back without any memory of who had signed in.
    while let Some(event) = events.next().await {
        match event.unwrap() {
            JobEvent::Status(JobStatus::Executing) => break,
            JobEvent::Interrupted(_) => interruptions += 1,
            _ => {}
        }
    }
    assert!(interruptions > 0, "the bursts were seen");
    asked += count(&local, Route::JobsGet);
    sign_ins += count(&local, Route::EntraToken);
    let away = async {
        for _ in 0..3 {
            assert!(matches!(events.next().await, Some(Ok(JobEvent::Interrupted(_)))));
        }
    };
    local = local.restarted(builder(), away).await;
    prepare(&local);
    while let Some(event) = events.next().await {
        event.unwrap();
    }
    drop(events);
    asked += count(&local, Route::JobsGet);
    sign_ins += count(&local, Route::EntraToken);
    assert_eq!(job.status(), Some(&JobStatus::Succeeded));
    assert!(asked < 6500, "{asked} questions in a day");
    assert!((24..=50).contains(&sign_ins), "{sign_ins} sign-ins for tokens of an hour");

    // The link of the last answer ends before anybody reads.
    local.clock.advance(Duration::from_hours(2));
    let results = job.results().await.unwrap();
    assert_eq!(results.histogram().unwrap().outcomes().len(), 2);
    assert_eq!((count(&local, Route::SasUri), count(&local, Route::BlobGet)), (1, 1));
}
