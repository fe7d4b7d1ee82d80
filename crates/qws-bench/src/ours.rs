//! The work as users of the client do it.

use crate::measure::{
    self, AT_ONCE, BLOB_BYTES, JOB_ID, LISTED_JOBS, PAGE_JOBS, Sample, Setup, WATCHED_JOBS,
};
use anyhow::{Context as _, Error, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use qws_auth::ApiKey;
use qws_client::{Client, ClientOptions, JobId, JobSet, Program, Results, Workspace};
use qws_config::{ConnectionString, ResourceId, WorkspaceAddress};
use qws_http::{Clock, HyperTransport, HyperTransportBuilder, SystemClock};
use std::{hint::black_box, pin::Pin, sync::Arc, time::Duration};
use time::OffsetDateTime;
use tokio::io::AsyncReadExt as _;

pub(crate) fn connection_string(_: &Setup) -> Result<Sample> {
    measure::texts(measure::CONNECTION_STRING, |text| text.parse::<ConnectionString>().ok())
}

pub(crate) fn resource_id(_: &Setup) -> Result<Sample> {
    measure::texts(measure::RESOURCE_ID, |text| text.parse::<ResourceId>().ok())
}

pub(crate) fn get_one(setup: &Setup) -> Result<Sample> {
    let (client, id) = (client(setup)?, JOB_ID.parse()?);
    measure::one_at_a_time(async || get(&client, &id).await)
}

pub(crate) fn get_64(setup: &Setup) -> Result<Sample> {
    let (client, id) = (client(setup)?, JOB_ID.parse()?);
    measure::many_at_once(async || get(&client, &id).await)
}

pub(crate) fn list_stream(setup: &Setup) -> Result<Sample> {
    let (client, id) = (client(setup)?, JOB_ID.parse()?);
    measure::once(
        async || get(&client, &id).await,
        async || {
            let mut jobs = client.jobs().list().page_size(PAGE_JOBS.into()).into_stream();
            let mut seen = 0;
            while let Some(job) = jobs.try_next().await? {
                black_box(job);
                seen += 1;
            }
            ensure!(seen == LISTED_JOBS, "{seen} jobs");
            Ok(())
        },
    )
}

pub(crate) fn list_collect(setup: &Setup) -> Result<Sample> {
    let (client, id) = (client(setup)?, JOB_ID.parse()?);
    measure::once(
        async || get(&client, &id).await,
        async || {
            let jobs = black_box(client.jobs().list().page_size(PAGE_JOBS.into()).collect().await?);
            ensure!(u32::try_from(jobs.len())? == LISTED_JOBS, "{} jobs", jobs.len());
            Ok(())
        },
    )
}

pub(crate) fn cold_start(setup: &Setup) -> Result<Sample> {
    measure::cold(async || {
        let (client, id) = (client(setup)?, JOB_ID.parse()?);
        get(&client, &id).await
    })
}

/// A job with its input from a stream.
pub(crate) fn upload(setup: &Setup) -> Result<Sample> {
    let workspace = workspace(setup, options(setup)?)?;
    let target = async || workspace.target("ionq.simulator").await;
    measure::once(
        async || target().await.map(|_| ()).map_err(Error::from),
        async || {
            let input = tokio::io::repeat(b'x').take(BLOB_BYTES.into());
            let program =
                Program::raw("", "application/octet-stream", "qir.v1", "microsoft.quantum-results.v2");
            target().await?.submit(program).send_from(input).await?;
            Ok(())
        },
    )
}

/// The output of a job, by the link in it.
pub(crate) fn download(setup: &Setup) -> Result<Sample> {
    let workspace = workspace(setup, options(setup)?)?;
    let job = async || workspace.job(&measure::WITH_OUTPUT.parse()?).await;
    measure::once(
        async || job().await.map(|_| ()).map_err(Error::from),
        async || {
            let read = job().await?.output_to(tokio::io::sink()).await?;
            ensure!(read == u64::from(BLOB_BYTES), "{read} bytes");
            Ok(())
        },
    )
}

pub(crate) fn results(_: &Setup) -> Result<Sample> {
    measure::output(|output| {
        let results = Results::from_raw("microsoft.quantum-results.v2", output);
        let (shots, histogram) = black_box((results.shots()?, results.histogram()?));
        ensure!(u32::try_from(shots.len())? == measure::SHOTS, "{} shots", shots.len());
        let outcomes = histogram.outcomes().len();
        ensure!(u32::try_from(outcomes)? == measure::OUTCOMES, "{outcomes} outcomes");
        Ok(())
    })
}

/// A set of jobs, watched until all have ended. The pauses are left out: the server lets its clock tick by rounds.
pub(crate) fn watch(setup: &Setup) -> Result<Sample> {
    let workspace = workspace(setup, options(setup)?.clock(Arc::new(Hurried(SystemClock::new()))))?;
    let raw = |method| workspace.client().raw(method, "watch", None);
    measure::counted(
        async || {
            let job = async |id: String| Ok::<_, Error>(workspace.job(&id.parse()?).await?);
            let ids = (0..WATCHED_JOBS).map(measure::listed_id);
            let jobs: Vec<_> = stream::iter(ids).map(job).buffer_unordered(AT_ONCE).try_collect().await?;
            let answer = raw(http::Method::POST).await?;
            ensure!(answer.status().is_success(), "{}", answer.status());
            Ok(jobs)
        },
        async |jobs| {
            let ended = JobSet::new(&workspace, jobs).wait().await?;
            ensure!(u32::try_from(ended.len())? == WATCHED_JOBS, "{} jobs", ended.len());
            Ok(())
        },
        async || Ok(serde_json::from_slice(raw(http::Method::GET).await?.body())?),
    )
}

/// Time in which no pause is waited for; deadlines hold.
#[derive(Debug)]
struct Hurried(SystemClock);

impl Clock for Hurried {
    fn now(&self) -> OffsetDateTime {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::ready(()))
    }

    fn expire(&self, limit: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.0.expire(limit)
    }
}

fn options(setup: &Setup) -> Result<ClientOptions> {
    let transport = HyperTransport::builder().add_root_pem(setup.root_pem.as_bytes());
    let transport = transport.and_then(HyperTransportBuilder::build).map_err(Error::from_boxed)?;
    Ok(ClientOptions::default().transport(Arc::new(transport)))
}

fn client(setup: &Setup) -> Result<Client> {
    let string: ConnectionString = measure::connection_string_to(&setup.endpoint).parse()?;
    let key = ApiKey::new(string.api_key().context("no key")?.clone())?;
    Ok(Client::new(WorkspaceAddress::from(&string), Arc::new(key), &options(setup)?)?)
}

fn workspace(setup: &Setup, options: ClientOptions) -> Result<Workspace> {
    let string = measure::connection_string_to(&setup.endpoint);
    Ok(Workspace::builder().connection_string(&string)?.options(options).build()?)
}

async fn get(client: &Client, id: &JobId) -> Result<()> {
    let job = black_box(client.jobs().get(id).await?);
    ensure!(job.id == *id, "another job");
    Ok(())
}
