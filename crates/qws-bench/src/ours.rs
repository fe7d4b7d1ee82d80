//! The work as users of the client do it.

use crate::measure::{self, JOB_ID, LISTED_JOBS, PAGE_JOBS, Sample, Setup};
use anyhow::{Context as _, Error, Result, ensure};
use futures::TryStreamExt as _;
use qws_auth::ApiKey;
use qws_client::{Client, ClientOptions, JobId};
use qws_config::{ConnectionString, ResourceId, WorkspaceAddress};
use qws_http::{HyperTransport, HyperTransportBuilder};
use std::{hint::black_box, sync::Arc};

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

fn client(setup: &Setup) -> Result<Client> {
    let string: ConnectionString = measure::connection_string_to(&setup.endpoint).parse()?;
    let key = ApiKey::new(string.api_key().context("no key")?.clone())?;
    let transport = HyperTransport::builder().add_root_pem(setup.root_pem.as_bytes());
    let transport = transport.and_then(HyperTransportBuilder::build).map_err(Error::from_boxed)?;
    let options = ClientOptions::default().transport(Arc::new(transport));
    Ok(Client::new(WorkspaceAddress::from(&string), Arc::new(key), &options)?)
}

async fn get(client: &Client, id: &JobId) -> Result<()> {
    let job = black_box(client.jobs().get(id).await?);
    ensure!(job.id == *id, "another job");
    Ok(())
}
